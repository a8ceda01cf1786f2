"""The time of day beside a clock that nobody sets: which start of the machine this is, and how long ago it was.

Within one start its clock runs on whatever is done to the time of day, and through a suspension (CLOCK_BOOTTIME,
clock_gettime(2)): the difference of two readings of one start is what really went by. A time of day that was brought
nearer by turning its clock faster (adjtime(3)) leaves both alike; one that was set does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NOBODY = UUID(int=0)  # where the system does not say: then no two readings are of one start


def boot_id() -> UUID:
    """The kernel's name for this start of the machine (random(4)); ``NOBODY`` where it cannot be read."""
    try:
        return UUID(_BOOT_ID.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return NOBODY


def uptime_us() -> int:
    """Microseconds since the machine started, suspensions included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class ClockReading(NamedTuple):
    """Both clocks at one moment. ``time``: microseconds since the epoch; ``boot``: the start's name, empty where it has
    none; ``uptime``: microseconds since it."""

    time: int
    boot: str
    uptime: int

    def leapt(self, before: ClockReading) -> int | None:
        """By how much the time of day was set since ``before``, in microseconds; None where nobody can tell, because
        the machine was started in between."""
        if not self.boot or self.boot != before.boot:
            return None
        return (self.time - self.uptime) - (before.time - before.uptime)


def reading() -> ClockReading:
    """Both clocks now."""
    return ClockReading(time.time_ns() // 1000, _name(), uptime_us())


@cache
def _name() -> str:
    found = boot_id()
    return "" if found == NOBODY else str(found)


LEAP_US = 2_000_000  # a time of day that was set by less is a matter of course, and nobody's promise hangs on it


class ClockWatch:
    """Notices where the time of day is set while a process lives. ``total``: microseconds, all of it together."""

    __slots__ = ("_before", "_look", "leaps", "since", "total")

    def __init__(self, look: Callable[[], ClockReading] = reading) -> None:
        self._look = look
        self._before = look()
        self.leaps = 0
        self.total = 0
        self.since = 0  # uptime of the last leap, microseconds

    def look(self) -> int:
        """By how much it was set since the last look that found something, in microseconds; 0 for less than
        ``LEAP_US``. Small steps add up until they are one."""
        now = self._look()
        by = now.leapt(self._before)
        if by is None or abs(by) < LEAP_US:
            return 0
        self._before = now
        self.noted(by, now)
        return by

    def noted(self, by: int, now: ClockReading) -> None:
        """Count a leap that was found otherwise: between two lives of the process."""
        self.leaps += 1
        self.total += by
        self.since = now.uptime
