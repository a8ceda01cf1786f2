"""What came of a load, and when its requests are due."""

from __future__ import annotations

import gc
import random
from collections.abc import MutableSequence, Sequence
from typing import Any

from benchmarks.load.quantiles import of_sorted

GRACE = 5.0  # seconds that the last answers may take


class Outcome:
    """Times are in seconds. ``late``: how far behind the schedule a request left by the load's own fault, with a
    connection free. ``wrong``: answers that are not what they have to be, and ways that connections were ``lost``.
    ``unsent``: due with no connection free, by a load that leaves alone who was told to come back later.
    """

    def __init__(self) -> None:
        self.scheduled = 0
        self.latencies: MutableSequence[float] = []
        self.late: MutableSequence[float] = []
        self.wrong: dict[str, int] = {}
        self.lost = 0
        self.unsent = 0
        self.longest_gap = 0.0

    def count_wrong(self, what: str) -> None:
        """One more answer that was not right."""
        self.wrong[what] = self.wrong.get(what, 0) + 1

    def told(self) -> dict[str, Any]:
        """All of it, times in microseconds; None where nothing was timed."""
        ordered, late = sorted(self.latencies), sorted(self.late)
        return {
            "answered": len(ordered),
            "wrong": self.wrong,
            "lost": self.lost,
            "unsent": self.unsent,
            "unanswered": self.scheduled - len(ordered),
            "p50_us": microseconds(ordered, 0.5),
            "p99_us": microseconds(ordered, 0.99),
            "p999_us": microseconds(ordered, 0.999),
            "max_us": microseconds(ordered, 1.0),
            "late_p99_us": microseconds(late, 0.99),
            "late_max_us": microseconds(late, 1.0),
            "longest_gap_us": round(self.longest_gap * 1e6),
        }


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """When each of ``rate`` requests a second is due, in seconds from the start: a Poisson process, as of people who do
    not know of each other."""
    draw = random.Random(seed)
    offsets = []
    offset = draw.expovariate(rate)
    while offset < seconds:
        offsets.append(offset)
        offset += draw.expovariate(rate)
    return offsets


def settle() -> None:
    """Everything is built: from here on no collector of cycles runs."""
    gc.collect()
    gc.freeze()
    gc.disable()


def microseconds(ordered: Sequence[float], share: float) -> int | None:
    """A quantile of rising seconds; None where there are none."""
    return round(of_sorted(ordered, share) * 1e6) if ordered else None
