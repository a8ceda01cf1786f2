"""How long the journal keeps what it holds: prunes past the ceiling, and looks after what workers left behind.

Done by control, one process a node. Nothing younger than the floor is ever touched (law 7); what goes is recorded
first. Two looks must agree, ``EVERY`` apart by the machine's own clock, and the time of day must not have been set in
between: so nothing goes at a start, nor because a clock was wrong for a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from gateway.common.boot import ClockReading, ClockWatch, reading
from gateway.common.rounds import Rounds
from gateway.journal.retention.copies import copies, due_of_copy
from gateway.journal.retention.retention import Due, Journal, Retention, agreed, due, prune, turn_dead
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.recovery import recover_dead
from gateway.journal.write.writer import Writer

log = structlog.get_logger()

EVERY = 3600.0  # seconds between two looks; a segment is an hour old at most before it is closed
APART = 0.9  # of EVERY, that two looks which agree are apart at least


class Keeping:
    """``root`` is the whole journal, ``node`` the folder of this node in it; ``living`` tells its writers that run."""

    def __init__(
        self,
        writer: Writer,
        ids: Ids,
        root: Path,
        node: str,
        living: Callable[[], Collection[str]],
        retention: Retention,
        *,
        clock: Callable[[], ClockReading] = reading,
    ) -> None:
        self._writer = writer
        self._ids = ids
        self._root = root
        self._node = root / node
        self._living = living
        self._retention = retention
        self._clock = clock
        self._watch = ClockWatch(clock)
        self._before: tuple[int, list[Due]] | None = None  # the look before: its uptime, and what was due
        self._trusted: ClockReading | None = None
        self.rounds = Rounds("journal.pruning", self.look, EVERY)

    async def look(self) -> None:
        """Recover what dead workers left, and prune what is past the ceiling."""
        await self._recover()
        now = self._clock()
        journal = await asyncio.to_thread(Journal, self._root, now)
        self._trusted = now._replace(time=journal.trusted(self._node / str(CONTROL)))
        await asyncio.to_thread(turn_dead, journal, self._retention, self._ids.sibling())
        found = await asyncio.to_thread(self._due, journal)
        before, self._before = self._before, (now.uptime, found)
        if self._watch.look():
            log.warning("journal.pruning_waits", why="the time of day was set")
            return
        if before is None or now.uptime - before[0] < APART * EVERY * 1e6:
            return
        agreeing = await asyncio.to_thread(agreed, found, before[1], self._retention, now)
        if agreeing:
            log.info("journal.pruning", segments=sum(len(one.segments) for one in agreeing))
            prune(agreeing, self._writer.append, self._ids)

    def _due(self, journal: Journal) -> list[Due]:
        """Of what this node wrote, and of the copies that it keeps."""
        found = due(journal, self._retention)
        for copy in copies(self._root, journal):
            found += due_of_copy(copy, self._retention)
        return found

    def trusted_ns(self) -> int:
        """The time of day for what ends or goes for good: never later than the clock says, nor than is proven or
        believed to have gone by since this node began to record. Nanoseconds; 0 where that is not known yet."""
        if self._trusted is None:
            return 0
        now = self._clock()
        return 1000 * min(now.time, self._trusted.time + max(0, now.uptime - self._trusted.uptime))

    async def _recover(self) -> None:
        try:
            unknown = await asyncio.to_thread(recover_dead, self._node, self._living(), self._ids.sibling())
        except OSError:
            log.error("journal.recovery_failed", exc_info=True)
            return
        if unknown:
            log.warning("journal.unknown_outcomes", messages=unknown)
