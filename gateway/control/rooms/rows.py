"""What is kept of rooms."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Room(Model):
    """A room that is not simply open. ``interval_ms``: the pause of slow mode between two messages of one sender."""

    __tablename__ = "rooms"

    room: Mapped[str] = mapped_column(Storable(256), primary_key=True)
    status: Mapped[str] = mapped_column(Storable(16))
    interval_ms: Mapped[int] = mapped_column(default=0)
