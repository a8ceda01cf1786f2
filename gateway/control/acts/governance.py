"""What acts know of the tables that they change: each feature says it of its own, ``gateway.control.features`` gathers.

acts          how a change is undone, and which rows go when they expire
outbox        which rows state holds one by one, and by which columns they have their place there
snapshot      what every worker holds in memory
pruning       what goes when it is old
compiler      whose change asks for a new generation
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy.orm import Session

from gateway.control.access.roles import Roles
from gateway.control.acts.rows import Mark, Model
from gateway.state.model.snapshot import SnapshotRows

SNAPSHOT_VERSION = "snapshot"
STATE_EPOCH = "epoch"


class Table(NamedTuple):
    """A governed table: changed by acts alone.

    * ``restored_by``: the roles that may put its rows back by undoing an act, those that may change them.
    * ``place``: the columns that name a row's place in state; empty where state does not hold it row by row.
    * ``snapshot``: puts the table's rows into a snapshot, given the time in seconds since the epoch; None where no
      worker needs it in memory.
    * ``undo``: ``rows`` puts them back; ``never``: such an act cannot be undone; ``changed``: only one that changed a
      row, and neither made nor removed it; ``lasting``: what such rows stand for cannot be taken back, the rest of the
      act can.
    * ``guard``: raises where an act would leave the table as it must not be, whatever kind of act it is; given its
      changes, which are in the session already.
    * ``expired_by``: the kind of act by which rows go a day after their ``expires_at``; empty where they do not expire.
    * ``prune``: removes, in one transaction, some rows that ended before a time (µs since the epoch); how many.
    * ``compiled``: whether lists are compiled from it.
    * ``redone``: puts what stands beside a row that came back from the journal, given the removal records of its act;
      ``lost``: what of all such rows could not come back, in sentences.
    """

    rows: type[Model]
    restored_by: Roles
    place: tuple[str, ...] = ()
    snapshot: Callable[[Session, int, SnapshotRows], SnapshotRows] | None = None
    undo: Literal["rows", "never", "changed", "lasting"] = "rows"
    expired_by: str = ""
    prune: Callable[[Session, int], int] | None = None
    compiled: bool = False
    redone: Callable[[Session, Any, Sequence[Mapping[str, Any]]], None] | None = None
    lost: Callable[[Session], Sequence[str]] | None = None
    guard: Callable[[Any, Sequence[Mapping[str, Any]]], None] | None = None  # of a Unit, which knows this module

    def restores(self, change: Mapping[str, Any]) -> bool:
        """Whether this change of a row can be put back."""
        if self.undo == "changed":
            return change["before"] is not None and change["after"] is not None
        return self.undo == "rows"


class Governance:
    """The tables by name, and what follows from a change of each."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = {table.rows.__tablename__: table for table in tables}
        named = self.tables.items()
        self.projected = {name: table.place for name, table in named if table.place}
        self.in_snapshot = frozenset(name for name, table in named if table.snapshot is not None)
        self.compiled = frozenset(name for name, table in named if table.compiled)
        self.lasting = frozenset(name for name, table in named if table.undo == "lasting")

    def rows(self, table: str) -> type[Model]:
        """The class of a table's rows."""
        return self.tables[table].rows

    def snapshot(self, session: Session, now: float | None = None, *, but: Container[str] = ()) -> SnapshotRows:
        """The snapshot as of ``now`` (seconds since the epoch), without what comes of the tables ``but``: blocks alone
        may be thousands."""
        at = int(time.time() if now is None else now)
        mark = session.get(Mark, SNAPSHOT_VERSION)
        made = SnapshotRows(mark.value if mark is not None else 0)
        for name, table in self.tables.items():
            if table.snapshot is not None and name not in but:
                made = table.snapshot(session, at, made)
        return made
