"""State held against the database: what it has lost is written anew, counted, told and recorded.

Confirming sees that a server was emptied or replaced; this sees single keys that went, whoever took them. Every so many
seconds (``EVERY``) blocks and rooms are looked at whole, accounts a few thousand at a time; the newest blocks at once
where a worker says that its snapshot knew what state did not. And what the server evicts is watched.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from filters.model.rule import Asks
from gateway.common.metrics import METRICS, Counts
from gateway.common.rounds import Rounds
from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.neighbours import Change, Projection
from gateway.control.acts.outbox import current
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.acts.rows import Outbox
from gateway.control.node.state_rebuild import BATCH, TablePage
from gateway.control.workers.totals import Series
from gateway.state.cold.eviction import lasting
from gateway.state.cold.governance_projection import EpochLost
from gateway.state.model.snapshot import MAX_BLOCKS

log = structlog.get_logger()

LOOK = 1.0  # seconds between two looks at what the workers say
EVERY = 10.0  # seconds between two audits: a key that is gone is back within that and the audit's own time
ROLLING = 20  # pages of accounts in one audit: who is not known is not taken for verified meanwhile
NEWEST = -(-MAX_BLOCKS // BATCH)  # pages that hold the snapshot's blocks
RECENT = 60.0  # seconds for which readiness says that something was mended


class Auditing:
    """``lost``: what the workers have counted, together; ``asked``: what the policies in force ask of state. All of
    state is audited by the control that leads; each looks where its own workers miss something."""

    def __init__(
        self,
        ledger: Ledger,
        projection: Projection,
        lost: Callable[[], int],
        asked: Callable[[], Iterable[Asks]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mended = Counts(METRICS["tidegate_state_mended_total"])
        self.problem = ""  # why the server's policy endangers what it holds; empty where it does not
        self.evicted = 0
        self._ledger = ledger
        self._database = ledger.database
        self._projection = projection
        self._lost = lost
        self._asked = asked
        self._clock = clock
        self._heard = 0
        self._audited = self._told = -EVERY
        self._last: dict[str, Any] = {}  # by table that is looked at bit by bit: how far
        self._untold: Counter[str] = Counter()
        self._mended_at = -RECENT
        self._failing = False
        self.rounds = Rounds("state.auditing", self.look, LOOK)

    @property
    def note(self) -> str:
        """What readiness says beside."""
        return "facts that state had lost were written anew" if self._clock() - self._mended_at < RECENT else ""

    async def series(self) -> dict[str, Series]:
        """What control counts of this."""
        return {
            "tidegate_state_mended_total": dict(self.mended.values),
            "tidegate_state_evicted_keys": {(): self.evicted},
        }

    async def look(self) -> None:
        """Audit where it is time, or where a worker has heard something new."""
        now, lost = self._clock(), self._lost()
        due = now - self._audited >= EVERY
        if self._ledger.authority.problem or not self._ledger.authority.looked():
            return  # what state holds and the database lacks is not lost
        if not due and lost == self._heard:
            return
        try:
            if due:
                await self._watch()
            whole = due and self._ledger.leads()
            if whole or lost != self._heard:
                await self.audit(whole=whole)
        except (EpochLost, DatabaseUnavailable):
            return  # all of it is gone, and being rebuilt; or there is nothing to hold it against
        except Exception as error:  # of state, which others tell; asked again in a second
            if not self._failing:
                log.warning("state.unaudited", kind=type(error).__name__)
            self._failing = True
            return
        self._failing = False
        self._heard = lost
        if due:
            self._audited = now
        await self._tell(now)

    async def audit(self, *, whole: bool = True) -> None:
        """Hold state against the database. Not ``whole``: the newest blocks and rooms alone."""
        if whole and not await self._projection.holds_snapshot():
            await self._projection.publish(await self._database.read(self._ledger.governance.snapshot))
            self._count("snapshot", 1)
        for table, place in self._ledger.governance.projected.items():
            rolling = table == "accounts"
            if rolling and not whole:
                continue
            last = self._last.get(table) if rolling else None
            most = ROLLING if rolling else None if whole else NEWEST
            pages = 0
            while most is None or pages < most:
                page = TablePage(self._ledger.governance.rows(table), place, last, newest_first=not rolling)
                changes, last = await self._database.read(page)
                await self._hold(table, [change for change in changes if _stands(change)])
                pages += 1
                if len(changes) < BATCH:
                    last = None
                    break
            if rolling:
                self._last[table] = last

    async def _hold(self, table: str, changes: Sequence[Change]) -> None:
        lacking = await self._projection.lacking(changes) if changes else []
        if not lacking:
            return
        async with self._ledger.relay.paused():  # what an act changes meanwhile is neither lost nor brought back
            lacking = await self._projection.lacking(
                await self._database.read(lambda session: self._now(session, lacking))
            )
            if lacking:
                await self._projection.apply(lacking)
        if lacking:
            self._count(table, len(lacking))

    def _count(self, what: str, many: int) -> None:
        self.mended.add((what,), many)
        self._untold[what] += many
        self._mended_at = self._clock()

    def _now(self, session: Session, lacking: Sequence[Change]) -> list[Change]:
        """The rows as they are now, without those that an act changed and nobody has projected yet."""
        waiting = session.scalars(select(Outbox.payload).where(Outbox.acknowledged_state.is_(False)))
        under_way = {(one["table"], *one["subject"].values()) for payload in waiting for one in payload}
        places = [{"table": change.table, "subject": dict(change.subject)} for change in lacking]
        rows = current(session, places, self._ledger.governance)
        return [
            change for change in rows if _stands(change) and (change.table, *change.subject.values()) not in under_way
        ]

    async def _tell(self, now: float) -> None:
        """Say what was lost: each time in the log, and not more often than an audit is due in the journal."""
        if not self._untold or now - self._told < EVERY:
            return
        told = ", ".join(f"{count} of {table}" for table, count in sorted(self._untold.items()))
        log.error("state.facts_lost", mended=dict(self._untold))
        self._told = now
        reason = f"state had lost facts, which were written anew: {told}"
        with suppress(DatabaseUnavailable):  # else recorded with what is found next
            await self._ledger.act(SYSTEM, reason, "state.mend", "state", _nothing, settle=False)
            self._untold.clear()

    async def _watch(self) -> None:
        """What does the server evict?"""
        eviction = await self._projection.eviction()
        problem = eviction.problem(lasting(self._asked()))
        if problem and problem != self.problem:
            log.error("state.eviction", problem=problem)
        self.problem = problem
        if eviction.evicted > self.evicted:
            log.warning("state.evicted", keys=eviction.evicted - self.evicted)
        self.evicted = eviction.evicted


def _stands(change: Change) -> bool:
    """Whether the row says something now: not a block that has ended, which nobody needs."""
    return change.row is not None and not 0 < change.row.get("expires_at", 0) <= time.time()


def _nothing(_unit: Unit) -> None:
    return None
