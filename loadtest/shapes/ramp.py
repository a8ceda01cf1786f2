"""From one person to all of them, evenly: where does it begin to hurt?"""

from __future__ import annotations

import math


def users_at(elapsed: float, duration: float, users: int) -> int | None:
    """Full during the last tenth."""
    if elapsed >= duration:
        return None
    return max(1, min(users, math.ceil(users * elapsed / (duration * 0.9))))
