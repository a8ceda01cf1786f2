"""Calls to others, made in the background: queued from what happened, sent until taken, given up in the end.

    committed trace ──► row ──► POST ──► 2xx: sent        anything else: again, later and later
                                    └──► retry_for is over: dead, until somebody sends it again

Laws:

* at least once: a row is written with its cursor, and settled after the answer. Who dies in between sends again, under
  the same id;
* in order within a subject: a later call waits until the one before it was sent or is dead;
* a receiver that does not answer is left alone for a while, and asked by one call at a time; the others do not wait;
* nothing of it is on anybody's way: no decision, no message and no act waits for a receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import orjson
import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from gateway.common.ending import end
from gateway.common.metrics import METRICS, Counts
from gateway.config import Config
from gateway.config.sections.review.callbacks import ON_CALL
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.callbacks import call_pacing, call_queue, summoning
from gateway.control.callbacks.call_posting import Posted
from gateway.control.callbacks.call_signature import signed
from gateway.control.callbacks.receivers import CallTarget, listeners, on_call, targets
from gateway.control.callbacks.rows import DEAD, SENT, WAITING, Callback
from gateway.control.workers.totals import Series

log = structlog.get_logger()

AT_ONCE: Final = 8  # calls under way to one receiver
EVERY: Final = 1.0  # seconds between two looks where nothing is to be done
RETRY: Final = 1.0  # seconds until the database is tried again
FURTHEST_US: Final = round(call_pacing.LONGEST * 1e6)  # nothing is put off for longer
TEST: Final = summoning.TEST
FAULT: Final = "callback.fault"
GONE: Final = 410  # the receiver says that it is no more (RFC 9110, section 15.5.11)


class Poster(Protocol):
    """Makes one call."""

    async def post(self, target: CallTarget, body: bytes, fields: dict[str, str], now_s: float) -> Posted:
        """Never raises."""

    async def close(self) -> None:
        """No more is made."""


class DueCall(NamedTuple):
    """A call that is to be made now."""

    id: int
    uid: str
    receiver: str
    event: str
    tries: int
    body: dict[str, Any]


class _Rest:
    """How a receiver fares: ``failures`` in a row, left alone ``until`` (µs since the epoch)."""

    __slots__ = ("failures", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0


class CallbackSender:
    """``ids`` gives names to calls; ``leads``: whether we are the one of several controls that makes them; ``clock`` in
    nanoseconds since the epoch; ``jitter``: numbers from 0 to 1."""

    def __init__(
        self,
        database: Database,
        config: Callable[[], Config],
        poster: Poster,
        *,
        ids: Callable[[], str],
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], int] = time.time_ns,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.done = Counts(METRICS["tidegate_callbacks_total"])
        self._database = database
        self._config = config
        self._poster = poster
        self._ids = ids
        self._leads = leads
        self._clock = clock
        self._jitter = jitter
        self._followed: tuple[str, ...] | None = None
        self._full: set[str] = set()
        self._resting: dict[str, _Rest] = {}
        self._under_way: dict[str, set[int]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="callbacks")

    async def stop(self) -> None:
        """What is under way is given up: whoever comes next makes those calls again."""
        if self._task is not None:
            await end([self._task])
        await end(self._calls)
        await self._poster.close()

    def kick(self, receiver: str = "") -> None:
        """There is something to be sent; ``receiver`` is asked at once, however it fared."""
        self._resting.pop(receiver, None)
        self._wake.set()

    @property
    def now(self) -> int:
        """µs since the epoch."""
        return self._clock() // 1000

    @property
    def receivers(self) -> frozenset[str]:
        """Who is called, by name, as the configuration in force says."""
        return frozenset(targets(self._config()))

    def trial(self, name: str) -> Callback:
        """A call that tells nothing, to try a receiver with."""
        config, uid, now = self._config(), self._ids(), self.now
        body: dict[str, Any] = {"id": uid, "event": TEST, "at": now, "sequence": 1}
        somebody = on_call(config)
        if somebody is not None and somebody[1].name == name:
            body = summoning.body(somebody[0].shape, TEST, 1, config.server.node, uid, now)
        return call_queue.call(name, uid, TEST, f"test:{uid}", body, now)

    async def came_up(self, topic: str, times: int) -> None:
        """Something that somebody on call should hear of. Raises ``DatabaseUnavailable``."""
        await self._database.run(lambda session: summoning.came_up(session, topic, times))

    async def step(self) -> Sequence[asyncio.Task[None]]:
        """Queue what happened, and make the calls that are due: those that were begun."""
        if not self._leads():
            return ()
        config = self._config()
        known = targets(config)
        names = tuple(sorted(known))
        if names != self._followed:
            await self._database.run(lambda session: call_queue.follow(session, names, self.now))
            self._followed = names
        if not names:
            return ()
        if await self._database.read(partial(self._waits, config=config, names=names)):
            full = await self._database.run(partial(self._queue, config=config))
            for name in full - self._full:
                log.warning("callbacks.full", receiver=name)
            self._full = full
        begun: list[asyncio.Task[None]] = []
        for target in known.values():
            most = self._may(target.name)
            if most > 0:
                due = await self._database.read(partial(self._due, name=target.name, most=most))
                begun += [self._begin(one, target) for one in due]
        return begun

    async def series(self) -> dict[str, Series]:
        """See ``Measured``."""
        names = sorted(targets(self._config()))
        if not names:
            return {}
        now = self.now

        def work(session: Session) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
            rows = session.execute(
                select(Callback.receiver, Callback.state, func.count())
                .where(Callback.state != SENT, Callback.receiver.in_(names))
                .group_by(Callback.receiver, Callback.state)
            )
            oldest = session.execute(
                select(Callback.receiver, func.min(Callback.at))
                .where(Callback.state == WAITING, Callback.receiver.in_(names))
                .group_by(Callback.receiver)
            )
            return {(row[0], row[1]): row[2] for row in rows}, {row[0]: row[1] for row in oldest}

        counted, oldest = await self._database.read(work)
        return {
            "tidegate_callbacks": {
                (name, state): counted.get((name, state), 0) for name in names for state in (WAITING, DEAD)
            },
            "tidegate_callbacks_oldest_seconds": {
                (name,): max(now - oldest[name], 0) / 1e6 if name in oldest else 0.0 for name in names
            },
            "tidegate_callbacks_total": dict(self.done.values),
        }

    async def _run(self) -> None:
        failing = False
        while True:
            self._wake.clear()
            try:
                await self.step()
                failing = False
            except DatabaseUnavailable:  # told by the database itself; nothing is lost
                pass
            except Exception:  # of the database: what is not committed is read again
                if not failing:  # once for each outage
                    log.error("callbacks.failed", exc_info=True)
                failing = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()

    def _waits(self, session: Session, config: Config, names: Sequence[str]) -> bool:
        somebody = config.desk.on_call
        return call_queue.waits(session, names) or (
            somebody is not None and summoning.due(session, somebody.interval, self.now)
        )

    def _queue(self, session: Session, config: Config) -> set[str]:
        """The receivers whose bound keeps more from them."""
        now = self.now
        full = {one.target.name for one in listeners(config) if not call_queue.queue(session, one, now, self._ids)}
        somebody = on_call(config)
        if somebody is not None:
            summoning.summon(session, *somebody, config.server.node, now, self._ids)
        return full

    def _may(self, name: str) -> int:
        """How many calls to it can be begun."""
        rest = self._resting.get(name)
        under_way = len(self._under_way.get(name, ()))
        if rest is None or not rest.failures:
            return AT_ONCE - under_way
        now = self.now
        return 0 if now < rest.until <= now + FURTHEST_US else 1 - under_way

    def _due(self, session: Session, name: str, most: int) -> list[DueCall]:
        now = self.now
        found = self._some(session, name, most, Callback.due_at <= now)
        if len(found) < most:  # what was put off by a clock that was set back since
            found += self._some(session, name, most - len(found), Callback.due_at > now + FURTHEST_US)
        return found

    def _some(self, session: Session, name: str, most: int, due: ColumnElement[bool]) -> list[DueCall]:
        before = aliased(Callback)
        earlier = (
            select(before.id)
            .where(
                before.subject == Callback.subject, before.receiver == name, before.state == WAITING,
                before.id < Callback.id,
            )
            .exists()
        )  # fmt: skip
        rows = session.scalars(
            select(Callback)
            .where(
                Callback.state == WAITING, Callback.receiver == name, due,
                Callback.id.not_in(self._under_way.get(name, ())), ~earlier,
            )
            .order_by(Callback.due_at, Callback.id)
            .limit(most)
        )  # fmt: skip
        return [DueCall(row.id, row.uid, name, row.event, row.tries, row.body) for row in rows]

    def _begin(self, one: DueCall, target: CallTarget) -> asyncio.Task[None]:
        self._under_way.setdefault(target.name, set()).add(one.id)
        task = asyncio.create_task(self._one(one, target), name=f"callback {one.id}")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    async def _one(self, one: DueCall, target: CallTarget) -> None:
        try:
            now = self._clock() / 1e9
            data = orjson.dumps(one.body)
            fields = {
                "Content-Type": "application/json",
                "User-Agent": "tidegate-callback",
                "Tidegate-Callback-Id": one.uid,
                "Tidegate-Event": one.event,
                "Tidegate-Attempt": str(one.tries + 1),
                **signed(target.secrets, data, int(now)),
            }
            posted = await self._poster.post(target, data, fields, now)
            self._fared(target.name, posted)
            while True:
                try:
                    state = await self._database.run(partial(self._settle, one=one, target=target, posted=posted))
                    break
                except DatabaseUnavailable:  # what came of it is known here alone
                    await asyncio.sleep(RETRY)
            self.done.add((target.name, "sent" if not posted.problem else "failed"))
            if state == DEAD:
                self.done.add((target.name, "dead"))
                log.error("callback.dead", callback=one.id, receiver=target.name, problem=posted.problem)
        except Exception:  # ours: the receiver is left alone for a while, so that it is not tried in a circle
            log.error("callbacks.failed", exc_info=True)
            self._fared(target.name, Posted(None, FAULT))
        finally:
            self._under_way[target.name].discard(one.id)
            self._wake.set()

    def _settle(self, session: Session, one: DueCall, target: CallTarget, posted: Posted) -> str:
        """Write down what came of it; the state that follows."""
        row = session.get(Callback, one.id)
        if row is None or row.state != WAITING:  # its receiver has left the configuration
            return ""
        now = self.now
        row.tries += 1
        row.status, row.problem, row.changed_at = posted.status, posted.problem, now
        if not posted.problem:
            row.state, row.due_at = SENT, 0
        elif posted.status == GONE or now - row.since >= target.retry_for * 1e6:
            row.state, row.due_at = DEAD, 0
            if target.name != ON_CALL and self._config().desk.on_call is not None:
                summoning.came_up(session, f"{summoning.DEAD_CALLS}:{target.name}")
        else:
            row.due_at = now + round(call_pacing.pause(row.tries, posted.asked, self._jitter) * 1e6)
        return row.state

    def _fared(self, name: str, posted: Posted) -> None:
        rest = self._resting.setdefault(name, _Rest())
        if not posted.of_receiver:
            if rest.failures:
                log.info("callbacks.receiver_back", receiver=name)
            rest.failures = rest.until = 0
            return
        rest.failures += 1
        rest.until = self.now + round(call_pacing.rest(rest.failures, posted.asked, self._jitter) * 1e6)
        if rest.failures == 1:  # once for each outage
            log.warning("callbacks.receiver_away", receiver=name, problem=posted.problem, status=posted.status)
