"""Takedowns of messages that were held.

held, approved        it is a refusal of its case, at once and for good; nothing is at the platform
releasing             it waits for the outcome, then the platform is asked to delete it
delivered, unknown    the takedown of its release
anything else         there is nothing to take down
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
from gateway.control.holding import held, held_states
from gateway.control.holding.rows import Held, Release
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.neighbours import HeldMessages
from gateway.control.takedowns.rows import Deletion, Takedown, TakedownEvent

UNWANTED: Final = "release.taken_down"
NEVER: Final = 1 << 60  # µs since the epoch: until the outcome is known


class HeldTakedowns(HeldMessages):
    """Of messages that workers parked. ``clock`` in nanoseconds since the epoch."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock

    def take_down(self, unit: Unit, message_id: str, reason: str, ground: str, within: float) -> Takedown:
        """Within an act. ``within``: seconds that the platform has. Raises ``ControlError``."""
        now = self._clock() // 1000
        row = held.of(unit.session, message_id)
        release = unit.session.get(Release, row.release) if row.release else None
        shown = row.state in (held_states.DELIVERED, held_states.UNKNOWN) and release is not None
        name = release.id if shown and release is not None else row.message_id
        known = unit.session.scalar(select(Takedown).where(Takedown.message_id.in_((row.message_id, name))))
        if known is not None:
            raise ControlError(409, "control.taken_down_already", f"Takedown {known.id} is about this message.")
        if not shown and row.state not in (
            held_states.HELD,
            held_states.APPROVED,
            held_states.RELEASING,
            held_states.UNDELIVERABLE,
        ):
            raise ControlError(
                409, "control.not_published", f"The message is {row.state}: there is nothing to take down."
            )
        made = unit.add(
            Takedown(
                message_id=name, upstream_id=release.upstream_id if shown and release is not None else "",
                route=row.route, room=row.room, reason=reason, ground=ground, act_uid=unit.uid, created_at=now,
            )
        )  # fmt: skip
        unit.session.flush()
        takedowns.begun(unit.session, made, within)
        if shown:
            return made
        if row.state in (held_states.HELD, held_states.APPROVED):
            held.refuse(unit, message_id, UNWANTED, ground, now)
            cases.overrule(
                unit.session, message_id, "refused", now=now, person=unit.person, ground=ground, act_uid=unit.uid
            )
            row.takedown_id = made.id
            is_gone(unit.session, row, now)
            return made
        row.takedown_id = made.id
        row.due_at = row.due_at and now
        deletion = unit.session.get_one(Deletion, made.id)
        deletion.due_at, deletion.confirm_by = NEVER, NEVER + round(within * 1e6)
        return made


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
