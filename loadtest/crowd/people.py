"""Who writes, and how much of their limits they have used, as far as one can know from outside.

A message is judged at some moment between sending it and getting the answer, by the state server's clock. So each
count is kept twice, as if everything had been judged as early and as late as possible; where both agree the verdict is
certain, otherwise either is right. The arithmetic of limits is ``filters.model.limits``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from filters.model.limits import Pace, conform, pace, parse_limit

Certainty = Literal["no", "maybe", "yes"]
Standing = Literal["verified", "low credit", "unverified", "unknown", "blocked"]

SENDER_LIMIT = "sender 5/10s"
REPEAT_QUOTA = 3
REPEAT_PERIOD = 60.0  # seconds
ADDRESS_LIMIT = "ip 1000/1m"  # of the demo; a node of our own has none that matters
SLACK = 0.05  # seconds that two clocks may drift apart during one test

_limit = parse_limit(SENDER_LIMIT)
SENDER_PACE = pace(_limit.quota, _limit.period_us)
_limit = parse_limit(ADDRESS_LIMIT)
ADDRESS_PACE = pace(_limit.quota, _limit.period_us)


class Span(NamedTuple):
    """From sending to the answer, in seconds of one monotonic clock, clock drift included."""

    sent: int  # microseconds
    answered: int

    @classmethod
    def of(cls, sent: float, answered: float) -> Span:
        return cls(int((sent - SLACK) * 1e6), int((answered + SLACK) * 1e6))


class Allowance:
    """One GCRA limit, between its earliest and its latest possible arrival time."""

    __slots__ = ("_earliest", "_latest", "_pace")

    def __init__(self, limit: Pace, latest: int = 0) -> None:
        """``latest``: what somebody before us may have left behind, in microseconds."""
        self._pace = limit
        self._earliest = 0
        self._latest = latest

    def used_up(self, span: Span) -> Certainty:
        """Whether one more message is refused."""
        if conform(self._earliest, span.answered, self._pace)[0] > 0:
            return "yes"
        return "no" if conform(self._at_most(span.sent), span.sent, self._pace)[0] == 0 else "maybe"

    def free_at(self) -> int:
        """When one more message is surely kept, in microseconds."""
        return self._latest + self._pace.interval - self._pace.burst

    def charge(self, span: Span, *, surely: bool = True) -> None:
        """A message went through; not ``surely`` where nobody can tell whether it was counted."""
        if surely:
            self._earliest = conform(self._earliest, span.sent, self._pace)[1]
        self._latest = conform(self._at_most(span.answered), span.answered, self._pace)[1]

    def _at_most(self, now: int) -> int:
        """The latest arrival time there can be: none is further ahead than the burst."""
        return min(self._latest, now + self._pace.burst)


class Repeats:
    """How often one text was seen within its period, at least and at most."""

    __slots__ = ("_ends", "_ends_surely", "_least", "_most")

    def __init__(self, most: int = 0, ends: int = 0) -> None:
        """``most`` and ``ends`` (microseconds): what somebody before us may have left behind."""
        self._least = 0
        self._most = most
        self._ends = 0  # at the earliest
        self._ends_surely = ends

    def too_many(self, span: Span) -> Certainty:
        """Whether one more is a repeat too many."""
        least, most = self._bounds(span)
        if least >= REPEAT_QUOTA:
            return "yes"
        return "maybe" if most >= REPEAT_QUOTA else "no"

    def seen(self, span: Span, *, surely: bool = True) -> None:
        """It was counted once more."""
        least, most = self._bounds(span)
        period = int(REPEAT_PERIOD * 1e6)
        if not most:
            self._ends = span.sent + period
        if not least:
            self._ends_surely = span.answered + period
        self._least, self._most = least + surely, most + 1

    def over(self, now: int) -> bool:
        """Whether it can be forgotten."""
        return now > self._ends_surely

    def _bounds(self, span: Span) -> tuple[int, int]:
        if span.sent > self._ends_surely:
            return 0, 0
        return (self._least if span.answered < self._ends else 0), self._most


class Person:
    """One sender. What is counted is counted for each route by itself."""

    __slots__ = ("_allowances", "_left_behind", "_repeats", "name", "standing")

    def __init__(self, name: str, standing: Standing = "verified", left_behind: int = 0) -> None:
        """``left_behind``: until when counts of an earlier test may matter, in microseconds; 0 for a fresh node."""
        self.name = name
        self.standing = standing
        self._left_behind = left_behind
        self._allowances: dict[str, Allowance] = {}
        self._repeats: dict[tuple[str, bytes], Repeats] = {}

    def allowance(self, route: str) -> Allowance:
        made = self._allowances.get(route)
        if made is None:
            made = self._allowances[route] = Allowance(SENDER_PACE, self._left_behind)
        return made

    def repeats(self, route: str, mark: bytes) -> Repeats:
        made = self._repeats.get((route, mark))
        if made is None:
            made = self._repeats[route, mark] = Repeats(REPEAT_QUOTA if self._left_behind else 0, self._left_behind)
        return made

    def settle(self, route: str, mark: bytes, span: Span, reason: str | None) -> None:
        """Count a message by the ``reason`` of its refusal: empty where it passed, None where nobody can tell."""
        if reason is not None and reason.startswith("limit."):
            return  # all limits are charged together or none is, and what was refused leaves no mark
        surely = reason is not None
        self.allowance(route).charge(span, surely=surely)
        if mark:
            self.repeats(route, mark).seen(span, surely=surely)
        if len(self._repeats) > 64:
            self._repeats = {key: seen for key, seen in self._repeats.items() if not seen.over(span.sent)}


class People:
    """The senders of one load process who may write: lent one at a time, the longest rested first."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._rested = deque(people)

    def lend(self) -> Person | None:
        """Nobody else has this person until ``back``; None when all are out."""
        return self._rested.popleft() if self._rested else None

    def back(self, person: Person) -> None:
        self._rested.append(person)


def share_of(names: Sequence[str], process: int, processes: int) -> Sequence[str]:
    """The senders of one of several load processes: nobody's counts are kept in two places."""
    return names[process % processes :: processes]
