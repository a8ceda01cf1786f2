"""What goes of held messages when it is old: those that ended, with their traces and releases."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.control.holding import held_states
from gateway.control.holding.rows import Held, HeldEvent, Release

AT_ONCE = 500  # messages of one transaction, so that nobody's act waits long for the database


def prune(session: Session, before: int) -> int:
    """Remove some that ended before a time (µs since the epoch) and of which the journal has heard; how many."""
    untold = select(HeldEvent.id).where(HeldEvent.message_id == Held.message_id, HeldEvent.journalled.is_(False))
    unheard = select(Release.id).where(Release.message_id == Held.message_id, Release.told.is_(False))
    old = session.scalars(
        select(Held.message_id)
        .where(Held.state.in_(held_states.ENDED), Held.changed_at < before, ~untold.exists(), ~unheard.exists())
        .order_by(Held.message_id)
        .limit(AT_ONCE)
    ).all()
    session.execute(delete(HeldEvent).where(HeldEvent.message_id.in_(old)))
    session.execute(delete(Release).where(Release.message_id.in_(old)))
    session.execute(delete(Held).where(Held.message_id.in_(old)))
    return len(old)
