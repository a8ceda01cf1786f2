"""``tidegate state rebuild``: everything that state knows of governance, written anew from the database."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.acts.acts import Intent, perform, raise_mark
from gateway.control.acts.authority import REMEDY, DatabaseBehind, older_than_state
from gateway.control.acts.database import Database
from gateway.control.acts.governance import SNAPSHOT_VERSION, STATE_EPOCH, Governance
from gateway.control.acts.neighbours import Change, Projection
from gateway.control.acts.replay import given_up
from gateway.control.acts.rows import Mark, Model, newest_act
from gateway.control.adapters.state import LocatedProjection
from gateway.control.node.schemas import Claimed, Rebuilt
from gateway.journal.write.ids import CONTROL, Ids
from gateway.state.cold.owner import myself

log = structlog.get_logger()

BATCH = 1000  # rows read and written at a time


async def offline(config: Config, folders: Folders, person: str, reason: str, governance: Governance) -> Rebuilt:
    """The same while no control process runs, as an act of ``person`` that control will record when it starts.

    Raises ``DatabaseInUse`` where control runs: ask it instead; ``NotOurs`` where state is another database's.
    """
    database = Database(folders.database(config))
    owner = myself(database.origin, config.server.node, str(folders.database(config)))
    projection = LocatedProjection(config.state, folders.state, owner)
    intent = Intent(Ids(config.server.node, CONTROL)(), person, reason, "state.rebuild", "state")
    try:
        rebuilt = await rebuild(database, projection, governance)
        await database.run(lambda session: perform(session, intent, lambda unit: None, governance))
        return rebuilt
    finally:
        await projection.close()
        database.close()


async def claimed_offline(
    config: Config, folders: Folders, person: str, reason: str, governance: Governance
) -> Claimed:
    """Take state over while no control process runs, as an act of ``person`` that control will record when it starts.

    The act is there before its effect. Raises ``DatabaseInUse`` where control runs: ask it instead.
    """
    database = Database(folders.database(config))
    owner = myself(database.origin, config.server.node, str(folders.database(config)))
    projection = LocatedProjection(config.state, folders.state, owner)
    uid = Ids(config.server.node, CONTROL)()
    try:
        await projection.ping()
        intent = Intent(uid, person, reason, "state.claim", "state")
        await database.run(lambda session: perform(session, intent, lambda unit: None, governance))
        return await claim(database, projection, governance)
    finally:
        await projection.close()
        database.close()


async def claim(database: Database, projection: Projection, governance: Governance) -> Claimed:
    """Make state this database's, and fill it. The caller sees to it that no act is projected meanwhile, and that this
    is an act."""
    before = await projection.claim()
    theirs = await projection.version()

    def decided(session: Session) -> None:
        given_up(session, time.time_ns() // 1000)
        if newest(session) <= theirs:
            raise_mark(session, SNAPSHOT_VERSION, theirs + 1)

    await database.run(decided)
    rebuilt = await rebuild(database, projection, governance)
    taken = str(before) if before is not None and before.id != database.origin else ""
    log.warning("state.claimed", taken_from=taken)
    return Claimed(taken_from=taken, subjects=rebuilt.subjects, version=rebuilt.version)


async def rebuild(database: Database, projection: Projection, governance: Governance) -> Rebuilt:
    """Replace state's governance data. The caller sees to it that no act is projected meanwhile. Raises
    ``NotOurs``, and ``DatabaseBehind`` where state is newer than the database: what it holds would be lifted."""
    await projection.confirm()  # whose it is comes first: another database's versions say nothing
    theirs = await projection.version()  # before ours: other controls go on
    behind = older_than_state(await database.read(newest), theirs)
    if behind:
        raise DatabaseBehind(f"{behind}: {REMEDY}")
    present = await database.read(governance.snapshot)
    in_state, _ = await projection.numbers()
    # The database counts: a clock that was set back would make an epoch that every worker takes for an old one.
    epoch = await database.run(lambda session: raise_mark(session, STATE_EPOCH, in_state + 1))

    async def last() -> int:
        return await database.read(newest_act)

    subjects = await projection.rebuild(batches(database, governance), present, epoch, last)
    return Rebuilt(subjects=subjects, version=present.version)


def newest(session: Session) -> int:
    """Version of the newest snapshot that this database made."""
    mark = session.get(Mark, SNAPSHOT_VERSION)
    return mark.value if mark is not None else 0


async def batches(database: Database, governance: Governance) -> AsyncIterator[Sequence[Change]]:
    """Every projected row, ``BATCH`` at a time, in the order of primary keys."""
    for table, place in governance.projected.items():
        last: Any = None
        while True:
            changes, last = await database.read(TablePage(governance.rows(table), place, last))
            if not changes:
                break
            yield changes


class TablePage:
    """One page of a table, after the primary key ``last``: in their order, or the newest first."""

    def __init__(self, rows: type[Model], place: Sequence[str], last: Any, *, newest_first: bool = False) -> None:
        self.rows = rows
        self.place = place
        self.last = last
        self.newest_first = newest_first

    def __call__(self, session: Session) -> tuple[list[Change], Any]:
        table = self.rows.__table__
        key = next(iter(table.primary_key))
        # Plain columns: objects of rows cost five times as much, and audits read whole tables again and again.
        query = select(*table.columns).order_by(key.desc() if self.newest_first else key).limit(BATCH)
        if self.last is not None:
            query = query.where(key < self.last if self.newest_first else key > self.last)
        rows = [dict(row._mapping) for row in session.execute(query)]
        name = self.rows.__tablename__
        act = newest_act(session)
        changes = [Change(name, {column: row[column] for column in self.place}, row, act) for row in rows]
        return changes, rows[-1][key.name] if rows else self.last
