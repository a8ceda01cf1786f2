"""What a case is about, as the journal holds it: for what waits nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.control.cases.rows import Case
from gateway.control.review.neighbours import CaseText
from gateway.journal.read import lookup

UNKNOWN: Final = "unknown"
NOT_KEPT: Final = "not kept"


class JournalledTexts:
    """``root``: the journal of the node."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def read(self, rows: Sequence[Case]) -> dict[int, CaseText]:
        """One after the other, in a thread."""
        return {case.id: await asyncio.to_thread(self._of, case.message_id) for case in rows}

    def _of(self, message_id: str) -> CaseText:
        try:
            told = lookup.find(self._root, message_id)
        except (OSError, ValueError):  # a journal that shrinks meanwhile
            told = None
        if told is None:
            return CaseText(missing=UNKNOWN)
        texts = told.first.get("content", {}).get("plain")
        findings = tuple(told.first.get("findings", ()))
        return CaseText(tuple(texts or ()), None, findings, "" if texts is not None else NOT_KEPT)
