"""The control database on a PostgreSQL server: one connection of control's, and what its trouble means.

Several controls serve one database. Each act takes a lock of its transaction (``ACTS``), first of all: acts follow one
another, whoever does them, and their numbers are in the order of their commits. Each control shares a lock of its
session (``SERVED``), which keeps out who wants the database alone: a restore, a command that works without control. Who
migrates waits for who does (``MIGRATIONS``). None of these locks is another database's or another schema's. What was
committed is told to whoever listens (``COMMITTED``).

A pooler that shares connections between transactions cannot stand between: the locks of a session would be anybody's.
"""

from __future__ import annotations

import math
import os
import re
import time
from contextlib import suppress
from socket import gethostname
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from gateway.common.folders import DatabaseServer
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable

SERVED: Final = 0x7467_0001
ACTS: Final = 0x7467_0002
MIGRATIONS: Final = 0x7467_0003
COMMITTED: Final = "tidegate_acts"  # the channel on which each act is told, empty, at its commit
OLDEST: Final = 130000  # server_version_num: those before get no fixes any more (postgresql.org, Versioning Policy)
LOCK_WITHIN: Final = 2.0  # seconds for a session of ours that is ending to let go of the lock
AGAIN_AFTER: Final = 0.5  # seconds after a failed try in which nobody else tries
IDLE_WITHIN: Final = 3.0  # seconds that an act may stay open while we do nothing, stopped by somebody: others wait
MIGRATED_WITHIN: Final = 600.0  # seconds to wait for somebody else's migration

_REASONS: Final = (
    (r"password authentication failed|no password supplied|pg_hba\.conf|role .* does not exist|authentication",
     "refuses us: look at the user, the password and the server's pg_hba.conf"),
    (r"database .* does not exist", "has no database of that name"),
    (r"certificate|SSL|TLS", "cannot be reached with the TLS that its URL asks for"),
    (r"starting up|shutting down|recovery mode|not yet accepting", "is starting or ending"),
    (r"too many clients|connection slots|too many connections", "has no connection left for us"),
    (r"timeout|timed out", "does not answer in time"),
    (r"Connection refused|No such file", "cannot be reached: nobody listens there"),
    (r"translate host name|resolve|not known", "cannot be reached: the name of its host is not known"),
    (r"read-only|target_session_attrs|read-write", "is read-only: no server of its URL takes changes"),
    (r"invalid|unsupported|unrecognized|missing \"=\"", "has a URL that the driver does not take"),
)  # fmt: skip
"""What libpq says, which knows no codes where there is no connection, and what we say."""

_BY_STATE: Final = (
    ("40001", "could not do this beside what others do"),
    ("40P01", "could not do this beside what others do"),
    ("55P03", "is busy with what somebody else does in it"),
    ("57014", "did not finish in time (control.postgresql.statement_timeout)"),
    ("25006", "is read-only"),
    ("25P03", "ended what took too long"),
    ("42501", "does not let us: its user lacks a right"),
    ("57P", "is starting or ending"),
    ("53", "has no room left"),
    ("58", "has trouble with its disk"),
    ("08", "is away"),
)
"""SQLSTATEs (PostgreSQL, Appendix A) or the beginning of them, and what we say."""

PASSING: Final = frozenset(("40001", "40P01"))
"""A serialisation failure and a deadlock: done again, it may go well."""


class PostgresqlServer:
    """Makes connections. ``sole``: for one who wants it alone; ``serving``: for a control, beside others. Used by one
    thread, apart from ``listening``."""

    def __init__(self, place: DatabaseServer, *, sole: bool = False, serving: bool = False) -> None:
        self.place = place
        self.read_only = False  # of the connection that was made last
        self.lives = 0  # connections that were made
        self._sole = sole
        self._serving = serving
        self._away_until = 0.0
        self._why = ""
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connected,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,
            use_native_hstore=False,  # else each connection looks for the type
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )

    def _connected(self) -> Any:
        """Raises ``DatabaseUnavailable``, ``DatabaseInUse``."""
        import psycopg  # only here: whoever has a file needs no libpq

        if time.monotonic() < self._away_until:
            raise DatabaseUnavailable(self._why)
        try:
            connection = psycopg.connect(self.place.url, **self._parameters(psycopg))
        except psycopg.Error as error:
            raise self._away(_reason(str(error))) from None  # its text may quote what the URL holds
        try:
            self._prepare(connection)
        except psycopg.Error as error:
            connection.close()
            raise self._away(reason(error) or "is away") from None
        except BaseException:  # raised again
            connection.close()
            raise
        return connection

    def _away(self, why: str) -> DatabaseUnavailable:
        self._why, self._away_until = why, time.monotonic() + AGAIN_AFTER
        return DatabaseUnavailable(why)

    def _parameters(self, psycopg: Any) -> dict[str, Any]:
        """What the URL does not say itself."""
        told = psycopg.conninfo.conninfo_to_dict(self.place.url)
        settings = self.place.settings
        wanted: dict[str, Any] = {
            "password": self.place.password or None,
            "connect_timeout": math.ceil(settings.connect_timeout),
            "application_name": f"tidegate {os.getpid()} on {gethostname()}"[:63],
            "client_encoding": "utf8",
            # What a partition leaves behind ends here as soon as there, and not after hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": math.ceil(settings.statement_timeout * 1000) + 5000,
        }
        return {
            **{name: value for name, value in wanted.items() if value is not None and name not in told},
            "autocommit": True,
            "prepare_threshold": None,  # a plan that is kept fails once where another release adds a column
        }

    def _prepare(self, connection: Any) -> None:
        settings = self.place.settings
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),"
            " current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery(),"
            " set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            [_milliseconds(one) for one in (settings.statement_timeout, settings.lock_timeout, IDLE_WITHIN)],
        ).fetchone()
        if row[0] < OLDEST:
            raise self._away(f"is PostgreSQL {row[0] // 10000}: at least {OLDEST // 10000} is needed")
        if row[1] != "UTF8":
            raise self._away(f"has the encoding {row[1]}: create it with ENCODING 'UTF8'")
        self.read_only = bool(row[2])
        if self._sole or self._serving:
            self._hold(connection)
        connection.autocommit = False
        self.lives += 1

    def _hold(self, connection: Any) -> None:
        until = time.monotonic() + LOCK_WITHIN
        shared = "" if self._sole else "_shared"
        lock = f"SELECT pg_try_advisory_lock{shared}({SERVED}, hashtext(current_schema()))"
        while not connection.execute(lock).fetchone()[0]:
            if time.monotonic() > until:
                found = connection.execute(
                    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE l.locktype = 'advisory' AND l.classid = %s AND l.granted"
                    " AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295)"
                    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                    [SERVED],
                ).fetchone()
                holder = f" ({found[0]})" if found is not None and found[0] else ""
                if self._serving:
                    raise self._away(f"is held by somebody who wants it alone, as a restore does{holder}")
                self._away(f"is served by another control process{holder}")
                raise DatabaseInUse(f"{self.place} is held: another control process is running{holder}")
            time.sleep(0.1)

    def begin(self, connection: Connection) -> None:
        """First of all in a transaction that changes something. Raises ``DatabaseUnavailable``."""
        if self.read_only:
            connection.invalidate()  # another of its URL's servers may be the primary by now
            raise DatabaseUnavailable("is read-only")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ACTS}, hashtext(current_schema()))")

    def begin_migration(self, connection: Connection) -> None:
        """Wait for whoever migrates; from then on nothing in this transaction is in a hurry."""
        within = _milliseconds(MIGRATED_WITHIN)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {within}")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {within}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATIONS}, hashtext(current_schema()))")

    def listening(self) -> Any:
        """A connection of its own, for a thread of its own, that hears of acts. Raises the driver's errors."""
        import psycopg

        connection = psycopg.connect(self.place.url, **self._parameters(psycopg))
        connection.execute(f"LISTEN {COMMITTED}")
        return connection

    def close(self) -> None:
        """End the connection, and with it the lock."""
        with suppress(DBAPIError):
            self.engine.dispose()


def gone(error: DBAPIError) -> bool:
    """Whether the connection is no more: nobody has said what became of what was sent last."""
    return error.connection_invalidated or _state(error).startswith(("57P", "08", "25P03"))


def passing(error: DBAPIError) -> bool:
    """Whether the same may go well a moment later. The transaction was not done."""
    return _state(error) in PASSING


def why(error: DBAPIError) -> str:
    """What to say of an error; empty where it is no trouble of the server's but a fault of ours."""
    return reason(error.orig) or ("is away" if error.connection_invalidated else "")


def reason(error: Any) -> str:
    """The same of the driver's error."""
    state = getattr(error, "sqlstate", None) or ""
    return next((told for code, told in _BY_STATE if state.startswith(code)), "")


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _reason(text: str) -> str:
    return next((told for pattern, told in _REASONS if re.search(pattern, text)), "cannot be reached")


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))
