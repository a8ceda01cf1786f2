"""The control database: who may act, what is in force, and every act that made it so.

Times are integers: ``*_at`` microseconds since the epoch for records, ``expires_at`` and ``verified_until`` seconds
since the epoch with 0 for never, as the checks read them. Every governed table (``GOVERNED``) is changed only through
``gateway.control.acts.acts``, which records each row before and after.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, MetaData, String, UniqueConstraint, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """A table. ``as_row`` is the row as plain JSON: what acts record and what the projection reads."""

    metadata = MetaData(naming_convention=NAMING)
    SECRET: ClassVar[frozenset[str]] = frozenset()  # columns that no act may quote

    def as_row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _shown(type(self))}


@cache
def _shown(model: type[Model]) -> tuple[str, ...]:
    return tuple(attribute.key for attribute in inspect(model).column_attrs if attribute.key not in model.SECRET)


class Person(Model):
    """Somebody who may act. The token itself is nowhere: ``token_hash`` is the SHA-256 of it, in hexadecimal."""

    __tablename__ = "people"
    SECRET = frozenset({"token_hash"})

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int]


class Account(Model):
    """What the platform says of a sender. ``credit`` from 0 to 100."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("credit BETWEEN 0 AND 100", name="credit"),)

    sender: Mapped[str] = mapped_column(String(256), primary_key=True)
    verified: Mapped[bool]
    verified_until: Mapped[int] = mapped_column(default=0)
    credit: Mapped[int] = mapped_column(default=100)


class Block(Model):
    """``scope``: sender, registrant, device, ip, room or cidr. ``limited``: a limit rather than a wall."""

    __tablename__ = "blocks"
    __table_args__ = (UniqueConstraint("scope", "value"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(256))
    reason: Mapped[str] = mapped_column(String(256))
    ground: Mapped[str] = mapped_column(String(256))
    expires_at: Mapped[int] = mapped_column(default=0)
    limited: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]


class Room(Model):
    """A room that is not simply open. ``interval_ms``: the pause of slow mode between two messages of one sender."""

    __tablename__ = "rooms"

    room: Mapped[str] = mapped_column(String(256), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    interval_ms: Mapped[int] = mapped_column(default=0)


class Word(Model):
    """A line on top of an operator's word list: ``effect`` is added or removed."""

    __tablename__ = "words"
    __table_args__ = (UniqueConstraint("list", "line"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    list: Mapped[str] = mapped_column(String(64), index=True)
    line: Mapped[str] = mapped_column(String(1024))
    effect: Mapped[str] = mapped_column(String(8))


class Switch(Model):
    """An emergency switch in force: nothing is published in this room or on this route (应急处置)."""

    __tablename__ = "switches"
    __table_args__ = (UniqueConstraint("kind", "scope", "value"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    scope: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(256))
    ground: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[int]


class UrgentWord(Model):
    """A word that every worker refuses at once, before any list is compiled."""

    __tablename__ = "urgent_words"
    __table_args__ = (UniqueConstraint("word"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(128))
    ground: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[int]


class Takedown(Model):
    """A published message that a person wants gone (停止传输、消除); what becomes of that stands in ``Deletion``.

    ``upstream_id`` and ``room`` as the journal told them, ``ground`` may be empty, ``act_uid``: the act in the journal.
    """

    __tablename__ = "takedowns"
    __table_args__ = (UniqueConstraint("message_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(36))
    upstream_id: Mapped[str] = mapped_column(String(256))
    route: Mapped[str] = mapped_column(String(64))
    room: Mapped[str] = mapped_column(String(256))
    reason: Mapped[str] = mapped_column(String(256))
    ground: Mapped[str] = mapped_column(String(256))
    act_uid: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[int]


class Copy(Model):
    """A text that is refused wherever it is sent again: ``fingerprint`` (16 hexadecimal digits) of ``message_id``'s."""

    __tablename__ = "copies"
    __table_args__ = (UniqueConstraint("fingerprint"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(16))
    message_id: Mapped[str] = mapped_column(String(36))
    ground: Mapped[str] = mapped_column(String(256))
    expires_at: Mapped[int]
    created_at: Mapped[int]


class Deletion(Model):
    """How far the platform is with a takedown; like ``Outbox`` it is moved on by a task, not by acts.

    ``state``: requested, confirmed or unconfirmed. ``due_at``: the next try; ``confirm_by``: when it alarms.
    """

    __tablename__ = "deletions"
    __table_args__ = (Index("ix_deletions_state_due_at", "state", "due_at"),)

    takedown_id: Mapped[int] = mapped_column(ForeignKey("takedowns.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
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
    event: Mapped[str] = mapped_column(String(16))
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(64), default="")
    journalled: Mapped[bool] = mapped_column(default=False)


class Act(Model):
    """What a person did, and why. ``uid`` is its id in the journal (UUIDv7), ``id`` its place in line here.

    ``changes``: ``[{"table", "key", "before", "after"}]``, rows or null.
    """

    __tablename__ = "acts"
    __table_args__ = (
        Index("ix_acts_kind_id", "kind", "id"),
        Index("ix_acts_undoes", "undoes"),  # without these two, every act that is pruned costs a look at all others
        Index("ix_acts_undone_by", "undone_by"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    person: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(256))
    at: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(320))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("acts.id"))
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("acts.id"))


class Outbox(Model):
    """What still has to leave the database for an act: committed with it, deleted with it (``pruning``).

    ``payload``: ``[{"table", "subject"}]``, the rows to project; the relay reads them as they are when it
    projects them, so that a late or repeated projection never brings an old value back.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_acknowledged", "acknowledged_journal", "acknowledged_state"),)

    act_id: Mapped[int] = mapped_column(ForeignKey("acts.id"), primary_key=True)
    payload: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    acknowledged_journal: Mapped[bool] = mapped_column(default=False)
    acknowledged_state: Mapped[bool] = mapped_column(default=False)


class Recovering(Model):
    """A credit that comes back with time: ``credit`` as it was when last looked at, earning points since ``since``.

    Like ``Outbox`` it is moved on by a task; what a sender regains is an act.
    """

    __tablename__ = "recovering"

    sender: Mapped[str] = mapped_column(String(256), primary_key=True)
    credit: Mapped[int]
    since: Mapped[int]


class Mark(Model):
    """A number that only rises, by name: the snapshot's version."""

    __tablename__ = "marks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int]


GOVERNED: dict[str, type[Model]] = {
    model.__tablename__: model for model in (Person, Account, Block, Room, Word, Switch, UrgentWord, Takedown, Copy)
}
# Tables that state holds row by row, and the columns that name a row's place there.
PROJECTED: dict[str, tuple[str, ...]] = {
    "accounts": ("sender",),
    "blocks": ("scope", "value"),
    "rooms": ("room",),
}
IN_SNAPSHOT = frozenset({"blocks", "switches", "urgent_words", "copies"})
