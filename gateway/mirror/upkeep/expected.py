"""What the journal says should stand on which page: read once from beginning to end, kept in a database on disk.

Both ``rebuild`` and ``verify`` ask it. It takes any number of bullets in bounded memory; the file is unlinked as soon
as it is open, so that no second copy of the texts outlives the process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.journal.read.follow import Follower
from gateway.journal.read.reader import OnFlaw, folder_name
from gateway.journal.write.ids import parse
from gateway.journal.write.segments import folders, header, imports, segments
from gateway.mirror.pages.bullet import Bullet, read
from gateway.mirror.pages.intake import Arrival, Departure, Intake
from gateway.mirror.pages.recorded_pages import maker

READ_AT_ONCE = 4000

_TABLES = """
create table bullet (
    room text, id text, route text, told blob, seen integer default 0,
    primary key (room, id)
) without rowid;
create table page (room text, number integer, id text, primary key (room, id)) without rowid;
create table recorded (room text, number integer, node integer, id text);
create table size (room text, number integer, size integer, primary key (room, number)) without rowid;
create table gone (id text primary key) without rowid;
"""


class PlacedBullet(NamedTuple):
    """A bullet and its complete page; None for the open one. ``gone``: removed, but it counts on its page."""

    page: int | None
    route: str
    bullet: Bullet
    gone: bool


class Horizon(NamedTuple):
    """What the journal cannot say any more. ``judged_ms``: bullets received before have been pruned (0: none were);
    ``imported``: records of imports have been."""

    judged_ms: int
    imported: bool

    def hides(self, message_id: str) -> bool:
        """Whether a bullet is older than what the journal retains."""
        try:
            return parse(message_id).time_ms < self.judged_ms
        except ValueError:
            return self.imported


class Expected:
    """``own`` is the folder with the page records. ``near`` is a folder to keep the database in.

    After ``read_pages`` and ``read`` its parts can be asked.
    """

    def __init__(self, journal: Path, own: str, on_flaw: OnFlaw, near: Path, others: Collection[str] = ()) -> None:
        path = near / ".expected"
        path.unlink(missing_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -65536;")
        self._database.executescript(_TABLES)
        path.unlink()
        self.intake = Intake(others)
        self._journal = journal
        self._own = own
        self._follower = Follower(journal, on_flaw)

    def close(self) -> None:
        self._database.close()

    # -- reading

    def read_pages(self) -> None:
        """Learn the recorded pages. Before ``read``, so that every bullet on a page that is known will be known. Of two
        records of one page that of the node with the lowest number counts (``recorded_pages``)."""
        for folder in self._page_folders():
            node = maker(folder_name(folder)) or 0
            rows: list[tuple[str, int, int, str]] = []
            last: dict[str, int] = {}
            while entries := self._follower.read_folder(folder, READ_AT_ONCE):
                for entry in entries:
                    record = entry.record
                    if record["kind"] == "page":
                        # A room that lost its folder began again with its first page: numbers go on where they were.
                        room = record["room"]
                        last[room] = number = max(record["number"], last.get(room, 0) + 1)
                        rows.extend((room, number, node, member) for member in record["members"])
                self._many("insert into recorded values (?, ?, ?, ?)", rows)
                rows.clear()
        self._database.execute(
            "insert or ignore into page select room, number, id from recorded join "
            "(select room, number, min(node) as node from recorded group by room, number) using (room, number, node) "
            "order by number, recorded.rowid"
        )
        self._database.execute("delete from recorded")

    def _page_folders(self) -> list[Path]:
        others = (folder for folder in folders(self._journal) if maker(folder_name(folder)) is not None)
        return [self._journal / self._own, *(folder for folder in others if folder_name(folder) != self._own)]

    def read(self, on_progress: Callable[[int], object] = lambda records: None) -> None:
        """Read all that there is, or all that is new since the last time."""
        more = True
        while more:
            more = False
            for folder in folders(self._journal):
                if maker(folder_name(folder)) is not None:
                    continue
                entries = self._follower.read_folder(folder, READ_AT_ONCE)
                if entries:
                    more = True
                    self._take([event for entry in entries if (event := self.intake.take(entry.record))])
                    on_progress(len(entries))

    @property
    def positions(self) -> dict[str, str]:
        """How far it was read."""
        return dict(self._follower.positions)

    def add_kept(self, room: str, route: str, bullet: Bullet) -> None:
        """A bullet that the journal no longer knows of, and that stands on a page: it stays there."""
        self._database.execute(
            "insert or ignore into bullet (room, id, route, told) values (?, ?, ?, ?)",
            (room, bullet.id, route, orjson.dumps(bullet.told())),
        )

    def add_page(self, room: str, number: int, size: int, ids: Iterable[str]) -> None:
        """A complete page of which the journal may have no record any more."""
        self._many("insert or ignore into page values (?, ?, ?)", [(room, number, one) for one in ids])
        self._many("insert or ignore into size values (?, ?, ?)", [(room, number, size)])

    def horizon(self) -> Horizon:
        """From the first segment that each folder still has."""
        judged = 0
        imported = False
        older = imports(self._journal)
        for folder in folders(self._journal):
            found = segments(folder)
            first = header(found[0].path) if found else None
            if first is None or first["previous"] is None:
                continue
            if folder in older:
                imported = True
            else:
                judged = max(judged, first["time"] // 1000)
        return Horizon(judged, imported)

    # -- asking

    def rooms(self) -> Iterator[str]:
        """Rooms with bullets or recorded pages, sorted."""
        for (room,) in self._rows("select room from bullet union select room from page order by room"):
            yield room

    def pages(self, room: str) -> int:
        """The number of the room's last complete page; 0 for none."""
        for (number,) in self._rows(
            "select max(number) from (select number from page where room = ?1 union all "
            "select number from size where room = ?1)",
            room,
        ):
            return int(number or 0)
        return 0

    def routes(self, room: str) -> set[str]:
        """The routes that let the room's bullets in."""
        return {route for (route,) in self._rows("select distinct route from bullet where room = ?", room)}

    def placed(self, room: str) -> Iterator[PlacedBullet]:
        """The room's bullets, page by page and in order; those of the open page last. Removed ones are among them."""
        for number, route, told, gone in self._rows(
            "select page.number, bullet.route, bullet.told, gone.id is not null from bullet "
            "left join page on page.room = bullet.room and page.id = bullet.id "
            "left join gone on gone.id = bullet.id "
            "where bullet.room = ? order by page.number is null, page.number, bullet.id",
            room,
        ):
            yield PlacedBullet(number, route, read(orjson.loads(told)), bool(gone))

    def sizes(self, room: str) -> dict[int, int]:
        """How many bullets each complete page of a room has, removed ones included."""
        return dict(
            self._rows(
                "select number, max(size) from (select number, size from size where room = ?1 union all "
                "select number, count(*) from page where room = ?1 group by number) group by number",
                room,
            )
        )

    def known(self, room: str, message_id: str) -> tuple[Bullet, bool] | None:
        """A bullet and whether it was removed; None where the journal knows of none."""
        for told, gone in self._rows(
            "select bullet.told, gone.id is not null from bullet left join gone on gone.id = bullet.id "
            "where bullet.room = ? and bullet.id = ?",
            room,
            message_id,
        ):
            return read(orjson.loads(told)), bool(gone)
        return None

    def is_gone(self, message_id: str) -> bool:
        """Whether a message was removed."""
        return any(self._rows("select 1 from gone where id = ?", message_id))

    def see(self, room: str, ids: list[str]) -> None:
        """These were found on a page."""
        self._many("update bullet set seen = seen + 1 where room = ? and id = ?", [(room, one) for one in ids])

    def unseen(self) -> Iterator[tuple[str, str]]:
        """Room and id of what should stand on a page and was not found on any."""
        yield from self._rows(
            "select room, id from bullet where seen = 0 and id not in (select id from gone) order by room, id"
        )

    def seen_twice(self) -> Iterator[tuple[str, str]]:
        """Room and id of what was found more than once."""
        yield from self._rows("select room, id from bullet where seen > 1 order by room, id")

    def count(self) -> int:
        """How many bullets should stand on pages."""
        for (number,) in self._rows("select count(*) from bullet where id not in (select id from gone)"):
            return int(number)
        return 0

    def _take(self, events: list[Arrival | Departure]) -> None:
        arrived = [
            (event.room, event.bullet.id, event.route, orjson.dumps(event.bullet.told()))
            for event in events
            if isinstance(event, Arrival)
        ]
        self._many("insert or ignore into bullet (room, id, route, told) values (?, ?, ?, ?)", arrived)
        self._many(
            "insert or ignore into gone values (?)", [(event.id,) for event in events if isinstance(event, Departure)]
        )

    def _many(self, statement: str, rows: list[Any]) -> None:
        if rows:
            self._database.execute("begin")
            self._database.executemany(statement, rows)
            self._database.execute("commit")

    def _rows(self, statement: str, *values: Any) -> Iterator[Any]:
        yield from self._database.execute(statement, values)
