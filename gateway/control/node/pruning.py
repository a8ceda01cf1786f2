"""What the control database no longer has to hold: it grows with what is in force, not with what ever was.

* What expired a day ago (blocks, refused copies: ``Table.expired_by``) goes by an act of its own, so that state
  forgets it too.
* Acts that are older than ``keep`` go, with their outbox rows, once journal and state have acknowledged them: the
  journal has them for as long as it keeps records. Law 7's floor holds here as well: the regulations ask that records
  of what was done about messages and accounts are kept, and logs for six months (microblogs, articles 12 and 16;
  groups, 11 and 13; public accounts, 11, 13 and 16).
* So does what a feature says has ended longer ago than that (``Table.prune``, ``Feature.ended``): takedowns that were
  confirmed, cases that are closed.

An act can be undone, and is listed, as long as it is here.

What goes was due at the look before as well, an hour ago, by a time that no clock can lead: so nothing goes at a start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from gateway.common.rounds import Rounds
from gateway.config.sections.journal import FLOOR
from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.rows import Act, Model, Outbox, newest_act

log = structlog.get_logger()

EVERY = 3600.0  # seconds between two looks
BATCH = 500  # rows of one transaction, so that nobody's act waits long for the database
NONE: Mapping[str, Callable[[Session, int], int]] = MappingProxyType({})
EXPIRED = 86_400  # seconds that what expired can still be looked at


class Pruning:
    """``keep``: seconds that acts and what has ended stay, never less than ``FLOOR``; ``clock``: nanoseconds since
    the epoch that can be trusted, 0 where they are not known yet; ``ended``: what of rows that no act changes goes."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        keep: Callable[[], float],
        clock: Callable[[], int] = time.time_ns,
        ended: Mapping[str, Callable[[Session, int], int]] = NONE,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._keep = keep
        self._clock = clock
        self._ended = ended
        self._before = 0  # the time of the look before
        self.rounds = Rounds("acts.pruning", self.look, EVERY)

    async def look(self) -> None:
        """Prune everything that is due."""
        if not self._ledger.leads():
            return
        before, self._before = self._before, self._clock() // 1000
        now = min(before, self._before)
        if not now:
            return
        tables = self._ledger.governance.tables
        for table in tables.values():
            if table.expired_by:
                await self._expire(table.expired_by, table.rows, now)
        before = now - round(max(self._keep(), FLOOR) * 1e6)
        pruned = {"acts": await self._prune(_prune_acts, before)}
        for name, table in tables.items():
            if table.prune is not None:
                pruned[name] = await self._prune(table.prune, before)
        for name, some in self._ended.items():
            pruned[name] = await self._prune(some, before)
        if any(pruned.values()):
            log.info("acts.pruned", pruned=pruned)

    async def _prune(self, some: Callable[[Session, int], int], before: int) -> int:
        total = 0
        while pruned := await self._database.run(lambda session: some(session, before)):
            total += pruned
        return total

    async def _expire(self, kind: str, model: type[Model], now: int) -> None:
        until = now // 1_000_000 - EXPIRED
        number, expires_at = model.__table__.c.id, model.__table__.c.expires_at
        gone = select(number).where(expires_at > 0, expires_at <= until).order_by(number).limit(BATCH)
        while due := await self._database.run(lambda session: session.scalars(gone).all()):
            remove = partial(_remove, model=model, ids=due, until=until)
            await self._ledger.act(SYSTEM, "expired", kind, f"{model.__tablename__}:{len(due)}", remove, settle=False)


def _remove(unit: Unit, model: type[Model], ids: Sequence[int], until: int) -> None:
    # One that was renewed a moment ago stays.
    columns = model.__table__.c
    for row in unit.session.scalars(select(model).where(columns.id.in_(ids), columns.expires_at <= until)):
        unit.remove(row)


def _prune_acts(session: Session, before: int) -> int:
    """Acts come in the order of time, so that looking at the oldest is enough."""
    oldest = session.execute(
        select(Act.id, Act.undone_by)
        .join(Outbox, Outbox.act_id == Act.id)
        # The newest stays: what is in state is measured by its number.
        .where(
            Act.at < before,
            Act.id <= _oldest(session),
            Act.id < newest_act(session),
            Outbox.acknowledged_journal,
            Outbox.acknowledged_state,
        )
    ).all()
    # The journal is still to be told of an undoing by the name of what it undoes.
    undoing = [row.undone_by for row in oldest if row.undone_by is not None]
    waiting = set(
        session.scalars(select(Outbox.act_id).where(Outbox.act_id.in_(undoing), ~Outbox.acknowledged_journal))
    )
    old = [row.id for row in oldest if row.undone_by not in waiting]
    session.execute(update(Act).where(Act.undoes.in_(old)).values(undoes=None))  # its subject still says which
    session.execute(update(Act).where(Act.undone_by.in_(old)).values(undone_by=None))
    session.execute(delete(Outbox).where(Outbox.act_id.in_(old)))
    session.execute(delete(Act).where(Act.id.in_(old)))
    return len(old)


def _oldest(session: Session) -> int:
    """The id of the last of the ``BATCH`` oldest acts."""
    return max(session.scalars(select(Act.id).order_by(Act.id).limit(BATCH)), default=0)
