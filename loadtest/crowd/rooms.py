"""Rooms as people choose them: a few draw nearly everybody (Zipf's law)."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from random import Random


class Rooms:
    """``count`` rooms named ``PREFIX-1`` …; the n-th is chosen in proportion to ``n ** -exponent``.

    Page views, channel audiences and group sizes follow exponents near 1 (Breslau et al., "Web caching and Zipf-like
    distributions", INFOCOM 1999: 0.64 to 0.83 for pages; live channels are steeper).
    """

    def __init__(self, prefix: str, count: int, exponent: float = 1.0) -> None:
        if count < 1:
            raise ValueError("there is at least one room")
        self.names = tuple(f"{prefix}-{number}" for number in range(1, count + 1))
        self._heights: tuple[float, ...] = tuple(accumulate(number**-exponent for number in range(1, count + 1)))

    def choose(self, draw: Random) -> str:
        return self.names[bisect_left(self._heights, draw.random() * self._heights[-1])]

    def share(self, number: int) -> float:
        """The part of all choices that falls on the room of this number, counted from 1."""
        below = self._heights[number - 2] if number > 1 else 0.0
        return (self._heights[number - 1] - below) / self._heights[-1]
