"""Keeps the index up with the journal: turn by turn, the newest first, and never in anybody's way.

    1  what was pruned from the journal goes from here: a day with the first of its segments
    2  what is being written now is read on
    3  what is older and not indexed yet is read, the newest day first
    4  the oldest days go where there is too much

A turn reads a bounded number of records and commits once for each day that it touched. A file that SQLite cannot go on
with is thrown away, told, and made again like one that was never there.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import structlog

from filters.model.errors import TidegateError
from gateway.index.searching import Suspicion
from gateway.index.segment_days import Consumed, DaySegment, SegmentDays, left, merged
from gateway.index.store.day_file import DayFile, IndexDamaged, RecordPlace
from gateway.index.store.day_files import Day, DayFiles, thrown_away
from gateway.index.store.entries import IndexEvent, event_of, message_of
from gateway.index.store.settings import IndexSettings
from gateway.journal.read.reader import LocatedRecord, OnFlaw
from gateway.journal.write import ids
from gateway.journal.write.segments import IMPORTS

log = structlog.get_logger("index")

RECORDS: Final = 2000  # of one day in one turn
OPEN: Final = 8  # files that are written to at once
SLACK_US: Final = 60_000_000  # between the time of an id and that of its record
BOUND_EVERY: Final = 10.0  # seconds between two looks at how large all is
_IMPORTED: Final = IMPORTS.partition("/")[0]
WAITING: Final = 10_000  # events whose message may be a moment behind them


class NoRoom(TidegateError):
    """The disk has less free than the journal asks for (``journal.low_disk``): nothing is indexed meanwhile."""


class Progress(NamedTuple):
    """``behind``: bytes of the journal that are not indexed. ``days``: that have a file. ``since``: the oldest day from
    which on all is indexed, empty where there is none."""

    behind: int
    days: int
    size: int
    since: str


class Indexer:
    """``journal``: its root. ``low_disk``: bytes that stay free. ``on_flaw`` hears of lines that cannot be read."""

    def __init__(
        self, journal: Path, files: DayFiles, settings: IndexSettings, *, low_disk: int, on_flaw: OnFlaw
    ) -> None:
        self.progress = Progress(0, 0, 0, "")
        self.records = 0
        self.rebuilds = 0
        self._files = files
        self._settings = settings
        self._low_disk = low_disk
        self._on_flaw = on_flaw
        self._segments = SegmentDays(journal)
        self._open: OrderedDict[Day, DayFile] = OrderedDict()
        self._times: dict[Day, tuple[int, int]] = {}  # of the messages in each file
        self._left: dict[Day, int] = {}
        self._late: set[Day] = set()  # files with events of messages of other files
        self._finished: set[Day] = set()
        self._lost: dict[Day, float] = {}  # when files were thrown away because of damage
        self._size = 0
        self._bounded_at = -BOUND_EVERY
        self._waiting: OrderedDict[str, list[tuple[IndexEvent, RecordPlace]]] = OrderedDict()
        self._begun = False

    def turn(self) -> bool:
        """Whether there is more to do. Raises ``OSError``, ``sqlite3.Error``, ``NoRoom``."""
        try:
            return self._turn()
        except BaseException:  # raised again
            self.close()  # what was being put is in no file, and what is remembered of it is wrong
            raise

    def _turn(self) -> bool:
        if not self._begun:
            self._begin()
        if self._segments.refresh():
            self._prune()
        if self._files.free() < self._low_disk:
            raise NoRoom
        live, older = self._wanted()
        more = [self._read(day) for day in live]
        if older and not any(more):
            self._read(older[0])
        self._bound()
        self._tell(older)
        return any(more) or bool(older) or any(not self._left.get(day, 1) and day not in self._finished for day in live)

    def throw_away(self, dates: Collection[str] = ()) -> int:
        """Let what was made of these dates be made again, all of it where none is named; how many files there were."""
        self.close()
        for known in (self._times, self._left):
            known.clear()
        self._late.clear()
        self._finished.clear()
        self._begun = False
        return thrown_away(self._files, dates)

    def suspect(self, day: Day, suspicion: Suspicion) -> None:
        """Somebody could not read a file: throw it away, where that was not done since."""
        if suspicion.at > self._lost.get(day, 0.0):
            self.damaged(day, suspicion.problem)

    def damaged(self, day: Day, problem: str) -> None:
        """Throw a file away that cannot be read."""
        log.error("index.rebuilding", node_folder=day[0], day=day[1], problem=problem)
        self.rebuilds += 1
        self._lose(day)
        self._files.drop(day)
        self._lost[day] = monotonic()

    def close(self) -> None:
        """Let go of all files."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._waiting.clear()

    # -- what there is to do

    def _begin(self) -> None:
        """Look at what an earlier life left. Days that had too much tried again: the bound may be another now."""
        self._files.make()
        for day, mark in self._files.marked().items():
            if mark == "too-much":
                self._files.unmark(day)
        self._begun = True
        self._segments.refresh()
        self._prune()

    def _prune(self) -> None:
        there = {one.place for several in self._segments.of.values() for one in several}
        for day in self._files.days():
            try:
                file = self._file(day)
            except IndexDamaged as error:
                self.damaged(day, str(error))
                continue
            if file.read.keys() - there:
                self._lose(day)
                self._files.drop(day, "gone" if day in self._segments.of else None)
                log.info("index.pruned", node_folder=day[0], day=day[1])
        for day in self._files.marked():
            if day not in self._segments.of:
                self._files.unmark(day)
        self._left.clear()

    def _wanted(self) -> tuple[list[Day], list[Day]]:
        """Days that are still written, and older ones of which something is not read; each the newest first."""
        marked = self._files.marked()
        floor: dict[str, str] = {}
        for (node, date), mark in marked.items():
            if mark == "too-much":
                floor[node] = max(date, floor.get(node, ""))
        live: list[Day] = []
        older: list[Day] = []
        for day in sorted(self._segments.of, key=lambda one: (one[1], one[0]), reverse=True):
            if day in marked or day[1] <= floor.get(day[0], ""):
                continue
            several = self._segments.of[day]
            written = any(one.last for one in several)
            if day not in self._left or written:
                self._left[day] = left(several, self._read_of(day, several))
            if not self._left[day] and day not in self._finished:
                self._finish(day, written=written)
                self._finished.add(day)
            if written:
                live.append(day)
            elif self._left[day]:
                older.append(day)
        return live, older

    def _read_of(self, day: Day, several: list[DaySegment]) -> dict[tuple[str, str], int]:
        if not self._files.path(day).exists():
            return {}
        try:
            return self._file(day).read
        except IndexDamaged as error:
            self.damaged(day, str(error))
            return {}

    def _file(self, day: Day) -> DayFile:
        """Open for writing; made where it is not there."""
        file = self._open.get(day)
        if file is None:
            with self._files.changing:
                file = DayFile(self._files.path(day), texts=self._settings.texts)
            self._open[day] = file
            self._note(day, file)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(day)
        return file

    def _lose(self, day: Day) -> None:
        file = self._open.pop(day, None)
        if file is not None:
            file.close()
        self._times.pop(day, None)
        self._left.pop(day, None)
        self._late.discard(day)
        self._finished.discard(day)

    # -- reading on

    def _read(self, day: Day) -> bool:
        """Read on in one day; whether there is more of it."""
        if not self._left[day]:
            return False
        several = self._segments.of[day]
        try:
            file = self._file(day)
            taken = self._take(day, file, merged(several, file.read, self._on_flaw))
            # Of a segment that somebody has cut, less is there than it should be.
            self._left[day] = left(several, file.read) if taken or any(one.last for one in several) else 0
            return taken == RECORDS
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, IndexDamaged) as error:
            self.damaged(day, str(error))
            return True

    def _take(self, day: Day, file: DayFile, found: Iterator[Consumed]) -> int:
        read: dict[tuple[str, str], int] = {}
        taken = 0
        file.begin()
        for line in islice(found, RECORDS):
            taken += 1
            read[line.place] = line.until
            if line.entry is not None:
                self._record(day, file, line.entry)
        file.commit(read)
        self._note(day, file)
        self.records += taken
        return taken

    def _record(self, day: Day, file: DayFile, entry: LocatedRecord) -> None:
        place = RecordPlace(entry.folder, entry.segment, entry.offset)
        message = message_of(entry.record)
        if message is not None:
            file.put(message, place)
            for event, where in self._waiting.pop(message.id, ()):
                file.become(event, where)
            return
        became = event_of(entry.record)
        if became is not None and not file.become(became, place):
            file.keep(became, place)
            if not self._elsewhere(day, became, place):
                self._waiting.setdefault(became.id, []).append((became, place))
                if len(self._waiting) > WAITING:
                    self._waiting.popitem(last=False)

    def _elsewhere(self, own: Day, event: IndexEvent, place: RecordPlace) -> bool:
        """Say it in the file that has the message; whether there is one."""
        for day in self._days_of(event.id):
            if day == own:
                continue
            try:
                file = self._file(day)
                self._open.move_to_end(own)  # it must not be the one that is closed
                file.begin()
                found = file.become(event, place)
                file.commit({})
            except sqlite3.OperationalError:
                raise
            except (sqlite3.DatabaseError, IndexDamaged) as error:
                self.damaged(day, str(error))
                continue
            if found:
                return True
        return False

    def _days_of(self, message_id: str) -> list[Day]:
        """Files in which a message may be, by what its id says of itself."""
        try:
            told = ids.parse(message_id)
        except ValueError:
            return [day for day in self._times if day[0] == _IMPORTED]
        node, at = f"node-{told.node}", told.time_ms * 1000
        return [
            day for day, (oldest, newest) in self._times.items()
            if day[0] == node and oldest - SLACK_US <= at <= newest + SLACK_US
        ]  # fmt: skip

    def _finish(self, day: Day, *, written: bool) -> None:
        """All of a day is read: what other files tell of its messages is said there, once; of one that is still written
        once in each life."""
        try:
            file = self._file(day)
            if file.done:
                return
            oldest, newest = self._times.get(day, (0, 0))
            for other in self._late - {day}:
                told = list(self._file(other).late(oldest - SLACK_US, newest + SLACK_US))
                file = self._file(day)
                file.begin()
                for event, place in told:
                    file.become(event, place)
                file.commit({})
            if not written:
                file.finish()
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, IndexDamaged) as error:
            self.damaged(day, str(error))

    def _note(self, day: Day, file: DayFile) -> None:
        if file.oldest is not None:
            self._times[day] = (file.oldest, file.newest)
        if file.has_late:
            self._late.add(day)

    # -- how much there is

    def _bound(self) -> None:
        now = monotonic()
        if now < self._bounded_at + BOUND_EVERY:
            return
        self._bounded_at = now
        days = self._files.days()
        sizes = {day: self._files.size(day) for day in days}
        self._size = sum(sizes.values())
        while self._size > self._settings.max_size and len(days) > 1:
            day = days.pop()
            log.warning("index.day_dropped", node_folder=day[0], day=day[1], size=sizes[day])
            self._lose(day)
            self._files.drop(day, "too-much")
            self._size -= sizes[day]

    def _tell(self, older: list[Day]) -> None:
        days = [day[1] for day in self._times if not older or day[1] > older[0][1]]
        self.progress = Progress(sum(self._left.values()), len(self._times), self._size, min(days, default=""))
