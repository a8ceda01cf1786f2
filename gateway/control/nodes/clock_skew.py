"""How far this machine's clock is from the database's, by which all nodes of one database can be told apart.

Asked with each beat, once a second: the database's clock, between two looks at ours. Its answer was true at some
moment between them, so half of what lies between is what the figure may be wrong by, and only what is beyond that is
told. Nothing is refused for it: numbers, leases and the order of acts are the database's, and what is counted by a
clock of this machine's ends as much too early or too late as the clock is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

log = structlog.get_logger()


class Skew(NamedTuple):
    """``ahead``: µs by which this machine's clock is ahead of the database's, below 0 behind; ``within``: µs that it
    may be more or less."""

    ahead: int
    within: int


def measured(ask: Callable[[], int], wall: Callable[[], int], steady: Callable[[], int]) -> tuple[int, Skew]:
    """The database's time that ``ask`` gives, µs, and how far from it ours is. ``wall`` and ``steady``: ns of the time
    of day, and of a clock that nobody sets."""
    began, since = wall(), steady()
    told = ask()
    half = max(0, steady() - since) // 2
    return told, Skew((began + half) // 1000 - told, -(-half // 1000))


class ClockSkew:
    """The last figure, and whether it is beyond ``most`` seconds. ``last``: None until there is one, and where the
    database has no clock of its own."""

    def __init__(
        self,
        most: Callable[[], float],
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.last: Skew | None = None
        self._most = most
        self._wall = wall
        self._steady = steady
        self._told = False

    @property
    def most(self) -> float:
        """Seconds, as configured now."""
        return self._most()

    @property
    def beyond(self) -> bool:
        """Whether it is more than that, whatever the question took."""
        last = self.last
        return last is not None and abs(last.ahead) - last.within > self.most * 1e6

    @property
    def note(self) -> str:
        """For readiness; empty where the clocks agree."""
        last = self.last
        if last is None or not self.beyond:
            return ""
        seconds = f"{abs(last.ahead) / 1e6:.3f} s (±{last.within / 1e6:.3f} s)"
        where = "ahead of" if last.ahead > 0 else "behind"
        return f"this machine's clock is {seconds} {where} the database's, more than server.max_skew"

    def ask(self, ask: Callable[[], int]) -> int:
        """The database's time, and what that says of ours."""
        told, self.last = measured(ask, self._wall, self._steady)
        if self.beyond != self._told:
            self._told = self.beyond
            seconds, within = round(self.last.ahead / 1e6, 3), round(self.last.within / 1e6, 3)
            if self._told:
                log.error("clock.apart", seconds=seconds, within=within)
            else:
                log.warning("clock.agrees", seconds=seconds, within=within)
        return told
