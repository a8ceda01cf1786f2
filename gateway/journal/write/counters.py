"""What the writer of a journal counts."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

APPEND_BOUNDS: Final = (25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 250e-3, 1.0)  # seconds

LEFT_FOR: Final = ("write failed", "sync failed", "removed", "replaced", "truncated", "read-only")
"""Why segments are given up."""


class Counters:
    """What the writer has done since it started. ``append_buckets`` counts writes by their time: one bucket for each
    of APPEND_BOUNDS and one for what is longer; ``append_seconds`` is their sum. A waited-for fsync counts."""

    __slots__ = (
        "append_buckets",
        "append_seconds",
        "batches",
        "bytes",
        "cut_bytes",
        "cuts",
        "left",
        "records",
        "refused",
        "segments",
        "slow_writes",
        "sync_failures",
        "unclean",
        "unknown",
        "write_failures",
    )

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0
        self.batches = 0
        self.append_buckets = [0] * (len(APPEND_BOUNDS) + 1)
        self.append_seconds = 0.0
        self.slow_writes = 0
        self.write_failures = 0
        self.sync_failures = 0
        self.refused = 0  # records that were not written, each answered with JournalUnavailable
        self.segments = 0
        self.cuts = 0
        self.cut_bytes = 0
        self.left: dict[str, int] = {}  # segments given up, by cause
        self.unclean = 0  # stops that were not in order, found at the start
        self.unknown = 0  # outcomes that nobody will ever know, found at the start

    def gave_up(self, cause: str) -> None:
        """A segment was left because of something."""
        self.left[cause] = self.left.get(cause, 0) + 1

    def appended(self, seconds: float) -> None:
        """One write took so long."""
        self.append_buckets[bisect_left(APPEND_BOUNDS, seconds)] += 1
        self.append_seconds += seconds
