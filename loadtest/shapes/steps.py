"""Five equal steps: each is a steady state to measure, and the last one that still gains is the saturation point."""

from __future__ import annotations

import math

STEPS = 5


def users_at(elapsed: float, duration: float, users: int) -> int | None:
    if elapsed >= duration:
        return None
    return max(1, math.ceil(users * (step_at(elapsed, duration) + 1) / STEPS))


def step_at(elapsed: float, duration: float) -> int:
    """The number of the step, from 0."""
    return min(STEPS - 1, int(elapsed * STEPS / duration))
