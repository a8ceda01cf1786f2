"""Acts in the journal: control is a writer of its own, beside the workers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

from gateway.control.acts.neighbours import Row
from gateway.journal.read import reader
from gateway.journal.write import record
from gateway.journal.write.errors import JournalUnavailable
from gateway.journal.write.writer import Writer

NEEDLE = b'"kind":"act"'


class JournalOfActs:
    """Appends through ``writer``; reads back from its folder."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def append(self, act: Row) -> None:
        """Returns when the record is written; ``JournalUnavailable`` where it is not known to be."""
        await append(self._writer, recorded(act))

    async def recorded(self, uids: Collection[str], since: int) -> set[str]:
        """Reads the segments from ``since`` on, in a thread."""
        return await asyncio.to_thread(_held, self._writer.folder, frozenset(uids), since)


async def append(writer: Writer, line: Row) -> None:
    """Append a record; returns when it is written, ``JournalUnavailable`` where it is not known to be."""
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def then() -> None:
        if not written.done():
            written.set_result(None)

    def failed(error: JournalUnavailable) -> None:
        if not written.done():
            written.set_exception(error)

    writer.append(line, then, failed)
    await written


def recorded(act: Row) -> dict[str, Any]:
    """The journal's record of an act; its time is the act's own, not that of a late append."""
    made = record.act(
        act["uid"],
        act["person"],
        act["reason"],
        act["kind"],
        target={"subject": act["subject"], "changes": act["changes"]},
        undoes=act["undoes_uid"],
        token=act["token"] or "",
    )
    made["time"] = act["at"]
    return made


def _held(folder: Path, uids: frozenset[str], since: int) -> set[str]:
    if not folder.is_dir():
        return set()
    # A flaw hides at most what was never acknowledged to anybody; the journal's own verification tells of it.
    entries = reader.records(folder, lambda flaw: None, since_us=since, needle=NEEDLE)
    return {entry.record["id"] for entry in entries} & uids
