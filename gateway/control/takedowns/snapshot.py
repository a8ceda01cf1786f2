"""Copies in the snapshot: all that have not expired, because what is left out would not be in force; the table is
bounded instead. And messages that were taken down a moment ago: a worker may have one that waits for its delay."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.takedowns.rows import Copy, Takedown
from gateway.state.model.snapshot import CopyRow, SnapshotRows, UnwantedRow

MAX_COPIES = 1000
UNWANTED_FOR = 600  # seconds: twice the longest delay
MAX_UNWANTED = 1000  # the newest


def copies(session: Session, now: int, into: SnapshotRows) -> SnapshotRows:
    """Every text that is refused."""
    told = (Copy.id, Copy.fingerprint, Copy.ground, Copy.expires_at)
    found = session.execute(select(*told).where(Copy.expires_at > now).order_by(Copy.id))
    return into._replace(copies=tuple(CopyRow(*row) for row in found))


def unwanted(session: Session, now: int, into: SnapshotRows) -> SnapshotRows:
    """What was taken down and may not have left yet."""
    since = (now - UNWANTED_FOR) * 1_000_000
    told = (Takedown.message_id, Takedown.ground)
    found = session.execute(
        select(*told).where(Takedown.created_at > since).order_by(Takedown.id.desc()).limit(MAX_UNWANTED)
    )
    return into._replace(unwanted=tuple(UnwantedRow(*row) for row in found))
