"""From the journal to pages: the projector's work without its process.

One turn:

    read       new records of every folder, in its own order           moves positions
      ▼
    propose    which pages are full; the caller records them           ``page`` records, written before they count
      ▼
    close      what was recorded leaves the open pages
      ▼
    write      pages, heads, rooms, then the checkpoint                one batch: all of it, or nothing yet

Where nodes copy each other's journals one of them closes pages, and the others make those that it has recorded
(``makes``), so that all have the same.

Laws: a page that was recorded is made as it was recorded, by this life or the next; a record is applied to a room once,
because the room's file says which were; what fails is tried again, and until then nothing new is read. No time
of day is asked, nor believed where a record tells one: how far the mirror came is told in its own seconds.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.journal.read.follow import Follower
from gateway.journal.read.reader import LocatedRecord, OnFlaw, folder_name
from gateway.journal.write.record import page as page_record
from gateway.journal.write.segments import folders, segments
from gateway.mirror.pages.intake import MAX_WAITING, OVERDUE_MS, Arrival, Departure, Intake
from gateway.mirror.pages.pages import Pages
from gateway.mirror.pages.recorded_pages import RecordedPage, RecordedPages, maker
from gateway.mirror.store import checkpoint
from gateway.mirror.store.batch import Batch
from gateway.mirror.store.checkpoint import Checkpoint
from gateway.mirror.store.guarding import UNGUARDED, Guarding
from gateway.mirror.store.mirrored_room import MirroredRoom, Page, Place
from gateway.mirror.store.sealed import Damaged
from gateway.mirror.store.shelf import Shelf

READ_AT_ONCE = 4000  # records of each folder in one turn
MAX_HELD = 60_000  # bullets of open pages kept in memory between turns
MAX_ROOMS = 4096  # rooms kept in memory between turns
MAX_GONE = 4096  # removals that came before their bullet
GONE_MS = 3_600_000


class PagesDiffer(Damaged):
    """A page is complete here with other bullets than the node says whose word counts: all are made anew."""


Proposed = tuple[MirroredRoom, Page, dict[str, Any]]


class BulletProjection:
    """``own`` is the journal folder (``node/worker``) with the page records of this mirror; ``others`` are routes
    that carry no bullets. ``lately`` holds, by route, the room that had a bullet last."""

    def __init__(
        self,
        root: Path,
        journal: Path,
        own: str,
        *,
        pages: Pages,
        page_size: int,
        start: Checkpoint,
        on_flaw: OnFlaw,
        others: Collection[str] = (),
        guarding: Guarding = UNGUARDED,
        durable: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self.shelf = Shelf(root, pages, guarding)
        self.page_size = page_size
        self.intake = Intake(others)
        self.lately: OrderedDict[str, str] = OrderedDict()
        self.changed: list[tuple[str, int]] = []  # pages that lost a bullet (0: the head), for who purges caches
        self.makes = True  # whether we close pages; else another node does
        self._made = True  # at the turn before
        self.current = True  # whether we have what other nodes wrote, as far as they are there
        self.heals = True  # whether all may be made anew where pages differ
        self.caught_up = False
        self.bullets = self.pages_closed = self.missing = 0
        self._journal = journal
        self._own = own
        self._durable = durable
        self._now = now
        self._follower = Follower(journal, on_flaw, start.positions)
        self._gone = OrderedDict.fromkeys(start.gone, int(now() * 1000))
        self._rooms: OrderedDict[str, MirroredRoom] = OrderedDict()
        self._touched: dict[str, MirroredRoom] = {}  # changed since they were written
        self._recorded = RecordedPages(maker(own) or 0)
        self._outdated_ms = 0  # when we last had not what others wrote
        self._unsaved = False
        self._read_at = 0.0
        self._goal: _Goal | None = None
        self.watermark = 0.0
        self._learnt_from = start.positions.get(own, ":0")
        self.intake.now_ms = int(now() * 1000)
        self.intake.restore(start.waiting)
        self._learn_pages()

    # -- one turn

    def read(self) -> None:
        """Read on, unless something of the turn before is still to be written. Raises Damaged, OSError."""
        if self.unwritten:
            return
        began = self._now()
        now_ms = self.intake.now_ms = int(began * 1000)
        if not self.current:
            self._outdated_ms = now_ms
        if self.makes and not self._made:  # what the other had not come to; a room at rest is seen at its next bullet
            self._touched |= {name: room for name, room in self._rooms.items() if len(room.open) >= self.page_size}
        self._made = self.makes
        more = False
        for folder in folders(self._journal):
            name = folder_name(folder)
            before = self._follower.positions.get(name)
            entries = self._follower.read_folder(folder, READ_AT_ONCE)
            if before != self._follower.positions.get(name):
                self._unsaved = True
            if name == self._own:
                continue  # our own pages: known since they were proposed, or learnt at the start
            node = maker(name)
            for entry in entries:
                if node is None:
                    self._apply(entry)
                elif entry.record["kind"] == "page":
                    self._follow(RecordedPage(node, now_ms, entry.record), name, before or ":0")
            if len(entries) >= READ_AT_ONCE:
                more = True
        for arrival in self.intake.overdue():
            self._arrive(arrival, "", None)
        self._forget_gone(now_ms)
        self.caught_up = not more
        self._came_to(began)

    def _came_to(self, began: float) -> None:
        """Everything recorded before ``_read_at`` is read: before this turn, or, where there is more to read than one
        turn takes, before the moment when the journal ended where it is now read to."""
        if self.caught_up:
            self._goal = None
            self._read_at = began
            return
        if self._goal is not None and self._goal.reached(self._follower.positions):
            self._read_at = self._goal.moment
            self._goal = None
        if self._goal is None:
            self._goal = _Goal(self._now(), self._journal)

    def propose(self, new_id: Callable[[], str]) -> list[Proposed]:
        """Close what was recorded in an earlier life, then tell which pages are full, with the record of each. They
        count once that is written: then ``close``."""
        proposed: list[Proposed] = []
        for room in self._touched.values():
            if room.name in self._recorded:
                self._close_recorded(room)
                continue
            if self.makes and len(room.open) >= self.page_size:
                proposed.extend(self._full(room, new_id))
        if self.caught_up and self._recorded:
            self._close_incomplete()
        return proposed

    def close(self, proposed: Sequence[Proposed]) -> None:
        """The records were written."""
        for room, page, _ in proposed:
            room.close(page)
            self.pages_closed += 1

    def write(self) -> None:
        """Write everything that changed, then say so. Blocks; raises Damaged, OSError: then nothing is forgotten."""
        rooms = list(self._touched.values())
        if rooms or self._unsaved:
            batch = Batch(self._durable)
            changed: list[tuple[str, int]] = []
            try:
                for room in rooms:
                    changed.extend((room.name, number) for number in self.shelf.write(room, batch))
                self._checkpoint().save(self.root, batch)
                batch.commit()
            finally:
                batch.abandon()
            for room in rooms:
                if room.scrub:
                    changed.append((room.name, 0))
                self.shelf.written(room)
            self._touched.clear()
            self.changed.extend(changed)
            self._unsaved = False
            self._evict()
        if self.intake.waiting < MAX_WAITING:
            self.watermark = max(self.watermark, self._read_at)

    @property
    def unwritten(self) -> bool:
        """Whether a turn is not finished."""
        return bool(self._touched)

    @property
    def held(self) -> tuple[int, int]:
        """Rooms and bullets in memory."""
        return len(self._rooms), sum(len(room.open) for room in self._rooms.values())

    def latest(self, route: str) -> tuple[str, bool] | None:
        """The room of a route that had a bullet last, and whether one is shown there; None where there was none."""
        name = self.lately.get(route)
        room = self._rooms.get(name) if name is not None else None
        return (room.name, room.total > 0) if room is not None else None

    # -- records

    def _apply(self, entry: LocatedRecord) -> None:
        event = self.intake.take(entry.record)
        if event is None:
            return
        place = (entry.segment, entry.offset)
        if isinstance(event, Arrival):
            self._arrive(event, entry.folder, place)
        else:
            self._depart(event, entry.folder, place)

    def _arrive(self, arrival: Arrival, folder: str, place: Place | None) -> None:
        room = self._room(arrival.room)
        if place is not None:
            if room.knows(folder, place):
                return
            room.applied[folder] = place
        self._touched[room.name] = room
        bullet = arrival.bullet
        self.lately[arrival.route] = arrival.room
        if bullet.id in room.open or self.shelf.holds(room, bullet.id):
            return
        if self._gone.pop(bullet.id, None) is not None:
            room.reserve(bullet.id)
        else:
            room.add(bullet, arrival.route)
            self.bullets += 1

    def _depart(self, departure: Departure, folder: str, place: Place) -> None:
        names = [departure.room] if departure.room else list(self._rooms_with(departure.id))
        for name in names:
            if name not in self._rooms and not self.shelf.has(name):
                continue
            room = self._room(name)
            if room.knows(folder, place):
                return
            room.applied[folder] = place
            self._touched[room.name] = room
            if room.depart(departure.id):
                return
        self._gone[departure.id] = int(self._now() * 1000)
        self._unsaved = True

    def _rooms_with(self, message_id: str) -> Iterator[str]:
        """Rooms that may hold an id, for a removal that does not know where: asked of every room, and so slow."""
        for name, room in self._rooms.items():
            if message_id in room.open:
                yield name
                return
        for folder in self.shelf.rooms():
            found = self.shelf.name_of(folder)
            if found is None:
                continue
            room = self._rooms.get(found) or self.shelf.load(found)
            if message_id in room.open or self.shelf.holds(room, message_id):
                yield found
                return

    def _room(self, name: str) -> MirroredRoom:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = self.shelf.load(name)
        else:
            self._rooms.move_to_end(name)
        return room

    def _evict(self) -> None:
        rooms, bullets = self.held
        while rooms > MAX_ROOMS or (bullets > MAX_HELD and rooms > 1):
            _, room = self._rooms.popitem(last=False)
            rooms -= 1
            bullets -= len(room.open)
        while len(self.lately) > MAX_ROOMS:
            self.lately.popitem(last=False)

    def _forget_gone(self, now_ms: int) -> None:
        while self._gone:
            heard = next(iter(self._gone.values()))
            if len(self._gone) <= MAX_GONE and heard > now_ms - GONE_MS:
                return
            self._gone.popitem(last=False)
            self._unsaved = True

    def _checkpoint(self) -> Checkpoint:
        positions = self._recorded.positions(self._follower.positions)
        if self._recorded.own_left:  # to be learnt again by the next life, if this one ends before they are made
            positions[self._own] = self._learnt_from
        return Checkpoint(positions, self.intake.told(), dict.fromkeys(self._gone, int(time.time() * 1000)))

    # -- pages

    def _full(self, room: MirroredRoom, new_id: Callable[[], str]) -> Iterator[Proposed]:
        """The pages that come of a room, as if each were closed before the next."""
        trial = MirroredRoom(room.name)
        trial.open, trial.number = dict(room.open), room.number
        while len(trial.open) >= self.page_size:
            page = trial.next_page(self.page_size)
            trial.close(page)
            yield room, page, page_record(new_id(), room.name, page.number, page.members)

    def _learn_pages(self) -> None:
        """Pages recorded after the checkpoint: by a life that ended before it had written them."""
        folder = self._journal / self._own
        while entries := self._follower.read_folder(folder, READ_AT_ONCE):
            for entry in entries:
                if entry.record["kind"] == "page":
                    self._recorded.hear(RecordedPage(self._recorded.own, self.intake.now_ms, entry.record))
            self._unsaved = True

    def _follow(self, page: RecordedPage, folder: str, before: str) -> None:
        """Another node has closed a page. Raises PagesDiffer."""
        room = self._room(page.record["room"])
        if page.record["number"] >= room.number:
            self._recorded.hear(page, folder, before)
            self._touched[room.name] = room
        elif page.maker < self._recorded.own and self.heals and not self._as_recorded(room, page.record):
            raise PagesDiffer(f"page {page.record['number']} of a room is another on node {page.maker}")

    def _as_recorded(self, room: MirroredRoom, record: Mapping[str, Any]) -> bool:
        """Whether a complete page holds no bullet but those that are recorded."""
        number = record["number"]
        bullets = next((closed.bullets for closed in room.closed if closed.number == number), None)
        if bullets is None:
            bullets = self.shelf.page(room.name, number).bullets
        return {bullet.id for bullet in bullets} <= set(record["members"])

    def _close_recorded(self, room: MirroredRoom) -> None:
        while recorded := self._recorded.next(room.name, room.number):
            page, missing = room.recorded_page(recorded.record)
            if missing and not self._elsewhere(room, recorded, missing):
                return
            room.close(page)
            self._recorded.made(room.name, room.number)
        self._recorded.made(room.name, room.number)

    def _elsewhere(self, room: MirroredRoom, recorded: RecordedPage, missing: int) -> bool:
        """Whether all that another node's page has, and the open one here has not, stands on complete pages: where two
        nodes closed pages for a while, the first of them has it."""
        if recorded.maker == self._recorded.own:
            return False
        return missing == sum(
            member not in room.open and self.shelf.holds(room, member) for member in recorded.record["members"]
        )

    def _close_incomplete(self) -> None:
        """Everything there is was read. What a recorded page still lacks is not in the journal any more; of another
        node's page, once what others wrote has been here for long enough."""
        for name in self._recorded.rooms():
            room = self._room(name)
            while recorded := self._recorded.next(name, room.number):
                if recorded.maker != self._recorded.own:
                    since = max(recorded.heard, self._outdated_ms)
                    if not self.current or self.intake.now_ms < since + OVERDUE_MS:
                        break
                page, missing = room.recorded_page(recorded.record)
                self.missing += missing
                self._touched[name] = room
                room.close(page)
                self._recorded.made(name, room.number)
            else:
                self._recorded.made(name, room.number)


class _Goal:
    """Where each folder ended at a moment, in the projection's seconds."""

    __slots__ = ("_ends", "moment")

    def __init__(self, moment: float, journal: Path) -> None:
        self.moment = moment
        self._ends: dict[str, tuple[str, int]] = {}
        for folder in folders(journal):
            for segment in reversed(segments(folder)):
                size = segment.path.stat().st_size if segment.path.exists() else 0
                if size:  # else it was only prepared, or pruned meanwhile
                    self._ends[folder_name(folder)] = (segment.name, size)
                    break

    def reached(self, positions: Mapping[str, str]) -> bool:
        for name, end in self._ends.items():
            segment, _, offset = positions.get(name, ":0").rpartition(":")
            if (segment, int(offset)) < end:
                return False
        return True


def opened(root: Path, journal: Path, own: str, **settings: Any) -> BulletProjection:
    """The projection of a mirror's folder, from its checkpoint or from the beginning of the journal. Raises Damaged
    where the folder has no checkpoint and pages were recorded: then it is rebuilt. Raises OSError."""
    checkpoint.prepare(root)
    start = checkpoint.load(root)
    if start is None:
        start = Checkpoint()
        follower = Follower(journal, lambda flaw: None)
        for folder in (journal / own, *(one for one in folders(journal) if maker(folder_name(one)) is not None)):
            while entries := follower.read_folder(folder, READ_AT_ONCE):
                if any(entry.record["kind"] == "page" for entry in entries):
                    raise Damaged(f"{root.name} has lost its pages")
        batch = Batch()
        start.save(root, batch)  # before the first page is recorded, so that this is told from a loss
        batch.commit()
    made = BulletProjection(root, journal, own, start=start, **settings)
    made.shelf.guard()
    return made
