"""Follows the journal, while any ticket is open, for messages that came with one and were delivered.

    judged, finding ticket.used ──► waits for its outcome ──► delivered: the ticket is spent
                                                         └──► anything else: it is open still

How far it was read stands in a small file beside the control database, written after what followed from it; where that
is missing, or there was no ticket for a while, reading begins where the oldest open ticket was given. Reading is done
in a thread. Spending twice means the same. Of copies of other nodes nothing is read: their tickets are their control's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import func, select

from gateway.common.ending import end
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding import tickets
from gateway.control.holding.rows import Ticket
from gateway.journal.read import reader
from gateway.journal.read.follow import Follower, ends
from gateway.journal.write.segments import own_folders
from gateway.judging.resending import USED

log = structlog.get_logger()

EVERY = 0.5  # seconds between two looks where nothing is new
CHUNK = 2000  # records of each worker read at once
MAX_WAITING = 10_000
NEEDLE: Final = b'"ticket.used"'


class TicketUse:
    """``root``: the journal; ``kept``: the file with the positions. ``clock`` in nanoseconds since the epoch."""

    def __init__(self, ledger: Ledger, root: Path, kept: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._ledger = ledger
        self._root = root
        self._kept = kept
        self._clock = clock
        self._follower: Follower | None = None
        self._waiting: dict[str, int] = {}  # message -> ticket
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="ticket use")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])

    async def step(self) -> bool:
        """Read on once; True where more may be there."""
        since = await self._ledger.database.read(
            lambda session: session.scalar(select(func.min(Ticket.created_at)).where(Ticket.state == tickets.OPEN))
        )
        if since is None:
            self._follower = None
            self._waiting.clear()
            return False
        read, delivered = await asyncio.to_thread(self._read, since)
        for message_id, ticket in delivered:
            await tickets.spend(self._ledger, ticket, message_id, self._clock() // 1000)
        if read:
            await asyncio.to_thread(self._keep)
        return read

    async def _run(self) -> None:
        failing = False
        while True:
            more = False
            try:
                more = await self.step()
                failing = False
            except DatabaseUnavailable:  # told by the database itself
                self._follower = None
            except Exception:  # of disk or database: what was not kept is read again
                if not failing:  # once for each outage
                    log.error("tickets.use_failed", exc_info=True)
                failing = True
                self._follower = None
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.sleep(EVERY)

    def _read(self, since: int) -> tuple[bool, list[tuple[str, int]]]:
        delivered: list[tuple[str, int]] = []
        read = False
        if self._follower is None:
            self._follower, known = self._begun(since)
            for record in known:
                self._take(record, delivered)
        for entry in self._follower.read(CHUNK):
            read = True
            self._take(entry.record, delivered)
        return read, delivered

    def _take(self, record: dict[str, Any], delivered: list[tuple[str, int]]) -> None:
        if record["kind"] == "judged":
            if record["verdict"] != "pass" or len(self._waiting) >= MAX_WAITING:
                return
            for found in record.get("findings", ()):
                if found["reason"] == USED:
                    self._waiting[record["id"]] = int(found["detail"]["ticket"])
        elif record["kind"] == "outcome":
            ticket = self._waiting.pop(record["id"], None)
            if ticket is not None and record["state"] == "delivered":
                delivered.append((record["id"], ticket))

    def _begun(self, since: int) -> tuple[Follower, list[dict[str, Any]]]:
        """A follower from the kept position on; or from now on, with what stands in the journal since the oldest open
        ticket was given."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = orjson.loads(self._kept.read_bytes())
            if kept["since"] >= since:
                self._waiting = {str(name): int(ticket) for name, ticket in kept["waiting"].items()}
                return Follower(self._root, lambda flaw: None, kept["positions"], own_folders), []
        positions = ends(self._root, own_folders)
        records: list[dict[str, Any]] = []
        used: set[str] = set()
        for entry in reader.merged(self._root, lambda flaw: None, since_us=since, needle=NEEDLE, of=own_folders):
            records.append(entry.record)
            used.add(entry.record["id"])
        for message_id in used:
            needle = b'"id":"%b"' % message_id.encode()
            found = reader.merged(self._root, lambda flaw: None, since_us=since, needle=needle, of=own_folders)
            records += [entry.record for entry in found if entry.record["kind"] == "outcome"]
        return Follower(self._root, lambda flaw: None, positions, own_folders), records

    def _keep(self) -> None:
        assert self._follower is not None
        told = {"since": self._clock() // 1000, "positions": self._follower.positions, "waiting": self._waiting}
        made = self._kept.with_suffix(".part")
        made.write_bytes(orjson.dumps(told))
        made.replace(self._kept)
