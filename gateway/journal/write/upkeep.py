"""What a journal needs beside its appends: the next segment's file, syncs, a look at the room left on the disk, at the
segment's whereabouts, and at the clock.

Each may take a disk's time, so all of it is done in threads of its own: one that syncs, and one that looks, because a
sync may take seconds and a folder that vanished is to be noticed within one. The log is touched only in ``tend`` and
``install``, which the writer calls between two batches.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from gateway.common import boot
from gateway.common.boot import ClockWatch
from gateway.journal.write import record, space
from gateway.journal.write.counters import Counters
from gateway.journal.write.errors import Misplaced
from gateway.journal.write.log import Log
from gateway.journal.write.offload import Offload
from gateway.journal.write.segments import Owner, Synced, Tail, created
from gateway.journal.write.settings import JournalSettings

TICK = 1.0  # second
LOOK = 0.25  # seconds between two looks whether the segment is where it was

logger = structlog.get_logger("journal")


def plain(error: OSError) -> str:
    """An error without the path in it: ``ENOSPC``."""
    if isinstance(error, Misplaced):
        return error.why
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


class Upkeep:
    """``between`` is called every second and calls ``tend`` if no batch is under way; ``tell`` journals a record.

    ``at_hand`` gives the segment that is being written, and who owns its folder; ``misplaced`` hears what became of it.
    ``clock`` counts how the time of day was set.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        folder: Path,
        *,
        settings: JournalSettings,
        counters: Counters,
        between: Callable[[], None],
        tell: Callable[[dict[str, Any]], None],
        at_hand: Callable[[], tuple[Tail, Owner] | None],
        misplaced: Callable[[Tail, str], None],
    ) -> None:
        self.space = space.UNREAD
        self._loop = loop
        self._folder = folder
        self._settings = settings
        self._counters = counters
        self._between = between
        self._tell = tell
        self._at_hand = at_hand
        self._misplaced = misplaced
        self.clock = ClockWatch()
        self._files = Offload(loop, "journal-files")
        self._sight = Offload(loop, "journal-sight")
        self._timer: asyncio.TimerHandle | None = None
        self._look_timer: asyncio.TimerHandle | None = None
        self._looking = False
        self._next: Tail | None = None
        self._why = ""
        self._preparing = False
        self._not_before = 0.0  # monotonic seconds: the next attempt to prepare a segment
        self._syncing = False
        self._sync_due = False
        self._doubted = ""

    def start(self) -> None:
        self._looked(space.look(self._folder, self._settings), None)
        self._timer = self._loop.call_later(TICK, self._tick)
        self._look_timer = self._loop.call_later(LOOK, self._look)

    def tend(self, log: Log) -> None:
        """Between two batches: hand to the thread what has become due."""
        if log.retired:
            retired, log.retired = log.retired, []
            for left in retired:
                if self._settings.fsync == "everysec" and left.segment.name != self._doubted:
                    self._files.submit(partial(self._sync, left), partial(self._synced, left, left))
                else:
                    left.close()
        tail = log.tail
        if tail is None:
            return
        if self._sync_due and not self._syncing and not self._doubted:
            self._sync_due = False
            if tail.synced < tail.size:
                self._syncing = True
                twin = tail.twin()
                self._files.submit(partial(self._sync, twin), partial(self._synced, twin, tail))
        if not self._preparing and self._next is None:
            self._prepare(log)

    def install(self, log: Log) -> None:
        """Between two batches: turn to the segment that was prepared, or from one that may not be synced again."""
        if self._doubted:
            doubted, self._doubted = self._doubted, ""
            if log.tail is not None and log.tail.segment.name == doubted and (left := log.leave("sync failed")):
                left.close()
        if self._next is not None:
            prepared, self._next = self._next, None
            if log.tail is not None and log.tail.segment.number > prepared.segment.number:
                prepared.abandon()
            else:
                log.why = log.why or self._why
                log.prepared = prepared

    def forget(self) -> None:
        """Leave what was prepared in a folder that is not there any more."""
        if self._next is not None:
            self._next.abandon()
            self._next = None

    def close(self) -> None:
        """Finish what is under way. Blocks."""
        for timer in (self._timer, self._look_timer):
            if timer is not None:
                timer.cancel()
        self._sight.close()
        self._files.close()
        if self._next is not None:
            self._next.abandon()
            self._next = None

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        self._files.submit(partial(space.look, self._folder, self._settings), self._looked)
        self._sync_due = self._settings.fsync == "everysec"
        by = self.clock.look()
        if by:
            logger.error("clock.leapt", seconds=round(by / 1e6, 3))
            self._tell(record.leap("", by, boot.reading(), "running"))
        self._between()

    def _look(self) -> None:
        self._look_timer = self._loop.call_later(LOOK, self._look)
        at_hand = self._at_hand()
        if at_hand is None or self._looking:
            return
        self._looking = True
        tail, owner = at_hand
        self._sight.submit(partial(_whereabouts, tail, owner), partial(self._seen, tail))

    def _seen(self, tail: Tail, why: str | None, error: OSError | None) -> None:
        self._looking = False
        if why or error is not None:
            self._misplaced(tail, why or "replaced")

    def _sync(self, tail: Tail) -> None:
        """In the thread."""
        size, began = tail.size, time.time_ns() // 1000
        tail.sync()
        at_hand = self._at_hand()
        if at_hand is not None:
            with suppress(OSError):  # the note says less than it could; the sync succeeded
                at_hand[1].note(Synced(tail.segment.name, size, began))

    def _looked(self, seen: space.Space, _: OSError | None) -> None:
        if seen.level != self.space.level:
            weight = logging.INFO if seen.level == "ok" else logging.WARNING
            logger.log(weight, "journal.space", space=seen.level, free_bytes=seen.free)
        self.space = seen

    def _prepare(self, log: Log) -> None:
        """Create the next segment's file aside: making its name durable takes a disk's time."""
        why = log.due(self._settings.segment_size, self._settings.segment_age)
        if why and time.monotonic() >= self._not_before:
            self._preparing = True
            self._why = why
            self._files.submit(partial(created, log.folder, log.epoch, log.reserve()), self._prepared)

    def _prepared(self, tail: Tail | None, error: OSError | None) -> None:
        self._preparing = False
        self._next = tail
        if error is not None:  # the segment at hand goes on: a full table of files is no reason to stop
            self._not_before = time.monotonic() + TICK
            logger.error("journal.segment_not_opened", error=plain(error))

    def _synced(self, tail: Tail, of: Tail, _: object, error: OSError | None) -> None:
        """``tail`` is a retired segment, or a twin ``of`` the current one: its descriptor ends here."""
        self._syncing = False
        tail.close()
        if error is None:
            of.synced = max(of.synced, tail.synced)
            return
        name = tail.segment.name
        self._doubted = name
        self._counters.sync_failures += 1
        logger.error("journal.sync_failed", segment=name, first_byte=tail.synced, error=plain(error))
        doubt = {"segment": name, "from": tail.synced, "to": tail.size, "error": plain(error)}
        self._tell({"kind": "unsynced", **doubt})


def _whereabouts(tail: Tail, owner: Owner) -> str:
    return tail.misplaced() or ("replaced" if owner.lost() else "")
