"""Which releases can work with a control database: during an upgrade, and on the way back from one.

Migrations only add: tables, and columns that have a default. So a program works with the schema of the release after
its own, whose number stands in the database (``PRAGMA user_version`` of a file, the mark ``schema`` on a server);
beyond that nobody has promised anything.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from gateway.common.folders import DatabasePlace
from gateway.control.acts.postgresql import PostgresqlServer
from gateway.control.acts.refusal import DatabaseUnavailable

RELEASE: Final = 3
"""Raised by one in each release that has new migrations. Databases of releases before there was a number say 0."""

MARK: Final = "schema"
BEYOND: Final = "is of a release that is newer than the next: this program cannot work with it"


def release(connection: Connection) -> int:
    """The number of the release whose schema it is; 0 where nobody has written one."""
    if connection.dialect.name == "sqlite":
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if not inspect(connection).has_table("marks"):
        return 0
    return int(connection.execute(text("SELECT value FROM marks WHERE name = :name"), {"name": MARK}).scalar() or 0)


def revision(connection: Connection) -> str:
    """Alembic's name of the schema; empty where there is none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def of_next_release(connection: Connection) -> bool:
    """Whether the schema is that of the release after this one."""
    return release(connection) == RELEASE + 1


def beyond(connection: Connection) -> bool:
    """Whether it is one of which nobody has promised anything."""
    return release(connection) > RELEASE + 1


def note(connection: Connection) -> None:
    """The schema is that of this release."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {RELEASE}")
        return
    connection.execute(
        text(
            "INSERT INTO marks (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = greatest(marks.value, excluded.value)"
        ),
        {"name": MARK, "value": RELEASE},
    )


def problem(place: DatabasePlace) -> str:
    """Why this program cannot work with a database, while another one does; empty where it can. A server that is away
    is away for both."""
    if not isinstance(place, Path):
        return _of_server(PostgresqlServer(place))
    if not place.exists():
        return ""
    try:
        connection = sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=5.0)
        try:
            found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"{place} cannot be read: {error}"
    return f"{place} {BEYOND}" if found > RELEASE + 1 else ""


def _of_server(server: PostgresqlServer) -> str:
    try:
        with server.engine.connect() as connection:
            return f"{server.place} {BEYOND}" if beyond(connection) else ""
    except (DatabaseUnavailable, DBAPIError):
        return ""
    finally:
        server.close()
