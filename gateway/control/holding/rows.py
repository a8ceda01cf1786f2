"""What is kept of held messages: the sealed request until it is decided, its trace, its releases, its ticket."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Held(Model):
    """A message that waits for a person, or waited. Like ``Deletion`` it is moved on within acts and by tasks.

    ``state``: one of ``held_states.STATES``. ``sealed``: the request as the worker parked it (``gateway.parking``),
    NULL once it is destroyed; ``size`` its bytes. ``at``, ``expires_at``, ``changed_at``, ``due_at``: µs since the
    epoch; the last is when a task moves it on, or counts it, 0 where none does. ``since``: when it was approved.
    ``reason``: the code of the finding that led to it. ``texts``: what a person let through in the place of what was
    sent, NULL otherwise; goes with ``sealed``. ``release``: the record of its last release. ``act_uid``: the act that
    decided. ``takedown_id``: somebody wants it gone while it is on its way, which waits for the outcome.
    ``incident``: the one that alone held it, 0 where something else did.
    """

    __tablename__ = "held"
    __table_args__ = (
        Index("ix_held_state_due_at", "state", "due_at"),
        Index("ix_held_state_expires_at", "state", "expires_at"),
        Index("ix_held_state_route_sender", "state", "route", "sender"),
        Index("ix_held_state_room", "state", "room"),
        Index("ix_held_incident", "incident", "state", "message_id"),
    )
    SECRET: ClassVar[frozenset[str]] = frozenset(("sealed", "texts"))

    message_id: Mapped[str] = mapped_column(Storable(36), primary_key=True)
    case_id: Mapped[int | None]
    route: Mapped[str] = mapped_column(Storable(64))
    surface: Mapped[str] = mapped_column(Storable(16))
    room: Mapped[str] = mapped_column(Storable(256))
    sender: Mapped[str] = mapped_column(Storable(256))
    weak: Mapped[bool]
    edit: Mapped[bool]
    reason: Mapped[str] = mapped_column(Storable(64))
    fingerprint: Mapped[str] = mapped_column(Storable(16))
    at: Mapped[int]
    expires_at: Mapped[int]
    state: Mapped[str] = mapped_column(Storable(16))
    changed_at: Mapped[int]
    due_at: Mapped[int] = mapped_column(default=0)
    since: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    size: Mapped[int]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    texts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    release: Mapped[str] = mapped_column(Storable(36), default="")
    act_uid: Mapped[str] = mapped_column(Storable(36), default="")
    takedown_id: Mapped[int | None]
    incident: Mapped[int] = mapped_column(default=0, server_default="0")


class HeldEvent(Model):
    """A held message's trace. ``event``: the state that was reached, or ``tried`` where the platform said something
    new.

    ``person`` and ``act_uid``: empty where a task did it. ``status``: the platform's; ``problem``: a reason code.
    """

    __tablename__ = "held_events"
    __table_args__ = (Index("ix_held_events_journalled", "journalled"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("held.message_id"), index=True)
    at: Mapped[int]
    event: Mapped[str] = mapped_column(Storable(16))
    person: Mapped[str] = mapped_column(Storable(64), default="")
    act_uid: Mapped[str] = mapped_column(Storable(36), default="")
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(Storable(64), default="")
    ground: Mapped[str] = mapped_column(Storable(256), default="")
    journalled: Mapped[bool] = mapped_column(default=False)


class Release(Model):
    """One record of a release, and what came of it. ``id``: its judged record's.

    ``state``: ``begun`` before that record is written, ``sending`` before a byte leaves, then the outcome: delivered,
    refused, failed or unknown. ``doubted``: the platform may have taken it, whatever it says now; ``shown``: the
    journal called it unknown once, so that it may have a static version. ``told``: the journal holds the outcome.
    """

    __tablename__ = "releases"
    __table_args__ = (Index("ix_releases_told", "told"),)

    id: Mapped[str] = mapped_column(Storable(36), primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("held.message_id"), index=True)
    at: Mapped[int]
    state: Mapped[str] = mapped_column(Storable(16))
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(Storable(64), default="")
    upstream_id: Mapped[str] = mapped_column(Storable(256), default="")
    doubted: Mapped[bool] = mapped_column(default=False)
    shown: Mapped[bool] = mapped_column(default=False)
    told: Mapped[bool] = mapped_column(default=False)


class Ticket(Model):
    """A re-send ticket (重发凭证): the same sender's same text passes the text findings once, in the same place.

    ``digest``: 32 hexadecimal digits of the texts (``gateway.judging.resending``). ``expires_at``: seconds since the
    epoch. ``state``: open, spent, lapsed or void; ``spent_by``: the message that was delivered with it.
    """

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_state_expires_at", "state", "expires_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Storable(36), unique=True)
    route: Mapped[str] = mapped_column(Storable(64))
    room: Mapped[str] = mapped_column(Storable(256))
    sender: Mapped[str] = mapped_column(Storable(256))
    digest: Mapped[str] = mapped_column(Storable(32))
    state: Mapped[str] = mapped_column(Storable(8))
    spent_by: Mapped[str] = mapped_column(Storable(36), default="")
    created_at: Mapped[int]
    expires_at: Mapped[int]
