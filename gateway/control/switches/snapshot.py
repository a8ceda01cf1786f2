"""Switches and urgent words in the snapshot: all of them, because what is left out would not be in force; their tables
are bounded instead."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.switches.rows import Switch, UrgentWord
from gateway.state.model.snapshot import SnapshotRows, SwitchRow, UrgentRow

MAX_SWITCHES = 500
MAX_URGENT = 500


def switches(session: Session, _now: int, into: SnapshotRows) -> SnapshotRows:
    """Every switch."""
    found = session.scalars(select(Switch).order_by(Switch.id))
    return into._replace(switches=tuple(SwitchRow(row.id, row.kind, row.scope, row.value, row.ground) for row in found))


def urgent(session: Session, _now: int, into: SnapshotRows) -> SnapshotRows:
    """Every urgent word."""
    found = session.scalars(select(UrgentWord).order_by(UrgentWord.id))
    return into._replace(urgent=tuple(UrgentRow(row.id, row.word, row.ground) for row in found))
