"""What is kept of appeals."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Appeal(Model):
    """An appeal against what was decided on one message: one a decision. Times in µs since the epoch, 0 for none.

    ``code``: by which its appellant finds it, also when the journal has the message no more. ``at``: of the message;
    ``check`` to ``category``: what it was refused for; ``parties``: who had a part in that; ``case_id``: its case,
    which may be pruned before it. ``state``: see ``appeal_states``. ``statement``: what the appellant says; ``texts``:
    the message as they entered it again where the journal has no text, NULL otherwise and once decided; ``proved``:
    whether its fingerprint is the message's. ``answer``: the reasons, for the appellant. ``same_person``: whoever
    decided had a part in what was appealed. ``redress``: what followed from upholding.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        UniqueConstraint("message_id"),
        Index("ix_appeals_code", "code"),
        Index("ix_appeals_state_due_at", "state", "due_at"),
        Index("ix_appeals_closed_at", "closed_at"),
        {"sqlite_autoincrement": True},
    )
    SECRET: ClassVar[frozenset[str]] = frozenset({"code", "statement", "texts"})

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Storable(36))
    code: Mapped[str] = mapped_column(Storable(10))
    route: Mapped[str] = mapped_column(Storable(64))
    room: Mapped[str] = mapped_column(Storable(256))
    sender: Mapped[str] = mapped_column(Storable(256))
    at: Mapped[int]
    standing: Mapped[str] = mapped_column(Storable(16))
    check: Mapped[str] = mapped_column(Storable(32))
    reason: Mapped[str] = mapped_column(Storable(64))
    ground: Mapped[str] = mapped_column(Storable(256))
    category: Mapped[str] = mapped_column(Storable(64))
    state: Mapped[str] = mapped_column(Storable(16))
    filed_at: Mapped[int]
    due_at: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[int] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(Storable(2))
    statement: Mapped[str] = mapped_column(Storable(2000))
    texts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    proved: Mapped[bool] = mapped_column(default=False)
    parties: Mapped[list[str]] = mapped_column(JSON, default=list)
    case_id: Mapped[int | None] = mapped_column(index=True)
    answer: Mapped[str] = mapped_column(Storable(1000), default="")
    answer_ground: Mapped[str] = mapped_column(Storable(256), default="")
    decided_by: Mapped[str] = mapped_column(Storable(64), default="")
    same_person: Mapped[bool] = mapped_column(default=False)
    act_uid: Mapped[str] = mapped_column(Storable(36), default="")
    redress: Mapped[str] = mapped_column(Storable(16), default="")


class AppealEvent(Model):
    """An appeal's trace, one row a transition. ``person``: empty where its appellant or nobody did it. ``journalled``:
    the journal holds it."""

    __tablename__ = "appeal_events"
    __table_args__ = (
        Index("ix_appeal_events_appeal_id", "appeal_id", "id"),
        Index("ix_appeal_events_journalled", "journalled"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    at: Mapped[int]
    event: Mapped[str] = mapped_column(Storable(16))
    person: Mapped[str] = mapped_column(Storable(64), default="")
    act_uid: Mapped[str] = mapped_column(Storable(36), default="")
    journalled: Mapped[bool] = mapped_column(default=False)
