"""Following a journal while it is written: what a projector does.

A position is ``<segment>:<offset>`` for each folder; kept by the follower's owner, it survives restarts of both sides.
Every record that counts is given at least once. One that was written and then given up with its batch (a disk that
failed in the middle of a write and could not be cut back) may be given although it does not count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from gateway.journal.read.listing import Listings
from gateway.journal.read.reader import Flaw, Folders, LocatedRecord, OnFlaw, folder_name
from gateway.journal.write.segments import Segment, end_of, folders, header, lines, segments

READ = 1 << 16  # bytes of a segment that are looked through at once for its last line


class Follower:
    """Reads on from ``positions`` (empty: from the oldest record), ``of`` which folders: all of them, or those that
    this node wrote. No watch on the file system: call ``read`` when
    you want to know."""

    def __init__(
        self, root: Path, on_flaw: OnFlaw, positions: Mapping[str, str] | None = None, of: Folders = folders
    ) -> None:
        self.root = root
        self._of = of
        self.positions: dict[str, str] = dict(positions or {})
        self._on_flaw = on_flaw
        self._listings = Listings()

    def read(self, limit: int = 1000) -> list[LocatedRecord]:
        """Up to ``limit`` new records of each worker, by time; empty when there are none yet. Moves ``positions``."""
        entries: list[LocatedRecord] = []
        for folder in self._of(self.root):
            entries.extend(self.read_folder(folder, limit))
        entries.sort(key=lambda entry: entry.record.get("time", 0))  # stable: a worker's order stays within one time
        return entries

    def read_folder(self, folder: Path, limit: int = 1000) -> list[LocatedRecord]:
        """Up to ``limit`` new records of one worker, in the order of writing, whatever its clock did."""
        place = folder_name(folder)
        at, offset = _parse(self.positions.get(place, ":0"))
        entries: list[LocatedRecord] = []
        found = self._listings.segments(folder)
        remaining = found[bisect_left(found, at, key=_name) :]
        if remaining and remaining[0].name != at:
            offset = 0  # the segment of the position was pruned, or nothing was read yet
        for index, segment in enumerate(remaining):
            successor = _successor(remaining[index + 1 :])
            offset = self._segment(
                place,
                segment,
                offset,
                end=end_of(segment, successor),
                last=successor is None,
                limit=limit,
                entries=entries,
            )
            self.positions[place] = f"{segment.name}:{offset}"
            if len(entries) >= limit or successor is None:
                break
            offset = 0
        return entries

    def _segment(
        self,
        place: str,
        segment: Segment,
        offset: int,
        *,
        end: int | None,
        last: bool,
        limit: int,
        entries: list[LocatedRecord],
    ) -> int:
        try:
            file = segment.path.open("rb")
        except FileNotFoundError:
            return offset
        with file:
            for line in lines(file, offset, end):
                if line.flaw == "torn" and last:
                    break  # still being written, or to be cut by the next start
                if line.record is not None:
                    entries.append(LocatedRecord(place, segment.name, line.offset, line.record))
                else:
                    self._on_flaw(Flaw(place, segment.name, line.offset, len(line.raw), line.flaw))
                offset = line.end
                if len(entries) >= limit:
                    break
        return offset


def ends(root: Path, of: Folders = folders) -> dict[str, str]:
    """Positions behind everything that is written now, for a follower that wants only what is new."""
    positions: dict[str, str] = {}
    for folder in of(root):
        for segment in reversed(segments(folder)):
            try:
                with segment.path.open("rb") as file:
                    size = _whole(file, file.seek(0, 2))
            except FileNotFoundError:  # pruned meanwhile
                continue
            if size:  # else it was only prepared, or its first line is still being written
                positions[folder_name(folder)] = f"{segment.name}:{size}"
                break
    return positions


def _whole(file: BinaryIO, size: int) -> int:
    """Bytes up to the last line feed before ``size``."""
    while size:
        start = max(0, size - READ)
        file.seek(start)
        found = file.read(size - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def before(positions: Mapping[str, str], entry: LocatedRecord) -> bool:
    """Whether a follower that starts at ``positions`` passes over this record."""
    if entry.folder not in positions:
        return False
    at, offset = _parse(positions[entry.folder])
    return (entry.segment, entry.offset) < (at, offset)


def _successor(later: list[Segment]) -> dict[str, object] | None:
    """The header of the next segment that has one; a file that was only prepared does not end the one before it."""
    for segment in later:
        found = header(segment.path)
        if found is not None:
            return found
    return None


def _name(segment: Segment) -> str:
    return segment.name


def _parse(position: str) -> tuple[str, int]:
    name, _, offset = position.rpartition(":")
    return name, int(offset)
