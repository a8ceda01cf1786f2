"""The writer of one worker's journal: everything appended in a turn of the event loop leaves in one ``write``.

Laws of this file (law 5 is their reason):

* ``then`` is called after the record is in the operating system (on disk with ``fsync = "always"``), never before,
  never from inside ``append``, exactly once, in the order of ``append``; or else ``failed`` is, under the same rules;
* a record that cannot be written is answered, never dropped: everything that waits fails together, and the sequence
  goes on from the last record that counts;
* what is insisted on holds nobody up, so it waits a little (``PATIENCE``) for the next judged record: where few
  messages come, half of all writes are saved. A crash meanwhile leaves outcomes ``unknown``, no message unrecorded;
* one batch is under way at a time, in the loop or in the thread, so the log below needs no lock.

A loop that writes is the fast way while the page cache takes a write in microseconds. Where the disk makes writes wait
(``SLOW_WRITES`` of ``WINDOW`` above ``slow_write``), or each waits for its fsync, they move to a thread, and
return after ``CALM_WRITES`` fast ones in a row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any, Final

import structlog

from gateway.common import boot
from gateway.common.boot import ClockWatch
from gateway.journal.write import encoding, recovery
from gateway.journal.write.counters import Counters
from gateway.journal.write.errors import JournalUnavailable, Misplaced, SyncFailed
from gateway.journal.write.ids import Ids
from gateway.journal.write.log import Log
from gateway.journal.write.offload import Offload
from gateway.journal.write.segments import Owner, Tail
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.space import Space
from gateway.journal.write.turn_batch import Called, Failed, Settled, Then, TurnBatch, Waiter
from gateway.journal.write.upkeep import Upkeep, plain

SLOW_WRITES = 3
WINDOW = 256
CALM_WRITES = 256
PATIENCE: Final = 0.005  # seconds that an outcome waits at most for a judged record to be written along with it
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds between attempts to write again

logger = structlog.get_logger("journal")

# What NamedTuple's own constructor does, without its frame.
_new: Final = tuple.__new__


class Writer:
    """Owns ``<root>/<node>/<worker>``. Made in the loop's thread; ``start`` opens, ``close`` ends in good order.

    ``ids`` makes the ids of this worker's messages too: after a start it gives none below those already recorded.
    ``available``: False while nothing can be written. ``threaded``: True while appends are made in the thread.
    """

    def __init__(
        self,
        root: Path,
        node: str,
        worker: int,
        *,
        ids: Ids,
        settings: JournalSettings,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._root = root
        self.folder = root / node / str(worker)
        self.counters = Counters()
        self.available = False
        self.threaded = settings.fsync == "always"
        self._ids = ids
        self._own_ids = ids.sibling()  # the log's own records may be made in the thread
        self._settings = settings
        self._max_waiting = settings.max_waiting
        self._always = settings.fsync == "always"
        self._loop = loop
        self._owner: Owner | None = None
        self._log: Log | None = None
        self._waiting: Callable[[], Collection[str]] = tuple
        self._batch = TurnBatch()
        self._under_way: TurnBatch | None = None
        self._busy = False  # a batch is under way, or its callbacks are running
        self._refused: list[tuple[Waiter | None, JournalUnavailable]] = []
        self._gone: tuple[Tail, str] | None = None  # a segment to leave once no batch is under way, and why
        self._untold = 0  # refused records that no header has told of yet
        self._kept: list[Settled] = []  # insisted on; as many as messages were under way, no more
        self._kept_timer: asyncio.TimerHandle | None = None
        self._scheduled = False
        self._patience: asyncio.TimerHandle | None = None
        self._slow = self._writes = self._calm = 0
        self._pause = FIRST_PAUSE
        self._probe_timer: asyncio.TimerHandle | None = None
        self._offload = Offload(loop, "journal-append")
        self._upkeep = Upkeep(
            loop, self.folder, settings=settings, counters=self.counters, between=self._between, tell=self._tell,
            at_hand=self._at_hand, misplaced=self._misplaced,
        )  # fmt: skip
        self._closed = False

    def start(self) -> None:
        """Recover and open a segment. Blocks for as long as reading the last segment takes. Where the folder cannot be
        written, or another process still holds it, ``available`` stays False and it is tried again: nothing is raised.
        """
        try:
            found = self._begin()
        except OSError as error:
            self._went_down(error)
        else:
            self._came_up(found)
        self._upkeep.start()

    def tells_waiting(self, waiting: Callable[[], Collection[str]]) -> None:
        """``waiting`` tells the messages whose delay is not over: nothing of them has left. Asked in the thread too."""
        self._waiting = waiting
        if self._log is not None:
            self._log.waiting = waiting

    def append(self, record: Mapping[str, Any], then: Then | None = None, failed: Failed | None = None) -> None:
        """Queue ``record`` for this turn's write. TypeError where it is not JSON; then nothing was queued."""
        kind = record["kind"]
        passed = kind == "judged" and record["verdict"] == "pass"
        batch = self._batch
        self.enqueue(encoding.fields(record), Called(then, failed), record["id"] if passed else "")
        if kind == "outcome":
            batch.settled.append(record["id"])

    def enqueue(self, fields: bytes, waiter: Waiter, passed: str = "") -> None:
        """``append`` for a record that is encoded. ``passed``: its message's id where an outcome is to follow."""
        batch = self._batch
        if not self.available or batch.size > self._max_waiting:
            self._refuse(waiter)
            return
        if not batch.fields:
            batch.since = monotonic()
        batch.fields.append(fields)
        batch.size += len(fields)
        batch.waiters.append(waiter)
        if passed:
            batch.passed.append(passed)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def insist(self, record: Mapping[str, Any]) -> None:
        """Append what has already happened, such as an outcome: nobody can be refused for it any more, so where it
        cannot be written it waits in memory until it can. A crash until then makes the outcome ``unknown``."""
        self.settle(record["id"] if record["kind"] == "outcome" else "", encoding.fields(record))

    def settle(self, message_id: str, fields: bytes) -> None:
        """``insist`` for a record that is encoded: the outcome of ``message_id``, or another where that is empty."""
        batch = self._batch
        if not self.available or batch.size > self._max_waiting:
            self._refuse(None)
            self._keep(Settled(message_id, fields))
            return
        if not batch.fields:
            batch.since = monotonic()
        batch.fields.append(fields)
        batch.size += len(fields)
        batch.insisted.append(_new(Settled, (message_id, fields)))
        if not self._scheduled and self._patience is None:
            self._patience = self._loop.call_later(PATIENCE, self._impatient)

    def _impatient(self) -> None:
        self._patience = None
        self.flush()

    def _keep(self, settled: Settled) -> None:
        self._kept.append(settled)
        if self.available and self._kept_timer is None:  # only the queue was full
            self._kept_timer = self._loop.call_later(FIRST_PAUSE, self._insist_again)

    def _insist_again(self) -> None:
        if self._kept_timer is not None:
            self._kept_timer.cancel()
            self._kept_timer = None
        kept, self._kept = self._kept, []
        for settled in kept:
            self.settle(*settled)

    def flush(self) -> None:
        """Write now what is queued: for a caller who knows that its batch is complete. Calls back before it returns,
        unless the thread is writing or it is called from inside a callback."""
        batch = self._batch
        log = self._log
        if self._busy or not batch.fields or log is None:
            return
        self._batch = TurnBatch()
        self._busy = True
        self._under_way = batch
        self._upkeep.install(log)
        if self.threaded:
            self._offload.submit(partial(self._write, log, batch), partial(self._landed, batch))
            return
        error = None
        try:
            self._write(log, batch)
        except OSError as caught:
            error = caught
        except Exception as fault:  # a fault of ours must not leave answers waiting for ever
            self._report(fault)
            error = OSError("a fault of the journal")
        self._landed(batch, None, error)

    @property
    def ready(self) -> bool:
        """False also while the disk is nearly full: other nodes should get the traffic before it is."""
        return self.available and self.space.level not in ("low", "unread")

    @property
    def space(self) -> Space:
        return self._upkeep.space

    @property
    def clock(self) -> ClockWatch:
        """How the time of day was set since the start, and between the last life and this one."""
        return self._upkeep.clock

    def lag(self) -> float:
        """Seconds that the oldest record not yet written has waited."""
        oldest = self._under_way or self._batch
        return monotonic() - oldest.since if oldest.fields else 0.0

    def awaiting(self) -> int:
        """How many messages were passed and have no outcome yet."""
        return len(self._log.open) if self._log is not None else 0

    def close(self) -> None:
        """Write what waits, record that the end was in order, sync, give the folder up. Blocks."""
        if self._closed:
            return
        self.flush()
        self._closed = True
        self.threaded = False
        self._offload.close()
        for timer in (self._probe_timer, self._kept_timer, self._patience):
            if timer is not None:
                timer.cancel()
        self._drain()
        self._upkeep.close()
        self._drain()  # a sync that failed just now has a record to write
        if self._log is not None:
            self._end(self._log)
        self.available = False
        if self._owner is not None:
            self._owner.release()

    def _drain(self) -> None:
        while self._refused or self._batch.fields:
            self._turn()

    def _turn(self) -> None:
        self._scheduled = False
        if self._refused:
            refused, self._refused = self._refused, []
            for waiter, error in refused:
                self._call(waiter, error)
        self.flush()

    def _write(self, log: Log, batch: TurnBatch) -> None:
        started = perf_counter()
        batch.written = log.write(batch.fields)
        batch.seconds = perf_counter() - started

    def _landed(self, batch: TurnBatch, _: object, error: OSError | None) -> None:
        log = self._log
        assert log is not None
        self._under_way = None
        if error is not None:
            self._busy = False
            self._went_down(error, batch)
            return
        if batch.passed:
            log.open.update(batch.passed)
        for settled in batch.insisted:
            log.open.discard(settled.message_id)
        if batch.settled:
            log.open.difference_update(batch.settled)
        counters = self.counters
        counters.records += len(batch.fields)
        counters.bytes += batch.written
        counters.batches += 1
        counters.segments = log.segments
        counters.appended(batch.seconds)
        for waiter in batch.waiters:
            try:
                waiter.on_written()
            except Exception as fault:  # one caller's fault must not take the others' answers
                self._report(fault)
        self._busy = False
        self._weigh(batch.seconds)
        if self._gone is not None:
            self._leave()
            return
        try:
            self._upkeep.tend(log)
        except Exception as fault:  # whoever called for the write must not pay for it: state's connection, for one
            self._report(fault)
        # What came meanwhile may have found us busy, and its timer is spent.
        if self._batch.fields and (self.threaded or not (self._scheduled or self._patience)):
            self.flush()

    def _weigh(self, seconds: float) -> None:
        """Move to the thread, or back, with hysteresis."""
        slow = seconds > self._settings.slow_write
        self.counters.slow_writes += slow
        if self._always:
            return
        if self.threaded:
            self._calm = 0 if slow else self._calm + 1
            if self._calm >= CALM_WRITES:
                self.threaded = False
                logger.info("journal.writes_in_loop")
            return
        self._writes += 1
        self._slow += slow
        if self._slow >= SLOW_WRITES and not self._closed:
            self.threaded = True
            logger.warning("journal.writes_in_thread", last_seconds=round(seconds, 4))
        if self.threaded or self._writes >= WINDOW:
            self._slow = self._writes = self._calm = 0

    def _at_hand(self) -> tuple[Tail, Owner] | None:
        log, owner = self._log, self._owner
        if log is None or owner is None or log.tail is None or not self.available:
            return None
        return log.tail, owner

    def _misplaced(self, tail: Tail, why: str) -> None:
        """What is written now would be lost: nothing more is answered until it can be written where it is found."""
        if self._log is None or self._log.tail is not tail or not self.available or self._closed:
            return
        self._gone = (tail, why)
        if not self._busy:
            self._leave()

    def _leave(self) -> None:
        assert self._gone is not None
        (tail, why), self._gone = self._gone, None
        log = self._log
        if log is None or log.tail is not tail:
            return  # it was left meanwhile, for another reason or in good order
        log.leave(why)
        tail.close()
        self._upkeep.forget()
        error = Misplaced(why)
        self._left(tail.segment.name, error)
        self._went_down(error)

    def _between(self) -> None:
        if not self._busy and self.available and self._log is not None:
            self._upkeep.tend(self._log)

    def _tell(self, record: dict[str, Any]) -> None:
        self.append({**record, "id": self._ids(), "time": time.time_ns() // 1000})

    def _refuse(self, waiter: Waiter | None) -> None:
        reason = "journal.queue" if self.available else "journal.closed" if self._closed else "journal.unavailable"
        self.counters.refused += 1
        self._untold += 1
        self._refused.append((waiter, JournalUnavailable(reason)))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _went_down(self, error: OSError, batch: TurnBatch | None = None) -> None:
        """Everything that waits fails; what counts ends with the log's last batch."""
        lost = (self._batch,) if batch is None else (batch, self._batch)
        self._batch = TurnBatch()
        refused = sum(len(each.fields) for each in lost)
        if self.available or self._pause == FIRST_PAUSE:
            logger.error("journal.unavailable", error=plain(error), refused=refused)
        self.available = False
        self.counters.refused += refused
        self._untold += refused
        if not self._closed:
            self._probe_timer = self._loop.call_later(self._pause, self._probe)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        for each in lost:
            for settled in each.insisted:
                self._keep(settled)
            for waiter in each.waiters:
                self._call(waiter, JournalUnavailable("journal.unavailable"))

    def _probe(self) -> None:
        """See in the thread whether a segment can be opened and its header be written."""
        log = self._log
        self._busy = True
        if log is None:
            self._offload.submit(self._begin, self._probed)
        else:
            log.refused = self._untold
            self._offload.submit(partial(self._reopen, log), self._probed)

    def _reopen(self, log: Log) -> None:
        """In the thread. A folder that was removed is made again, under another lock; the journal itself is not: where
        that is gone a disk is missing, or a person decides."""
        if self._owner is not None and self._owner.lost():
            self._owner.release()
            self._owner = None
        if self._owner is None:
            self._root.stat()
            self._owner = Owner(self.folder)
            log.move_on()
        log.reopen()
        if log.tail is not None and (why := log.tail.misplaced()):
            raise Misplaced(why)

    def _probed(self, found: recovery.Recovered | None, error: OSError | None) -> None:
        self._busy = False
        if error is not None:
            self._went_down(error)
            return
        logger.warning("journal.available")
        self._came_up(found)

    def _begin(self) -> recovery.Recovered:
        if self._owner is None:
            self._owner = Owner(self.folder)
        self._log, found = recovery.begin(self.folder, self._own_ids, always=self._always)
        self._log.on_failure = self._left
        return found

    def _came_up(self, found: recovery.Recovered | None) -> None:
        log = self._log
        assert log is not None
        log.waiting = self._waiting
        if found is not None:
            self._ids.not_before(found.last_ms)
            self.counters.unknown += len(found.unknown)
            self.counters.cuts += len(found.cuts)
            self.counters.cut_bytes += sum(cut["bytes"] for cut in found.cuts)
            if found.open or found.cuts:
                logger.warning(
                    "journal.recovered", unknown=len(found.unknown), waiting=len(found.waiting), cuts=len(found.cuts)
                )
            if not found.ended:
                self.counters.unclean += 1
                logger.warning("journal.unclean_stop", last_record=round(found.newest_us / 1e6, 3))
            if found.leap:
                self.clock.noted(found.leap, boot.reading())
                logger.error("clock.leapt", seconds=round(found.leap / 1e6, 3), seen="start")
        else:
            self._untold = 0
        self.counters.segments = log.segments
        self._pause = FIRST_PAUSE
        self.available = True
        self._insist_again()

    def _left(self, segment: str, error: OSError) -> None:
        if isinstance(error, SyncFailed):
            self.counters.sync_failures += 1
            self.counters.gave_up("sync failed")
        elif isinstance(error, Misplaced):
            self.counters.gave_up(error.why)
        else:
            self.counters.write_failures += 1
            self.counters.gave_up("write failed")
        logger.error("journal.segment_left", segment=segment, error=plain(error))

    def _end(self, log: Log) -> None:
        try:
            if self.available:
                recovery.end(log, self._own_ids)
        except OSError as error:
            logger.error("journal.not_closed_in_order", error=plain(error))
        for tail in (log.tail, *log.retired):
            if tail is not None:
                tail.close()

    def _call(self, waiter: Waiter | None, error: JournalUnavailable) -> None:
        if waiter is not None:
            try:
                waiter.on_unwritten(error)
            except Exception as fault:  # one caller's fault must not keep the others from being told
                self._report(fault)

    def _report(self, fault: Exception) -> None:
        self._loop.call_exception_handler({"message": "the journal or one of its callbacks failed", "exception": fault})
