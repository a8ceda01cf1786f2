"""Coarse deadlines for many connections with one repeating timer.

A timer per call costs a heap entry, a handle and a cancellation for something that almost never fires. Here a deadline
is a number on the object that waits, and one timer looks at all of them ten times a second: setting a deadline is one
attribute store, and looking at 1,000 connections costs about 50 µs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

TICK: Final = 0.1
"""Seconds between two looks: a deadline is met between 0 and 2 ticks late, never early."""

NEVER: Final = float("inf")


class Sweep:
    """One per worker. ``now`` is the time (seconds) that the sweep counts; deadlines are made with ``after``.

    ``now`` is not the clock: when the loop was late by more than a tick, only two ticks are counted. Bytes that arrived
    while the loop stalled have not been read yet, and a peer must not pay for our stall.
    """

    __slots__ = ("_clock", "_handle", "_last", "_watchers", "loop", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] = monotonic) -> None:
        self.loop = loop
        self._clock = clock
        self._last = clock()
        self._watchers: list[Callable[[float], None]] = []
        self._handle: asyncio.TimerHandle | None = None
        self.now = 0.0

    def after(self, seconds: float) -> float:
        """The deadline that lies at least ``seconds`` ahead: ``now`` may be a whole tick old."""
        return self.now + seconds + TICK

    def watch(self, look: Callable[[float], None]) -> None:
        """``look(now)`` is called at each tick. The timer runs while anybody watches."""
        self._watchers.append(look)
        if self._handle is None:
            self._last = self._clock()
            self._handle = self.loop.call_later(TICK, self._fire)

    def unwatch(self, look: Callable[[float], None]) -> None:
        """Stop calling ``look``."""
        self._watchers.remove(look)
        if not self._watchers and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def tick(self) -> None:
        """Count the time since the last tick, at most two ticks of it, and let everybody look."""
        clock = self._clock()
        self.now += min(clock - self._last, 2 * TICK)
        self._last = clock
        for look in tuple(self._watchers):
            look(self.now)

    def _fire(self) -> None:
        self._handle = self.loop.call_later(TICK, self._fire)
        self.tick()
