"""Copies in the snapshot: all that have not expired, because what is left out would not be in force; the table is
bounded instead."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.takedowns.rows import Copy
from gateway.state.model.snapshot import CopyRow, SnapshotRows

MAX_COPIES = 1000


def copies(session: Session, now: int, into: SnapshotRows) -> SnapshotRows:
    """Every text that is refused."""
    found = session.scalars(select(Copy).where(Copy.expires_at > now).order_by(Copy.id))
    return into._replace(copies=tuple(CopyRow(row.id, row.fingerprint, row.ground, row.expires_at) for row in found))
