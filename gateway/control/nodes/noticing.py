"""What other controls of this database did, in force here too: people and tokens, the snapshot, word lists.

    act of another node ──► commit ──NOTIFY──► here: who follows a table; snapshot to our workers; lists compiled
                                └── its own relay: journal, state ──(not within ``EVERY``)──► ours: state

A notification may be lost; the numbers of acts are not, and are looked at every ``EVERY`` seconds. An act that its own
control does not project is projected from here, by whoever gets there first: a projection that is repeated or late does
nothing. Where it was done before we came up, coming up reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.ending import end
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.postgresql import PostgresqlServer
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.acts.rows import Act, newest_act

log = structlog.get_logger()

EVERY: Final = 0.4  # seconds: so old is what nobody notified us of
BATCH: Final = 32  # acts; one of an import holds up to 500 rows
LISTENED: Final = 0.5  # seconds after which the thread looks whether it is to end


class Noticing:
    """``ours`` tells by an act's name whether this node did it: then its ledger has seen to what follows."""

    def __init__(self, ledger: Ledger, ours: Callable[[str], bool]) -> None:
        self._ledger = ledger
        self._ours = ours
        self._last = 0
        self._ripe: tuple[int, float] = (0, 0.0)  # the newest act at a look, and when that was
        self._wake = asyncio.Event()
        self._listening: _Listening | None = None
        self._task: asyncio.Task[None] | None = None
        self._compiling: asyncio.Task[None] | None = None
        self._stale = False  # lists were changed since they were compiled

    async def begin(self) -> None:
        """What was done until now is read by who comes up now."""
        self._last = await self._ledger.database.read(newest_act)

    def start(self) -> None:
        server = self._ledger.database.server
        if server is None:
            return  # a file: whatever is done there, we did
        self._task = asyncio.create_task(self._run(), name="acts of others")
        self._listening = _Listening(server, asyncio.get_running_loop(), self._wake.set)
        self._listening.start()

    async def stop(self) -> None:
        if self._listening is not None:
            await asyncio.to_thread(self._listening.stop)
        await end([task for task in (self._task, self._compiling) if task is not None])

    async def look(self) -> bool:
        """Follow what is new; True where more may wait."""
        newest, tables, many = await self._ledger.database.read(self._new)
        if tables:
            await self._follow(tables)
        self._last = newest
        self._ripen(newest)
        return many == BATCH

    def _new(self, session: Session) -> tuple[int, frozenset[str], int]:
        rows = session.execute(
            select(Act.id, Act.uid, Act.changes).where(Act.id > self._last).order_by(Act.id).limit(BATCH)
        ).all()
        tables = frozenset(change["table"] for row in rows if not self._ours(row.uid) for change in row.changes)
        return (rows[-1].id if rows else self._last), tables, len(rows)

    async def _follow(self, tables: frozenset[str]) -> None:
        ledger = self._ledger
        await ledger.follow_up(tables)
        if tables & ledger.governance.compiled and await ledger.mend():
            self._stale = True
            if self._compiling is None:
                self._compiling = asyncio.create_task(self._compile(), name="lists that another node changed")

    async def _compile(self) -> None:
        """It takes its time, in which nothing else waits."""
        try:
            while self._stale:
                self._stale = False
                reloaded = await self._ledger.recompile()
                if not reloaded.ok:
                    log.error("lists.not_recompiled", problems=reloaded.problems)
        finally:
            self._compiling = None

    def _ripen(self, newest: int) -> None:
        """What was there at a look ``EVERY`` ago, and still is not projected, we project."""
        seen, at = self._ripe
        if newest > self._ledger.relay.ripe and time.monotonic() - at >= EVERY:
            self._ledger.relay.ripen(seen)
            self._ripe = (newest, time.monotonic())

    async def _run(self) -> None:
        told = False
        while True:
            self._wake.clear()
            try:
                more = await self.look()
                told = False
            except DatabaseUnavailable:  # told by the database itself; what was missed is found when it is back
                more = False
            except Exception:  # whatever it was, others go on acting
                if not told:  # once for each outage
                    log.error("acts.unnoticed", exc_info=True)
                told, more = True, False
            if not more:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._wake.wait()


class _Listening:
    """A thread that waits for notifications on a connection of its own; without one nothing is lost but speed."""

    def __init__(self, server: PostgresqlServer, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._server = server
        self._loop = loop
        self._wake = wake
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acts of others", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        import psycopg  # only where the database is a server's

        while not self._ended.is_set():
            connection: Any = None
            try:
                connection = self._server.listening()
                while not self._ended.is_set():
                    for _ in connection.notifies(timeout=LISTENED, stop_after=1):
                        self._loop.call_soon_threadsafe(self._wake)
            except psycopg.Error:  # the looks go on
                self._ended.wait(LISTENED)
            finally:
                if connection is not None:
                    connection.close()
