"""Two ways of doing one thing, timed in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import NamedTuple

Call = Callable[[], object]


class Case(NamedTuple):
    """``ours`` and ``plain`` do the same work ``units`` times a call (a batch of 32 messages: 32)."""

    part: str
    name: str
    ours: Call
    plain_name: str
    plain: Call
    units: int = 1


def timed(case: Case, *, rounds: int, seconds: float) -> tuple[float, float]:
    """µs a unit of both ways: the least of the rounds, because what disturbs a timing only ever adds to it."""
    counts = [_count(call, seconds) for call in (case.ours, case.plain)]
    best = [float("inf"), float("inf")]
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for place, call in enumerate((case.ours, case.plain)):
                best[place] = min(best[place], _once(call, counts[place]))
    finally:
        gc.enable()
    ours, plain = (each / case.units * 1e6 for each in best)
    return ours, plain


def _count(call: Call, seconds: float) -> int:
    """How often to call so that one round takes about ``seconds``."""
    count = 1
    while (took := _once(call, count) * count) < seconds / 4:
        count *= 4
    return max(1, round(count * seconds / took))


def _once(call: Call, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count
