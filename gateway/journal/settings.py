"""What an operator may set of the journal, and what the writer counts."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal

Fsync = Literal["always", "everysec", "no"]

APPEND_BOUNDS = (25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 250e-3, 1.0)  # seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds of one worker's journal. Bytes and seconds.

    ``fsync``, as Redis names it: ``always`` before anything is answered, ``everysec`` once a second (a power cut may
    cost the last second; a crash of the process costs nothing), ``no`` whenever the system likes.
    ``segment_bytes`` also bounds what a start has to read. Below ``warn_free`` bytes of disk the journal warns; below
    ``least_free`` it is no longer ready, so that traffic goes elsewhere before the disk is full.
    """

    fsync: Fsync = "everysec"
    segment_bytes: int = 64 * 1024 * 1024
    segment_age: float = 3600.0
    queue_bytes: int = 16 * 1024 * 1024
    slow_write: float = 0.002
    warn_free: int = 2 * 1024**3
    least_free: int = 512 * 1024**2

    def __post_init__(self) -> None:
        if self.fsync not in ("always", "everysec", "no"):
            raise ValueError(f"fsync is always, everysec or no, not {self.fsync!r}")
        if self.least_free > self.warn_free:
            raise ValueError("least_free is above warn_free: the journal would stop before it warns")


@dataclass(slots=True)
class Counters:
    """What the writer has done since it started. ``append_buckets`` counts writes by their time: one bucket for each
    of APPEND_BOUNDS and one for what is longer; ``append_seconds`` is their sum. A waited-for fsync counts."""

    records: int = 0
    bytes: int = 0
    batches: int = 0
    append_buckets: list[int] = field(default_factory=lambda: [0] * (len(APPEND_BOUNDS) + 1))
    append_seconds: float = 0.0
    slow_writes: int = 0
    write_failures: int = 0
    sync_failures: int = 0
    refused: int = 0  # records that were not written, each answered with JournalUnavailable
    segments: int = 0
    cuts: int = 0
    cut_bytes: int = 0
    unknown: int = 0  # outcomes that nobody will ever know, found at the start

    def appended(self, seconds: float) -> None:
        self.append_buckets[bisect_left(APPEND_BOUNDS, seconds)] += 1
        self.append_seconds += seconds
