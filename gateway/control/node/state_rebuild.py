"""``tidegate state rebuild``: everything that state knows of governance, written anew from the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.acts.acts import Intent, perform
from gateway.control.acts.database import Database
from gateway.control.acts.governance import Governance
from gateway.control.acts.neighbours import Change, Projection
from gateway.control.acts.rows import Model
from gateway.control.adapters.state import LocatedProjection
from gateway.control.node.schemas import Rebuilt
from gateway.journal.write.ids import CONTROL, Ids

BATCH = 1000  # rows read and written at a time


async def offline(config: Config, folders: Folders, person: str, reason: str, governance: Governance) -> Rebuilt:
    """The same while no control process runs, as an act of ``person`` that control will record when it starts.

    ``DatabaseInUse`` where control runs: ask it instead.
    """
    database = Database(folders.database(config))
    projection = LocatedProjection(config.state, folders.state)
    intent = Intent(Ids(config.server.node, CONTROL)(), person, reason, "state.rebuild", "state")
    try:
        rebuilt = await rebuild(database, projection, governance)
        await database.run(lambda session: perform(session, intent, lambda unit: None, governance))
        return rebuilt
    finally:
        await projection.close()
        database.close()


async def rebuild(database: Database, projection: Projection, governance: Governance) -> Rebuilt:
    """Replace state's governance data. The caller sees to it that no act is projected meanwhile."""
    present = await database.run(governance.snapshot)
    subjects = await projection.rebuild(batches(database, governance), present)
    return Rebuilt(subjects=subjects, version=present.version)


def batches(database: Database, governance: Governance) -> Iterator[Sequence[Change]]:
    """Every projected row, ``BATCH`` at a time, in the order of primary keys. Each page holds the caller up for some
    milliseconds."""
    for table, place in governance.projected.items():
        last: Any = None
        while True:
            changes, last = database.now(_Page(governance.rows(table), place, last))
            if not changes:
                break
            yield changes


class _Page:
    """One page of a table, after the primary key ``last``."""

    def __init__(self, rows: type[Model], place: Sequence[str], last: Any) -> None:
        self.rows = rows
        self.place = place
        self.last = last

    def __call__(self, session: Session) -> tuple[list[Change], Any]:
        key = next(iter(self.rows.__table__.primary_key))
        query = select(self.rows).order_by(key).limit(BATCH)
        if self.last is not None:
            query = query.where(key > self.last)
        rows = [row.as_row() for row in session.scalars(query)]
        table = self.rows.__tablename__
        changes = [Change(table, {name: row[name] for name in self.place}, row) for row in rows]
        return changes, rows[-1][key.name] if rows else self.last
