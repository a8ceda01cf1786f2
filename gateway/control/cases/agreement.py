"""How far two people who decide on the same message without knowing of each other decide alike, by ground.

Of samples (``samples``) that were decided in a span. Nobody is told of apart, and nobody ranked: a ground on which
people differ is a ground that has to be explained better.

The share of a ground is its specific agreement, twice what both chose over what either did (Cicchetti and Feinstein,
1990): a ground that is rare is not made to look agreed upon by all that is approved. ``kappa`` is Cohen's (1960): the
share of what is alike, beyond what chance alone would make alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.cases.decisions import GROUNDED
from gateway.control.cases.rows import CaseSample
from gateway.control.cases.samples import DECIDED

MOST_GROUNDS: Final = 50  # told, the most frequent first


class Opinion(NamedTuple):
    """What one person said of a message: an outcome, and of a refusal its ground."""

    outcome: str
    ground: str


class Pairs(NamedTuple):
    """How often two people said these two things."""

    first: Opinion
    second: Opinion
    times: int


class GroundAgreement(NamedTuple):
    """``first``, ``second``: how many the first and the second of two people decided so, ``both`` how many of these
    are the same ones; ``share`` from 0 to 1."""

    outcome: str
    ground: str
    first: int
    second: int
    both: int

    @property
    def share(self) -> float:
        return 2 * self.both / (self.first + self.second)


class ReviewerAgreement(NamedTuple):
    """``decided``: samples in all; ``alike``: same outcome and ground; ``outcomes``: same outcome; ``kappa`` None where
    chance alone makes all alike, or there is nothing; ``grounds``: see ``GroundAgreement``."""

    decided: int
    alike: int
    outcomes: int
    kappa: float | None
    grounds: list[GroundAgreement]


def agreement(session: Session, since: int, until: int) -> ReviewerAgreement:
    """Of samples decided from a moment on and before another (µs since the epoch)."""
    what = (CaseSample.first_outcome, CaseSample.first_ground, CaseSample.outcome, CaseSample.ground)
    rows = session.execute(
        select(*what, func.count())
        .where(CaseSample.state == DECIDED, CaseSample.decided_at >= since, CaseSample.decided_at < until)
        .group_by(*what)
    ).all()
    return of([Pairs(_said(row[0], row[1]), _said(row[2], row[3]), row[4]) for row in rows])


def of(pairs: Sequence[Pairs]) -> ReviewerAgreement:
    """The arithmetic."""
    decided = sum(pair.times for pair in pairs)
    first: dict[Opinion, int] = {}
    second: dict[Opinion, int] = {}
    both: dict[Opinion, int] = {}
    for pair in pairs:
        first[pair.first] = first.get(pair.first, 0) + pair.times
        second[pair.second] = second.get(pair.second, 0) + pair.times
        if pair.first == pair.second:
            both[pair.first] = both.get(pair.first, 0) + pair.times
    grounds = [
        GroundAgreement(one.outcome, one.ground, first.get(one, 0), second.get(one, 0), both.get(one, 0))
        for one in first.keys() | second.keys()
    ]
    grounds.sort(key=lambda one: (-(one.first + one.second), one.outcome, one.ground))
    alike = sum(both.values())
    outcomes = sum(pair.times for pair in pairs if pair.first.outcome == pair.second.outcome)
    by_chance = sum(count * second.get(one, 0) for one, count in first.items())  # of decided ** 2
    kappa = (decided * alike - by_chance) / (decided**2 - by_chance) if decided**2 > by_chance else None
    return ReviewerAgreement(decided, alike, outcomes, kappa, grounds[:MOST_GROUNDS])


def _said(outcome: str, ground: str) -> Opinion:
    """An approval may have a ground that nobody has to give: it is no other decision for that."""
    return Opinion(outcome, ground if outcome in GROUNDED else "")
