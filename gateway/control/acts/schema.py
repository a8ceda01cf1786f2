"""Which releases can work with a control database: during an upgrade, and on the way back from one.

Migrations only add: tables, and columns that have a default. So a program works with the schema of the release after
its own, whose number stands in the file (``PRAGMA user_version``); beyond that nobody has promised anything.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

RELEASE: Final = 1
"""Raised by one in each release that has new migrations. Files of releases before there was a number say 0."""


def of_next_release(connection: Connection) -> bool:
    """Whether the schema is that of the release after this one."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) == RELEASE + 1


def note(connection: Connection) -> None:
    """The schema is that of this release."""
    connection.exec_driver_sql(f"PRAGMA user_version = {RELEASE}")


def problem(path: Path) -> str:
    """Why this program cannot work with a database, while another one does; empty where it can."""
    if not path.exists():
        return ""
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)
        try:
            found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"{path} cannot be read: {error}"
    if found > RELEASE + 1:
        return f"{path} is of a release that is newer than the next: this program cannot work with it"
    return ""
