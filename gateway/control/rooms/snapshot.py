"""Rooms in the snapshot: those that are not open, which workers ask beside state, and in its stead while it cannot be
reached."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.rooms.rows import Room
from gateway.state.model.snapshot import MAX_ROOMS, RoomRow, SnapshotRows


def rooms(session: Session, _now: int, into: SnapshotRows) -> SnapshotRows:
    """Closed and muted rooms before slow ones, where they are too many."""
    found = session.scalars(select(Room).order_by(Room.status == "slow", Room.room).limit(MAX_ROOMS + 1)).all()
    return into._replace(
        rooms=tuple(RoomRow(row.room, row.status, row.interval_ms) for row in found[:MAX_ROOMS]),
        rooms_whole=len(found) <= MAX_ROOMS,
    )
