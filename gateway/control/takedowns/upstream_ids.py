"""Which of our messages does the platform call by this name: a bounded index, made from the journal.

    (route, the platform's id) ──BLAKE2b-64──► key ──► our id, 16 bytes

A file of its own beside the control database, and no truth: it can be deleted at any time. Two tables take turns. When
the current one holds half of ``most`` names, the other is emptied and becomes the current one: what is forgotten is
always the oldest, in one statement, and the file never grows beyond ``most`` names, about 40 bytes each. Names mean
something within a route only; where a platform gives one twice, the newest message counts. Two names with one key are
one in 10¹² at a million of them; who acts on an answer compares it with the journal.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

MOST = 10_000_000


class UpstreamIds:
    """Owned by one thread at a time. ``commit`` ends what was put since the last one, together with ``kept``."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._half = max(most // 2, 1)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = OFF",  # what is lost with the power is read again from the journal
            "CREATE TABLE IF NOT EXISTS names_0 (key INTEGER PRIMARY KEY, id BLOB NOT NULL)",
            "CREATE TABLE IF NOT EXISTS names_1 (key INTEGER PRIMARY KEY, id BLOB NOT NULL)",
            "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        ):
            self._database.execute(statement)
        self._current = int(self.kept("current", 0))
        self._count = self._one(f"SELECT count(*) FROM names_{self._current}")  # noqa: S608 - 0 or 1

    @classmethod
    def opened(cls, path: Path, most: int = MOST) -> UpstreamIds:
        """The index at ``path``; a damaged one is begun anew."""
        try:
            return cls(path, most)
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return cls(path, most)

    def get(self, route: str, upstream_id: str) -> str:
        """Our id; empty where it is not known, or not any more."""
        wanted = key(route, upstream_id)
        for table in (self._current, 1 - self._current):
            found = self._database.execute(f"SELECT id FROM names_{table} WHERE key = ?", (wanted,)).fetchone()  # noqa: S608
            if found is not None:
                return str(uuid.UUID(bytes=found[0]))
        return ""

    def commit(self, names: Iterable[tuple[str, str, str]], kept: Mapping[str, Any]) -> None:
        """Add (route, the platform's id, ours) and keep values by name, all or nothing."""
        rows = {key(route, theirs): _packed(ours) for route, theirs, ours in names}
        database = self._database
        database.execute("BEGIN")
        try:
            database.executemany(
                f"INSERT OR REPLACE INTO names_{self._current} VALUES (?, ?)",  # noqa: S608
                sorted(rows.items()),
            )
            current, count = self._current, self._count + len(rows)
            if count >= self._half:
                current, count = 1 - current, 0
                database.execute(f"DELETE FROM names_{current}")  # noqa: S608
            for name, value in {**kept, "current": current}.items():
                database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, orjson.dumps(value).decode()))
        except BaseException:  # raised again; half of a batch must not count
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
        self._current, self._count = current, count

    def kept(self, name: str, default: Any) -> Any:
        """What was kept by this name."""
        found = self._database.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return orjson.loads(found[0]) if found is not None else default

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def _one(self, statement: str) -> int:
        with closing(self._database.execute(statement)) as cursor:
            return int(cursor.fetchone()[0])


def _packed(message_id: str) -> bytes:
    packed = bytes.fromhex(message_id.replace("-", ""))
    if len(packed) != 16:
        raise ValueError("a message's id has 16 bytes")
    return packed


def key(route: str, upstream_id: str) -> int:
    """BLAKE2b-64 (RFC 7693) as SQLite's signed 64-bit integer."""
    digest = blake2b(f"{route}\0{upstream_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
