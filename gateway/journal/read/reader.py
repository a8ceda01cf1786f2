"""ClockReading a journal back: every record of every worker in order of time, streamed, in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.write.segments import bounds, folders, lines, owned, segments

SLACK_US = 3_600_000_000  # a record may be this much older or newer than the headers around it say: clocks are set


class LocatedRecord(NamedTuple):
    """A record and where it stands: ``folder`` as ``node/worker``, ``segment`` a file name, ``offset`` bytes."""

    folder: str
    segment: str
    offset: int
    record: dict[str, Any]


class Flaw(NamedTuple):
    """A line that could not be read. ``code`` as in ``encoding.Corrupt``; ``size`` bytes were passed over."""

    folder: str
    segment: str
    offset: int
    size: int
    code: str


OnFlaw = Callable[[Flaw], object]
Folders = Callable[[Path], list[Path]]


def folder_name(folder: Path) -> str:
    """``node/worker``."""
    return f"{folder.parent.name}/{folder.name}"


def records(
    folder: Path, on_flaw: OnFlaw, *, since_us: int = 0, until_us: int | None = None, needle: bytes = b""
) -> Iterator[LocatedRecord]:
    """One worker's records in the order of writing, damaged lines told to ``on_flaw`` and passed over.

    Segments wholly before ``since_us`` or after ``until_us`` (microseconds since the epoch) are not opened further
    than their header; single records outside are left to the caller. Lines without ``needle`` are not parsed. Where the
    clock was set, a segment counts for every time that the first records around it tell.
    """
    place = folder_name(folder)
    found = segments(folder)
    known = list(bounds(found)) if since_us or until_us is not None else bounds(found)
    opened = [header["time"] if header else None for _, header, _ in known] if isinstance(known, list) else []
    for index, (segment, _header, end) in enumerate(known):
        if opened:
            successor = opened[index + 1] if index + 1 < len(opened) else None
            own = opened[index]
            if successor is not None and max(successor, own or 0) + SLACK_US < since_us:
                continue
            if until_us is not None and own is not None and min(own, successor or own) - SLACK_US > until_us:
                continue
        try:
            file = segment.path.open("rb")
        except FileNotFoundError:  # pruned meanwhile
            continue
        with file:
            for line in lines(file, end=end, needle=needle):
                if line.record is not None:
                    yield LocatedRecord(place, segment.name, line.offset, line.record)
                elif line.flaw != "torn" or not owned(folder):  # a living writer's last line is not torn, only young
                    on_flaw(Flaw(place, segment.name, line.offset, len(line.raw), line.flaw))


def merged(
    root: Path,
    on_flaw: OnFlaw,
    *,
    since_us: int = 0,
    until_us: int | None = None,
    needle: bytes = b"",
    of: Folders = folders,
) -> Iterator[LocatedRecord]:
    """The records of all workers by time, or of the folders that ``of`` tells. Each worker's own order is kept where
    its clock was set back."""
    streams = [
        _timed(records(folder, on_flaw, since_us=since_us, until_us=until_us, needle=needle)) for folder in of(root)
    ]
    for _, _, entry in heapq.merge(*streams, key=lambda timed: timed[:2]):
        yield entry


def _timed(entries: Iterator[LocatedRecord]) -> Iterator[tuple[int, str, LocatedRecord]]:
    latest = 0
    for entry in entries:
        latest = max(latest, entry.record.get("time", 0))
        yield latest, entry.folder, entry
