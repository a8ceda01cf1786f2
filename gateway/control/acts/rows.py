"""The control database: who may act, what is in force, and every act that made it so.

Here is what all of it rests on; each feature has its own rows. Times are integers: ``*_at`` microseconds since the
epoch for records, ``expires_at`` and ``verified_until`` seconds since the epoch with 0 for never, as the checks read
them. Every governed table (``gateway.control.acts.governance``) is changed only through ``gateway.control.acts.acts``,
which records each row before and after.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, MetaData, func, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from gateway.control.acts.columns import Storable, Whole

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
    type_annotation_map = {int: Whole}
    SECRET: ClassVar[frozenset[str]] = frozenset()  # columns that no act may quote

    def as_row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _shown(type(self))}


@cache
def _shown(model: type[Model]) -> tuple[str, ...]:
    return tuple(attribute.key for attribute in inspect(model).column_attrs if attribute.key not in model.SECRET)


class Act(Model):
    """What a person did, and why. ``uid`` is its id in the journal (UUIDv7), ``id`` its place in line here.

    ``changes``: ``[{"table", "key", "before", "after"}]``, rows or null. ``token``: where a machine did it, the name of
    its token; ``person`` answers for it.
    """

    __tablename__ = "acts"
    __table_args__ = (
        Index("ix_acts_kind_id", "kind", "id"),
        Index("ix_acts_undoes", "undoes"),  # without these two, every act that is pruned costs a look at all others
        Index("ix_acts_undone_by", "undone_by"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(Storable(36), unique=True)
    person: Mapped[str] = mapped_column(Storable(64))
    reason: Mapped[str] = mapped_column(Storable(256))
    at: Mapped[int]
    kind: Mapped[str] = mapped_column(Storable(32))
    subject: Mapped[str] = mapped_column(Storable(320))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("acts.id"))
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("acts.id"))
    token: Mapped[str | None] = mapped_column(Storable(64))


def newest_act(session: Session) -> int:
    """The number of the newest act: what is read now is as of that one. 0 before the first."""
    return session.scalar(select(func.max(Act.id))) or 0


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


class Mark(Model):
    """A number that only rises, by name: the snapshot's version, the epoch of what is in state, the release of the
    schema where it is a server's."""

    __tablename__ = "marks"

    name: Mapped[str] = mapped_column(Storable(32), primary_key=True)
    value: Mapped[int]


class Origin(Model):
    """The database's own id, one row, made at the first start: state belongs to it (``gateway.state.cold.owner``)."""

    __tablename__ = "origin"

    id: Mapped[str] = mapped_column(Storable(36), primary_key=True)
