"""Appeals filed, moved on and told: functions of a session, in the transaction of whatever moves them.

Their laws:

* a decision is appealed once; who files again is told what became of it;
* nobody has it who decided, approved or escalated what is appealed, unless the configuration says so, and then the
  appellant is told;
* nothing is rejected by time;
* upholding has its consequences once, in the transaction in which the decision takes effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.appeals.admissibility import AppealedDecision
from gateway.control.appeals.appeal_states import (
    BEGINNINGS,
    ENDED,
    WITH_A_PERSON,
    AppealMove,
    AppealState,
    after,
)
from gateway.control.appeals.rows import Appeal, AppealEvent
from gateway.control.cases import cases, decisions
from gateway.control.cases.case_states import CaseState
from gateway.control.cases.cases import APPEAL, Cause
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case
from gateway.journal.write.record import appeal

BY_OUTCOME: Final = {
    decisions.UPHELD: AppealMove.UPHOLD,
    decisions.PARTLY: AppealMove.UPHOLD_PARTLY,
    decisions.REJECTED: AppealMove.REJECT,
}
PRUNED_AT_ONCE = 500  # appeals of one transaction, so that nobody's act waits long for the database
DUE_AT_ONCE = 500
TOLD_AT_ONCE = 200

Redress = Callable[[Unit, Appeal, Sequence[str] | None, int], str]
"""Does what follows from an appeal that is upheld, in its act, given the texts that were entered again; a word for it
(``appeal_words.REDRESS``)."""


class AppealCounts(NamedTuple):
    """How many there are. ``oldest_us``: how long the oldest has waited that nobody has decided."""

    states: dict[AppealState, int]
    same_person: int
    oldest_us: int


def file(
    session: Session,
    decision: AppealedDecision,
    how: AppealMove,
    *,
    code: str,
    statement: str,
    texts: Sequence[str] | None,
    proved: bool,
    language: str,
    now: int,
    due_at: int,
    barred: Sequence[str],
) -> Appeal:
    """A new appeal; one that waits for a person has its case from the start."""
    row = Appeal(
        message_id=decision.message_id, code=code, route=decision.route, room=decision.room, sender=decision.sender,
        at=decision.at, standing=decision.standing, check=decision.check, reason=decision.reason,
        ground=decision.ground, category=decision.category, state=BEGINNINGS[how], filed_at=now, language=language,
        statement=statement, texts=list(texts) if texts is not None else None, proved=proved,
        parties=sorted(decision.parties),
    )  # fmt: skip
    session.add(row)
    session.flush()
    note(session, row, how, now)
    if row.state in WITH_A_PERSON:
        _before_a_person(session, row, now, due_at, barred)
    return row


def insist(session: Session, row: Appeal, *, statement: str, now: int, due_at: int, barred: Sequence[str]) -> None:
    """A person shall look at it all the same. Raises ``NoSuchAppealMove``."""
    move(session, row, AppealMove.INSIST, now)
    row.statement = statement or row.statement
    _before_a_person(session, row, now, due_at, barred)


def withdraw(session: Session, row: Appeal, *, now: int) -> None:
    """Its appellant does not want it decided any more; whoever holds its case is told. Raises ``NoSuchAppealMove``."""
    move(session, row, AppealMove.WITHDRAW, now)
    if row.case_id is not None:
        cases.void(session, row.message_id, "withdrawn", now=now, kind=APPEAL)


def decide(
    unit: Unit, row: Appeal, who: Claimant, outcome: str, *, ground: str, answer: str, seen: int | None, now: int,
    undo_us: int,
) -> Case:  # fmt: skip
    """One person's word on it, with the reasons that its appellant is told; it takes effect once it can no longer be
    taken back. Raises ``ControlError``."""
    case = case_of(unit.session, row)
    if row.state not in WITH_A_PERSON or case is None:
        raise ControlError(409, "appeal.decided", f"This appeal is {row.state}: there is nothing to decide.")
    decisions.decide(
        unit.session, case, who, outcome, ground=ground, seen=seen, now=now, undo_us=undo_us, act_uid=unit.uid
    )
    row.answer = answer
    return case


def overrun(session: Session, *, now: int) -> list[int]:
    """Those that wait longer than was promised; their numbers."""
    over = session.scalars(
        select(Appeal)
        .where(Appeal.state == AppealState.WAITING, Appeal.due_at <= now)
        .order_by(Appeal.due_at)
        .limit(DUE_AT_ONCE)
    ).all()
    for row in over:
        move(session, row, AppealMove.OVERRUN, now)
    return [row.id for row in over]


class DueAppeal(NamedTuple):
    """An appeal whose decision can no longer be taken back, and what that is."""

    number: int
    message_id: str
    outcome: str


def due(session: Session, *, now: int) -> list[DueAppeal]:
    """Those that can take effect."""
    found = session.execute(
        select(Appeal.id, Appeal.message_id, Case.outcome)
        .join(Case, Case.id == Appeal.case_id)
        .where(
            Appeal.state.in_(sorted(WITH_A_PERSON)),
            ((Case.state == CaseState.DECIDED) & (Case.effective_at <= now)) | (Case.state == CaseState.DONE),
        )
        .order_by(Case.effective_at, Case.id)
        .limit(DUE_AT_ONCE)
    )
    return [DueAppeal(*one) for one in found]


def settle(unit: Unit, number: int, redress: Redress, *, now: int) -> Appeal:
    """A decision takes effect, with all that follows from it, in one act; harmless when repeated."""
    session = unit.session
    row = get(session, number)
    case = case_of(session, row)
    if row.state not in WITH_A_PERSON or case is None:
        return row
    if case.state == CaseState.DECIDED and case.effective_at <= now:
        decisions.finish(session, case, now=now)
    if case.state != CaseState.DONE:  # taken back meanwhile
        return row
    row.answer_ground, row.decided_by, row.act_uid = case.ground, case.decided_by, case.act_uid
    row.same_person, entered = case.decided_by in row.parties, row.texts
    move(session, row, BY_OUTCOME[case.outcome], now, case.decided_by, case.act_uid)
    if row.state in (AppealState.UPHELD, AppealState.PARTLY):
        row.redress = redress(unit, row, entered, now)
    return row


def move(session: Session, row: Appeal, how: AppealMove, now: int, person: str = "", act_uid: str = "") -> None:
    """Move an appeal on, and put that into its trace. Raises ``NoSuchAppealMove``."""
    row.state = after(AppealState(row.state), how)
    if row.state in ENDED:
        row.closed_at = now
        row.texts = None  # the journal was not to keep them, so neither do we
    note(session, row, how, now, person, act_uid)
    session.flush()


def note(session: Session, row: Appeal, how: AppealMove, now: int, person: str = "", act_uid: str = "") -> None:
    session.add(AppealEvent(appeal_id=row.id, at=now, event=how, person=person, act_uid=act_uid))


def get(session: Session, number: int) -> Appeal:
    """Raises ``ControlError`` (404)."""
    row = session.get(Appeal, number)
    if row is None:
        raise missing("appeal")
    return row


def by_code(session: Session, code: str) -> Sequence[Appeal]:
    """Those that were filed by a code (as ``canonical`` writes it): one, unless two messages share it."""
    return session.scalars(select(Appeal).where(Appeal.code == code).order_by(Appeal.id)).all()


def of_message(session: Session, message_id: str) -> Appeal | None:
    return session.scalar(select(Appeal).where(Appeal.message_id == message_id))


def case_of(session: Session, row: Appeal) -> Case | None:
    """Its case, from when a person has to look at it."""
    return session.get(Case, row.case_id) if row.case_id is not None else None


def trace(session: Session, number: int) -> Sequence[AppealEvent]:
    """What happened to an appeal, in order."""
    return session.scalars(select(AppealEvent).where(AppealEvent.appeal_id == number).order_by(AppealEvent.id)).all()


def untold(session: Session) -> list[tuple[int, dict[str, Any]]]:
    """What happened and the journal does not hold yet, in order, as its records."""
    rows = session.execute(
        select(AppealEvent, Appeal.message_id)
        .join(Appeal, Appeal.id == AppealEvent.appeal_id)
        .where(AppealEvent.journalled.is_(False))
        .order_by(AppealEvent.id)
        .limit(TOLD_AT_ONCE)
    )
    return [
        (
            event.id,
            appeal(message_id, event.event, event.appeal_id, person=event.person, act=event.act_uid)
            | {"time": event.at},
        )
        for event, message_id in rows
    ]


def told(session: Session, event: int) -> None:
    """The journal holds it."""
    session.get_one(AppealEvent, event).journalled = True


def counted(session: Session, *, now: int) -> AppealCounts:
    states = dict.fromkeys(AppealState, 0)
    rows = session.execute(select(Appeal.state, func.count()).group_by(Appeal.state))
    states |= {AppealState(state): count for state, count in rows}
    same = session.scalar(select(func.count()).select_from(Appeal).where(Appeal.same_person)) or 0
    oldest = session.scalar(select(func.min(Appeal.filed_at)).where(Appeal.state.in_(sorted(WITH_A_PERSON))))
    return AppealCounts(states, same, max(now - oldest, 0) if oldest is not None else 0)


def prune(session: Session, before: int) -> int:
    """Remove some appeals that ended before a time (µs since the epoch), with their traces; how many. One that was
    explained, and on which nobody insisted, ended with that."""
    ended = Appeal.closed_at.between(1, before - 1)
    idle = (Appeal.state == AppealState.EXPLAINED) & (Appeal.filed_at < before)
    untold = select(AppealEvent.id).where(AppealEvent.appeal_id == Appeal.id, AppealEvent.journalled.is_(False))
    wanted = select(Appeal.id).where(ended | idle, ~untold.exists()).order_by(Appeal.id).limit(PRUNED_AT_ONCE)
    old = session.scalars(wanted).all()
    session.execute(delete(AppealEvent).where(AppealEvent.appeal_id.in_(old)))
    session.execute(delete(Appeal).where(Appeal.id.in_(old)))
    return len(old)


def _before_a_person(session: Session, row: Appeal, now: int, due_at: int, barred: Sequence[str]) -> None:
    row.due_at = due_at
    case = cases.open_case(
        session, row.message_id, Cause.APPEAL, now=now, route=row.route, room=row.room, sender=row.sender,
        due_at=due_at, kind=APPEAL, category=row.category, reason=row.reason, ground=row.ground,
        reference=str(row.id), barred=barred,
    )  # fmt: skip
    row.case_id = case.id
    session.flush()
