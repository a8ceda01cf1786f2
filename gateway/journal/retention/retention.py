"""How long records are kept: at least 184 days (law 7), at most what the operator says; pruned by whole segments.

Deliberately absent: legal holds. Until there are any, an operator who must keep more sets ``keep_at_most`` higher.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.journal.read.reader import folder_name
from gateway.journal.write import recovery
from gateway.journal.write.errors import Locked
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import (
    Owner,
    Segment,
    bounds,
    folders,
    header,
    lines,
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
        """True once a segment whose newest record is of ``newest_us`` is past the ceiling, so also past the floor."""
        return now_us - newest_us > self.keep_at_most * 1_000_000


class Due(NamedTuple):
    """What may go from one folder: the oldest segments, in order. ``newest_us``: no record in them is newer."""

    folder: Path
    segments: tuple[Segment, ...]
    newest_us: int


def due(root: Path, retention: Retention, now_us: int) -> list[Due]:
    """What is past the ceiling. A folder's last segment never is: it says where the chain goes on."""
    found = []
    for folder in folders(root):
        old: list[Segment] = []
        newest = 0
        known = list(bounds(segments(folder)))
        for (segment, _, _), (_, successor, _) in pairwise(known):
            if successor is None or not retention.expired(successor["time"], now_us):
                break  # records of a segment are older than the header that follows it
            old.append(segment)
            newest = successor["time"]
        if old:
            found.append(Due(folder, tuple(old), newest))
    return found


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


def turn_dead(root: Path, retention: Retention, now_us: int, ids: Ids) -> int:
    """Give each folder that nobody owns, and whose last segment is past the ceiling, a new and empty last one, so that
    the old one can be pruned. Returns how many. Raises OSError."""
    turned = 0
    for folder in folders(root):
        last = segments(folder)[-1:]
        if not last or not _may_turn(last[0], retention, now_us):
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


def _may_turn(last: Segment, retention: Retention, now_us: int) -> bool:
    """The cheap questions first: hardly ever is a whole segment decoded."""
    if last.path.stat().st_size < STUB:
        return False
    opened = header(last.path)
    began: int = opened["time"] if opened else 0
    if not retention.expired(began, now_us) or owned(last.path.parent):
        return False
    return retention.expired(max(began, _newest(last)), now_us)


def _newest(segment: Segment) -> int:
    with segment.path.open("rb") as file:
        return max((line.record.get("time", 0) for line in lines(file) if line.record is not None), default=0)
