"""The control database: one SQLite file, one thread that owns it.

WAL with ``synchronous = FULL``: an act that was answered is on disk. Everything runs in one thread in the order it was
asked for, so that no two acts ever interleave and none waits for a lock. The schema is brought up to date by Alembic
when the file is opened (``migrations/``).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import orjson
import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from filters.model.errors import TidegateError
from gateway.control.acts import schema
from gateway.control.acts.rows import Origin

T = TypeVar("T")

log = structlog.get_logger()

MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseInUse(TidegateError):
    """Another process (a running control) owns the database."""


class Database:
    """Open, migrated and locked for this process; its folder is made where it is missing, for its owner only.

    ``migrated`` false: as it is, for a look before it is certain that this version will run. ``origin``: its own id,
    drawn when it was first opened; empty where it is not migrated.
    """

    def __init__(self, path: Path, *, migrated: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._lock = _locked(path.with_name(path.name + ".lock"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="control-database")
        self.engine = _engine(path)
        self.origin = ""
        try:
            if migrated:
                self._thread.submit(self._migrate).result()
                self.origin = self.now(_origin)
        except BaseException:  # raised again; nobody else could let go of thread and lock
            self.close()
            raise

    def _migrate(self) -> None:
        self.path.touch(mode=0o600)  # the driver would create it readable for everybody
        with self.engine.begin() as connection:
            migrate(connection)

    def now(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction and wait for it; for start-up and for commands without a loop."""
        return self._thread.submit(self._run, work).result()

    async def run(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction, committed when it returns and rolled back when it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[Session], T]) -> T:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return work(session)

    def close(self) -> None:
        """Wait for what is running, then let the file go."""
        self._thread.submit(self.engine.dispose).result()
        self._thread.shutdown()
        os.close(self._lock)


def _origin(session: Session) -> str:
    held = session.scalar(select(Origin.id))
    if held is None:
        held = str(uuid4())
        session.add(Origin(id=held))
    return held


def migrate(connection: Connection) -> None:
    """Bring the schema to the newest version. That of the release after this one only has more, and is left as it is; a
    file from a newer program than that is refused by Alembic, untouched."""
    if schema.of_next_release(connection):
        log.warning("database.newer", release=schema.RELEASE + 1)
        return
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    schema.note(connection)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DatabaseInUse(f"{path} is held: a control process is running") from error
    return descriptor


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,  # one connection: one thread uses it
        connect_args={"check_same_thread": False},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late for reads and commit before DDL; begin them ourselves.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
