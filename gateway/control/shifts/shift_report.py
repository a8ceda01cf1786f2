"""What whoever leads next has to know: read in one transaction, bounded in every part.

Open now: cases that wait for a lead, cases beyond their service time, appeals, releases of which nobody knows or that
cannot be delivered, calls that were given up, takedowns that are not confirmed. Changed since: words. No text of a
message and no sender is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from gateway.control.acts.rows import Act
from gateway.control.appeals.rows import Appeal
from gateway.control.callbacks.rows import DEAD, Callback
from gateway.control.cases import samples
from gateway.control.cases.case_states import CaseState, Desk
from gateway.control.cases.cases import MESSAGE
from gateway.control.cases.rows import Case, CaseEvent
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held
from gateway.control.incidents import incident_states
from gateway.control.shifts.rows import ShiftNote
from gateway.control.shifts.schemas import (
    LISTED,
    MOST_COUNTED,
    AppealBrief,
    CallbackBrief,
    CaseBrief,
    Counted,
    HandoverOut,
    IncidentBrief,
    NoteOut,
    ReleaseBrief,
    TakedownBrief,
    WordChange,
)
from gateway.control.takedowns.rows import Deletion, Takedown

OPEN: Final = (CaseState.WAITING, CaseState.CLAIMED)
APPEALS: Final = ("overdue", "waiting", "claimed")
WORD_ACTS: Final = ("word.add", "word.remove", "word.apply", "urgent.add", "urgent.remove")
WITHOUT_NOTE: Final = 12 * 3600 * 1_000_000  # µs that a hand-over looks back where nobody has written one
LOOKED_AT: Final = 500  # acts on words


def since_of(session: Session, now: int) -> int:
    """Since the last note; for half a day where there is none."""
    return session.scalar(select(func.max(ShiftNote.at))) or now - WITHOUT_NOTE


def report(session: Session, since: int, now: int, late: int) -> HandoverOut:
    """``late``: what came before that moment waits too long, by the opening hours."""
    lead = select(Case).where(Case.state.in_(OPEN), Case.desk == Desk.LEAD, Case.kind == MESSAGE)
    overdue = select(Case).where(Case.state == CaseState.WAITING, Case.due_at < late, Case.kind == MESSAGE)
    appeals = select(Appeal).where(Appeal.state.in_(APPEALS))
    dead = select(Callback).where(Callback.state == DEAD, Callback.changed_at >= since)
    deletions = select(Takedown).join(Deletion, Deletion.takedown_id == Takedown.id)
    unconfirmed = deletions.where(Deletion.state == "unconfirmed")
    words = list(_words(session, since))
    incidents = incident_states.standing(session, now)
    states = (held_states.UNKNOWN, held_states.UNDELIVERABLE)
    releases = select(Held).where(Held.state.in_(states)).order_by(Held.state.desc(), Held.changed_at.desc())
    return HandoverOut(
        since=since,
        at=now,
        notes=[NoteOut.model_validate(note.as_row()) for note in _notes(session, since)],
        counts=Counted(
            escalated=_count(session, lead),
            overdue=_count(session, overdue),
            appeals=_count(session, appeals),
            incidents=len(incidents),
            words=len(words),
            unknown=_count(session, select(Held).where(Held.state == held_states.UNKNOWN)),
            undeliverable=_count(session, select(Held).where(Held.state == held_states.UNDELIVERABLE)),
            callbacks=_count(session, dead),
            takedowns=_count(session, unconfirmed),
            disagreed=samples.counts(session)[1],
        ),
        escalated=_cases(session, lead),
        overdue=_cases(session, overdue),
        appeals=[
            AppealBrief(**{name: getattr(row, name) for name in AppealBrief.model_fields})
            for row in session.scalars(appeals.order_by(Appeal.due_at, Appeal.id).limit(LISTED))
        ],
        incidents=[
            IncidentBrief(**{name: getattr(row, name) for name in IncidentBrief.model_fields})
            for row in incidents[:LISTED]
        ],
        words=words[:LISTED],
        releases=[
            ReleaseBrief.model_validate({name: getattr(row, name) for name in ReleaseBrief.model_fields})
            for row in session.scalars(releases.limit(LISTED))
        ],
        callbacks=[
            CallbackBrief(**{name: getattr(row, name) for name in CallbackBrief.model_fields})
            for row in session.scalars(dead.order_by(Callback.changed_at.desc()).limit(LISTED))
        ],
        takedowns=[
            TakedownBrief(**{name: getattr(row, name) for name in TakedownBrief.model_fields})
            for row in session.scalars(unconfirmed.order_by(Takedown.id).limit(LISTED))
        ],
    )


def prune(session: Session, before: int) -> int:
    """Remove notes of before a time; how many. The last one stays: the next hand-over begins there."""
    last = session.scalar(select(func.max(ShiftNote.id))) or 0
    old = session.scalars(select(ShiftNote).where(ShiftNote.at < before, ShiftNote.id < last).limit(MOST_COUNTED)).all()
    for note in old:
        session.delete(note)
    return len(old)


def _notes(session: Session, since: int) -> Sequence[ShiftNote]:
    newer = session.scalars(
        select(ShiftNote).where(ShiftNote.at > since).order_by(ShiftNote.id.desc()).limit(LISTED)
    ).all()
    last = session.scalars(select(ShiftNote).where(ShiftNote.at <= since).order_by(ShiftNote.id.desc()).limit(1)).all()
    return [*newer, *last]


def _count(session: Session, wanted: Select[Any]) -> int:
    return session.scalars(select(func.count()).select_from(wanted.limit(MOST_COUNTED).subquery())).one()


def _cases(session: Session, wanted: Select[Any]) -> list[CaseBrief]:
    rows: Sequence[Case] = session.scalars(wanted.order_by(Case.due_at, Case.id).limit(LISTED)).all()
    numbers = [row.id for row in rows]
    events = select(CaseEvent).where(CaseEvent.case_id.in_(numbers), CaseEvent.note != "").order_by(CaseEvent.id)
    notes = {event.case_id: event.note for event in session.scalars(events)}
    names = CaseBrief.model_fields.keys() - {"note"}
    return [
        CaseBrief.model_validate({name: getattr(row, name) for name in names} | {"note": notes.get(row.id, "")})
        for row in rows
    ]


def _words(session: Session, since: int) -> Iterator[WordChange]:
    """The newest first; the acts of one kind lie together in their index."""
    acts: list[Act] = []
    for kind in WORD_ACTS:
        newest = select(Act).where(Act.kind == kind).order_by(Act.id.desc()).limit(LOOKED_AT)
        for act in session.scalars(newest):
            if act.at < since:
                break
            acts.append(act)
    for act in sorted(acts, key=lambda act: act.id, reverse=True):
        for change in act.changes:
            row = change["after"] or change["before"]
            if change["table"] not in ("words", "urgent_words"):
                continue
            yield WordChange(
                act=act.id, at=act.at, person=act.person, list=str(row.get("list", "")),
                line=str(row.get("line", row.get("word", ""))), effect=_effect(change), reason=act.reason,
                undone=act.undone_by is not None,
            )  # fmt: skip


def _effect(change: dict[str, Any]) -> Any:
    if change["after"] is None:
        return "taken-back"
    return "left-out" if change["after"].get("effect") == "removed" else "added"
