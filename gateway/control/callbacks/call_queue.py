"""From what happened to the calls that tell it: within one transaction, each event once for each receiver.

    happenings ──(cursor of the receiver)──► rows of callbacks       on call: folded by topic (``summoning``)

A receiver that is new in the configuration hears of what happens from then on; one that left it has nothing sent any
more, and its waiting calls are dead. Its bound on waiting calls stops its cursor: nothing is thrown away, the traces
keep what happened for as long as acts are kept, and it is told once there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from gateway.control.callbacks import happenings
from gateway.control.callbacks.happenings import AT_ONCE, Happening
from gateway.control.callbacks.receivers import CallTarget, Listener
from gateway.control.callbacks.rows import DEAD, WAITING, Callback, CallbackCursor

GONE: Final = "receiver.gone"
KILLED_AT_ONCE: Final = 500


def waits(session: Session, names: Sequence[str]) -> bool:
    """Whether there is anything to queue, or a receiver came or went."""
    cursors = session.scalars(select(CallbackCursor)).all()
    if {one.receiver for one in cursors} != set(names):
        return True
    held, appeals, acts = happenings.newest(session)
    return any(one.held < held or one.appeals < appeals or one.acts < acts for one in cursors)


def follow(session: Session, names: Sequence[str], now: int) -> None:
    """Cursors for those who are told, and none for others, whose waiting calls are dead."""
    known = set(session.scalars(select(CallbackCursor.receiver)))
    for name in set(names) - known:
        held, appeals, acts = happenings.newest(session)
        session.add(CallbackCursor(receiver=name, held=held, appeals=appeals, acts=acts))
    session.execute(delete(CallbackCursor).where(CallbackCursor.receiver.in_(known - set(names))))
    session.flush()
    lost = select(Callback.id).where(Callback.state == WAITING, Callback.receiver.not_in(names)).limit(KILLED_AT_ONCE)
    while ids := session.scalars(lost).all():
        session.execute(
            update(Callback)
            .where(Callback.id.in_(ids))
            .values(state=DEAD, problem=GONE, changed_at=now, due_at=0)
        )  # fmt: skip


def queue(session: Session, listener: Listener, now: int, ids: Callable[[], str]) -> bool:
    """Queue some of what this receiver was not told. False where its bound keeps that from it."""
    room = room_of(session, listener.target)
    if room <= 0:
        return False
    for one in read_on(session, listener.target.name, room):
        if listener.hears(one):
            session.add(_made(listener, one, now, ids()))
    session.flush()
    return True


def read_on(session: Session, receiver: str, room: int) -> list[Happening]:
    """Some of what a receiver was not told, each source in its order; it has been told then."""
    cursor = session.get_one(CallbackCursor, receiver)
    most = max(1, min(room // 3, AT_ONCE))
    messages = happenings.of_messages(session, cursor.held, most)
    appeals = happenings.of_appeals(session, cursor.appeals, most)
    tickets = happenings.of_tickets(session, cursor.acts, most)
    cursor.held, cursor.appeals, cursor.acts = messages.last, appeals.last, tickets.last
    return [*messages.found, *appeals.found, *tickets.found]


def _made(listener: Listener, one: Happening, now: int, uid: str) -> Callback:
    facts = dict(one.facts)
    if listener.sender:
        facts["sender"] = one.sender or None
    told = {"event": one.event, "at": one.at, "sequence": one.sequence, one.kind: facts}
    return call(listener.target.name, uid, one.event, one.subject, {"id": uid, **told}, now, one.at, one.sequence)


def call(
    receiver: str, uid: str, event: str, subject: str, body: dict[str, Any], now: int, at: int = 0, sequence: int = 1
) -> Callback:
    """A call that is due at once. ``at``: when what it tells happened, 0 for now."""
    return Callback(
        uid=uid, receiver=receiver, event=event, subject=subject, sequence=sequence, body=body, at=at or now,
        since=now, state=WAITING, changed_at=now, due_at=now,
    )  # fmt: skip


def again(row: Callback, now: int) -> None:
    """Let a call be tried at once, and as long as a new one: under its id, so that who has had it knows."""
    row.state, row.since, row.due_at, row.changed_at = WAITING, now, now, now
    row.tries, row.status, row.problem = 0, None, ""


def room_of(session: Session, target: CallTarget) -> int:
    """How many more calls to it may wait."""
    waiting = select(func.count()).where(Callback.state == WAITING, Callback.receiver == target.name)
    return target.waiting - (session.scalar(waiting) or 0)


def prune(session: Session, before: int) -> int:
    """Remove some calls that ended before a time (µs since the epoch); how many."""
    old = session.scalars(
        select(Callback.id).where(Callback.state != WAITING, Callback.changed_at < before).limit(KILLED_AT_ONCE)
    ).all()
    session.execute(delete(Callback).where(Callback.id.in_(old)))
    return len(old)
