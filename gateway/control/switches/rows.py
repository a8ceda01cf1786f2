"""What is kept of switches and urgent words."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Switch(Model):
    """An emergency switch in force: nothing is published in this room or on this route (应急处置)."""

    __tablename__ = "switches"
    __table_args__ = (UniqueConstraint("kind", "scope", "value"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Storable(16))
    scope: Mapped[str] = mapped_column(Storable(8))
    value: Mapped[str] = mapped_column(Storable(256))
    ground: Mapped[str] = mapped_column(Storable(256))
    created_at: Mapped[int]


class UrgentWord(Model):
    """A word that every worker refuses at once, before any list is compiled."""

    __tablename__ = "urgent_words"
    __table_args__ = (UniqueConstraint("word"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(Storable(128))
    ground: Mapped[str] = mapped_column(Storable(256))
    created_at: Mapped[int]
