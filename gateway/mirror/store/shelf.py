"""The mirror's folder: which file holds what, and how a room's files are read and written.

    <mirror>/ROOM/N.html                     the pages; the last one is open
    <mirror>/ROOM/N.json, N.*.gz, N.*.br     of complete pages, the same as JSON, and both compressed
    <mirror>/ROOM/index.html                 a symbolic link to the open page
    <mirror>/ROOM/.room.0, .room.1           the open page's bullets, and which records of the journal are in it
    <mirror>/ROOM/.routes                    the room's name, and the routes that let its bullets in
    <mirror>/ROOM/.index                     which ids are on which complete page
    <mirror>/.projector/checkpoint           how far the journal was read

Hidden files are readable by their owner alone and are never served; so are the folders of guarded rooms (``guarding``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson

from gateway.mirror.pages.bullet import Bullet, read
from gateway.mirror.pages.names import folder_name
from gateway.mirror.pages.pages import Pages, compressed, page_json
from gateway.mirror.store import index, slots
from gateway.mirror.store.batch import PRIVATE, Batch
from gateway.mirror.store.guarding import CLOSED, UNGUARDED, Guarding
from gateway.mirror.store.mirrored_room import Closed, MirroredRoom, restored
from gateway.mirror.store.sealed import Damaged, seal, unseal

ROUTES = ".routes"
INDEX = "index.html"
_REMEMBERED = 64  # complete pages whose ids are kept, for bullets that come late


class Stored(NamedTuple):
    """A complete page as it is on disk."""

    room: str
    number: int
    removed: int
    bullets: tuple[Bullet, ...]


class Shelf:
    """Reads and writes rooms. ``root`` is the mirror's folder."""

    def __init__(self, root: Path, pages: Pages, guarding: Guarding = UNGUARDED) -> None:
        self.root = root
        self.pages = pages
        self._guarding = guarding
        self._ids: OrderedDict[tuple[str, int], frozenset[str]] = OrderedDict()

    def folder(self, room: str) -> Path:
        return self.root / folder_name(room)

    @staticmethod
    def name_of(folder: Path) -> str | None:
        """The room that a folder holds; None where it holds none."""
        named = read_routes(folder)
        return None if named is None else named[0]

    def has(self, room: str) -> bool:
        """Whether there is anything of a room."""
        return self.folder(room).is_dir()

    def make(self, room: MirroredRoom) -> None:
        """Make a room's folder, closed until it is known that everybody may read it. Raises OSError."""
        folder = self.folder(room.name)
        folder.mkdir(mode=CLOSED, exist_ok=True)
        folder.chmod(self._guarding.mode(room.routes))

    def guard(self) -> None:
        """Close and open folders as the routes say now; a room that cannot be read counts as one that nobody knows.
        Raises OSError."""
        for folder in self.rooms():
            through: frozenset[str] = frozenset()
            if self._guarding.guards:
                with suppress(Damaged):
                    named = read_routes(folder)
                    through = named[1] if named is not None else through
            mode = self._guarding.mode(through)
            if folder.stat().st_mode & 0o777 != mode:
                folder.chmod(mode)

    def load(self, name: str) -> MirroredRoom:
        """A room as it was written last, or a new one. Raises Damaged, OSError."""
        folder = self.folder(name)
        room = read_room(folder)
        if room is None:
            return MirroredRoom(name)
        if room.name != name:
            raise Damaged(f"{folder.name} holds another room")
        # Counted, not remembered: a crash between a page and its room's file must leave no wrong sum behind.
        room.total += sum(row.size - row.removed for row in index.rows(folder, room.number - 1))
        return room

    def write(self, room: MirroredRoom, batch: Batch) -> list[int]:
        """Put all that changed of a room into a batch; the room's own file comes last, it makes the rest count.
        Returns the numbers of complete pages that lost a bullet. Raises Damaged, OSError."""
        folder = self.folder(room.name)
        if room.fresh:
            self.make(room)
        elif not folder.is_dir():
            raise Damaged(f"the folder {folder.name} is gone")
        elif room.routes_changed:
            folder.chmod(self._guarding.mode(room.routes))
        changed = self._departures(room, folder, batch)
        for closed in room.closed:
            self.write_page(batch, room.name, closed, room.items)
        if room.fresh or room.routes_changed:
            batch.put(folder / ROUTES, seal({"room": room.name, "routes": sorted(room.routes)}), PRIVATE)
        self._write_open(room, folder, batch)
        return changed

    def written(self, room: MirroredRoom) -> None:
        """The batch was committed: what was put into it is on disk."""
        for closed in room.closed:
            for bullet in closed.bullets:
                room.items.pop(bullet.id, None)
        room.closed.clear()
        room.departed.clear()
        room.adjusted = 0
        room.sequence += 1
        room.fresh = room.routes_changed = room.scrub = False

    def write_page(self, batch: Batch, room: str, closed: Closed, known: dict[str, str]) -> None:
        """Put a complete page and its encodings into a batch. ``known``: as for ``Pages.items``."""
        folder = self.folder(room)
        number, bullets, size, first, until = closed
        removed = size - len(bullets)
        html = self.pages.html(room, number, self.pages.items(bullets, known), removed)
        json = page_json(room, number, bullets, removed, complete=True)
        for kind, data in (("html", html), ("json", json)):
            for suffix, packed in compressed(data).items():
                batch.put(folder / f"{number}.{kind}{suffix}", packed)
        batch.put(folder / f"{number}.html", html)
        batch.put(folder / f"{number}.json", json)
        index.put(batch, folder, index.PageRow(number, first, until, size, removed))

    def page(self, room: str, number: int) -> Stored:
        """A page from disk. Raises Damaged where it is not there or not whole."""
        return read_page(self.folder(room), number)

    def holds(self, room: MirroredRoom, message_id: str) -> bool:
        """Whether an id stands on a complete page. Raises Damaged."""
        if message_id > room.until:
            return False
        for closed in room.closed:
            if any(bullet.id == message_id for bullet in closed.bullets):
                return True
        written = room.number - 1 - len(room.closed)
        rows = index.candidates(self.folder(room.name), written, message_id)
        return any(message_id in self._ids_of(room.name, row.number) for row in rows)

    def rooms(self) -> Iterator[Path]:
        """The folders of all rooms, sorted."""
        return self.rooms_in(self.root)

    @staticmethod
    def rooms_in(root: Path) -> Iterator[Path]:
        """The folders of all rooms of a mirror, sorted."""
        yield from sorted(path for path in root.iterdir() if path.name[0] != "." and path.is_dir())

    def _ids_of(self, room: str, number: int) -> frozenset[str]:
        key = (room, number)
        ids = self._ids.get(key)
        if ids is None:
            ids = frozenset(bullet.id for bullet in self.page(room, number).bullets)
            self._ids[key] = ids
            if len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)
        else:
            self._ids.move_to_end(key)
        return ids

    def _departures(self, room: MirroredRoom, folder: Path, batch: Batch) -> list[int]:
        room.total += room.adjusted  # a write that failed is made anew
        room.adjusted = 0
        if not room.departed:
            return []
        left = set(room.departed)
        for place, closed in enumerate(room.closed):  # recorded, and not written yet
            kept = tuple(bullet for bullet in closed.bullets if bullet.id not in left)
            if len(kept) < len(closed.bullets):
                room.total -= len(closed.bullets) - len(kept)
                left -= {bullet.id for bullet in closed.bullets}
                room.closed[place] = closed._replace(bullets=kept)
        pages: dict[int, index.PageRow] = {}
        written = room.number - 1 - len(room.closed)
        for message_id in left:
            for row in index.candidates(folder, written, message_id):
                if message_id in self._ids_of(room.name, row.number):
                    pages[row.number] = row
                    break
        for number, row in pages.items():
            stored = self.page(room.name, number)
            kept = tuple(bullet for bullet in stored.bullets if bullet.id not in left)
            room.adjusted += len(stored.bullets) - len(kept)
            self.write_page(batch, room.name, Closed(number, kept, row.size, row.first, row.until), {})
            self._ids.pop((room.name, number), None)
        room.total -= room.adjusted
        return sorted(pages)

    def _write_open(self, room: MirroredRoom, folder: Path, batch: Batch) -> None:
        bullets = room.open_bullets()
        items = self.pages.items(bullets, room.items)
        removed = len(room.open) - len(bullets)
        html = self.pages.html(room.name, room.number, items, removed, total=room.total)
        batch.put(folder / f"{room.number}.html", html)
        if room.fresh or room.closed:
            batch.link(folder / INDEX, f"{room.number}.html")
        slots.put(batch, folder, room.sequence + 1, room.told(), alone=room.scrub)


def read_page(folder: Path, number: int) -> Stored:
    """A complete page from disk. Raises Damaged where it is not there or not whole."""
    try:
        told = orjson.loads((folder / f"{number}.json").read_bytes())
        return Stored(told["room"], told["page"], told["removed"], tuple(map(read, told["bullets"])))
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Damaged(f"page {number} of {folder.name}: {type(error).__name__}") from None


def read_room(folder: Path) -> MirroredRoom | None:
    """A room's open page from disk; None where there is no room. ``total`` lacks the complete pages. Raises Damaged,
    OSError."""
    found = slots.load(folder)
    if found is None:
        if (folder / index.NAME).exists() or (folder / "1.html").exists():
            raise Damaged(f"{folder.name} has pages and does not say which")
        return None
    sequence, told = found
    if told.get("v") != 1:
        raise Damaged(f"{folder.name} is of another version")
    room = restored(told)
    room.sequence = sequence
    return room


def routes(name: str, data: bytes) -> tuple[str, frozenset[str]]:
    """The room and the routes that feed it, from the ``.routes`` of the folder ``name``. Raises Damaged."""
    told = unseal(f"{name}/{ROUTES}", data)
    return told["room"], frozenset(told["routes"])


def read_routes(folder: Path) -> tuple[str, frozenset[str]] | None:
    """The same of a folder; None where it holds no room. Raises Damaged, OSError."""
    try:
        return routes(folder.name, (folder / ROUTES).read_bytes())
    except FileNotFoundError:
        return None
