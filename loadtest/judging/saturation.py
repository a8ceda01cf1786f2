"""Where more people no longer meant more messages, and what was at its limit then."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from loadtest.judging.figures import Moment, Window
from loadtest.measuring.probe import MACHINE
from loadtest.shapes.steps import STEPS, step_at, users_at

AT_LIMIT = 0.85  # of a processor
SHORTFALL = 0.1  # of what was offered


class Step(NamedTuple):
    """``offered`` and ``answered``: messages a second. ``p99`` in seconds, of the worst second."""

    number: int
    users: int
    offered: float
    answered: float
    p99: float
    kept_up: bool


class Saturation(NamedTuple):
    """``highest``: messages a second of the best step. ``reached``: whether a step fell behind what was offered.

    ``limit``: the group of processes that was at its limit, or empty. ``window``: the steps up to 70 % of saturation,
    which is where objectives are weighed.
    """

    steps: tuple[Step, ...]
    highest: float
    reached: bool
    limit: str
    window: Window | None


def of(
    moments: Sequence[Moment], duration: float, users: int, full_rate: float, busy: Mapping[str, float]
) -> Saturation:
    """``full_rate``: messages a second that all ``users`` offer together. ``duration`` in seconds."""
    began = moments[0].at - 1.0
    steps: list[Step] = []
    ends: list[float] = []
    for number in range(STEPS):
        inside = [m for m in moments if step_at(m.at - began - 0.5, duration) == number and m.users]
        inside = inside[1:] if len(inside) > 1 else inside  # the first second of a step is not steady
        if not inside:
            continue
        there = users_at(number * duration / STEPS, duration, users) or users
        offered = full_rate * there / users
        answered = sum(moment.rate for moment in inside) / len(inside)
        # Arrivals are a Poisson process: three standard deviations of a count are no shortfall.
        noise = 3 * math.sqrt(offered * len(inside)) / len(inside)
        kept_up = answered >= offered - max(SHORTFALL * offered, noise)
        worst = max((moment.p99 for moment in inside if not math.isnan(moment.p99)), default=math.nan)
        steps.append(Step(number + 1, there, offered, answered, worst, kept_up))
        ends.append(inside[-1].at)
    highest = max((step.answered for step in steps), default=math.nan)
    reached = any(not step.kept_up for step in steps)
    limit = limit_of(busy)
    window = None
    if reached:
        good = [end for step, end in zip(steps, ends, strict=True) if step.kept_up and step.answered <= 0.7 * highest]
        window = Window(began + 1.0, good[-1]) if good else None
    return Saturation(tuple(steps), highest, reached, limit, window)


def limit_of(busy: Mapping[str, float]) -> str:
    """The group of processes that was at its limit, else the machine; empty where neither was."""
    at_limit = [group for group, load in busy.items() if load >= AT_LIMIT and group != MACHINE]
    if at_limit:
        return max(at_limit, key=lambda group: busy[group])
    return MACHINE if busy.get(MACHINE, 0.0) >= AT_LIMIT else ""
