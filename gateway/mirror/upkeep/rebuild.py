"""A mirror made anew from the journal, with the same pages, and with what the old one has that the journal has not.

It is made beside the old one and then takes its place, so that readers miss nothing. Bullets that enter meanwhile are
not in it: its checkpoint says where to read on, as for any mirror.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

import structlog

from gateway.journal.read.reader import OnFlaw
from gateway.mirror.pages.pages import Pages
from gateway.mirror.store import checkpoint, folder, index
from gateway.mirror.store.batch import Batch
from gateway.mirror.store.checkpoint import Checkpoint
from gateway.mirror.store.guarding import UNGUARDED, Guarding
from gateway.mirror.store.mirrored_room import NO_ID, Closed, MirroredRoom
from gateway.mirror.store.sealed import Damaged
from gateway.mirror.store.shelf import Shelf, read_page, read_room, read_routes
from gateway.mirror.upkeep.expected import Expected, PlacedBullet

log = structlog.get_logger("mirror")

PAGES_AT_ONCE = 64  # complete pages of a room in one batch


def rebuild(
    root: Path,
    journal: Path,
    own: str,
    *,
    pages: Pages,
    others: Iterable[str] = (),
    guarding: Guarding = UNGUARDED,
    on_flaw: OnFlaw,
    on_progress: Callable[[str, int], object] = lambda what, count: None,
) -> Path:
    """Make a mirror anew and give its folder, which stands beside ``root``; ``folder.swap`` puts it in place.

    ``on_progress`` hears of ``records`` read and ``rooms`` made. Raises OSError, sqlite3.Error.
    """
    made = folder.rebuilt_beside(root)
    shutil.rmtree(made, ignore_errors=True)
    checkpoint.prepare(made)
    shelf = Shelf(made, pages, guarding)
    expected = Expected(journal, own, on_flaw, made / checkpoint.FOLDER, frozenset(others))
    try:
        expected.read_pages()
        expected.read(lambda count: on_progress("records", count))
        if root.is_dir():
            _keep(root, expected)
        for room in expected.rooms():
            _make(shelf, expected, room)
            on_progress("rooms", 1)
        start = Checkpoint(expected.positions, expected.intake.told())
        batch = Batch()
        start.save(made, batch)
        batch.commit()
    finally:
        expected.close()
    return made


def _keep(root: Path, expected: Expected) -> None:
    """Take over what the journal no longer knows of, as far as the old pages can be read."""
    horizon = expected.horizon()
    if not horizon.judged_ms and not horizon.imported:
        return
    for path in Shelf.rooms_in(root):
        try:
            named = read_routes(path)
            room = read_room(path)
        except (Damaged, OSError) as error:
            log.error("mirror.room_unreadable", error=type(error).__name__)
            continue
        if named is None or room is None:
            continue
        name, through = named
        route = min(through, default="")
        try:
            sizes = {row.number: row.size for row in index.rows(path, room.number - 1)}
        except (Damaged, OSError) as error:
            log.error("mirror.index_unreadable", error=type(error).__name__)
            sizes = {}
        for number in range(1, room.number):
            try:
                bullets = read_page(path, number).bullets
            except (Damaged, OSError) as error:
                log.error("mirror.page_unreadable", error=type(error).__name__)
                continue
            for bullet in bullets:
                if horizon.hides(bullet.id):
                    expected.add_kept(name, route, bullet)
            expected.add_page(name, number, sizes.get(number, len(bullets)), [bullet.id for bullet in bullets])
        for bullet in room.open_bullets():
            if horizon.hides(bullet.id):
                expected.add_kept(name, route, bullet)


def _make(shelf: Shelf, expected: Expected, name: str) -> None:
    room = MirroredRoom(name)
    room.routes = expected.routes(name) - {""}
    sizes = expected.sizes(name)
    shelf.make(room)
    batch = Batch()
    total = 0
    try:
        by_page = groupby(expected.placed(name), key=lambda placed: placed.page)
        number, found = next(by_page, (None, iter(())))
        for page in range(1, expected.pages(name) + 1):
            placed = list(found) if number == page else []
            total += _close(room, page, placed, sizes.get(page, 0))
            shelf.write_page(batch, name, room.closed.pop(), {})
            if not page % PAGES_AT_ONCE:
                batch.commit()
            if number == page:
                number, found = next(by_page, (None, iter(())))
        for _, route, bullet, gone in found if number is None else ():
            if gone:
                room.reserve(bullet.id)
            else:
                room.add(bullet, route)
        room.total += total
        shelf.write(room, batch)
        batch.commit()
    finally:
        batch.abandon()


def _close(room: MirroredRoom, number: int, placed: list[PlacedBullet], size: int) -> int:
    """Put a recorded page on ``room.closed``; how many bullets stand on it."""
    bullets = tuple(one.bullet for one in placed if not one.gone)
    first = placed[0].bullet.id if placed else room.until or NO_ID
    room.until = max([room.until, *(one.bullet.id for one in placed[-1:])]) or NO_ID
    room.number = number + 1
    room.closed.append(Closed(number, bullets, max(size, len(placed)), first, room.until))
    return len(bullets)
