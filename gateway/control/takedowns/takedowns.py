"""Takedowns on their way: the platform is asked until it has deleted the message, and the journal hears of each state.

    requested ──► confirmed                 2xx (and ``gone_when``); 404 or 410 once the message's outcome is known; or
        │                                   that outcome says that it never left
        └──► unconfirmed ──► confirmed      nothing of that within ``confirm_within``: it alarms, and is asked on

Laws: every state is in the database before it is told; a platform that is away is asked again after 0.5 s, then less
often, at least once a minute, for as long as the takedown stands; an absent journal keeps nobody from asking and is
told later. After a crash a state may be recorded twice, and the platform asked twice, which means the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from gateway.common.ending import end
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.takedowns.neighbours import Asked, Deleter, JournalledMessages, Said
from gateway.control.takedowns.rows import Deletion, Takedown, TakedownEvent
from gateway.control.workers.totals import Series
from gateway.journal.write.record import removal

log = structlog.get_logger()

REQUESTED, CONFIRMED, UNCONFIRMED, TRIED = "requested", "confirmed", "unconfirmed", "tried"
STATES = (REQUESTED, CONFIRMED, UNCONFIRMED)
AT_ONCE = 8  # deletions that are asked for at the same time
FIRST_PAUSE_US = 500_000
LONGEST_PAUSE_US = 60_000_000
ASKED_AGAIN_US = 60_000_000  # until it alarms, for a takedown that came back from the journal
LONGEST_WAIT = 1.0  # seconds between two looks at the database: what another task has added is found
LOOKED = 0.25  # seconds between two looks of somebody who waits for a state
MAX_TRACE = 100  # events of one takedown; tries beyond are not told
PRUNED_AT_ONCE = 500  # takedowns of one transaction, so that nobody's act waits long for the database
OUTSTANDING_US = 300_000_000  # a message whose outcome is not there by then was cut short, and will have none
RETRY = 1.0  # seconds until the journal or the database is tried again


NEVER_LEFT = frozenset(("refused", "failed"))
"""Outcomes after which nothing of a message is at the platform."""


class _Due(NamedTuple):
    """``unsettled``: its message may have had no outcome yet when it was taken down. ``gone``: nothing of it is at the
    platform."""

    takedown: int
    asked: Asked
    unsettled: bool
    gone: bool = False


class _Alarm(NamedTuple):
    """For the log: the takedown's number, and what the platform said last."""

    takedown: int
    route: str
    status: int | None
    problem: str


class Takedowns:
    """``leads``: whether we are the one that asks, of several controls; ``clock`` in nanoseconds since the epoch."""

    def __init__(
        self,
        database: Database,
        messages: JournalledMessages,
        platform: Deleter,
        *,
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._leads = leads
        self.failing = ""  # class of the journal's last error; empty while it takes what it is told
        self._database = database
        self.messages = messages
        self.platform = platform
        self._clock = clock
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="takedowns")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])

    def kick(self) -> None:
        """A takedown was committed."""
        self._wake.set()

    async def wake(self) -> None:
        """The same, to be awaited."""
        self.kick()

    async def settled(self, takedown: int, within: float) -> str:
        """The takedown's state; waits up to ``within`` seconds for one that is not ``requested``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    moved = self._moved  # taken before looking, so that no step falls between
                    if await self._state(takedown) != REQUESTED:
                        break
                    with contextlib.suppress(TimeoutError):  # it may be another control that asks
                        async with asyncio.timeout(LOOKED):
                            await moved.wait()
        return await self._state(takedown)

    async def counted(self) -> dict[str, int]:
        """How many takedowns there are in each state."""

        def work(session: Session) -> dict[str, int]:
            rows = session.execute(select(Deletion.state, func.count()).group_by(Deletion.state))
            return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in rows}

        return await self._database.read(work)

    async def series(self) -> dict[str, Series]:
        """The same, as a metric."""
        return {"tidegate_takedowns": {(state,): count for state, count in (await self.counted()).items()}}

    async def step(self) -> bool:
        """Tell the journal, ask for everything that is due, alarm for what is overdue. True where anything was due."""
        if not self._leads():
            return False
        now = self._now()
        due = [await self._named(one) for one in await self._database.read(lambda session: _due(session, now))]
        await self._tell()
        said = await asyncio.gather(*(self._said(one) for one in due))
        now = self._now()
        alarms = await self._database.run(lambda session: _move_on(session, due, said, now))
        for alarm in alarms:
            log.error(
                "takedown.unconfirmed", takedown=alarm.takedown, route=alarm.route, status=alarm.status,
                problem=alarm.problem,
            )  # fmt: skip
        if due or alarms:
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
            await self._tell()
        return bool(due)

    async def _said(self, one: _Due) -> Said:
        return Said(gone=True, status=None) if one.gone else await self.platform.delete(one.asked)

    async def _named(self, one: _Due) -> _Due:
        """With what the platform calls the message: who answers does not wait until the journal has heard of it."""
        if not one.unsettled:
            return one
        try:
            told = await self.messages.find(one.asked.message_id)
        except (OSError, ValueError):  # no journal, or one that shrinks; the platform is asked all the same, by our id
            told = None
        if told is None or not told.state:
            return one._replace(asked=one.asked._replace(outstanding=True))
        if told.state in NEVER_LEFT:
            return one._replace(gone=True)
        if not told.upstream_id:
            return one
        name = told.upstream_id
        await self._database.run(lambda session: _name(session, one.takedown, name))
        return one._replace(asked=one.asked._replace(upstream_id=name))

    async def _tell(self) -> None:
        try:
            for event, record in await self._database.read(_untold):
                await self.messages.append(record)
                await self._database.run(_told_event(event))
        except DatabaseUnavailable as error:  # told by the database itself
            self.failing = type(error).__name__
        except Exception as error:  # of journal or database; what is untold stays so until the next step
            if not self.failing:  # once for each outage
                log.error("takedowns.unrecorded", exc_info=True)
            self.failing = type(error).__name__
        else:
            self.failing = ""

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause = RETRY
            try:
                if await self.step():
                    continue
                pause = LONGEST_WAIT
                if self._leads():
                    pause = await self._database.read(lambda session: _next_due(session, self._now()))
            except DatabaseUnavailable:  # told by the database itself; nothing is lost
                pass
            except Exception:  # the database itself; nothing is lost
                log.error("takedowns.failed", exc_info=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _state(self, takedown: int) -> str:
        return await self._database.read(lambda session: session.get_one(Deletion, takedown).state)

    def _now(self) -> int:
        return self._clock() // 1000


def begun(session: Session, takedown: Takedown, confirm_within: float) -> None:
    """Put a new takedown on its way, in the transaction of its act."""
    at = takedown.created_at
    confirm_by = at + round(confirm_within * 1e6)
    session.add(Deletion(takedown_id=takedown.id, state=REQUESTED, due_at=at, confirm_by=confirm_by))
    session.add(TakedownEvent(takedown_id=takedown.id, at=at, event=REQUESTED))


def redone(session: Session, row: Takedown, told: Sequence[Mapping[str, Any]]) -> None:
    """A takedown that came back from the journal stands where its records left it; one that nobody confirmed is asked
    for again, from now on."""
    now = time.time_ns() // 1000
    states = [(one["state"], one["time"], one.get("status")) for one in told]
    if not states:
        states = [(REQUESTED, row.created_at, None)]
    confirmed = any(state == CONFIRMED for state, _, _ in states)
    deletion = CONFIRMED if confirmed else REQUESTED
    session.add(Deletion(takedown_id=row.id, state=deletion, due_at=now, confirm_by=now + ASKED_AGAIN_US))
    for state, at, status in states:
        event = TakedownEvent(takedown_id=row.id, at=at, event=state, status=status, journalled=bool(told))
        session.add(event)


def _due(session: Session, now: int) -> list[_Due]:
    """Those to ask about, the oldest first."""
    rows = session.scalars(
        select(Takedown)
        .join(Deletion, Takedown.id == Deletion.takedown_id)
        .where(Deletion.state != CONFIRMED, Deletion.due_at <= now)
        .order_by(Deletion.due_at)
        .limit(AT_ONCE)
    )
    return [
        _Due(
            row.id,
            Asked(row.message_id, row.upstream_id, row.route, row.room),
            not row.upstream_id and now - row.created_at < OUTSTANDING_US,
        )
        for row in rows
    ]


def _name(session: Session, takedown: int, upstream_id: str) -> None:
    session.get_one(Takedown, takedown).upstream_id = upstream_id


def _move_on(session: Session, due: Sequence[_Due], said: Sequence[Said], now: int) -> list[_Alarm]:
    """Write down what the platform said, and what it did not say in time."""
    for one, told in zip(due, said, strict=True):
        row = session.get_one(Deletion, one.takedown)
        if told.gone:
            row.state = CONFIRMED
            row.tries += told.status is not None  # what never left is asked of nobody
            session.add(TakedownEvent(takedown_id=row.takedown_id, at=now, event=CONFIRMED, status=told.status))
            continue
        pause = min(FIRST_PAUSE_US << min(row.tries, 20), LONGEST_PAUSE_US)
        row.tries += 1
        row.due_at = now + pause
        if now < row.confirm_by:
            row.due_at = min(row.due_at, row.confirm_by)  # asked once more before it alarms
        _note_try(session, row.takedown_id, told, now)
    session.flush()
    overdue = select(Deletion).where(Deletion.state == REQUESTED, Deletion.confirm_by <= now)
    return [_overdue(session, row, now) for row in session.scalars(overdue).all()]


def _overdue(session: Session, row: Deletion, now: int) -> _Alarm:
    row.state = UNCONFIRMED
    last = trace(session, row.takedown_id)[-1]
    session.add(
        TakedownEvent(takedown_id=row.takedown_id, at=now, event=UNCONFIRMED, status=last.status, problem=last.problem)
    )
    return _Alarm(row.takedown_id, session.get_one(Takedown, row.takedown_id).route, last.status, last.problem)


def _note_try(session: Session, takedown: int, told: Said, now: int) -> None:
    """Into the trace goes what is new: a platform that is away for a day is one line, not a thousand."""
    events = trace(session, takedown)
    last = events[-1]
    if len(events) < MAX_TRACE and (last.status, last.problem) != (told.status, told.problem):
        session.add(
            TakedownEvent(
                takedown_id=takedown, at=now, event=TRIED, status=told.status, problem=told.problem, journalled=True
            )
        )


def trace(session: Session, takedown: int) -> Sequence[TakedownEvent]:
    """The events of one takedown in order."""
    wanted = select(TakedownEvent).where(TakedownEvent.takedown_id == takedown).order_by(TakedownEvent.id)
    return session.scalars(wanted).all()


def _untold(session: Session) -> list[tuple[int, dict[str, Any]]]:
    """States that the journal does not hold yet, as its records."""
    rows = session.execute(
        select(TakedownEvent, Takedown)
        .join(Takedown, Takedown.id == TakedownEvent.takedown_id)
        .where(TakedownEvent.journalled.is_(False))
        .order_by(TakedownEvent.id)
        .limit(100)
    )
    found: list[tuple[int, dict[str, Any]]] = []
    for event, row in rows:
        state: Any = event.event
        record = removal(
            row.message_id, "takedown", state, route=row.route, room=row.room, upstream_id=row.upstream_id,
            status=event.status, reason=row.reason, ground=row.ground, act=row.act_uid,
        )  # fmt: skip
        found.append((event.id, record | {"time": event.at}))
    return found


def _told_event(event: int) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.execute(update(TakedownEvent).where(TakedownEvent.id == event).values(journalled=True))

    return work


def _next_due(session: Session, now: int) -> float:
    """Seconds until something is due, at most ``LONGEST_WAIT``."""
    due = session.scalar(select(func.min(Deletion.due_at)).where(Deletion.state != CONFIRMED))
    return LONGEST_WAIT if due is None else min(max((due - now) / 1e6, 0.0), LONGEST_WAIT)


def prune(session: Session, before: int) -> int:
    """Remove some takedowns that the platform confirmed before a time (µs since the epoch), with their traces; those
    that it did not confirm stay."""
    last = select(func.max(TakedownEvent.at)).where(TakedownEvent.takedown_id == Takedown.id).scalar_subquery()
    untold = select(TakedownEvent.id).where(
        TakedownEvent.takedown_id == Takedown.id, TakedownEvent.journalled.is_(False)
    )
    old = session.scalars(
        select(Takedown.id)
        .join(Deletion, Deletion.takedown_id == Takedown.id)
        .where(Deletion.state == CONFIRMED, last < before, ~untold.exists())
        .order_by(Takedown.id)
        .limit(PRUNED_AT_ONCE)
    ).all()
    session.execute(delete(TakedownEvent).where(TakedownEvent.takedown_id.in_(old)))
    session.execute(delete(Deletion).where(Deletion.takedown_id.in_(old)))
    session.execute(delete(Takedown).where(Takedown.id.in_(old)))
    return len(old)
