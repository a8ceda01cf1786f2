"""One worker's chain of segments, synchronously: when ``write`` returns a batch is wholly there, else it is absent.

The laws of this file:

* a segment that failed a write or an fsync is left for good: never written again, never synced again;
* what a failed write left behind lies beyond the size that the next segment's header names, so it does not count;
* a header (``opened``) is a batch of its own, names the segment before it and lists the messages that were forwarded
  and have no outcome yet: recovery needs nothing older.

Used by one thread at a time; the writer sees to that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from gateway.common import boot
from gateway.journal.write import encoding
from gateway.journal.write.errors import SyncFailed
from gateway.journal.write.segments import Tail, created, segments


class Log:
    """``chain`` and ``last`` (sequence) are those of the last batch that counts. ``open`` holds the ids of messages
    that were passed and have no outcome, as of that batch; ``waiting`` tells which of them have a delay that is not
    over. ``previous`` is the segment before the tail and its size."""

    __slots__ = (
        "_always",
        "_ids",
        "_number",
        "chain",
        "epoch",
        "folder",
        "last",
        "on_failure",
        "open",
        "opened_at",
        "prefix",
        "prepared",
        "previous",
        "refused",
        "retired",
        "segments",
        "tail",
        "waiting",
        "why",
    )

    def __init__(
        self,
        folder: Path,
        epoch: int,
        ids: Callable[[], str],
        *,
        always: bool,
        chain: bytes = encoding.GENESIS,
        previous: tuple[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self.epoch = epoch
        self.prefix = encoding.prefix(epoch)
        self.chain = chain
        self.last = 0
        self.open: set[str] = set()
        self.waiting: Callable[[], Collection[str]] = tuple
        self.previous = previous
        self.tail: Tail | None = None
        self.prepared: Tail | None = None
        self.retired: list[Tail] = []  # left in good order; the writer syncs and closes them
        self.why = "start"
        self.refused = 0  # records refused, for the next header to tell
        self.opened_at = 0.0  # monotonic seconds
        self.segments = 0  # how many were opened
        self.on_failure: Callable[[str, OSError], None] = lambda segment, error: None
        self._always = always
        self._ids = ids
        self._number = 0

    def reserve(self) -> int:
        """The number of a segment to come. Numbers rise; one whose file could not be used is left out."""
        self._number += 1
        return self._number

    def write(self, records: Sequence[bytes]) -> int:
        """Append one batch of at least one record, each the bytes that ``encoding.fields`` gives. Returns the bytes
        written.

        A failure leaves the segment and tries the batch once more in a new one. Raises OSError when that fails too:
        then nothing of the batch counts.
        """
        if self.prepared is not None:
            self._enter(self.prepared)
        number = self.last + 1
        first = encoding.body(self.prefix, number, records[0])
        rest = encoding.lines(self.prefix, number + 1, records[1:])
        last = self.last + len(records)
        try:
            return self._append(first, rest, last)
        except OSError as error:
            self._give_up(error)
        try:
            return self._append(first, rest, last)
        except OSError as error:
            self._give_up(error)
            raise

    def reopen(self) -> None:
        """Open a segment and write its header, to see whether that works again. Raises OSError."""
        try:
            self._append(b"", b"", self.last)
        except OSError as error:
            self._give_up(error)
            raise

    def leave(self, why: str) -> Tail | None:
        """Turn from the segment without failure of a write; the next batch opens another. Returns what was left."""
        tail, self.tail = self.tail, None
        if tail is not None:
            self.previous = (tail.segment.name, tail.size)
            self.why = why
        return tail

    def move_on(self) -> None:
        """The folder is another than it was: go on in it, in an epoch above all that it holds. The chain goes on from
        what was written, and so does what is open; that the segments in between are gone is for readers to see."""
        found = segments(self.folder)
        self.epoch = max(self.epoch, found[-1].epoch if found else 0) + 1
        self.prefix = encoding.prefix(self.epoch)
        self.last = 0
        self._number = 0

    def due(self, size: int, age: float) -> str:
        """Why the segment should be followed by another by now: ``size``, ``age`` or nothing. Bytes and seconds."""
        if self.tail is None or self.prepared is not None:
            return ""
        if self.tail.size >= size:
            return "size"
        return "age" if time.monotonic() - self.opened_at >= age else ""

    def _enter(self, tail: Tail) -> None:
        left = self.leave(self.why)
        if left is not None:
            self.retired.append(left)
        self.prepared = None
        self.tail = tail

    def _append(self, first: bytes, rest: bytes, last: int) -> int:
        """``first``: unsealed, because its end holds the chain, which the header of a new segment changes."""
        tail = self.tail
        if tail is None:
            tail = self.tail = created(self.folder, self.epoch, self.reserve())
        lead, chain = b"", self.chain
        if not tail.size:
            lead = self._header()
            chain = encoding.next_chain(chain, lead)
        batch = encoding.chained(first, chain) + rest if first else b""
        before = tail.size
        tail.append(lead + batch)
        if self._always:
            try:
                tail.sync()
            except OSError as error:
                tail.size = before
                raise SyncFailed(*error.args) from error
        if lead:
            self.why = ""
            self.refused = 0
            self.opened_at = time.monotonic()
            self.segments += 1
        self.chain = encoding.next_chain(chain, batch) if batch else chain
        self.last = last
        return len(lead) + len(batch)

    def _header(self) -> bytes:
        now = boot.reading()
        record: dict[str, Any] = {
            "kind": "opened",
            "id": self._ids(),
            "time": now.time,
            "boot": now.boot,
            "uptime": now.uptime,
            "durable": self._always,
            "node": self.folder.parent.name,
            "worker": self.folder.name,
            "why": self.why,
            "previous": {"segment": self.previous[0], "size": self.previous[1]} if self.previous else None,
            "open": sorted(self.open),
        }
        if waiting := self.open.intersection(self.waiting()):
            record["waiting"] = sorted(waiting)
        if self.refused:
            record["refused"] = self.refused
        return encoding.chained(encoding.body(self.prefix, self.last, encoding.fields(record)), self.chain)

    def _give_up(self, error: OSError) -> None:
        tail, self.tail = self.tail, None
        self.why = "sync failed" if isinstance(error, SyncFailed) else "write failed"
        if tail is None:
            self.on_failure("", error)
            return
        if tail.size:
            self.previous = (tail.segment.name, tail.size)
        tail.abandon()
        self.on_failure(tail.segment.name, error)
