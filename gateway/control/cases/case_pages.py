"""Cases by page: what waits in the order of the queue, what has ended from the newest on. No page looks at all of them.

A page goes on behind a place (``due_at`` and number of the last case before it), so that cases that come and go
meanwhile neither hide one nor show one twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from gateway.control.cases.case_states import OPEN, CaseState, Desk
from gateway.control.cases.cases import MESSAGE
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case, CaseCause, CaseHit

MOST_TOGETHER: Final = 1000  # cases that one bulk act decides


class Place(NamedTuple):
    """Where a page ends."""

    due_at: int
    case: int


class CasesWanted(NamedTuple):
    """Which cases. Empty: whichever."""

    state: CaseState = CaseState.WAITING
    desk: str = ""
    route: str = ""
    sender: str = ""
    message_id: str = ""
    kind: str = MESSAGE


def page(session: Session, wanted: CasesWanted, after: Place | None, limit: int) -> list[Case]:
    """The next ``limit`` at most."""
    backwards = wanted.state not in OPEN
    desks = (Desk(wanted.desk),) if wanted.desk else tuple(Desk)
    lines = (_line(session, wanted, desk, after, limit, backwards=backwards) for desk in desks)
    return list(islice(merge(*lines, key=_place, reverse=backwards), limit))


def _place(case: Case) -> tuple[int, int]:
    return case.due_at, case.id


def _line(
    session: Session, wanted: CasesWanted, desk: Desk, after: Place | None, limit: int, *, backwards: bool
) -> Sequence[Case]:
    return session.scalars(line(wanted, desk, after, backwards=backwards).limit(limit)).all()


def line(wanted: CasesWanted, desk: Desk, after: Place | None, *, backwards: bool = False) -> Select[Any]:
    """Of one desk."""
    found = select(Case).where(Case.state == wanted.state, Case.desk == desk, Case.kind == wanted.kind)
    for column, value in (
        (Case.route, wanted.route),
        (Case.sender, wanted.sender),
        (Case.message_id, wanted.message_id),
    ):
        if value:
            found = found.where(column == value)
    place = tuple_(Case.due_at, Case.id)
    if after is not None:
        found = found.where(place < tuple_(*after) if backwards else place > tuple_(*after))
    return found.order_by(Case.due_at.desc(), Case.id.desc()) if backwards else found.order_by(Case.due_at, Case.id)


def held_by(session: Session, person: str) -> Sequence[Case]:
    """What somebody holds, and what was taken from them and they have not seen yet."""
    held = select(Case).where(Case.claimed_by == person, Case.state == CaseState.CLAIMED).order_by(Case.due_at, Case.id)
    told = select(Case).where(Case.tell == person).order_by(Case.id)
    return [*session.scalars(told), *session.scalars(held)]


class Together(NamedTuple):
    """Cases that a bulk act would decide. ``claimed``, ``desk``, ``kept``: how many it leaves out because somebody has
    them, because they wait for a second person or a lead, because whoever asks may not have them; ``more``: beyond
    ``MOST_TOGETHER``."""

    found: list[Case]
    claimed: int
    desk: int
    kept: int
    more: int


class Alike(NamedTuple):
    """What waits at the first desk with all of this in common; at least one is said. ``ground``: of the rule that held
    it; ``list`` and ``word`` (0: any of the list): found in it."""

    route: str = ""
    room: str = ""
    category: str = ""
    ground: str = ""
    list: str = ""
    word: int = 0


def matching(
    session: Session, wanted: Alike, who: Claimant, second: Collection[str], most: int = MOST_TOGETHER
) -> Together:
    """What waits and has this in common, as ``alike``."""
    return _together(session, and_(*_common(wanted)), MESSAGE, who, second, most)


def alike(
    session: Session, case: Case, over: str, who: Claimant, second: Collection[str], most: int = MOST_TOGETHER
) -> Together:
    """What waits like this case: of the same sender on the same route, or with the same fingerprint (``over``:
    ``sender``, ``campaign``), this one included where it is ``who``'s. ``second``: categories of which no one person
    decides."""
    return _together(session, _same(case, over), case.kind, who, second, most)


def _together(session: Session, same: Any, kind: str, who: Claimant, second: Collection[str], most: int) -> Together:
    claimed = session.scalars(
        select(func.count())
        .select_from(Case)
        .where(same, Case.kind == kind, Case.state == CaseState.CLAIMED, Case.claimed_by != who.person)
    ).one()
    others = or_(Case.state == CaseState.WAITING, and_(Case.state == CaseState.CLAIMED, Case.claimed_by == who.person))
    rows = session.scalars(
        select(Case).where(same, others, Case.kind == kind).order_by(Case.due_at, Case.id).limit(most + 1)
    ).all()
    more = 0
    if len(rows) > most:
        total = session.scalars(select(func.count()).select_from(Case).where(same, others, Case.kind == kind)).one()
        more = total - most
    first = [row for row in rows[:most] if row.desk == Desk.FIRST and row.category not in second]
    kept = [row for row in first if who.kept_from(row) is not None]
    found = [row for row in first if row not in kept]
    return Together(found, claimed, min(len(rows), most) - len(first), len(kept), more)


def _same(case: Case, over: str) -> Any:
    if over == "sender":
        return and_(Case.sender == case.sender, Case.route == case.route)
    return and_(Case.fingerprint == case.fingerprint, Case.fingerprint != "")


def _common(wanted: Alike) -> list[Any]:
    found: list[Any] = [
        column == value
        for column, value in ((Case.route, wanted.route), (Case.room, wanted.room), (Case.category, wanted.category))
        if value
    ]
    if wanted.ground:
        found.append(Case.id.in_(select(CaseCause.case_id).where(CaseCause.ground == wanted.ground)))
    if wanted.list:
        hits = select(CaseHit.case_id).where(CaseHit.list == wanted.list)
        found.append(Case.id.in_(hits.where(CaseHit.word == wanted.word) if wanted.word else hits))
    return found
