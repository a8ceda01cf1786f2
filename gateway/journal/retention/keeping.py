"""How long the journal keeps what it holds: prunes past the ceiling, and looks after what workers left behind.

Done by control, one process a node. Nothing younger than the floor is ever touched (law 7); what goes is recorded
first.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from gateway.common.rounds import Rounds
from gateway.journal.retention.retention import Retention, due, prune, turn_dead
from gateway.journal.write.ids import Ids
from gateway.journal.write.recovery import recover_dead
from gateway.journal.write.writer import Writer

log = structlog.get_logger()

EVERY = 3600.0  # seconds between two looks; a segment is an hour old at most before it is closed


class Keeping:
    """``root`` is the whole journal, ``node`` the folder of this node in it; ``living`` its writers that run."""

    def __init__(
        self, writer: Writer, ids: Ids, root: Path, node: str, living: frozenset[str], retention: Retention
    ) -> None:
        self._writer = writer
        self._ids = ids
        self._root = root
        self._node = root / node
        self._living = living
        self._retention = retention
        self.rounds = Rounds("journal.pruning", self.look, EVERY)

    async def look(self) -> None:
        """Recover what dead workers left, and prune what is past the ceiling."""
        await self._recover()
        now = time.time_ns() // 1000
        await asyncio.to_thread(turn_dead, self._root, self._retention, now, self._ids.sibling())
        found = await asyncio.to_thread(due, self._root, self._retention, now)
        if found:
            log.info("journal.pruning", segments=sum(len(one.segments) for one in found))
            prune(found, self._writer.append, self._ids)

    async def _recover(self) -> None:
        try:
            unknown = await asyncio.to_thread(recover_dead, self._node, self._living, self._ids.sibling())
        except OSError:
            log.error("journal.recovery_failed", exc_info=True)
            return
        if unknown:
            log.warning("journal.unknown_outcomes", messages=unknown)
