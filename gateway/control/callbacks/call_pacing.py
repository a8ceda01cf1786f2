"""When a call is tried again: twice as late each time, never at the same moment as others, and as its receiver asks.

Pauses double from ``FIRST`` to ``LONGEST``; each is drawn from its upper half, so that what failed together is not
tried together. ``Retry-After`` (RFC 9110, section 10.2.3) makes a pause longer, never shorter and never longer than
``LONGEST``: a receiver may ask for rest, not for being forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

FIRST: Final = 1.0  # seconds
LONGEST: Final = 3600.0
REST_AT_MOST: Final = 60.0  # of a whole receiver that does not answer: it is looked at so often


def pause(tries: int, asked: float, jitter: Callable[[], float]) -> float:
    """Seconds until the next try of a call that was tried so often; ``asked``: by the receiver, 0 for nothing;
    ``jitter`` gives numbers from 0 to 1."""
    return _drawn(tries, LONGEST, asked, jitter)


def rest(failures: int, asked: float, jitter: Callable[[], float]) -> float:
    """Seconds in which a receiver that failed so often in a row is left alone."""
    return _drawn(failures, REST_AT_MOST, asked, jitter)


def _drawn(failures: int, most: float, asked: float, jitter: Callable[[], float]) -> float:
    longest = min(FIRST * (1 << min(max(failures - 1, 0), 30)), most)
    return max(longest * (0.5 + 0.5 * jitter()), min(asked, LONGEST))


def retry_after(value: str | None, now_s: float) -> float:
    """Seconds that a ``Retry-After`` asks for; 0 where it says nothing that can be read."""
    told = (value or "").strip()
    if told.isascii() and told.isdigit() and len(told) <= 9:
        return float(told)
    try:
        return max(parsedate_to_datetime(told).timestamp() - now_s, 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
