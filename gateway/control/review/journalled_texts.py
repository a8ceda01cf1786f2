"""What a case is about, as the journal holds it: for what waits nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway.control.cases.rows import Case
from gateway.control.review.neighbours import CaseText
from gateway.journal.read import lookup
from gateway.journal.read.shown import shown_texts

UNKNOWN: Final = "unknown"
NOT_KEPT: Final = "not kept"


class JournalledTexts:
    """``root``: the journal of the node."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def read(self, rows: Sequence[Case]) -> dict[int, CaseText]:
        """One after the other, in a thread."""
        return {case.id: await asyncio.to_thread(self._of, case.message_id) for case in rows}

    def record(self, message_id: str) -> Mapping[str, Any] | None:
        """The judged record; None where it is not there (any more)."""
        try:
            told = lookup.find(self._root, message_id)
        except (OSError, ValueError):  # a journal that shrinks meanwhile
            told = None
        return told.first if told is not None else None

    def _of(self, message_id: str) -> CaseText:
        record = self.record(message_id)
        if record is None:
            return CaseText(missing=UNKNOWN)
        texts = record.get("content", {}).get("plain")
        findings, shown = tuple(record.get("findings", ())), shown_texts(record)
        masked = shown if shown != tuple(texts or ()) else None
        return CaseText(tuple(texts or ()), masked, findings, "" if texts is not None else NOT_KEPT)
