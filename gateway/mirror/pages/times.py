"""Times as a reader sees them."""

from __future__ import annotations

import time
from functools import lru_cache

FAR = 253_402_300_799  # the last second of the year 9999, beyond which no calendar goes


@lru_cache(maxsize=4096)
def day_and_time(seconds: int) -> str:
    """``2026-11-21 08:00:00`` in UTC from seconds since the epoch."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(max(seconds, 0), FAR)))


def place_in_video(milliseconds: int) -> str:
    """``1:02:03`` or ``2:03`` from the beginning of a video."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
