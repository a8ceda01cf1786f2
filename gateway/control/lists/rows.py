"""What is kept of changes in word lists."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Word(Model):
    """A line on top of an operator's word list: ``effect`` is added or removed."""

    __tablename__ = "words"
    __table_args__ = (UniqueConstraint("list", "line"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    list: Mapped[str] = mapped_column(Storable(64), index=True)
    line: Mapped[str] = mapped_column(Storable(1024))
    effect: Mapped[str] = mapped_column(Storable(8))
