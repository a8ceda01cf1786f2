"""What is kept of the nodes that share a database. No act changes these rows: they say who is there, not what is in
force, and a restored database is given none of them. Times are by the database's clock, µs since the epoch."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class NodeRow(Model):
    """A node by its number (``server.node``). ``folder``: the id of its data folder; ``place``: host and path of that
    folder; ``address``: where its control is called; ``generation``: the one that it serves, ``compiled``: the digest
    of what that judges by, ``since``: when it came into force there; ``seen``: when its control was last here."""

    __tablename__ = "nodes"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    folder: Mapped[str] = mapped_column(Storable(36), unique=True)
    place: Mapped[str] = mapped_column(Storable(512))
    address: Mapped[str] = mapped_column(Storable(256))
    version: Mapped[str] = mapped_column(Storable(64))
    generation: Mapped[int]
    compiled: Mapped[str] = mapped_column(Storable(64))
    since: Mapped[int]
    seen: Mapped[int]


class Lease(Model):
    """What one control has for itself until a time: ``holder`` is its node's number and the name of its life."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Storable(32), primary_key=True)
    holder: Mapped[str] = mapped_column(Storable(64))
    until: Mapped[int]
