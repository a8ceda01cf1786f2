"""What is kept of incidents."""

from __future__ import annotations

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Incident(Model):
    """One incident; every time in µs since the epoch.

    ``scope``: all, routes or rooms, of which ``places`` are the names. ``hold``, ``freeze``, ``pace_ms`` (0: none) and
    ``level`` (-1: everybody): as in the snapshot. ``reason``: why it was begun; ``ground``: what senders are told.
    ``act_uid``: the act that began it. ``ends_at``: the end that a person gave, at which workers let it go by
    themselves; ``ended_at``: when it ended, 0 until that is noted, and ``ended_by`` whom.
    """

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_ended_at", "ended_at", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(Storable(8))
    places: Mapped[list[str]] = mapped_column(JSON)
    hold: Mapped[bool]
    freeze: Mapped[bool]
    pace_ms: Mapped[int]
    level: Mapped[int]
    ground: Mapped[str] = mapped_column(Storable(256))
    reason: Mapped[str] = mapped_column(Storable(256))
    opened_by: Mapped[str] = mapped_column(Storable(64))
    act_uid: Mapped[str] = mapped_column(Storable(36))
    begun_at: Mapped[int]
    ends_at: Mapped[int]
    ended_at: Mapped[int] = mapped_column(default=0)
    ended_by: Mapped[str] = mapped_column(Storable(64), default="")
