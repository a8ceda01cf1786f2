"""The control database as one SQLite file, which one process owns.

WAL with ``synchronous = FULL``: an act that was answered is on disk.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from gateway.control.acts.refusal import DatabaseInUse

_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "secure_delete = ON",  # what was held for a person is not to be found in pages that nothing uses any more
)

_TROUBLES: Final = {
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_FULL: "cannot be written to: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
}


def why(error: DBAPIError) -> str:
    """What keeps the file from being used, as ``DatabaseUnavailable`` says it; empty where it is none of that."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return _TROUBLES.get(code & 0xFF, "")  # the low byte is the primary one (sqlite.org/rescode.html)


def locked(path: Path) -> int:
    """The descriptor that holds ``path``. Raises ``DatabaseInUse``."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DatabaseInUse(f"{path} is held: a control process is running") from error
    return descriptor


def engine(path: Path) -> Engine:
    """One connection, for one thread."""
    made = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )

    @event.listens_for(made, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late for reads and commit before DDL; begin them ourselves.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return made


def scrub(made: Engine) -> bool:
    """Put what was committed into the file itself and empty the log beside it, which holds pages as they were. Whether
    that is done: somebody who reads the file from outside (a backup) keeps it from going."""
    connection = made.raw_connection()
    try:
        busy, _, _ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    return not busy
