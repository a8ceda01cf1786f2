"""From a code to what the journal knows of the message that it stands for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.appeals import finding
from gateway.appeals.codes import Codes
from gateway.appeals.prints import Prints
from gateway.journal.read import lookup
from gateway.journal.write import ids
from gateway.words.files import folding_tables


class JudgedMessage(NamedTuple):
    """As its judged record has it. ``at``: µs since the epoch; ``findings``: all that were enforced, the leading one
    first; ``texts``: None where they were not kept; ``print``: a keyed digest of them, where it was kept instead;
    ``stopped``: the reason where it passed, and was refused while its delay ran."""

    id: str
    at: int
    route: str
    room: str
    sender: str
    verdict: str
    findings: Sequence[dict[str, Any]]
    texts: tuple[str, ...] | None
    print: str
    stopped: str = ""


class AppealedMessages(Protocol):
    """What codes stand for."""

    async def find(self, code: str) -> Sequence[JudgedMessage]:
        """One, nearly always; several where two agree, none where nobody was given this code. Raises ``OSError``."""

    async def texts(self, message_id: str) -> Sequence[str] | None:
        """Of one message, None where they are not there (any more). Raises ``OSError``."""

    async def here(self, message_id: str) -> bool:
        """Whether the journal of the node that judged a message can be read here."""

    def print(self, texts: Sequence[str]) -> str:
        """The digest by which a text that was entered again is known."""


class RefusalsInJournal:
    """Of the node's journal in ``root``. ``codes``: those in force, None where there are none; ``clock`` in nanoseconds
    since the epoch."""

    def __init__(self, root: Path, codes: Callable[[], Codes | None], clock: Callable[[], int] = time.time_ns) -> None:
        self._root = root
        self._codes = codes
        self._clock = clock

    async def find(self, code: str) -> Sequence[JudgedMessage]:
        codes = self._codes()
        if codes is None:
            return ()
        return await asyncio.to_thread(self._find, codes, code)

    def _find(self, codes: Codes, code: str) -> list[JudgedMessage]:
        found = []
        for message_id in finding.find(self._root, codes, code, self._clock() // 10**9):
            told = lookup.find(self._root, message_id)
            if told is not None and not told.imported:
                found.append(_judged(told.first)._replace(stopped=told.stopped))
        return found

    async def texts(self, message_id: str) -> Sequence[str] | None:
        told = await asyncio.to_thread(lookup.find, self._root, message_id)
        return _judged(told.first).texts if told is not None else None

    async def here(self, message_id: str) -> bool:
        try:
            folder = self._root / f"node-{ids.parse(message_id).node}"
        except ValueError:
            return True
        return await asyncio.to_thread(folder.is_dir)

    def print(self, texts: Sequence[str]) -> str:
        codes = self._codes()
        return Prints(codes, folding_tables()).of(texts) if codes is not None else ""


def _judged(record: dict[str, Any]) -> JudgedMessage:
    texts = record.get("content", {}).get("plain")
    return JudgedMessage(
        record["id"], record["time"], record["route"], record["room"], record["sender"], record["verdict"],
        record.get("findings", ()), tuple(texts) if texts is not None else None, record.get("print", ""),
    )  # fmt: skip
