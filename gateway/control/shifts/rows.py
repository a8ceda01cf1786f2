"""What is kept of hand-overs."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class ShiftNote(Model):
    """What a lead wrote for the next one. ``at``: µs since the epoch."""

    __tablename__ = "shift_notes"
    __table_args__ = (Index("ix_shift_notes_at", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    person: Mapped[str] = mapped_column(Storable(64))
    note: Mapped[str] = mapped_column(Storable(2000))
