"""A fifth of the people, then all of them at once, then a fifth again: a news event. Does it come back?"""

from __future__ import annotations

import math

CALM = 0.2  # share of the people outside the spike
BEGINS = 0.3  # of the duration
ENDS = 0.6


def users_at(elapsed: float, duration: float, users: int) -> int | None:
    if elapsed >= duration:
        return None
    return users if BEGINS * duration <= elapsed < ENDS * duration else max(1, math.ceil(users * CALM))
