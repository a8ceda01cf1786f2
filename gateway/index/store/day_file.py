"""One file of the index: the messages of one node whose segments were opened on one day (UTC).

It says by itself how far it has read each segment, so that a crash leaves rows and places together or neither, and the
file can be thrown away and made again at any time. Rows are numbered in the order of time (``segment_days``), which is
why every question is answered from the highest number down without sorting.

    messages   a row a message: where its record stands, by whom and where it was sent as keyed digests, its state
    tags       reasons, effects, verdicts other than pass, states other than delivered
               (what nearly every message has is asked of its row)
    events     what became of it, with the place of each record; a plain delivery is in the row alone
    grams      pairs of its texts (FTS5, without the texts)
    late       events whose message is in another file, or in none yet
    zones      the times of each thousand rows

No text stands here, no sender and no room; with the pairs much of a text could be guessed. It is as personal as the
journal: mode 0600, and gone with the first of its segments.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from filters.model.errors import TidegateError
from gateway.index.store import grams
from gateway.index.store.entries import REMOVED, STATES, VERDICTS, IndexedMessage, IndexEvent, halves, heads, whole

FORMAT: Final = 1
ZONE: Final = 1000  # rows
SUFFIXES: Final = ("", "-wal", "-shm")
DELIVERED: Final = STATES.index("delivered")
GONE: Final = STATES.index(REMOVED)
_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('key', randomblob(32));
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE places (id INTEGER PRIMARY KEY, folder TEXT NOT NULL, name TEXT NOT NULL, read INTEGER,
                     UNIQUE (folder, name));
CREATE TABLE messages (n INTEGER PRIMARY KEY, head INTEGER NOT NULL, tail INTEGER NOT NULL, time INTEGER NOT NULL,
                       place INTEGER NOT NULL, at INTEGER NOT NULL, route INTEGER NOT NULL, room INTEGER NOT NULL,
                       sender INTEGER NOT NULL, verdict INTEGER NOT NULL, state INTEGER NOT NULL);
CREATE INDEX by_id ON messages (head);
CREATE INDEX by_sender ON messages (sender);
CREATE INDEX by_room ON messages (room);
CREATE TABLE tags (tag INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (tag, n)) WITHOUT ROWID;
CREATE TABLE events (n INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
                     place INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (n, time, kind, state)) WITHOUT ROWID;
CREATE TABLE late (head INTEGER NOT NULL, tail INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL,
                   state TEXT NOT NULL, reason TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,
                   PRIMARY KEY (head, tail, time, kind, state)) WITHOUT ROWID;
CREATE TABLE zones (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL);
CREATE VIRTUAL TABLE grams USING fts5(pairs, content='', detail=none, columnsize=0, tokenize='ascii');
"""


class IndexDamaged(TidegateError):
    """A file of the index that cannot be gone on with; it is made anew."""


class RecordPlace(NamedTuple):
    """Where a record stands: ``folder`` as ``node/worker``, ``segment`` a file name, ``offset`` bytes."""

    folder: str
    segment: str
    offset: int


class DayFile:
    """The writer's side; one thread at a time. ``put`` and ``become`` between ``begin`` and ``commit``; what SQLite
    refuses is raised as it is, a damaged file as ``IndexDamaged``."""

    def __init__(self, path: Path, *, texts: bool = True) -> None:
        self.path = path
        self._texts = texts
        new = not path.exists()
        if new:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._open()
        except sqlite3.OperationalError:
            self._database.close()
            raise
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            self._database.close()
            raise IndexDamaged(f"{path.name}: {error}") from None

    def _open(self) -> None:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA cache_size = -8192"):
            self._database.execute(statement)
        version = self._one("PRAGMA user_version")
        if version == 0 and not self._one("SELECT count(*) FROM sqlite_master"):
            self._database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT")
        elif version != FORMAT:
            raise IndexDamaged(f"{self.path.name} is of format {version}")
        self._key: bytes = self._one("SELECT value FROM meta WHERE name = 'key'")
        self._names: dict[str, int] = {name: number for number, name in self._rows("SELECT id, name FROM names")}
        self._places: dict[tuple[str, str], int] = {}
        self.read: dict[tuple[str, str], int] = {}
        for number, folder, name, read in self._rows("SELECT id, folder, name, read FROM places"):
            self._places[folder, name] = number
            if read is not None:
                self.read[folder, name] = read
        self.rows, self._highest = self._database.execute(
            "SELECT coalesce(max(n), 0), coalesce(max(head), 0) FROM messages"
        ).fetchone()
        self._fresh: dict[tuple[int, int], list[int]] = {}  # messages that are not in the file yet
        self._tags: list[tuple[int, int]] = []
        self._pairs: list[tuple[int, str]] = []
        zone = self._database.execute("SELECT first, last, oldest, newest FROM zones ORDER BY first DESC").fetchone()
        self._zone: list[int] | None = list(zone) if zone is not None else None
        self.oldest, self.newest = self._database.execute("SELECT min(oldest), max(newest) FROM zones").fetchone()
        self.has_late = bool(self._one("SELECT EXISTS (SELECT 1 FROM late)"))
        self.done = bool(self._one("SELECT count(*) FROM meta WHERE name = 'done'"))

    # -- writing

    def begin(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self, read: Mapping[tuple[str, str], int]) -> None:
        """End what was put, together with how far segments, by (folder, name), are read."""
        self._flush()
        for (folder, name), offset in read.items():
            self._database.execute("UPDATE places SET read = ? WHERE id = ?", (offset, self._place(folder, name)))
        if self._zone is not None:
            self._database.execute("INSERT OR REPLACE INTO zones VALUES (?, ?, ?, ?)", self._zone)
        self._database.execute("COMMIT")
        self.read.update(read)

    def finish(self) -> None:
        """All of its segments are read, and what other files tell of its messages is said here."""
        self._database.execute("INSERT OR IGNORE INTO meta VALUES ('done', 1)")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.done = True

    def close(self) -> None:
        """Whatever was not committed is not there."""
        with suppress(sqlite3.Error):
            self._database.close()

    def put(self, message: IndexedMessage, place: RecordPlace) -> None:
        """A message; one that is there already is left as it is."""
        half = halves(message.id)
        if half is None or half in self._fresh or (half[0] <= self._highest and self._find(half) is not None):
            return
        number = self.rows = self.rows + 1
        self._highest = max(self._highest, half[0])
        self._fresh[half] = [
            number, *half, message.time, self._place(place.folder, place.segment), place.offset,
            self._name(f"route:{message.route}"), digest(self._key, "room", message.room),
            digest(self._key, "sender", message.sender), VERDICTS.index(message.verdict),
            STATES.index(message.state), 0,
        ]  # fmt: skip
        self._tags += [(self._name(tag), number) for tag in message.tags]
        if self._texts and message.texts is not None:
            self._pairs.append((number, grams.pairs(message.texts)))
        self._extend(number, message.time)

    def become(self, event: IndexEvent, place: RecordPlace) -> bool:
        """What became of a message; False where it is not here. Told twice it counts once; the newest one counts."""
        half = halves(event.id)
        if half is None:
            return False
        row = self._fresh.get(half)
        if row is None:
            found = self._database.execute("SELECT n, state FROM messages WHERE head = ? AND tail = ?", half).fetchone()
            if found is None:
                return False
            number, state = found
        else:
            number, state = row[0], row[10]
        standing = event.standing
        if standing == "delivered" and not state and event.kind == "outcome":
            # The record says no more than that, and this is what nearly every message comes to.
            self._stand(row, number, 0, DELIVERED)
            return True
        if row is None:
            said = "SELECT max(time) FROM events WHERE n = ? AND kind != 'removal'"
            newest = self._one(said, number) or 0
        else:
            newest = row[11]
            row[11] = max(newest, event.at)
        where = self._place(place.folder, place.segment)
        told = (number, event.at, event.kind, event.state, where, place.offset)
        self._database.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)", told)
        if standing and state != GONE and (standing == REMOVED or event.at >= newest):
            self._stand(row, number, state, STATES.index(standing))
        if event.reason and event.kind == "outcome":
            self._tags.append((self._name(f"reason:{event.reason}"), number))
        return True

    def _stand(self, row: list[int] | None, number: int, was: int, now: int) -> None:
        """Put a message into another state; ``row``: where it is not in the file yet."""
        if row is not None:
            row[10] = now
            return
        self._database.execute("UPDATE messages SET state = ? WHERE n = ?", (now, number))
        if was != DELIVERED:
            self._database.execute("DELETE FROM tags WHERE tag = ? AND n = ?", (self._state(was), number))
        if now != DELIVERED:
            self._database.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (self._state(now), number))

    def _flush(self) -> None:
        rows = self._fresh.values()
        self._tags += [(self._state(row[10]), row[0]) for row in rows if row[10] != DELIVERED]
        database = self._database
        database.executemany(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [row[:11] for row in rows]
        )
        database.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", self._tags)
        database.executemany("INSERT INTO grams (rowid, pairs) VALUES (?, ?)", self._pairs)
        self._fresh, self._tags, self._pairs = {}, [], []

    def _state(self, state: int) -> int:
        return self._name(f"state:{STATES[state]}")

    def keep(self, event: IndexEvent, place: RecordPlace) -> None:
        """An event of a message that is not here."""
        half = halves(event.id)
        if half is None:
            return
        where = self._place(place.folder, place.segment)
        row = (*half, event.at, event.kind, event.state, event.reason, where, place.offset)
        self._database.execute("INSERT OR IGNORE INTO late VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.has_late = True

    def late(self, since_us: int, until_us: int) -> Iterator[tuple[IndexEvent, RecordPlace]]:
        """Events of messages of other files, of this time."""
        if not self.has_late:
            return
        for head, tail, at, kind, state, reason, folder, name, offset in self._rows(
            "SELECT head, tail, time, kind, state, reason, folder, name, at FROM late JOIN places ON places.id = place "
            "WHERE head >= ? AND head < ? ORDER BY time", *heads(since_us, until_us),
        ):  # fmt: skip
            yield IndexEvent(whole(head, tail), at, kind, state, reason), RecordPlace(folder, name, offset)

    # -- small things

    def _find(self, half: tuple[int, int]) -> int | None:
        found = self._database.execute("SELECT n FROM messages WHERE head = ? AND tail = ?", half).fetchone()
        return int(found[0]) if found is not None else None

    def _extend(self, number: int, time: int) -> None:
        zone = self._zone
        if zone is None or number - zone[0] >= ZONE:
            if zone is not None:
                self._database.execute("INSERT OR REPLACE INTO zones VALUES (?, ?, ?, ?)", zone)
            zone = self._zone = [number, number, time, time]
        zone[1:] = [number, min(zone[2], time), max(zone[3], time)]
        self.oldest = time if self.oldest is None else min(self.oldest, time)
        self.newest = time if self.newest is None else max(self.newest, time)

    def _name(self, name: str) -> int:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = len(self._names) + 1
            self._database.execute("INSERT INTO names VALUES (?, ?)", (known, name))
        return known

    def _place(self, folder: str, name: str) -> int:
        known = self._places.get((folder, name))
        if known is None:
            known = self._places[folder, name] = len(self._places) + 1
            self._database.execute("INSERT INTO places VALUES (?, ?, ?, NULL)", (known, folder, name))
        return known

    def _rows(self, statement: str, *given: object) -> list[tuple]:  # type: ignore[type-arg]
        return self._database.execute(statement, given).fetchall()

    def _one(self, statement: str, *given: object):  # type: ignore[no-untyped-def]
        found = self._database.execute(statement, given).fetchone()
        return found[0] if found is not None else None


def digest(key: bytes, kind: str, value: str) -> int:
    """A name as a file keeps it: keyed BLAKE2b-64 (RFC 7693), as SQLite's signed 64-bit integer."""
    made = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8, key=key, person=kind.encode()).digest()
    return int.from_bytes(made, "big", signed=True)


def remove(path: Path) -> None:
    """Throw a file of the index away."""
    for suffix in SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
