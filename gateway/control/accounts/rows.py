"""What is kept of accounts."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Account(Model):
    """What the platform says of a sender. ``credit`` from 0 to 100.

    ``approved`` is ours to count: messages that a person approved and the platform took (``holding/approvals.py``).
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("credit BETWEEN 0 AND 100", name="credit"),
        CheckConstraint("approved BETWEEN 0 AND 100", name="approved"),
    )

    sender: Mapped[str] = mapped_column(Storable(256), primary_key=True)
    verified: Mapped[bool]
    verified_until: Mapped[int] = mapped_column(default=0)
    credit: Mapped[int] = mapped_column(default=100)
    approved: Mapped[int] = mapped_column(default=0)


class CreditEntry(Model):
    """A change of a credit and its cause. ``points``: below 0 what ``message_id`` cost; above, what was given back of
    the entry ``reverses``. ``at``: µs since the epoch."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        UniqueConstraint("reverses"),
        Index("ix_credit_entries_sender", "sender", "id"),
        Index("ix_credit_entries_message_id", "message_id"),
        Index("ix_credit_entries_at", "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(Storable(256))
    points: Mapped[int]
    message_id: Mapped[str] = mapped_column(Storable(36))
    at: Mapped[int]
    act_uid: Mapped[str] = mapped_column(Storable(36))
    reverses: Mapped[int | None] = mapped_column(ForeignKey("credit_entries.id"))


class Recovering(Model):
    """A credit that comes back with time: ``credit`` as it was when last looked at, earning points since ``since``.

    Like ``Outbox`` it is moved on by a task; what a sender regains is an act.
    """

    __tablename__ = "recovering"

    sender: Mapped[str] = mapped_column(Storable(256), primary_key=True)
    credit: Mapped[int]
    since: Mapped[int]
