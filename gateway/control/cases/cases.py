"""Cases opened, added to, and ended from outside: by what becomes of the message they are about.

Every function works within the session it is given, and takes the time (µs since the epoch): a case is changed in the
transaction of whatever changed it, and no clock is asked. Its laws:

* a message has one open case of each kind, with all its causes, whoever opens it how often;
* nothing is decided unread: what comes up while somebody holds a case raises its version (``decisions``);
* whoever holds a case that ends under their hands is told (``tell``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from gateway.control.acts.refusal import ControlError, missing
from gateway.control.cases.case_states import TRANSITIONS, CaseState, Desk, Move, after, desk_after
from gateway.control.cases.rows import Case, CaseCause, CaseEvent, CaseHit, CaseSample

MESSAGE, APPEAL = "message", "appeal"
KINDS = (MESSAGE, APPEAL)
PRUNED_AT_ONCE = 500  # cases of one transaction, so that nobody's act waits long for the database


class Cause(StrEnum):
    """Why a case is opened."""

    HOLD = "hold"
    COMPLAINT = "complaint"
    PATROL = "patrol"
    LATE_BLOCK = "late-block"
    NAME = "name"
    APPEAL = "appeal"
    REOPENED = "reopened"


def open_case(
    session: Session,
    message_id: str,
    cause: Cause,
    *,
    now: int,
    route: str,
    room: str,
    sender: str,
    due_at: int,
    expires_at: int = 0,
    kind: str = MESSAGE,
    category: str = "",
    reason: str = "",
    ground: str = "",
    reference: str = "",
    fingerprint: str = "",
    hits: Collection[ListWord] = (),
    barred: Sequence[str] = (),
) -> Case:
    """The open case of this message, made where there is none, with this cause; the same cause twice is one. A case
    that is there already is due at the earlier of two times and expires at the later; ``barred`` are added to its.
    One on which somebody has decided before names that case (``reopens``)."""
    case = open_of(session, message_id, kind)
    if case is None:
        last = last_of(session, message_id, kind)
        case = Case(
            kind=kind, message_id=message_id, open_as=f"{kind}:{message_id}", route=route, room=room, sender=sender,
            category=category, fingerprint=fingerprint, opened_at=now, due_at=due_at, expires_at=expires_at,
            state=CaseState.WAITING, desk=Desk.FIRST, version=1, barred=sorted(set(barred)),
            reopens=last.id if last is not None else None,
        )  # fmt: skip
        session.add(case)
        session.flush()
        note(session, case, Move.OPEN, now)
    else:
        if session.scalar(
            select(CaseCause.id).where(
                CaseCause.case_id == case.id, CaseCause.cause == cause, CaseCause.reference == reference
            )
        ):
            return case
        something_new(session, case, Move.ADD, now)
        case.due_at = min(case.due_at, due_at)
        case.expires_at = max(case.expires_at, expires_at) if case.expires_at and expires_at else 0
        case.barred = sorted({*case.barred, *barred})
        case.category = case.category or category
        case.fingerprint = case.fingerprint or fingerprint
    session.add(
        CaseCause(
            case_id=case.id, at=now, cause=cause, reference=reference, category=category, reason=reason, ground=ground
        )
    )
    _hit(session, case, hits)
    session.flush()
    return case


class ListWord(NamedTuple):
    """A word of a list, by its id in it."""

    list: str
    word: int


class NewCase(NamedTuple):
    """A case to be opened about a message that is held: see ``open_case``."""

    message_id: str
    route: str
    room: str
    sender: str
    due_at: int
    expires_at: int
    category: str
    reason: str
    ground: str
    fingerprint: str
    hits: frozenset[ListWord] = frozenset()


def open_many(session: Session, openings: Sequence[NewCase], *, now: int) -> dict[str, int]:
    """``open_case`` of messages that were held, in a few statements for all of them; the cases' numbers by message."""
    ids = [one.message_id for one in openings]
    wanted = select(Case.message_id).where(Case.kind == MESSAGE, Case.message_id.in_(ids)).distinct()
    known = set(session.scalars(wanted))
    fresh = {one.message_id: one for one in openings if one.message_id not in known}
    made = [_fresh(one, now) for one in fresh.values()]
    session.add_all(made)
    session.flush()
    for case in made:
        one = fresh[case.message_id]
        note(session, case, Move.OPEN, now)
        session.add(
            CaseCause(
                case_id=case.id, at=now, cause=Cause.HOLD, reference="", category=one.category, reason=one.reason,
                ground=one.ground,
            )
        )  # fmt: skip
        _hit(session, case, one.hits)
    session.flush()
    numbers = {case.message_id: case.id for case in made}
    for one in openings:
        if one.message_id not in numbers:
            case = open_case(session, cause=Cause.HOLD, now=now, **one._asdict())
            numbers[one.message_id] = case.id
    return numbers


def _fresh(one: NewCase, now: int) -> Case:
    return Case(
        kind=MESSAGE, message_id=one.message_id, open_as=f"{MESSAGE}:{one.message_id}", route=one.route, room=one.room,
        sender=one.sender, category=one.category, fingerprint=one.fingerprint, opened_at=now, due_at=one.due_at,
        expires_at=one.expires_at, state=CaseState.WAITING, desk=Desk.FIRST, version=1, barred=[],
    )  # fmt: skip


def supersede(session: Session, message_id: str, new_id: str, *, now: int) -> Case | None:
    """What its sender wrote anew takes the place of a message that waits, and with it its case, which keeps its place
    in the queue; None where there is no open one, and nothing is changed then. Why the new one was held is why there is
    a case now, beside what came up otherwise. What somebody decided or wanted of the text before counts no more."""
    case, own = open_of(session, message_id), open_of(session, new_id)
    if case is None:
        return None
    something_new(session, case, Move.SUPERSEDE, now)
    if own is not None:
        (cause,) = (one for one in causes(session, [own.id])[own.id] if one.cause == Cause.HOLD)
        for row in causes(session, [case.id])[case.id]:
            if row.cause == Cause.HOLD:
                row.category, row.reason, row.ground = cause.category, cause.reason, cause.ground
        case.category, case.fingerprint = own.category, own.fingerprint
        case.expires_at = max(case.expires_at, own.expires_at) if case.expires_at and own.expires_at else 0
        session.execute(delete(CaseHit).where(CaseHit.case_id == case.id))
        session.execute(update(CaseHit).where(CaseHit.case_id == own.id).values(case_id=case.id))
        void(session, new_id, "superseded", now=now)
    case.message_id, case.open_as = new_id, f"{case.kind}:{new_id}"
    session.flush()
    return case


def something_new(session: Session, case: Case, how: Move, now: int) -> None:
    """There is more to read than whoever holds it, decided it or wanted it decided has read."""
    decided = case.state == CaseState.DECIDED
    moved(session, case, how, now)
    case.version += 1
    if decided:
        case.tell = case.decided_by
        undecided(case)
    if case.desk == Desk.FIRST and case.proposed_by:
        case.barred = [person for person in case.barred if person != case.proposed_by]
        case.proposed_by = case.proposed_outcome = case.proposed_ground = ""


def void(session: Session, message_id: str, why: str, *, now: int, kind: str = MESSAGE) -> Case | None:
    """What the case is about is no more (``why``: withdrawn, blocked, closed …, a word); whoever holds it is told. None
    where there is no open one."""
    case = open_of(session, message_id, kind)
    if case is None:
        return None
    holder = _holder(case)
    undecided(case)
    _close(session, case, Move.VOID, now, holder, why)
    return case


def expire(session: Session, message_id: str, *, now: int, kind: str = MESSAGE) -> bool:
    """Whether a message may expire now, and with it its case: not while somebody holds it or has decided on it, nor
    before its time. Where there is no open case nothing keeps the message."""
    case = open_of(session, message_id, kind)
    if case is None:
        return True
    if case.state != CaseState.WAITING or not 0 < case.expires_at <= now:
        return False
    _close(session, case, Move.EXPIRE, now, "")
    return True


def let_expire(session: Session, case: Case, *, now: int, person: str) -> None:
    """A person lets one that waits expire, before its time: nobody decides on it any more."""
    _close(session, case, Move.EXPIRE, now, "", person=person)


def overrule(
    session: Session, message_id: str, outcome: str, *, now: int, person: str, ground: str, act_uid: str
) -> Case | None:
    """Decided elsewhere by a person, for good and at once, whoever holds it: the takedown of what is held is a refusal
    of its case. None where there is no open one."""
    case = open_of(session, message_id)
    if case is None:
        return None
    holder = _holder(case)
    case.outcome, case.ground, case.decided_by, case.act_uid = outcome, ground, person, act_uid
    case.decided_at = case.effective_at = now
    _close(session, case, Move.OVERRULE, now, holder, person=person)
    answered(session, case)
    return case


def reopen(session: Session, case_id: int, *, now: int, person: str, why: str, due_at: int) -> Case:
    """A new case about a message on which a case is done, linked to its newest: not for whoever decided either, or one
    between them. Raises ``ControlError``."""
    done = get(session, case_id)
    if (CaseState(done.state), Move.REOPEN) not in TRANSITIONS:
        raise ControlError(409, "review.not_done", f"The case is {done.state}: only what was decided is reopened.")
    note(session, done, Move.REOPEN, now, person, why)
    last = last_of(session, done.message_id, done.kind) or done
    decided = [one for one in (done, last) if one.open_as is None]
    barred = {person for one in decided for person in (*one.barred, one.decided_by) if person}
    for sample in session.scalars(select(CaseSample).where(CaseSample.case_id.in_([one.id for one in decided]))):
        barred |= {sample.decided_by} - {""}
        sample.settled_by, sample.settled_at = sample.settled_by or person, sample.settled_at or now
    return open_case(
        session, done.message_id, Cause.REOPENED, now=now, route=done.route, room=done.room, sender=done.sender,
        due_at=due_at, kind=done.kind, category=done.category, fingerprint=done.fingerprint,
        reference=str(done.id), barred=sorted(barred),
    )  # fmt: skip


def get(session: Session, case_id: int) -> Case:
    """Raises ``ControlError`` (404)."""
    case = session.get(Case, case_id)
    if case is None:
        raise missing("case")
    return case


def open_of(session: Session, message_id: str, kind: str = MESSAGE) -> Case | None:
    return session.scalar(select(Case).where(Case.open_as == f"{kind}:{message_id}"))


def last_of(session: Session, message_id: str, kind: str = MESSAGE) -> Case | None:
    """The newest case on a message, open or not."""
    wanted = select(Case).where(Case.message_id == message_id, Case.kind == kind).order_by(Case.id.desc()).limit(1)
    return session.scalar(wanted)


def causes(session: Session, case_ids: Sequence[int]) -> dict[int, list[CaseCause]]:
    """Why, by case, in the order in which they came up."""
    found: dict[int, list[CaseCause]] = {case_id: [] for case_id in case_ids}
    for row in session.scalars(select(CaseCause).where(CaseCause.case_id.in_(case_ids)).order_by(CaseCause.id)):
        found[row.case_id].append(row)
    return found


def trace(session: Session, case_id: int) -> Sequence[CaseEvent]:
    """What happened to a case, in order."""
    return session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.id)).all()


def moved(
    session: Session, case: Case, how: Move, now: int, person: str = "", why: str = "", outcome: str = ""
) -> None:
    """Move a case on, and put that into its trace. Raises ``NoSuchMove``."""
    before = CaseState(case.state)
    case.state = after(before, how)
    case.desk = desk_after(Desk(case.desk), before, how)
    note(session, case, how, now, person, why, outcome)


def note(session: Session, case: Case, how: Move, now: int, person: str = "", why: str = "", outcome: str = "") -> None:
    session.add(CaseEvent(case_id=case.id, at=now, event=how, person=person, note=why, outcome=outcome))


def _hit(session: Session, case: Case, hits: Collection[ListWord]) -> None:
    """What was found, beside what was found before."""
    if hits:
        rows = session.execute(select(CaseHit.list, CaseHit.word).where(CaseHit.case_id == case.id))
        known = {(row[0], row[1]) for row in rows}
        session.add_all(
            CaseHit(case_id=case.id, list=hit.list, word=hit.word, at=case.opened_at)
            for hit in sorted(hits)
            if (hit.list, hit.word) not in known
        )


def _holder(case: Case) -> str:
    """Whose work it is that ends with the case: whoever holds it, or decided what has not taken effect yet."""
    return case.claimed_by if case.state == CaseState.CLAIMED else case.decided_by


def _close(session: Session, case: Case, how: Move, now: int, holder: str, why: str = "", person: str = "") -> None:
    """End a case; ``holder`` is told, unless they did it."""
    moved(session, case, how, now, person, why, case.outcome)
    case.tell = holder if holder != person else ""
    case.claimed_by, case.claimed_until, case.open_as, case.closed_at = "", 0, None, now
    session.flush()


def undecided(case: Case) -> None:
    """Take the decision off a case."""
    case.outcome = case.ground = case.decided_by = case.act_uid = ""
    case.decided_at = case.effective_at = 0


def answered(session: Session, case: Case) -> None:
    """Each cause gets its answer from the one decision."""
    for row in causes(session, [case.id])[case.id]:
        row.answer = case.outcome


def prune(session: Session, before: int) -> int:
    """Remove some cases that ended before a time (µs since the epoch), with their causes and traces; how many. One
    that a newer case names stays as long as that."""
    newer = select(Case.id).where(Case.reopens.is_not(None)).with_only_columns(Case.reopens)
    old = session.scalars(
        select(Case.id)
        .where(Case.closed_at > 0, Case.closed_at < before, Case.id.not_in(newer))
        .order_by(Case.closed_at)
        .limit(PRUNED_AT_ONCE)
    ).all()
    for rows in (CaseCause, CaseEvent, CaseHit, CaseSample):
        session.execute(delete(rows).where(rows.case_id.in_(old)))
    session.execute(delete(Case).where(Case.id.in_(old)))
    return len(old)


def told(case: Case, trace_of: Sequence[CaseEvent], since: int = 0) -> list[dict[str, Any]]:
    """What happened to a case after its first ``since`` events, for whoever is refused because of it."""
    return [
        {"where": f"case {case.id}", "problem": f"{row.event}{f' by {row.person}' if row.person else ''}", "at": row.at}
        for row in trace_of[since:]
    ]
