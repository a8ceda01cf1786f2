"""How long records are kept: at least 184 days (law 7), at most what the operator says; pruned by whole segments.

A segment goes when three agree that it is old enough: the time of day, held against the newest time that its records
and the first records around it tell; what the machine's own clock proves to have gone by (``evidence.py``), for the
floor; and that with the times believed in which the machine was off, for the ceiling.

Deliberately absent: legal holds. Until there are any, an operator who must keep more sets ``keep_at_most`` higher.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.common.boot import ClockReading
from gateway.journal.read.reader import folder_name
from gateway.journal.retention.evidence import Elapsed, Evidence, stamp
from gateway.journal.write import recovery
from gateway.journal.write.errors import Locked
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import (
    Owner,
    Segment,
    bounds,
    lines,
    own_folders,
    owned,
    segments,
    sync_folder,
)

DAY = 86_400  # seconds
FLOOR = 184 * DAY  # six months, whichever six
STUB = 4096  # bytes: a header and a ``closed`` fit


class Append(Protocol):
    """``Writer.append``."""

    def __call__(self, record: Mapping[str, Any], then: Callable[[], object] | None = None, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds. ``keep_at_most`` is when pruning takes a segment; ``keep_at_least``, never under FLOOR, bounds it."""

    keep_at_most: float
    keep_at_least: float = FLOOR

    def __post_init__(self) -> None:
        if self.keep_at_least < FLOOR:
            raise ValueError(f"keep_at_least is below {FLOOR // DAY} days, which nothing shortens")
        if self.keep_at_most < self.keep_at_least:
            raise ValueError("keep_at_most is below keep_at_least: records would go before they may")

    def expired(self, newest_us: int, now_us: int) -> bool:
        """True once a segment whose newest record is of ``newest_us`` is past the ceiling, so also past the floor, as
        the time of day has it."""
        return now_us - newest_us > self.keep_at_most * 1_000_000

    def elapsed(self, gone_by: Elapsed) -> bool:
        """True where so much has gone by since, and does not only seem to."""
        return gone_by.proven >= self.keep_at_least * 1_000_000 and gone_by.believed > self.keep_at_most * 1_000_000


class Due(NamedTuple):
    """What may go from one folder: the oldest segments, in order. ``newest_us``: no record in them is newer."""

    folder: Path
    segments: tuple[Segment, ...]
    newest_us: int


class FirstRecords(Protocol):
    """Folders with the first records of their segments, and how long ago those were."""

    @property
    def now(self) -> ClockReading: ...

    @property
    def folders(self) -> Mapping[Path, Sequence[tuple[Segment, dict[str, Any] | None]]]: ...

    def age(self, began: list[ClockReading]) -> Elapsed: ...


class Journal:
    """The first records of what this node wrote, read once, and both clocks at that moment. Copies of other nodes are
    left out: their clocks run beside ours, and would be taken for time that went by here."""

    def __init__(self, root: Path, now: ClockReading) -> None:
        self.now = now
        self.folders = {folder: [entry[:2] for entry in bounds(segments(folder))] for folder in own_folders(root)}
        self.evidence = Evidence([stamps(known) for known in self.folders.values()], now)

    def age(self, began: list[ClockReading]) -> Elapsed:
        """Time since the first of ``began``, which are those of one folder from there on."""
        return self.evidence.age(began)

    def trusted(self, folder: Path) -> int:
        """The time of day as far as it is proven, or believed, since the oldest first record of ``folder``: never later
        than the clock says. Microseconds since the epoch."""
        for one in stamps(self.folders.get(folder, ())):
            if one.boot:
                return min(self.now.time, one.time + self.evidence.since(one).believed)
        return self.now.time


def stamps(known: Sequence[tuple[Segment, dict[str, Any] | None]]) -> list[ClockReading]:
    """What first records tell of the time, in order."""
    return [stamp(opened) for _, opened in known if opened is not None]


def due(journal: FirstRecords, retention: Retention) -> list[Due]:
    """What is past the ceiling. A folder's last segment never is: it says where the chain goes on."""
    found = []
    for folder, known in journal.folders.items():
        old: list[Segment] = []
        newest = 0
        for place, ((segment, own), (_, successor)) in enumerate(pairwise(known), 1):
            if successor is None:
                break
            # Records of a segment are older than the header that follows it, whatever time either of them tells.
            told = max(own["time"] if own else 0, successor["time"])
            if not retention.expired(told, journal.now.time):
                break
            if not retention.elapsed(journal.age(stamps(known[place:]))):
                break
            old.append(segment)
            newest = max(newest, told)
        if old:
            found.append(Due(folder, tuple(old), newest))
    return found


def agreed(found: list[Due], before: list[Due], retention: Retention, now: ClockReading) -> list[Due]:
    """What was due at an earlier look as well, and whose records say nothing else. Reads what it gives."""
    earlier = {one.folder: frozenset(one.segments) for one in before}
    kept = []
    for folder, old, newest in found:
        agreeing: list[Segment] = []
        for segment in old:
            told = newest_in(segment)
            if segment not in earlier.get(folder, ()) or not retention.expired(told, now.time):
                break
            newest = max(newest, told)
            agreeing.append(segment)
        if agreeing:
            kept.append(Due(folder, tuple(agreeing), newest))
    return kept


def prune(found: list[Due], append: Append, new_id: Ids) -> None:
    """Record what goes, and remove it once that is written. A crash between the two leaves it for the next time."""
    for folder, old, newest_us in found:
        record = {
            "kind": "pruned",
            "id": new_id(),
            "time": time.time_ns() // 1000,
            "folder": folder_name(folder),
            "segments": [segment.name for segment in old],
            "newest": newest_us,
        }
        append(record, partial(_remove, folder, old))


def _remove(folder: Path, old: tuple[Segment, ...]) -> None:
    for segment in old:
        segment.path.unlink(missing_ok=True)
    sync_folder(folder)


def turn_dead(journal: Journal, retention: Retention, ids: Ids) -> int:
    """Give each folder that nobody owns, and whose last segment is past the ceiling, a new and empty last one, so that
    the old one can be pruned. Returns how many. Raises OSError."""
    turned = 0
    for folder, known in journal.folders.items():
        if not known or not _may_turn(journal, retention, *known[-1]):
            continue
        try:
            owner = Owner(folder)
        except Locked:
            continue
        try:
            log, _ = recovery.begin(folder, ids, always=True)
            recovery.end(log, ids)
            turned += 1
        finally:
            owner.release()
    return turned


def _may_turn(journal: Journal, retention: Retention, last: Segment, opened: dict[str, Any] | None) -> bool:
    """The cheap questions first: hardly ever is a whole segment decoded."""
    now_us = journal.now.time
    if last.path.stat().st_size < STUB:
        return False
    began: int = opened["time"] if opened else 0
    if not retention.expired(began, now_us) or owned(last.path.parent):
        return False
    if opened is not None and not retention.elapsed(journal.evidence.age([stamp(opened)])):
        return False
    newest = max(began, newest_in(last))
    if not retention.expired(newest, now_us):
        return False
    return opened is not None or retention.elapsed(journal.evidence.age([ClockReading(newest, "", 0)]))


def newest_in(segment: Segment) -> int:
    """The newest time that its records tell; reads it."""
    with segment.path.open("rb") as file:
        return max((line.record.get("time", 0) for line in lines(file) if line.record is not None), default=0)
