"""Cases claimed by one person, and given back.

A claim is exclusive and ends by itself: whoever does not come back holds nobody up. It is taken by one conditional
change of the row (``WHERE state = 'waiting'``), so that of fifty who ask at once one has it, whatever holds the
database. A claim whose time is over counts as ended also before ``time_out`` has said so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from heapq import merge
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases
from gateway.control.cases.case_states import CaseState, Desk, Move, after
from gateway.control.cases.rows import Case, CaseEvent, OwnSender

LOOKED_AT: Final = 200  # waiting cases of a desk that one page of claims looks at, a few of which may not be theirs
MOST_CLAIMED: Final = 200  # cases that one person holds at once


class QueueWanted(NamedTuple):
    """Which of what waits. Empty: whichever; ``declined``: categories that are not wanted."""

    route: str = ""
    room: str = ""
    category: str = ""
    declined: frozenset[str] = frozenset()


WHICHEVER: Final = QueueWanted()


class Claimant(NamedTuple):
    """Who wants a case. ``lead``: whether they may have those that wait for one; ``senders``: accounts at the platform
    that are theirs."""

    person: str
    lead: bool
    senders: frozenset[str]

    def kept_from(self, case: Case) -> ControlError | None:
        """Why they may not have this case; None where they may."""
        if case.sender in self.senders:
            return ControlError(403, "review.own_message", "Nobody decides on their own messages.")
        if self.person in case.barred:
            return ControlError(403, "review.barred", "You had a part in this: somebody else decides.")
        if case.desk == Desk.LEAD and not self.lead:
            return ControlError(403, "review.lead_only", "This case waits for a lead.")
        return None


def claimant(session: Session, person: str, *, lead: bool) -> Claimant:
    """A sender of a person's own name is theirs."""
    owned = session.scalars(select(OwnSender.sender).where(OwnSender.person == person))
    return Claimant(person, lead, frozenset({person, *owned}))


def claim(session: Session, case: Case, who: Claimant, *, now: int, until: int) -> Case:
    """This case, until a time; for longer, where it is theirs already. Raises ``ControlError``."""
    ended(session, case, now)
    kept = who.kept_from(case)
    if kept is not None:
        raise kept
    if case.state == CaseState.CLAIMED and case.claimed_by == who.person:
        cases.moved(session, case, Move.RENEW, now, who.person)
        case.claimed_until = until
        return case
    if case.state != CaseState.WAITING:
        raise unavailable(session, case)
    if _held(session, who.person) >= MOST_CLAIMED:
        raise ControlError(409, "review.too_many_claims", f"Nobody holds more than {MOST_CLAIMED} cases at once.")
    if not _take(session, case, who.person, now, until):
        raise unavailable(session, case)
    return case


def claim_page(
    session: Session, who: Claimant, count: int, *, now: int, until: int, wanted: QueueWanted = WHICHEVER
) -> list[Case]:
    """The next ``count`` cases of the queue that are theirs to have, fewer where there are no more. What they gave back
    themselves comes last: somebody else may want it."""
    room = max(MOST_CLAIMED - _held(session, who.person), 0)
    found: list[Case] = []
    rows = waiting(session, who, wanted)
    for case in sorted(rows, key=lambda case: case.last_holder == who.person):
        if len(found) >= min(count, room):
            break
        if _take(session, case, who.person, now, until):
            found.append(case)
    return found


def waiting(session: Session, who: Claimant, wanted: QueueWanted = WHICHEVER) -> list[Case]:
    """What waits and is theirs to have, in the order of the queue, ``LOOKED_AT`` of a desk at most."""
    desks = (Desk.FIRST, Desk.SECOND, *((Desk.LEAD,) if who.lead else ()))
    lines: list[Sequence[Case]] = [session.scalars(queue(desk, wanted).limit(LOOKED_AT)).all() for desk in desks]
    return [case for case in merge(*lines, key=lambda case: (case.due_at, case.id)) if who.kept_from(case) is None]


def queue(desk: Desk, wanted: QueueWanted = WHICHEVER) -> Select[Any]:
    """Messages that wait at a desk; on appeals people work one by one."""
    found = select(Case).where(Case.state == CaseState.WAITING, Case.desk == desk, Case.kind == cases.MESSAGE)
    for column, value in ((Case.route, wanted.route), (Case.room, wanted.room), (Case.category, wanted.category)):
        if value:
            found = found.where(column == value)
    if wanted.declined:
        found = found.where(Case.category.not_in(sorted(wanted.declined)))
    return found.order_by(Case.due_at, Case.id)


def decided_since(session: Session, person: str, since: int) -> int:
    """How many cases somebody has decided, alone or as one of two."""
    moves = (Move.DECIDE, Move.PROPOSE, Move.AGREE, Move.DISAGREE, Move.LOOK_AGAIN)
    wanted = select(func.count()).where(CaseEvent.person == person, CaseEvent.at >= since, CaseEvent.event.in_(moves))
    return session.scalars(wanted).one()


def left_today(session: Session, person: str, cap: int, since: int) -> int:
    """How many more somebody wants to be given, who holds some already; ``cap``: of a day, 0 for none."""
    return cap - decided_since(session, person, since) - _held(session, person) if cap else MOST_CLAIMED


def give_back(session: Session, case: Case, person: str, how: Move, *, now: int, why: str = "") -> None:
    """Of one that is theirs; who was told that theirs was taken from them has seen it. Raises ``ControlError``."""
    if case.tell == person:
        case.tell = ""
        return
    ended(session, case, now)
    if case.state != CaseState.CLAIMED or case.claimed_by != person:
        raise unavailable(session, case)
    freed(session, case, how, now, person, why)


def give_back_all(session: Session, person: str, how: Move, *, now: int) -> int:
    """Everything that somebody holds: they logged out, or may not hold it any more. How many."""
    held = session.scalars(
        select(Case).where(Case.claimed_by == person, Case.state == CaseState.CLAIMED).order_by(Case.id)
    ).all()
    for case in held:
        freed(session, case, how, now, person)
    return len(held)


def give_back_of_others(session: Session, may: Callable[[str], bool], *, now: int) -> int:
    """What is held by people who may not hold it any more (``may`` of a name): they lost their role, or are gone."""
    holders: Collection[str] = session.scalars(
        select(Case.claimed_by).where(Case.state == CaseState.CLAIMED).distinct()
    ).all()
    return sum(give_back_all(session, person, Move.ROLE_LOST, now=now) for person in holders if not may(person))


def time_out(session: Session, *, now: int, most: int = 500) -> list[int]:
    """Give back what was claimed until now or before; the cases."""
    over = session.scalars(
        select(Case)
        .where(Case.state == CaseState.CLAIMED, Case.claimed_until <= now)
        .order_by(Case.claimed_until)
        .limit(most)
    ).all()
    for case in over:
        freed(session, case, Move.TIME_OUT, now, case.claimed_by)
    return [case.id for case in over]


def ended(session: Session, case: Case, now: int) -> None:
    """Say of a claim whose time is over that it is, before anybody decides by it."""
    if case.state == CaseState.CLAIMED and case.claimed_until <= now:
        freed(session, case, Move.TIME_OUT, now, case.claimed_by)


def freed(session: Session, case: Case, how: Move, now: int, person: str, why: str = "") -> None:
    """From claimed back to waiting."""
    cases.moved(session, case, how, now, person, why)
    case.claimed_by, case.claimed_until = "", 0
    session.flush()


def unavailable(session: Session, case: Case) -> ControlError:
    """Why somebody cannot have a case now, with what happened to it."""
    happened = cases.told(case, cases.trace(session, case.id)[-5:])
    match case.state:
        case CaseState.CLAIMED:
            return ControlError(409, "review.claimed", f"{case.claimed_by} has claimed this case.", happened)
        case CaseState.DECIDED | CaseState.DONE:
            return ControlError(409, "review.decided", f"{case.decided_by} has decided: {case.outcome}.", happened)
        case CaseState.VOID:
            return ControlError(409, "review.void", "What this case was about is no more.", happened)
        case CaseState.EXPIRED:
            return ControlError(409, "review.expired", "Nobody decided in time: it was not published.", happened)
        case _:
            return ControlError(409, "review.not_claimed", "Claim this case first.", happened)


def _take(session: Session, case: Case, person: str, now: int, until: int) -> bool:
    """By one change of the row where it still waits; whoever comes second changes none."""
    session.flush()
    state = after(CaseState.WAITING, Move.CLAIM)
    taken = session.execute(
        update(Case)
        .where(Case.id == case.id, Case.state == CaseState.WAITING)
        .values(state=state, claimed_by=person, claimed_until=until, last_holder=person, read_version=0)
        .execution_options(synchronize_session=False)
    )
    session.refresh(case)
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return False
    cases.note(session, case, Move.CLAIM, now, person)
    return True


def _held(session: Session, person: str) -> int:
    held: Sequence[int] = session.scalars(
        select(Case.id).where(Case.claimed_by == person, Case.state == CaseState.CLAIMED).limit(MOST_CLAIMED)
    ).all()
    return len(held)
