"""What the control database no longer has to hold: it grows with what is in force, not with what ever was.

* Blocks and refused copies that expired a day ago go by an act of their own, so that state forgets them too.
* Acts that are older than ``keep`` go, with their outbox rows, once journal and state have acknowledged them: the
  journal has them for as long as it keeps records. Law 7's floor holds here as well: the regulations ask that records
  of what was done about messages and accounts are kept, and logs for six months (microblogs, articles 12 and 16;
  groups, 11 and 13; public accounts, 11, 13 and 16).
* Takedowns that the platform confirmed longer ago than that go with their traces; those that it did not confirm stay.

An act can be undone, and is listed, as long as it is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from gateway.common.rounds import Rounds
from gateway.config.sections.journal import FLOOR
from gateway.control.acts.acts import Unit
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.models import Act, Block, Copy, Deletion, Outbox, Takedown, TakedownEvent
from gateway.control.acts.people import SYSTEM
from gateway.control.takedowns.takedowns import CONFIRMED

log = structlog.get_logger()

EVERY = 3600.0  # seconds between two looks
BATCH = 500  # rows of one transaction, so that nobody's act waits long for the database
EXPIRED = 86_400  # seconds that what expired can still be looked at


class Pruning:
    """``keep``: seconds that acts and confirmed takedowns stay, never less than ``FLOOR``; ``clock``: nanoseconds since
    the epoch."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        keep: Callable[[], float],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._keep = keep
        self._clock = clock
        self.rounds = Rounds("acts.pruning", self.look, EVERY)

    async def look(self) -> None:
        """Prune everything that is due."""
        now = self._clock() // 1000
        await self._expire("block.expire", Block, now)
        await self._expire("copy.expire", Copy, now)
        before = now - round(max(self._keep(), FLOOR) * 1e6)
        acts = takedowns = 0
        while pruned := await self._database.run(partial(_prune_acts, before=before)):
            acts += pruned
        while pruned := await self._database.run(partial(_prune_takedowns, before=before)):
            takedowns += pruned
        if acts or takedowns:
            log.info("acts.pruned", acts=acts, takedowns=takedowns)

    async def _expire(self, kind: str, model: type[Block] | type[Copy], now: int) -> None:
        until = now // 1_000_000 - EXPIRED
        gone = select(model.id).where(model.expires_at > 0, model.expires_at <= until).order_by(model.id).limit(BATCH)
        while due := await self._database.run(lambda session: session.scalars(gone).all()):
            remove = partial(_remove, model=model, ids=due, until=until)
            await self._ledger.act(SYSTEM, "expired", kind, f"{model.__tablename__}:{len(due)}", remove, settle=False)


def _remove(unit: Unit, model: type[Block] | type[Copy], ids: Sequence[int], until: int) -> None:
    # One that was renewed a moment ago stays.
    for row in unit.session.scalars(select(model).where(model.id.in_(ids), model.expires_at <= until)):
        unit.remove(row)


def _prune_acts(session: Session, before: int) -> int:
    """Acts come in the order of time, so that looking at the oldest is enough."""
    oldest = session.execute(
        select(Act.id, Act.undone_by)
        .join(Outbox, Outbox.act_id == Act.id)
        .where(Act.at < before, Act.id <= _oldest(session), Outbox.acknowledged_journal, Outbox.acknowledged_state)
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


def _prune_takedowns(session: Session, before: int) -> int:
    last = select(func.max(TakedownEvent.at)).where(TakedownEvent.takedown_id == Takedown.id).scalar_subquery()
    untold = select(TakedownEvent.id).where(
        TakedownEvent.takedown_id == Takedown.id, TakedownEvent.journalled.is_(False)
    )
    old = session.scalars(
        select(Takedown.id)
        .join(Deletion, Deletion.takedown_id == Takedown.id)
        .where(Deletion.state == CONFIRMED, last < before, ~untold.exists())
        .order_by(Takedown.id)
        .limit(BATCH)
    ).all()
    session.execute(delete(TakedownEvent).where(TakedownEvent.takedown_id.in_(old)))
    session.execute(delete(Deletion).where(Deletion.takedown_id.in_(old)))
    session.execute(delete(Takedown).where(Takedown.id.in_(old)))
    return len(old)
