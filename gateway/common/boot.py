"""Which start of the machine this is, and how long ago it was.

Within one start its clock runs on whatever is done to the time of day, and through a suspension (CLOCK_BOOTTIME,
clock_gettime(2)): the difference of two readings with the same ``boot_id`` is what really went by.
"""

from __future__ import annotations

import time
from pathlib import Path
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
