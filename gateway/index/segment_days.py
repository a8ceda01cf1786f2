"""The journal as the index reads it: segments of one node that were opened on one day, their records in order of time.

A node's folders are read together, by the time of records, so that what is indexed first was sent first. A folder is
listed again when it changed; the first line of a segment is read once.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from gateway.index.store.day_files import Day
from gateway.journal.read.listing import UNSETTLED_NS
from gateway.journal.read.reader import Flaw, LocatedRecord, OnFlaw, folder_name
from gateway.journal.write.segments import IMPORTS, Segment, end_of, folders, header, lines, segments


class DaySegment(NamedTuple):
    """``place``: folder and name; ``end``: the byte where it ends, None where the file says so; ``last``: of its
    folder, so that it may still be written."""

    place: tuple[str, str]
    path: Path
    end: int | None
    last: bool


class Consumed(NamedTuple):
    """A line that was read: its record, None for a damaged one; ``until``: the byte behind it."""

    entry: LocatedRecord | None
    place: tuple[str, str]
    until: int


class SegmentDays:
    """``of``: the segments of each day, by ``refresh`` as they are now."""

    def __init__(self, root: Path) -> None:
        self.of: dict[Day, list[DaySegment]] = {}
        self._root = root
        self._headers: dict[Path, dict[str, Any]] = {}
        self._listed: dict[Path, tuple[int, dict[Day, list[DaySegment]]]] = {}

    def refresh(self) -> bool:
        """Whether anything is another than before. Raises ``OSError``."""
        before = {folder: known[1] for folder, known in self._listed.items()}
        now: dict[Path, dict[Day, list[DaySegment]]] = {}
        for folder in folders(self._root):
            if folder.parent.name == IMPORTS.partition("/")[0] and folder_name(folder) != IMPORTS:
                continue  # readings by people: no message is among them
            try:
                changed = folder.stat().st_mtime_ns
            except FileNotFoundError:
                continue
            known = self._listed.get(folder)
            if known is None or known[0] != changed:
                known = (changed, self._segments(folder))
                if time.time_ns() - changed > UNSETTLED_NS:
                    self._listed[folder] = known
                else:
                    self._listed[folder] = (-1, known[1])
            now[folder] = known[1]
        for folder in self._listed.keys() - now.keys():
            del self._listed[folder]
        if now == before:
            return False
        self.of = {}
        for several in now.values():
            for day, found in several.items():
                self.of.setdefault(day, []).extend(found)
        return True

    def _segments(self, folder: Path) -> dict[Day, list[DaySegment]]:
        place, node = folder_name(folder), folder.parent.name
        opened: list[tuple[Segment, dict[str, Any]]] = []
        for segment in segments(folder):
            told = self._header(segment.path)
            if told is not None:
                opened.append((segment, told))
        found: dict[Day, list[DaySegment]] = {}
        for number, (segment, told) in enumerate(opened):
            successor = opened[number + 1][1] if number + 1 < len(opened) else None
            day = datetime.fromtimestamp(told["time"] / 1e6, UTC).strftime("%Y-%m-%d")
            one = DaySegment((place, segment.name), segment.path, end_of(segment, successor), successor is None)
            found.setdefault((node, day), []).append(one)
        gone = {path for path in self._headers if path.parent == folder} - {segment.path for segment, _ in opened}
        for path in gone:
            del self._headers[path]
        return found

    def _header(self, path: Path) -> dict[str, Any] | None:
        known = self._headers.get(path)
        if known is None:
            found = header(path)
            if found is None:
                return None
            known = self._headers[path] = {"time": found["time"], "previous": found.get("previous")}
        return known


def left(several: list[DaySegment], read: Mapping[tuple[str, str], int]) -> int:
    """Bytes that are not read yet; of one that is still written, more than can be read perhaps."""
    total = 0
    for one in several:
        size = one.end
        if size is None:
            try:
                size = one.path.stat().st_size
            except FileNotFoundError:
                continue
        total += max(0, size - read.get(one.place, 0))
    return total


def merged(
    several: list[DaySegment], read: Mapping[tuple[str, str], int], on_flaw: OnFlaw
) -> Iterator[Consumed]:  # fmt: skip
    """What is not read yet, by time; each folder's own order is kept."""
    by_folder: dict[str, list[DaySegment]] = {}
    for one in several:
        by_folder.setdefault(one.place[0], []).append(one)
    streams = [_timed(found, read, on_flaw) for found in by_folder.values()]
    for _, _, consumed in heapq.merge(*streams, key=lambda timed: timed[:2]):
        yield consumed


def _timed(
    several: list[DaySegment], read: Mapping[tuple[str, str], int], on_flaw: OnFlaw
) -> Iterator[tuple[int, str, Consumed]]:  # fmt: skip
    latest = 0
    for one in several:
        offset = read.get(one.place, 0)
        if one.end is not None and offset >= one.end:
            continue
        folder, name = one.place
        try:
            file = one.path.open("rb")
        except FileNotFoundError:  # pruned meanwhile
            continue
        with file:
            for line in lines(file, offset, one.end):
                if line.flaw == "torn" and one.last:
                    break  # still being written, or to be cut by the next start
                entry = None
                if line.record is not None:
                    latest = max(latest, line.record.get("time", 0))
                    entry = LocatedRecord(folder, name, line.offset, line.record)
                else:
                    on_flaw(Flaw(folder, name, line.offset, len(line.raw), line.flaw))
                yield latest, folder, Consumed(entry, one.place, line.end)
