"""What happens to a held message, within an act or within a task's transaction: each function is one row of
``held_states``.

    approve, undo, refuse, withdraw, supersede, void, expire        of people, and of what happens meanwhile
    settle                                                          what became of one that nobody knows of (unknown)

Each raises ``ControlError(409, "review.decided", …)`` where the state does not allow it, and
``ControlError(404, "control.message_unknown", …)`` where nobody parked such a message. The parked request goes with the
state that ends the waiting, in the same transaction; ``releases`` sees to what is left of it in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.cases import cases
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held, HeldEvent, Release

TRIED: Final = "tried"
NOT_FOUND: Final = "release.not_found"
MAX_TRACE: Final = 200  # events of one message; tries beyond are not told


def parked(session: Session, rows: Sequence[Held]) -> None:
    """Messages were taken over; the journal has them from the worker (outcome ``held``)."""
    session.add_all(rows)
    session.flush()
    for row in rows:
        session.add(HeldEvent(message_id=row.message_id, at=row.changed_at, event=held_states.HELD, journalled=True))
    session.flush()


def restored(unit: Unit, row: Held) -> None:
    """A message that was taken down comes back: it waits for nobody any more."""
    unit.session.add(row)
    unit.session.flush()
    unit.session.add(
        HeldEvent(
            message_id=row.message_id, at=row.changed_at, event=row.state, person=unit.person, act_uid=unit.uid
        )
    )  # fmt: skip


def move(
    session: Session,
    row: Held,
    event: str,
    now: int,
    *,
    person: str = "",
    act_uid: str = "",
    status: int | None = None,
    problem: str = "",
    ground: str = "",
) -> None:
    """Move a message on; ``now`` in µs since the epoch. Raises ``ControlError`` where the state does not allow it."""
    state = held_states.after(row.state, event)
    if state is None:
        raise ControlError(
            409, "review.decided", f"The message is {row.state}: it cannot be changed like that any more."
        )
    row.state = state
    row.changed_at = now
    row.due_at = now if state == held_states.DELIVERED and counts(row) else 0
    if act_uid:
        row.act_uid = act_uid
    if state in held_states.GONE:
        row.sealed = row.texts = None
    session.add(
        HeldEvent(
            message_id=row.message_id, at=now, event=state, person=person, act_uid=act_uid, status=status,
            problem=problem, ground=ground,
        )
    )  # fmt: skip


def counts(row: Held) -> bool:
    """Whether its approval speaks for its sender: a new message of a person, as it was sent (``approvals``). What comes
    back after a takedown, and so has no case, was counted before or never waited."""
    return row.case_id is not None and row.sender != "" and not row.weak and not row.edit and row.texts is None


def note_try(session: Session, row: Held, status: int | None, problem: str, now: int) -> None:
    """Into the trace goes what is new: a platform that is away for an hour is one line, not forty."""
    events = trace(session, row.message_id)
    last = events[-1]
    if len(events) < MAX_TRACE and (last.event, last.status, last.problem) != (TRIED, status, problem):
        session.add(
            HeldEvent(
                message_id=row.message_id, at=now, event=TRIED, status=status, problem=problem, journalled=True
            )
        )  # fmt: skip


def trace(session: Session, message_id: str) -> Sequence[HeldEvent]:
    """The events of one message in order."""
    wanted = select(HeldEvent).where(HeldEvent.message_id == message_id).order_by(HeldEvent.id)
    return session.scalars(wanted).all()


def of(session: Session, message_id: str) -> Held:
    """Raises ``ControlError`` where nobody parked it."""
    row = session.get(Held, message_id)
    if row is None:
        raise missing("message")
    return row


def approve(unit: Unit, message_id: str, texts: Sequence[str] | None, not_before_us: int, now: int) -> Held:
    """Let it through, not before a moment (µs since the epoch) until which it can be taken back. ``texts``: as it may
    appear where not as it was sent, one for each of its texts; None as it was sent, with what
    rules mask."""
    row = of(unit.session, message_id)
    move(unit.session, row, "approve", now, person=unit.person, act_uid=unit.uid)
    row.texts = list(texts) if texts is not None else None
    row.since = now
    row.tries = 0
    row.due_at = max(not_before_us, now)
    return row


def undo(unit: Unit, message_id: str, now: int) -> Held:
    """Take an approval back: it waits again, as long as it would have."""
    row = of(unit.session, message_id)
    move(unit.session, row, "undo", now, person=unit.person, act_uid=unit.uid)
    row.texts = None
    return row


def refuse(unit: Unit, message_id: str, reason: str, ground: str, now: int) -> Held:
    """Refuse it for good; ``reason`` is a code that its sender is told the sentence of."""
    return _ended(unit, message_id, "refuse", now, reason, ground)


def withdraw(session: Session, message_id: str, now: int) -> None:
    """Its sender does not want it published any more; whoever holds its case is told."""
    move(session, of(session, message_id), "withdraw", now)
    cases.void(session, message_id, "withdrawn", now=now)


def supersede(session: Session, message_id: str, by: str, now: int) -> None:
    """Its sender wrote it anew: ``by`` waits in its place, at its place in the queue."""
    move(session, of(session, message_id), "supersede", now)
    successor = session.get(Held, by)
    if successor is not None:
        case = cases.supersede(session, message_id, by, now=now)
        successor.case_id = case.id if case is not None else successor.case_id


def void(session: Session, row: Held, problem: str, now: int, ground: str = "") -> None:
    """Somebody is blocked, a room closed, a copy taken down: it is not to be decided any more."""
    move(session, row, "void", now, problem=problem, ground=ground)


def expire(session: Session, row: Held, now: int) -> None:
    """Nobody decided in time: not published, and it may be sent again."""
    move(session, row, "expire", now)


def settle(unit: Unit, message_id: str, found: Literal["deliver", "release", "reject"], now: int) -> Held:
    """A person looked what became of it: it is there (``deliver``), it is not and its sender may send it again
    (``reject``), or it is to be asked for once more, on their word that it is not there (``release``)."""
    row = of(unit.session, message_id)
    if row.state != held_states.UNKNOWN:
        raise ControlError(409, "review.decided", f"The message is {row.state}: nobody has to look for it.")
    move(unit.session, row, found, now, person=unit.person, act_uid=unit.uid)
    release = unit.session.get_one(Release, row.release)
    if found == "release":
        row.due_at, row.since, row.tries = now, now, 0
        release.state = "begun"
    else:
        row.due_at = now if found == "reject" else 0
        release.state = "delivered" if found == "deliver" else "refused"
        release.problem = "" if found == "deliver" else NOT_FOUND
        release.told = False
    return row


def _ended(unit: Unit, message_id: str, event: str, now: int, reason: str = "", ground: str = "") -> Held:
    row = of(unit.session, message_id)
    move(unit.session, row, event, now, person=unit.person, act_uid=unit.uid, problem=reason, ground=ground)
    return row
