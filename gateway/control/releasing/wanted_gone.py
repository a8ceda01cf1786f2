"""Takedowns of messages that were held.

held, approved        it is a refusal of its case, at once and for good; nothing is at the platform
releasing             it waits for the outcome, then the platform is asked to delete it
ticketed              the ticket is void; nothing is at the platform
delivered, unknown    the takedown of its release, or of what was sent with the ticket
anything else         there is nothing to take down

A ticket that an appeal led to, or a case that was decided again, counts whatever the message's state. What came back
after a takedown is taken down as what it came back as, by whichever of its ids.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Held, Release, Ticket
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.neighbours import HeldMessages
from gateway.control.takedowns.rows import Deletion, Takedown, TakedownEvent

UNWANTED: Final = "release.taken_down"
ELSEWHERE: Final = "release.deleted"
NEVER: Final = 1 << 60  # µs since the epoch: until the outcome is known


class HeldTakedowns(HeldMessages):
    """Of messages that workers parked. ``clock`` in nanoseconds since the epoch."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock

    def take_down(self, unit: Unit, message_id: str, reason: str, ground: str, within: float) -> Takedown:
        """Within an act. ``within``: seconds that the platform has. Raises ``ControlError``."""
        now = self._clock() // 1000
        if unit.session.get(Held, message_id) is None and tickets.is_open(unit.session, message_id):
            return _revoked(unit, message_id, reason, ground, within, now)
        row = _newest(unit.session, held.of(unit.session, message_id))
        name, upstream_id = _shown_as(unit.session, row)
        shown, ticketed = name != "", tickets.is_open(unit.session, row.message_id)
        known = _known(unit.session, row, name)
        if known is not None:
            if not ticketed:
                raise ControlError(409, "control.taken_down_already", f"Takedown {known.id} is about this message.")
            tickets.revoke(unit, row.message_id, UNWANTED, now)  # given anew since
            return known
        name = name or row.message_id
        if (
            not shown
            and not ticketed
            and row.state
            not in (
                held_states.HELD,
                held_states.APPROVED,
                held_states.RELEASING,
                held_states.UNDELIVERABLE,
                held_states.TICKETED,
            )
        ):
            raise ControlError(
                409, "control.not_published", f"The message is {row.state}: there is nothing to take down."
            )
        made = unit.add(
            Takedown(
                message_id=name, upstream_id=upstream_id,
                route=row.route, room=row.room, reason=reason, ground=ground, act_uid=unit.uid, created_at=now,
            )
        )  # fmt: skip
        unit.session.flush()
        takedowns.begun(unit.session, made, within)
        if shown:
            return made
        if row.state in (held_states.HELD, held_states.APPROVED):
            held.refuse(unit, row.message_id, UNWANTED, ground, now)
            cases.overrule(
                unit.session, row.message_id, "refused", now=now, person=unit.person, ground=ground, act_uid=unit.uid
            )
            row.takedown_id = made.id
            is_gone(unit.session, row, now)
            return made
        row.takedown_id = made.id
        if ticketed or row.state == held_states.TICKETED:
            tickets.revoke(unit, row.message_id, UNWANTED, now)
            is_gone(unit.session, row, now)
            return made
        row.due_at = row.due_at and now
        deletion = unit.session.get_one(Deletion, made.id)
        deletion.due_at, deletion.confirm_by = NEVER, NEVER + round(within * 1e6)
        return made

    def to_be_sent(self, session: Session, message_id: str) -> bool:
        return tickets.is_open(session, message_id)

    def deleted(self, unit: Unit, message_id: str, by: str) -> str:
        now = self._clock() // 1000
        row = _newest(unit.session, held.of(unit.session, message_id))
        name, _ = _shown_as(unit.session, row)
        if name:
            return name
        if row.state == held_states.TICKETED or tickets.is_open(unit.session, row.message_id):
            tickets.revoke(unit, row.message_id, ELSEWHERE, now)
        elif by == "user":
            held.withdraw(unit.session, row.message_id, now)
        else:
            held.void(unit.session, row, ELSEWHERE, now)
            cases.void(unit.session, row.message_id, ELSEWHERE, now=now)
        return ""

    def state(self, session: Session, message_id: str) -> str:
        row = session.get(Held, message_id)
        return row.state if row is not None else ""


def _revoked(unit: Unit, message_id: str, reason: str, ground: str, within: float, now: int) -> Takedown:
    """The ticket of a message that never waited, which an appeal gave, ends: nothing of it is at the platform."""
    ticket = unit.session.scalars(select(Ticket).where(Ticket.message_id == message_id)).one()
    known = unit.session.scalar(select(Takedown).where(Takedown.message_id == message_id))
    tickets.revoke(unit, message_id, UNWANTED, now)
    if known is not None:
        return known
    made = unit.add(
        Takedown(
            message_id=message_id, upstream_id="", route=ticket.route, room=ticket.room, reason=reason, ground=ground,
            act_uid=unit.uid, created_at=now,
        )
    )  # fmt: skip
    unit.session.flush()
    takedowns.begun(unit.session, made, within)
    deletion = unit.session.get_one(Deletion, made.id)
    deletion.state, deletion.due_at = takedowns.CONFIRMED, now
    unit.session.add(TakedownEvent(takedown_id=made.id, at=now, event=takedowns.CONFIRMED))
    return made


def _shown_as(session: Session, row: Held) -> tuple[str, str]:
    """Our id and the platform's of what people may see of it; empty where that is nothing."""
    if row.state in (held_states.DELIVERED, held_states.UNKNOWN):
        release = session.get(Release, row.release) if row.release else None
        if release is not None and release.state != "refused":
            return release.id, release.upstream_id
    return tickets.spent_by(session, row.message_id), ""


def _known(session: Session, row: Held, shown_as: str) -> Takedown | None:
    """The takedown of a message: of what people may see of it, where they do; what was sent with its ticket came after
    any takedown of its own."""
    names = {shown_as} if shown_as == tickets.spent_by(session, row.message_id) != "" else {shown_as, row.message_id}
    wanted = select(Takedown).where(Takedown.message_id.in_(sorted(names))).order_by(Takedown.id.desc()).limit(1)
    return session.scalar(wanted)


def _newest(session: Session, row: Held) -> Held:
    """The message as it came back last, after each of its takedowns; itself where it did not."""
    while True:
        known = _known(session, row, _shown_as(session, row)[0])
        back = session.get(Held, known.restoration) if known is not None and known.restoration else None
        if back is None:
            return row
        row = back


def can_run(session: Session, row: Held, release: Release, now: int) -> None:
    """The outcome is known, or nobody will know it: the platform is asked to delete what it may have."""
    if row.takedown_id is None:
        return
    takedown, deletion = session.get_one(Takedown, row.takedown_id), session.get_one(Deletion, row.takedown_id)
    takedown.message_id, takedown.upstream_id = release.id, release.upstream_id
    takedown.created_at = now  # from here on its outcome is looked for
    if deletion.due_at >= NEVER:
        deletion.due_at, deletion.confirm_by = now, now + (deletion.confirm_by - deletion.due_at)


def is_gone(session: Session, row: Held, now: int) -> None:
    """Nothing of it is at the platform, nor will be."""
    if row.takedown_id is None:
        return
    session.flush()
    deletion = session.get_one(Deletion, row.takedown_id)
    deletion.state, deletion.due_at = takedowns.CONFIRMED, now
    session.add(TakedownEvent(takedown_id=deletion.takedown_id, at=now, event=takedowns.CONFIRMED))
