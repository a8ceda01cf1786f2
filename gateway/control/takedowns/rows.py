"""What is kept of takedowns, their traces and their copies."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Takedown(Model):
    """A published message that a person wants gone (停止传输、消除); what becomes of that stands in ``Deletion``.

    ``upstream_id`` and ``room`` as the journal told them, ``ground`` may be empty, ``act_uid``: the act in the journal.
    ``restoration``: by which held message it comes back (``gateway.control.restoring``), empty while it does not.
    """

    __tablename__ = "takedowns"
    __table_args__ = (UniqueConstraint("message_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Storable(36))
    upstream_id: Mapped[str] = mapped_column(Storable(256))
    route: Mapped[str] = mapped_column(Storable(64))
    room: Mapped[str] = mapped_column(Storable(256))
    reason: Mapped[str] = mapped_column(Storable(256))
    ground: Mapped[str] = mapped_column(Storable(256))
    act_uid: Mapped[str] = mapped_column(Storable(36))
    created_at: Mapped[int]
    restoration: Mapped[str] = mapped_column(Storable(36), default="")


class Copy(Model):
    """A text that is refused wherever it is sent again: ``fingerprint`` (16 hexadecimal digits) of ``message_id``'s."""

    __tablename__ = "copies"
    __table_args__ = (UniqueConstraint("fingerprint"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Storable(16))
    message_id: Mapped[str] = mapped_column(Storable(36))
    ground: Mapped[str] = mapped_column(Storable(256))
    expires_at: Mapped[int]
    created_at: Mapped[int]


class Deletion(Model):
    """How far the platform is with a takedown; like ``Outbox`` it is moved on by a task, not by acts.

    ``state``: requested, confirmed or unconfirmed. ``due_at``: the next try; ``confirm_by``: when it alarms.
    """

    __tablename__ = "deletions"
    __table_args__ = (Index("ix_deletions_state_due_at", "state", "due_at"),)

    takedown_id: Mapped[int] = mapped_column(ForeignKey("takedowns.id"), primary_key=True)
    state: Mapped[str] = mapped_column(Storable(16))
    due_at: Mapped[int]
    confirm_by: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)


class TakedownEvent(Model):
    """A takedown's trace. ``event``: a state that was reached, or ``tried`` where the platform said something new.

    ``status``: its HTTP status; ``problem``: why there was none. States go to the journal: ``journalled``.
    """

    __tablename__ = "takedown_events"
    __table_args__ = (Index("ix_takedown_events_journalled", "journalled"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    takedown_id: Mapped[int] = mapped_column(ForeignKey("takedowns.id"), index=True)
    at: Mapped[int]
    event: Mapped[str] = mapped_column(Storable(16))
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(Storable(64), default="")
    journalled: Mapped[bool] = mapped_column(default=False)
