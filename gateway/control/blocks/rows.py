"""What is kept of blocks."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Block(Model):
    """``scope``: sender, registrant, device, ip, room or cidr. ``limited``: a limit rather than a wall."""

    __tablename__ = "blocks"
    __table_args__ = (UniqueConstraint("scope", "value"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(Storable(16))
    value: Mapped[str] = mapped_column(Storable(256))
    reason: Mapped[str] = mapped_column(Storable(256))
    ground: Mapped[str] = mapped_column(Storable(256))
    expires_at: Mapped[int] = mapped_column(default=0)
    limited: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
