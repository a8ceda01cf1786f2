"""The relay: takes each act from the outbox to the journal and to state, and remembers that it did.

A crash may fall between any two steps; this is why each can be repeated:

    commit ──► journal.append ──► acknowledged_journal      after a crash here, the journal is asked what it holds
           └─► projection.apply ─► acknowledged_state       rows are projected as they are now: repeating is harmless

The two sides do not wait for each other: a full journal does not keep an emergency switch from taking effect, and an
absent state server does not keep an act from being recorded. One task owns all of it; acts leave in order of their ids.

Where several controls serve the database, an act goes into the journal of the node that did it, or of the one that
stands in for it (``records``), and to state by the control that did it, at once, or else by whoever finds it left
(``ripen``).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy import ColumnElement, func, or_, select, true, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.common.boot import uptime_us
from gateway.common.ending import end
from gateway.common.metrics import Count
from gateway.control.acts.authority import Authority
from gateway.control.acts.database import Database
from gateway.control.acts.governance import Governance
from gateway.control.acts.neighbours import ActJournal, Change, Projection
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.acts.rows import Act, Outbox, newest_act
from gateway.state.cold.governance_projection import ReadTooEarly
from gateway.state.cold.projection_script import KEPT_MS
from gateway.state.model.snapshot import SnapshotRows

log = structlog.get_logger()

BATCH = 32  # acts; an act of an import holds up to 500 rows
LATEST_US = KEPT_MS * 1000 // 4  # between reading rows and writing them, so that no write is later than can be told
LONGEST_PAUSE = 5.0  # seconds between two tries while journal or state fails
AGAIN = 1000  # acts that are projected again after a fail-over; what is older comes with all of it
PLACES = 5000  # of these acts, one of an import holds up to 500
REMEMBERED = 1000  # acts of which it is known whether a replica of state has them


Records = Callable[[InstrumentedAttribute[str]], ColumnElement[bool]]
"""Which acts, by their names, go into our journal."""


class Waiting(NamedTuple):
    """Acts not yet acknowledged by both sides, and the age of the oldest in seconds."""

    acts: int
    age: float


class _Batch(NamedTuple):
    """``asked``: when it was read, on a clock that nobody sets."""

    unrecorded: list[dict[str, Any]]
    unprojected: list[int]
    changes: list[Change]
    snapshot: SnapshotRows | None
    asked: int


class OutboxRelay:
    """``retry``: the first pause after a failure, in seconds; it doubles up to ``LONGEST_PAUSE``. ``records``: which
    acts are ours, all where nothing is said; ``ripe``: up to this act, projecting is anybody's."""

    def __init__(
        self,
        database: Database,
        journal: ActJournal,
        projection: Projection,
        governance: Governance,
        *,
        retry: float,
        authority: Authority | None = None,
        records: Records | None = None,
    ) -> None:
        self.records = records
        self.ripe = 0
        self._idle = None if records is None else LONGEST_PAUSE  # then we stand in for a node that has gone
        self._authority = authority or Authority()
        self.unreplicated = Count()  # acts that were acknowledged, and no replica of state had them in time
        self._replicated: dict[int, bool] = {}
        self.failures: dict[str, str] = {}  # side -> class of the last error; empty while all is well
        self.governance = governance
        self._database = database
        self._journal = journal
        self._projection = projection
        self._retry = retry
        self._doubtful = True  # whether the journal may hold acts that are not acknowledged
        self._recorded: set[str] = set()  # appended by this process, not yet acknowledged
        self._wake = asyncio.Event()
        self._passed = asyncio.Event()
        self._stepping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Relay what an earlier process left, then what comes."""
        self._task = asyncio.create_task(self._run(), name="outbox relay")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])

    def kick(self) -> None:
        """An act was committed."""
        self._wake.set()

    def ripen(self, act: int) -> None:
        """Acts up to this one, whoever did them, have had their time: what is not projected of them, we project."""
        if act > self.ripe:
            self.ripe = act
            self.kick()

    @contextlib.asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Nothing is relayed meanwhile: for a rebuild."""
        async with self._stepping:
            yield

    async def settled(self, act: int, within: float) -> tuple[bool, bool]:
        """Whether journal and state have acknowledged ``act``; waits ``within`` seconds for both."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    passed = self._passed  # taken before looking, so that no step falls between
                    if all(await self._acknowledged(act)):
                        break
                    await passed.wait()
        return await self._acknowledged(act)

    def replicated(self, act: int) -> bool | None:
        """Whether a replica of state had this act when it was acknowledged; None where there is none, and for one that
        somebody else has projected."""
        return self._replicated.get(act)

    async def _acknowledged(self, act: int) -> tuple[bool, bool]:
        row = await self._database.read(lambda session: session.get_one(Outbox, act))
        return row.acknowledged_journal, row.acknowledged_state

    async def waiting(self) -> Waiting:
        def work(session: Session) -> Waiting:
            count, oldest = session.execute(
                select(func.count(), func.min(Act.at)).select_from(Outbox).join(Act).where(_open())
            ).one()
            return Waiting(count, max(0.0, time.time() - oldest / 1e6) if oldest is not None else 0.0)

        return await self._database.read(work)

    async def _run(self) -> None:
        pause = self._retry
        while True:
            self._wake.clear()
            try:
                moved = await self.step()
            except DatabaseUnavailable as error:  # told by the database itself; nothing is lost
                moved = False
                self.failures["database"] = type(error).__name__
            except Exception:  # the database itself; nothing is lost, and the next try tells
                log.error("outbox.failed", exc_info=True)
                moved = False
                self.failures["database"] = "failed"
            else:
                self.failures.pop("database", None)
            if moved:
                pause = self._retry
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause if self.failures else self._idle):
                    await self._wake.wait()
            pause = min(pause * 2, LONGEST_PAUSE) if self.failures else self._retry

    async def step(self) -> bool:
        """Relay one batch. True where something moved and more may wait."""
        async with self._stepping:
            wanted = partial(_next, governance=self.governance, records=self.records, ripe=self.ripe)
            batch = await self._database.read(wanted)
            recorded = await self._record(batch.unrecorded)
            projected = await self._project(batch)
            if recorded or projected:
                await self._database.run(lambda session: _acknowledge(session, recorded, projected))
                self._recorded.difference_update(act["uid"] for act in batch.unrecorded)
                passed, self._passed = self._passed, asyncio.Event()
                passed.set()
            return bool(recorded or projected)

    async def _record(self, acts: Sequence[dict[str, Any]]) -> list[int]:
        done: list[int] = []
        try:
            if acts and self._doubtful:
                self._recorded |= await self._journal.recorded([act["uid"] for act in acts], acts[0]["at"])
                self._doubtful = len(acts) == BATCH  # an earlier process may have got further than this batch
            for act in acts:
                if act["uid"] not in self._recorded:
                    # Until it is known to have gone well, it is not known whether it went at all.
                    self._doubtful, doubtful = True, self._doubtful
                    await self._journal.append(act)
                    self._doubtful = doubtful
                    self._recorded.add(act["uid"])
                done.append(act["id"])
        except Exception as error:  # whatever the journal's trouble: unacknowledged, and tried again
            self._failed("journal", error)
        else:
            self.failures.pop("journal", None)
        return done

    async def _project(self, batch: _Batch) -> list[int]:
        if not batch.unprojected:
            return []
        try:
            self._authority.check()
            if uptime_us() - batch.asked > LATEST_US:
                raise ReadTooEarly("we were stopped between reading and writing")
            if batch.changes:
                await self._projection.apply(batch.changes)
            if batch.snapshot is not None:
                await self._projection.publish(batch.snapshot)
            if batch.changes or batch.snapshot is not None:
                self._note(batch.unprojected, await self._projection.replicated())
        except ReadTooEarly:  # state was written anew meanwhile: read again, at once
            self.kick()
            return []
        except Exception as error:  # redis-py's errors have no class in common; unacknowledged, and tried again
            self._failed("state", error)
            return []
        self.failures.pop("state", None)
        return batch.unprojected

    def _note(self, acts: Sequence[int], replicated: bool | None) -> None:
        if replicated is None:
            return
        self._replicated.update(dict.fromkeys(acts, replicated))
        for act in list(self._replicated)[:-REMEMBERED]:
            del self._replicated[act]
        if not replicated:
            self.unreplicated.value += len(acts)

    def _failed(self, side: str, error: Exception) -> None:
        if side not in self.failures:  # once for each outage, not once for each try
            log.error("outbox.side_failed", side=side, exc_info=error)
        self.failures[side] = type(error).__name__


def _open() -> Any:
    return or_(Outbox.acknowledged_journal.is_(False), Outbox.acknowledged_state.is_(False))


def _next(session: Session, governance: Governance, records: Records | None, ripe: int) -> _Batch:
    asked = uptime_us()
    ours = records(Act.uid) if records is not None else true()
    unrecorded = session.scalars(
        select(Act).join(Outbox).where(Outbox.acknowledged_journal.is_(False), ours).order_by(Act.id).limit(BATCH)
    ).all()
    unprojected = session.scalars(
        select(Outbox)
        .join(Act)
        .where(Outbox.acknowledged_state.is_(False), or_(ours, Act.id <= ripe))
        .order_by(Outbox.act_id)
        .limit(BATCH)
    ).all()
    acts = session.scalars(select(Act).where(Act.id.in_([row.act_id for row in unprojected]))).all()
    tables = {change["table"] for act in acts for change in act.changes}
    return _Batch(
        [act.as_row() | {"undoes_uid": _uid(session, act.undoes)} for act in unrecorded],
        [row.act_id for row in unprojected],
        current(session, [place for row in unprojected for place in row.payload], governance),
        governance.snapshot(session) if tables & governance.in_snapshot else None,
        asked,
    )


def again(session: Session, after: int, governance: Governance) -> tuple[int, list[Change], SnapshotRows]:
    """What acts later than ``after`` have projected, as it is now, the newest first, and how many acts that were;
    no more than ``AGAIN`` of them."""
    payloads = session.scalars(
        select(Outbox.payload).where(Outbox.act_id > after).order_by(Outbox.act_id.desc()).limit(AGAIN)
    ).all()
    places = [place for payload in payloads for place in payload]
    return len(payloads), current(session, places[:PLACES], governance), governance.snapshot(session)


def projected_up_to(session: Session, after: int) -> int:
    """The last act before the first one, later than ``after``, that state has not acknowledged."""
    first = session.scalar(
        select(func.min(Outbox.act_id)).where(Outbox.act_id > after, Outbox.acknowledged_state.is_(False))
    )
    return first - 1 if first is not None else newest_act(session)


def _uid(session: Session, act: int | None) -> str:
    return session.get_one(Act, act).uid if act is not None else ""


def current(session: Session, places: Sequence[dict[str, Any]], governance: Governance) -> list[Change]:
    """What stands at these places now; each place once."""
    changes: list[Change] = []
    act = newest_act(session)
    for table, columns in governance.projected.items():
        subjects = {
            tuple(place["subject"][name] for name in columns): place["subject"]
            for place in places
            if place["table"] == table
        }
        if not subjects:
            continue
        model = governance.rows(table)
        keys = list(subjects)
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for start in range(0, len(keys), 500):
            wanted = tuple_(*(getattr(model, name) for name in columns)).in_(keys[start : start + 500])
            for found in session.scalars(select(model).where(wanted)):
                rows[tuple(getattr(found, name) for name in columns)] = found.as_row()
        changes.extend(Change(table, subjects[key], rows.get(key), act) for key in keys)
    return changes


def _acknowledge(session: Session, recorded: Sequence[int], projected: Sequence[int]) -> None:
    if recorded:
        session.execute(update(Outbox).where(Outbox.act_id.in_(recorded)).values(acknowledged_journal=True))
    if projected:
        session.execute(update(Outbox).where(Outbox.act_id.in_(projected)).values(acknowledged_state=True))
