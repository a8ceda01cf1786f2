"""The control database: a SQLite file or a PostgreSQL server, and the one thread that uses it.

Everything runs in one thread in the order it was asked for, so that no two acts of ours ever interleave, and nothing of
it in a loop. The schema is brought up to date by Alembic when it is opened (``migrations/``).

A file can be locked by somebody else's program, read-only, or on a disk that is full; a server can be away, slow or
read-only. Then ``DatabaseUnavailable`` says so, and nothing of what was wanted was done:

    lost before the commit        done again on a new connection, ``TRIES`` times at most
    serialisation, deadlock       the same
    lost while committing         asked, on a new connection that waits for the old one's end, whether it was done;
                                  ``OutcomeUnknown`` where nobody can say within ``SETTLED_WITHIN``
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gateway.common.folders import DatabasePlace
from gateway.control.acts import postgresql, schema, sqlite_file
from gateway.control.acts.postgresql import PostgresqlServer
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable, OutcomeUnknown
from gateway.control.acts.rows import Origin

T = TypeVar("T")

log = structlog.get_logger()

MIGRATIONS = Path(__file__).parent / "migrations"
TRIES = 3
SETTLED_WITHIN = 10.0  # seconds to find out what became of a commit

Work = Callable[[Session], T]


class Database:
    """Open, migrated and locked for this process; a file's folder is made where it is missing, for its owner only.

    ``migrated`` false: as it is, for a look before it is certain that this version will run. A server's: ``sole`` for
    one who wants it alone, ``serving`` for a control, of which there may be several; neither for a look. ``opened``
    false: not before ``open`` or ``opened``, which a server that is away lets fail. ``origin``: its own id, drawn when
    it was first opened; empty where it is not migrated. ``problem``: why it cannot be used now; empty while it can.
    """

    def __init__(
        self,
        place: DatabasePlace,
        *,
        migrated: bool = True,
        sole: bool = True,
        opened: bool = True,
        serving: bool = False,
    ) -> None:
        self.place = place
        self.origin = ""
        self.problem = "" if opened or isinstance(place, Path) else "was not asked yet"
        self._migrated = migrated
        self._since = time.monotonic()  # of the problem
        self._told = False  # the problem stands in the log
        self._closed = False
        self._lock: int | None = None
        self._server: PostgresqlServer | None = None
        if isinstance(place, Path):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = sqlite_file.locked(place.with_name(place.name + ".lock"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="control-database")
        self.engine: Engine
        if isinstance(place, Path):
            self.engine = sqlite_file.engine(place)
        else:
            self._server = PostgresqlServer(place, sole=sole and not serving, serving=serving)
            self.engine = self._server.engine
        if opened:
            try:
                self.open()
            except BaseException:  # raised again; nobody else could let go of thread and lock
                self.close()
                raise

    def open(self) -> None:
        """Connect and migrate. Raises ``DatabaseUnavailable``, ``DatabaseInUse``."""
        self._thread.submit(self._open).result()

    async def opened(self) -> None:
        """The same for a loop; a file that is open stays so."""
        if isinstance(self.place, Path) and self.origin:
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    def _open(self) -> None:
        if isinstance(self.place, Path):
            if self._migrated:
                self.place.touch(mode=0o600)  # the driver would create it readable for everybody
                with self.engine.begin() as connection:
                    migrate(connection)
                self.origin = self._run(_origin)
            return
        try:
            self._migrate_server()
        except DBAPIError as error:
            raise self._troubled(postgresql.why(error) or "cannot be migrated") from None
        except CommandError:
            raise self._troubled(schema.BEYOND) from None
        except DatabaseUnavailable as error:
            raise self._troubled(error.why) from None
        if self._migrated:
            self.origin = self._on_server(lambda session: session.scalar(select(Origin.id)), reading=True) or (
                self._on_server(_origin)
            )

    def _migrate_server(self) -> None:
        assert self._server is not None
        with self.engine.begin() as connection:
            if not self._migrated or current(connection):
                return
            if self._server.read_only:
                raise DatabaseUnavailable("is read-only, and its schema is not this version's")
            self._server.begin_migration(connection)
            if schema.beyond(connection):
                raise DatabaseUnavailable(schema.BEYOND)
            migrate(connection)

    # Work

    @property
    def server(self) -> PostgresqlServer | None:
        """None where it is a file, which one control has for itself."""
        return self._server

    @property
    def lives(self) -> int:
        """How many connections there were. What stood behind an earlier one may be another server by now, and lack
        what that one had."""
        return self._server.lives if self._server is not None else 0

    def now(self, work: Work[T], *, reading: bool = False) -> T:
        """Run ``work`` in a transaction and wait for it; for commands without a loop. ``reading``: as ``read`` does."""
        return self._thread.submit(partial(self._read if reading else self._run, work)).result()

    async def run(self, work: Work[T], committed: Callable[[Session], bool] | None = None) -> T:
        """Run ``work`` in a transaction, committed when it returns and rolled back when it raises; it may be done more
        than once before it is committed. ``committed`` tells of one whose end nobody has seen whether it was done;
        where there is none, whoever asked does it again."""
        return await self._asked(partial(self._run, work, committed))

    async def read(self, work: Work[T]) -> T:
        """Run what changes nothing, at one point of the acts' order: a server that takes no changes answers it too."""
        return await self._asked(partial(self._read, work))

    async def scrubbed(self) -> bool:
        """Leave nothing behind of what was removed: true where a file's log is emptied. A server has its own ways
        (VACUUM), and is not asked."""
        if self._server is not None:
            return True
        return await self._asked(partial(sqlite_file.scrub, self.engine))

    async def ping(self) -> None:
        """Raises where the database does not answer."""
        await self.read(lambda session: session.execute(select(1)))

    async def _asked(self, call: Callable[[], T]) -> T:
        future = self._thread.submit(call)
        answer = asyncio.wrap_future(future)
        if self._server is None:
            return await answer
        try:
            done, _ = await asyncio.wait({answer}, timeout=self._server.place.settings.max_wait)
        except asyncio.CancelledError:
            answer.cancel()
            raise
        if not done and future.cancel():  # else it has begun, and its end must be known
            raise self._troubled("is busy with what was asked before")
        return await answer

    def _run(self, work: Work[T], committed: Callable[[Session], bool] | None = None) -> T:
        if self._server is not None:
            return self._on_server(work, committed)
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                result = work(session)
        except DBAPIError as error:  # also of the commit: the file then has nothing of it
            told = sqlite_file.why(error)
            if not told:
                raise
            raise self._troubled(told) from None
        self._answered()
        return result

    def _read(self, work: Work[T]) -> T:
        return self._run(work) if self._server is None else self._on_server(work, reading=True)

    def _on_server(
        self, work: Work[T], committed: Callable[[Session], bool] | None = None, *, reading: bool = False
    ) -> T:
        assert self._server is not None
        for left in reversed(range(TRIES)):
            committing = False
            try:
                with Session(self.engine, expire_on_commit=False) as session:
                    if reading:
                        session.connection(
                            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
                        )
                        result = work(session)
                    else:
                        self._server.begin(session.connection())
                        result = work(session)
                        session.flush()
                        committing = True
                        session.commit()
            except DBAPIError as error:
                told = postgresql.why(error)
                if not told:
                    raise
                if postgresql.gone(error) and committing:
                    return self._became(result, committed, told)
                if left and (postgresql.gone(error) or postgresql.passing(error)):
                    time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - so that two do not meet again
                    continue
                raise self._troubled(told) from None
            except DatabaseInUse:
                raise self._troubled("is served by another control process") from None
            except DatabaseUnavailable as error:
                raise self._troubled(error.why) from None
            if not (reading and self._server.read_only):
                self._answered()
            return result
        raise AssertionError("the last try returns or raises")

    def _became(self, result: T, committed: Callable[[Session], bool] | None, told: str) -> T:
        """What became of a commit whose answer was lost."""
        assert self._server is not None
        if committed is None:
            raise self._troubled(told)
        until = time.monotonic() + SETTLED_WITHIN
        while True:
            try:
                with Session(self.engine) as session:
                    self._server.begin(session.connection())  # not before the lost one has ended
                    done = committed(session)
                break
            except (DBAPIError, DatabaseInUse, DatabaseUnavailable):
                self._troubled(told)
                if time.monotonic() > until:
                    raise OutcomeUnknown(told) from None
                time.sleep(0.1)
        self._answered()
        if done:
            return result
        raise DatabaseUnavailable(told)

    def _troubled(self, why: str) -> DatabaseUnavailable:
        if not self._told:  # once for each outage
            self._since, self._told = time.monotonic(), True
            log.error("database.away", database=str(self.place), problem=why)
        elif why != self.problem:
            log.warning("database.away", database=str(self.place), problem=why)
        self.problem = why
        return DatabaseUnavailable(why)

    def _answered(self) -> None:
        if self._told:
            log.warning("database.back", database=str(self.place), seconds=round(time.monotonic() - self._since, 1))
        self.problem, self._told = "", False

    def close(self) -> None:
        """Wait for what is running, then let the database go; once."""
        if self._closed:
            return
        self._closed = True
        closing = self._server.close if self._server is not None else self.engine.dispose
        self._thread.submit(closing).result()
        self._thread.shutdown()
        if self._lock is not None:
            os.close(self._lock)


def _origin(session: Session) -> str:
    held = session.scalar(select(Origin.id))
    if held is None:
        held = str(uuid4())
        session.add(Origin(id=held))
    return held


def migrate(connection: Connection) -> None:
    """Bring the schema to the newest version. That of the release after this one only has more, and is left as it is;
    one from a newer program than that is refused by Alembic, untouched."""
    if schema.of_next_release(connection):
        log.warning("database.newer", release=schema.RELEASE + 1)
        return
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    schema.note(connection)


def current(connection: Connection) -> bool:
    """Whether the schema is this version's, so that there is nothing to do."""
    return schema.release(connection) == schema.RELEASE and schema.revision(connection) == (
        ScriptDirectory.from_config(_alembic()).get_current_head()
    )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("recursive_version_locations", "true")
    return config
