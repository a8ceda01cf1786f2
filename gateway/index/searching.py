"""Questions to the index: the newest first, page by page, each page within a bounded time.

A file is asked from its highest row down, ``WINDOW`` rows at a time, so that the time is looked at often enough
whatever was asked; where it is over, the page ends there and says where to go on. Whatever the index says is held
against the record itself before it is told: names are digests here, and pairs are not yet a text.
"""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from gateway.index.store import grams
from gateway.index.store.day_file import FORMAT, IndexDamaged, RecordPlace, digest
from gateway.index.store.day_files import Day, DayFiles
from gateway.index.store.entries import STATES, VERDICTS, halves, message_of, whole
from gateway.journal.read import lookup
from gateway.journal.write import ids
from gateway.journal.write.encoding import MAX_LINE, Corrupt, decode
from gateway.journal.write.segments import IMPORTS

WINDOW: Final = 1 << 17  # rows
READ: Final = 4096  # bytes of a record that are read at once; most are shorter
FILES: Final = 64  # that are open for reading
FEW: Final = 300
NEVER: Final = 1 << 62
NOWHERE: Final = ("", "")
UNKNOWN: Final = -1  # a name that no row of the file has
_SELECT: Final = "SELECT m.n, m.head, m.tail, m.time, m.at, p.folder, p.name, m.state"
_MATCH: Final = "grams MATCH :text"


class SearchAsked(NamedTuple):
    """Empty fields ask nothing; times in µs since the epoch, the end not included. ``verdict``: one of the record's, or
    an effect; ``text``: a piece of the text."""

    ids: tuple[str, ...] = ()
    sender: str = ""
    room: str = ""
    route: str = ""
    verdict: str = ""
    reason: str = ""
    state: str | None = None
    text: str = ""
    since_us: int = 0
    until_us: int = NEVER


class FoundMessage(NamedTuple):
    """A message: where it stands in the index, its record, and what became of it."""

    day: Day
    number: int
    time: int
    state: str
    record: dict[str, Any]
    events: list[dict[str, Any]]


class SearchPlace(NamedTuple):
    """Where a page begins: below these rows of files that are begun, then at the file ``rest`` (date, node) and those
    before it."""

    begun: dict[Day, int]
    rest: tuple[str, str]


class SearchPage(NamedTuple):
    """``place``: where the next page begins, None after the last one. ``complete``: all that it should hold was looked
    for; else the time was over, and it may be empty although there is more."""

    found: list[FoundMessage]
    place: SearchPlace | None
    complete: bool


class DayReader:
    """One file, for reading. Raises ``IndexDamaged``."""

    def __init__(self, path: Path, day: Day, journal: Path) -> None:
        self.identity = path.stat().st_ino
        self._day = day
        self._journal = journal
        where = f"file:{quote(os.fspath(path))}?mode=rw"  # a reader of a WAL writes beside it
        self._database = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False, timeout=2.0)
        try:
            self._database.execute("PRAGMA query_only = ON")
            if self._one("PRAGMA user_version") != FORMAT:
                raise IndexDamaged(f"{path.name} is of another format")
            self._key: bytes = self._one("SELECT value FROM meta WHERE name = 'key'")
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._database.close()

    def newest(self) -> int:
        """The time of its newest message, 0 where it has none."""
        return int(self._one("SELECT coalesce(max(newest), 0) FROM zones"))

    def rows(self, asked: SearchAsked, below: int, until: float) -> Iterator[FoundMessage | int]:
        """Matching messages under row ``below``, the newest first; a number: the time is over, go on below it."""
        first, last = self._database.execute(
            "SELECT coalesce(min(first), 0), coalesce(max(last), -1) FROM zones WHERE newest >= ? AND oldest < ?",
            (asked.since_us, asked.until_us),
        ).fetchone()
        high = min(below, last + 1)
        statement, given = self._statement(asked)
        if UNKNOWN in given.values():
            return
        piece = grams.normal(asked.text)
        while high > first:
            low = max(first, high - WINDOW)
            for row in self._database.execute(statement, {**given, "high": high, "low": low}):
                found = self._found(row, asked, piece)
                if found is not None:
                    yield found
                elif monotonic() > until:
                    yield int(row[0])
                    return
            high = low
            if monotonic() > until and high > first:
                yield high
                return

    def by_id(self, message_id: str) -> FoundMessage | None:
        """One message with everything that became of it."""
        half = halves(message_id)
        if half is None:
            return None
        row = self._database.execute(
            f"{_SELECT} FROM messages m JOIN places p ON p.id = m.place WHERE m.head = ? AND m.tail = ?", half
        ).fetchone()
        return self._found(row, SearchAsked(), "") if row is not None else None

    def trail(self, number: int) -> list[dict[str, Any]]:
        """The records of what became of it, in the order of time."""
        return [record for _, record in self._events(number) if record is not None]

    def _statement(self, asked: SearchAsked) -> tuple[str, dict[str, Any]]:
        """What picks least comes first; the rest is asked of each row."""
        given: dict[str, Any] = {"since": asked.since_us, "until": asked.until_us}
        where = ["m.time >= :since", "m.time < :until"]
        tags = [f"reason:{asked.reason}"] if asked.reason else []
        for name in ("sender", "room"):
            value = getattr(asked, name)
            if value:
                given[name] = digest(self._key, name, value)
                where.append(f"m.{name} = :{name}")
        if asked.route:
            given["route"] = self._name(f"route:{asked.route}")
            where.append("m.route = :route")
        if asked.verdict in VERDICTS:
            given["verdict"] = VERDICTS.index(asked.verdict)
            where.append("m.verdict = :verdict")
            tags += [f"verdict:{asked.verdict}"] if asked.verdict != "pass" else []
        elif asked.verdict:
            tags.append(f"effect:{asked.verdict}")
        if asked.state is not None:
            given["state"] = STATES.index(asked.state)
            where.append("m.state = :state")
            tags += [f"state:{asked.state}"] if asked.state != "delivered" else []
        given |= {f"tag{number}": self._name(tag) for number, tag in enumerate(tags)}
        source, order = "messages m", "m.n"
        alone = "" if not asked.text else "EXISTS (SELECT 1 FROM grams WHERE grams MATCH :text AND rowid = m.n)"
        if not (asked.sender and self._few("sender", given["sender"])):
            if asked.text:
                source, order, alone = "grams CROSS JOIN messages m ON m.n = grams.rowid", "grams.rowid", _MATCH
            elif tags and not asked.sender and not asked.room:
                source, order = "tags t CROSS JOIN messages m ON m.n = t.n", "t.n"
                where.append("t.tag = :tag0")
        if alone:
            given["text"] = grams.expression(grams.normal(asked.text))
            where.append(alone)
        where += [
            f"EXISTS (SELECT 1 FROM tags o WHERE o.tag = :tag{number} AND o.n = m.n)"  # noqa: S608 - a number
            for number in range(len(tags))
            if number or not source.startswith("tags")
        ]
        where.append(f"{order} < :high AND {order} >= :low")
        rows = f"{_SELECT} FROM {source} JOIN places p ON p.id = m.place"
        return f"{rows} WHERE {' AND '.join(where)} ORDER BY {order} DESC", given

    def _few(self, column: str, value: int) -> bool:
        """Whether so few rows have this that each of them can be looked at."""
        counted = f"SELECT count(*) FROM (SELECT 1 FROM messages WHERE {column} = ? LIMIT {FEW})"  # noqa: S608 - ours
        return int(self._one(counted, value)) < FEW

    def _found(self, row: Any, asked: SearchAsked, piece: str) -> FoundMessage | None:
        number, head, tail, at, offset, folder, segment, state = row
        record = read_record(self._journal, RecordPlace(folder, segment, offset))
        if record is None or record.get("id") != whole(head, tail):
            return None  # pruned since, or another one: the index is behind
        message = message_of(record)
        if message is None or (asked.sender and message.sender != asked.sender):
            return None
        if (asked.room and message.room != asked.room) or (asked.route and message.route != asked.route):
            return None
        if piece and not grams.holds(message.texts or (), piece):
            return None
        events = [told for told, _ in self._events(number)]
        return FoundMessage(self._day, number, at, STATES[state], record, events)

    def _events(self, number: int) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        for at, kind, state, folder, segment, offset in self._database.execute(
            "SELECT time, kind, state, folder, name, at FROM events JOIN places ON places.id = place WHERE n = ? "
            "ORDER BY time", (number,),
        ):  # fmt: skip
            place = RecordPlace(folder, segment, offset)
            yield {"at": at, "kind": kind, "state": state}, read_record(self._journal, place)

    def _name(self, name: str) -> int:
        found = self._one("SELECT id FROM names WHERE name = ?", name)
        return int(found) if found is not None else UNKNOWN

    def _one(self, statement: str, *given: object) -> Any:
        found = self._database.execute(statement, given).fetchone()
        return found[0] if found is not None else None


class Suspicion(NamedTuple):
    """What SQLite says of a file, and when (monotonic seconds)."""

    problem: str
    at: float


class _Stream:
    """The messages of one file, the newest first. ``head``: the next one; ``below``: the row under which to go on so
    that it is the next one again, None behind the last; ``late``: the time was over before there was another."""

    def __init__(self, rows: Iterator[FoundMessage | int]) -> None:
        self.head: FoundMessage | None = None
        self.below: int | None = None
        self.late = False
        self._rows = rows
        self.move()

    def move(self) -> None:
        row = next(self._rows, None)
        self.head = row if isinstance(row, FoundMessage) else None
        self.late = isinstance(row, int)
        self.below = row if row is None or isinstance(row, int) else row.number + 1


class Searcher:
    """Asks all files of ``files``; one thread at a time. ``suspects``: files that could not be read, by day; whoever
    writes them throws them away."""

    def __init__(self, journal: Path, files: DayFiles) -> None:
        self.suspects: dict[Day, Suspicion] = {}
        self._journal = journal
        self._files = files
        self._open: OrderedDict[Day, DayReader] = OrderedDict()

    def search(
        self, asked: SearchAsked, limit: int, within: float, place: SearchPlace | None = None
    ) -> SearchPage:  # fmt: skip
        """A page of at most ``limit`` messages, ``within`` so many seconds. ``place``: where it begins."""
        until = monotonic() + within
        suspected = len(self.suspects)
        if asked.ids:
            named = [one[0] for message_id in asked.ids[:limit] if (one := self._located(message_id)) is not None]
            return SearchPage(named, None, len(self.suspects) == suspected)
        # Days overlap by what was still written to a segment after midnight, and nodes do all the time.
        # A place comes from whoever asks: what is no file of ours is opened by nobody, and one may be gone meanwhile.
        days = self._files.days()
        begun = {day: below for day, below in place.begun.items() if day in days} if place is not None else {}
        waiting = [day for day in reversed(days) if place is None or _order(day) <= place.rest]
        open_ = {day: _Stream(self._rows(day, asked, below, until)) for day, below in begun.items()}
        page: list[FoundMessage] = []
        while len(page) < limit and not any(stream.late for stream in open_.values()):
            heads = [(stream.head.time, day) for day, stream in open_.items() if stream.head is not None]
            newest = max(heads, default=None)
            if waiting and (newest is None or self._newest(waiting[-1]) >= newest[0]):
                day = waiting.pop()
                open_[day] = _Stream(self._rows(day, asked, NEVER, until))
            elif newest is None:
                break
            else:
                stream = open_[newest[1]]
                if stream.head is not None:
                    page.append(stream.head)
                stream.move()
        complete = len(self.suspects) == suspected and not any(stream.late for stream in open_.values())
        left = {day: stream.below for day, stream in open_.items() if stream.below is not None}
        more = SearchPlace(left, _order(waiting[-1]) if waiting else NOWHERE) if left or waiting else None
        return SearchPage(page, more, complete)

    def message(self, message_id: str) -> tuple[FoundMessage, list[dict[str, Any]]] | None:
        """One message, with the records of what became of it. Of a plain delivery the index has no place, so its record
        is looked for in the journal."""
        located = self._located(message_id)
        if located is None:
            return None
        found, trail = located
        if all(one["kind"] != "outcome" for one in trail):
            held = lookup.find(self._journal, message_id)
            if held is not None and held.outcome is not None:
                trail = sorted([held.outcome, *trail], key=lambda one: int(one["time"]))
        return found, trail

    def _located(self, message_id: str) -> tuple[FoundMessage, list[dict[str, Any]]] | None:
        try:
            told = ids.parse(message_id)
        except ValueError:
            days = [day for day in self._files.days() if day[0] == IMPORTS.partition("/")[0]]
        else:
            at, node = told.time_ms / 1000, f"node-{told.node}"
            days = [day for day in self._files.days() if day[0] == node]
            days.sort(key=lambda day: abs(datetime.fromisoformat(f"{day[1]}T12:00:00+00:00").timestamp() - at))
        for day in days:
            try:
                reader = self._reader(day)
                found = reader.by_id(message_id)
                if found is not None:
                    return found, reader.trail(found.number)
            except FileNotFoundError:
                continue
            except (sqlite3.DatabaseError, IndexDamaged) as error:
                self._suspect(day, error)
        return None

    def close(self) -> None:
        for reader in self._open.values():
            reader.close()
        self._open.clear()

    def _rows(self, day: Day, asked: SearchAsked, below: int, until: float) -> Iterator[FoundMessage | int]:
        if monotonic() > until:
            yield below
            return
        try:
            yield from self._reader(day).rows(asked, below, until)
        except FileNotFoundError:  # dropped meanwhile
            return
        except (sqlite3.DatabaseError, IndexDamaged) as error:
            self._suspect(day, error)

    def _newest(self, day: Day) -> int:
        """The time of the newest message of a file; where that is not known, it is opened to see."""
        try:
            return self._reader(day).newest()
        except (FileNotFoundError, sqlite3.DatabaseError, IndexDamaged):
            return NEVER

    def _reader(self, day: Day) -> DayReader:
        path = self._files.path(day)
        reader = self._open.get(day)
        if reader is not None and reader.identity != path.stat().st_ino:
            self._open.pop(day).close()
            reader = None
        if reader is None:
            with self._files.changing:
                reader = self._open[day] = DayReader(path, day, self._journal)
            if len(self._open) > FILES:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(day)
        return reader

    def _suspect(self, day: Day, error: Exception) -> None:
        """Not what is only in the way for a moment."""
        reader = self._open.pop(day, None)
        if reader is not None:
            reader.close()
        if not isinstance(error, sqlite3.OperationalError):
            self.suspects[day] = Suspicion(str(error), monotonic())


def read_record(journal: Path, place: RecordPlace) -> dict[str, Any] | None:
    """The record that stands there; None where there is none any more."""
    try:
        with (journal / place.folder / place.segment).open("rb", buffering=0) as file:
            line = b""
            offset = place.offset
            while not line.endswith(b"\n"):
                more = os.pread(file.fileno(), READ, offset)
                if not more or len(line) > MAX_LINE:
                    return None
                line += more[: more.find(b"\n") + 1] or more
                offset += len(more)
            return decode(line)
    except (OSError, Corrupt):
        return None


def _order(day: Day) -> tuple[str, str]:
    return day[1], day[0]
