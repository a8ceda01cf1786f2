"""Lines that people added to or removed from an operator's word list, as the compiler reads them.

The operator's file is never written. The compiler, another process, reads the changes from the control database; it
must stay light, so this reads with the standard library and knows one table only.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

ADDED = "added"
REMOVED = "removed"


class LineChanges(NamedTuple):
    """Changes of one list, in the order in which they were made."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def line_changes(database: Path) -> dict[str, LineChanges]:
    """Every list that was changed, by name; none where there is no control database yet.

    A database that cannot be read raises ``sqlite3.Error``: lists must not quietly lose what people added.
    """
    if not database.exists():
        return {}
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'words'").fetchone():
            return {}
        rows = connection.execute("SELECT list, line, effect FROM words ORDER BY id").fetchall()
    found: dict[str, tuple[list[str], list[str]]] = {}
    for name, line, effect in rows:
        added, removed = found.setdefault(name, ([], []))
        (added if effect == ADDED else removed).append(line)
    return {name: LineChanges(tuple(added), tuple(removed)) for name, (added, removed) in found.items()}
