"""What words and lists are worth by what reviewers made of them: of the messages that a word held, how many a person
refused.

Of cases opened since a time, the newest ``LOOKED_AT`` hits at most. A word that refuses by itself comes before nobody,
and is not in it. Word by word it is told which were found together with others: a message counts for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import case as when
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.cases.case_states import CaseState
from gateway.control.cases.decisions import APPROVED, MASKED, REFUSED
from gateway.control.cases.rows import Case, CaseHit

LOOKED_AT: Final = 20_000


class Precision(NamedTuple):
    """``word``: 0 of a whole list. ``hits``: cases in which it was found; ``upheld``, ``masked``, ``passed``: what
    became of those that are done."""

    list: str
    word: int
    hits: int
    upheld: int
    masked: int
    passed: int

    @property
    def decided(self) -> int:
        return self.upheld + self.masked + self.passed

    @property
    def share(self) -> float | None:
        """From 0 to 1: upheld of decided; None where nothing is."""
        return self.upheld / self.decided if self.decided else None


def by_list(session: Session, since: int) -> tuple[list[Precision], bool]:
    """Of every list, and whether all hits since then were looked at. A message with several words of a list counts
    once."""
    hits = _hits(since)
    counted = func.count(hits.c.case_id.distinct())
    rows = session.execute(select(hits.c.list, counted, *_outcomes(hits, distinct=True)).group_by(hits.c.list)).all()
    total = session.scalars(select(func.count()).select_from(hits)).one()
    return sorted(Precision(row[0], 0, *row[1:]) for row in rows), total < LOOKED_AT


def by_word(session: Session, name: str, since: int, limit: int) -> list[Precision]:
    """Of a list's words, those found most often first."""
    hits = _hits(since, name)
    wanted = select(hits.c.word, func.count().label("hits"), *_outcomes(hits))
    wanted = wanted.group_by(hits.c.word).order_by(func.count().desc(), hits.c.word).limit(limit)
    return [Precision(name, *row) for row in session.execute(wanted)]


def _hits(since: int, name: str = "") -> Any:
    wanted = select(CaseHit.case_id, CaseHit.list, CaseHit.word, Case.state, Case.outcome)
    wanted = wanted.join(Case, Case.id == CaseHit.case_id).where(CaseHit.at >= since)
    if name:
        wanted = wanted.where(CaseHit.list == name)
    return wanted.order_by(CaseHit.at.desc()).limit(LOOKED_AT).subquery()


def _outcomes(hits: Any, *, distinct: bool = False) -> Sequence[Any]:
    """Upheld, masked, passed."""
    found = []
    for outcome in (REFUSED, MASKED, APPROVED):
        chosen = when(((hits.c.state == CaseState.DONE) & (hits.c.outcome == outcome), hits.c.case_id))
        found.append(func.count(chosen.distinct() if distinct else chosen))
    return found
