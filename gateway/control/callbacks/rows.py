"""What is kept of calls to others: the calls, how far each receiver was told, what somebody on call was called for."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model

WAITING: Final = "waiting"
SENT: Final = "sent"
DEAD: Final = "dead"


class Callback(Model):
    """One event for one receiver. Times in µs since the epoch, 0 for none.

    ``uid``: by which its receiver knows one that it has had. ``receiver``: its name in the configuration. ``subject``:
    ``message:…``, ``ticket:…``, ``appeal:…``; of one subject a later call waits for the earlier ones. ``sequence``
    rises with what happens to it. ``body``: what is sent. ``at``: when it happened; ``since``: from when on it is
    tried, which sending it again renews. ``status``, ``problem``: of the last try.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("ix_callbacks_state_receiver_due_at", "state", "receiver", "due_at"),
        Index("ix_callbacks_subject_receiver", "subject", "receiver", "state", "id"),
        Index("ix_callbacks_state_changed_at", "state", "changed_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(Storable(36), unique=True)
    receiver: Mapped[str] = mapped_column(Storable(64))
    event: Mapped[str] = mapped_column(Storable(32))
    subject: Mapped[str] = mapped_column(Storable(80))
    sequence: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[int]
    since: Mapped[int]
    state: Mapped[str] = mapped_column(Storable(8))
    changed_at: Mapped[int]
    due_at: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(Storable(64), default="")


class CallbackCursor(Model):
    """How far a receiver was told: the last event of each record that became a call to it, or was none of its."""

    __tablename__ = "callback_cursors"

    receiver: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    held: Mapped[int]
    appeals: Mapped[int]
    acts: Mapped[int]


class OnCallTopic(Model):
    """What somebody on call was called for. ``called_at``: last, µs since the epoch; ``folded``: how often it came up
    since."""

    __tablename__ = "on_call_topics"

    topic: Mapped[str] = mapped_column(Storable(96), primary_key=True)
    called_at: Mapped[int]
    folded: Mapped[int] = mapped_column(default=0)
