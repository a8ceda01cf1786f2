"""How much time has gone by since something was written: what the first records of segments say together.

A time of day may have been set, once or often, so no difference of two is proof. Each first record also tells a clock
that nobody sets (``gateway.common.boot``). Within one start of the machine its differences are exact; of each later
start all that it ran is counted. Which start was after which is seen by the order of segments in a folder.

While the machine was off no clock ran that can be asked: such a time is believed as the time of day tells it, up to
``OFF_US`` each. So a wrong clock makes nothing older than it is by more than that, and what must be *proven* counts
none of it.

Segments that an older version wrote tell the time of day alone. It is believed in steps of as much, from the newest
time seen before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from gateway.common.boot import ClockReading
from gateway.journal.write.recovery import OFF_US


class Elapsed(NamedTuple):
    """Microseconds. ``proven``: at least so much; ``believed``: with the times in which the machine was off."""

    proven: int
    believed: int


def stamp(opened: dict[str, Any]) -> ClockReading:
    """What the first record of a segment tells of the time; ``boot`` is empty where it tells the time of day alone."""
    return ClockReading(opened["time"], opened.get("boot", ""), opened.get("uptime", 0))


class Evidence:
    """``folders``: of each folder what its segments' first records tell, in order; ``now``: both clocks now."""

    def __init__(self, folders: Iterable[Sequence[ClockReading]], now: ClockReading) -> None:
        self._first: dict[str, ClockReading] = {}  # by start of the machine: the earliest and the latest there is of it
        self._last: dict[str, ClockReading] = {}
        self._following: dict[str, set[str]] = defaultdict(set)
        self._reached: dict[str, frozenset[str]] = {}
        for stamps in folders:
            known = [one for one in stamps if one.boot]
            for one in known:
                if one.uptime <= self._first.setdefault(one.boot, one).uptime:
                    self._first[one.boot] = one
                if one.uptime >= self._last.setdefault(one.boot, one).uptime:
                    self._last[one.boot] = one
            for one, following in pairwise(known):
                if one.boot != following.boot:
                    self._following[one.boot].add(following.boot)
        for boot in self._last:
            if boot != now.boot:
                self._following[boot].add(now.boot)
        self._first.setdefault(now.boot, now)
        self._last[now.boot] = now
        self._off = {boot: self._off_before(boot) for boot in self._last}
        self._oldest = max(
            (one for boot, one in self._first.items() if boot), key=lambda one: self.since(one).proven, default=None
        )

    def since(self, at: ClockReading) -> Elapsed:
        """Time since a first record that tells both clocks."""
        if at.boot not in self._last:
            return Elapsed(0, 0)
        proven = believed = max(0, self._last[at.boot].uptime - at.uptime)
        for boot in self._after(at.boot):
            # Two starts that are each before the other prove that somebody lies, and nothing else.
            if boot != at.boot and at.boot not in self._after(boot):
                proven += self._last[boot].uptime
                believed += self._last[boot].uptime + self._off[boot]
        return Elapsed(proven, believed)

    def age(self, stamps: Sequence[ClockReading]) -> Elapsed:
        """Time since the first of ``stamps``, which are those of one folder from there on."""
        stepped = 0
        newest = stamps[0].time
        for one in stamps:
            stepped += _believed(one.time - newest)
            newest = max(newest, one.time)
            if one.boot:
                proven, believed = self.since(one)
                return Elapsed(stepped + proven, stepped + believed)
        if self._oldest is None:
            return Elapsed(stepped, stepped)
        stepped += _believed(self._oldest.time - newest)  # an older version wrote it, so it is older
        proven, believed = self.since(self._oldest)
        return Elapsed(stepped + proven, stepped + believed)

    def _off_before(self, boot: str) -> int:
        first = self._first[boot]
        before = [self._last[one].time for one, following in self._following.items() if boot in following]
        return _believed(first.time - first.uptime - max(before)) if before else 0

    def _after(self, boot: str) -> frozenset[str]:
        """Every start that some folder shows to be after this one."""
        known = self._reached.get(boot)
        if known is None:
            found: set[str] = set()
            waiting = [boot]
            while waiting:
                for following in self._following.get(waiting.pop(), ()):
                    if following not in found:
                        found.add(following)
                        waiting.append(following)
            known = self._reached[boot] = frozenset(found)
        return known


def _believed(difference: int) -> int:
    return min(max(difference, 0), OFF_US)
