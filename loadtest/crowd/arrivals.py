"""When somebody writes next: people do not know of each other, so their messages arrive as a Poisson process.

The schedule does not depend on the answers (an open model): who was kept waiting writes at once when an answer comes,
and how late that was is told. A closed loop would hide a stall as fewer messages (coordinated omission).
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple


class Wave(NamedTuple):
    """Excitement that comes and goes: ``crest`` times the mean for ``share`` of each ``period`` (seconds).

    Outside of it so much less that the mean stays 1, which bounds ``crest`` by ``1 / share``.
    """

    period: float
    share: float
    crest: float

    def factor(self, elapsed: float) -> float:
        """The rate at this time, relative to the mean."""
        if elapsed % self.period < self.share * self.period:
            return self.crest
        return (1 - self.share * self.crest) / (1 - self.share)


CALM = Wave(1.0, 0.5, 1.0)


class Arrivals:
    """One person's schedule. ``rate``: messages a second in the mean, 0 for never. Times are seconds of one clock."""

    def __init__(self, rate: float, draw: Random, wave: Wave = CALM, start: float = 0.0) -> None:
        self._rate = rate
        self._draw = draw
        self._wave = wave
        self._peak = max(wave.factor(0.0), wave.factor(wave.period * wave.share))
        self._start = start
        self.due = self._after(start)

    def next(self) -> float:
        """Move on; gives the time that was due."""
        due = self.due
        self.due = self._after(due)
        return due

    def skip_to(self, time: float) -> None:
        """Forget what would have been due before."""
        self.due = self._after(time)

    def _after(self, time: float) -> float:
        if self._rate <= 0:
            return math.inf
        while True:  # thinning: Lewis and Shedler, Naval Research Logistics Quarterly 26 (1979)
            time += self._draw.expovariate(self._rate * self._peak)
            if self._draw.random() * self._peak < self._wave.factor(time - self._start):
                return time
