"""What workers have to tell of sampled requests, held until it is exported: bounded, in batches, nothing said twice."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from gateway.common import channel
from gateway.common.rounds import Rounds
from gateway.control.workers.totals import Series

log = structlog.get_logger()

EVERY: Final = 1.0  # seconds between two questions to the workers
WITHIN: Final = 0.5  # seconds for one answer
MOST: Final = 256  # traces in one answer
BATCH: Final = 512  # spans in one export, as OTEL_BSP_MAX_EXPORT_BATCH_SIZE has it
LAST: Final = 3.0  # seconds for what is left when control ends


class Sender(Protocol):
    """What sends a batch, and blocks meanwhile."""

    def send(self, spans: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it was taken."""

    def close(self) -> None:
        """No more is sent."""


class Tracing:
    """``sockets``: of the present workers. ``wanted``: whether the configuration in force asks for traces, and how many
    spans may wait. ``made``: makes the sender, when there is first something to send."""

    def __init__(
        self, sockets: Callable[[], Mapping[str, Path]], wanted: Callable[[], int], made: Callable[[], Sender]
    ) -> None:
        self._sockets = sockets
        self._wanted = wanted
        self._made = made
        self._sender: Sender | None = None
        self._waiting: deque[dict[str, Any]] = deque()
        self._failing = False
        self.exported = 0
        self.lost = {"queue": 0, "refused": 0, "stopped": 0}
        self._gathering = Rounds("traces.gather", self.gather, EVERY)
        self._exporting = Rounds("traces.export", self.export, EVERY)

    def start(self) -> None:
        """Begin, in the running loop."""
        self._gathering.start()
        self._exporting.start()

    async def stop(self) -> None:
        """Send what is there, once, and end."""
        await self._gathering.stop()
        await self._exporting.stop()
        try:
            async with asyncio.timeout(LAST):
                if self._waiting and not self._failing:
                    await self.gather()
                    await self.export()
        except TimeoutError:
            pass
        self.lost["stopped"] += len(self._waiting)
        if self._sender is not None:
            self._sender.close()

    async def gather(self) -> None:
        """Ask every worker for what it has finished, until it has no more."""
        most = self._wanted()
        if not most:
            return
        for path in self._sockets().values():
            for _ in range(8):  # a worker that finishes faster than this would be asked for ever
                try:
                    answer = await channel.call(path, {"command": "spans", "most": MOST}, timeout=WITHIN)
                except channel.ChannelError:
                    break
                spans = answer.get("spans", [])
                for span in spans:
                    if len(self._waiting) >= most:
                        self._waiting.popleft()  # the newest tell more of what is wrong now
                        self.lost["queue"] += 1
                    self._waiting.append(span)
                if len(spans) < MOST:
                    break

    async def export(self) -> None:
        """Send what waits, a batch at a time; what was not taken waits for the next round."""
        while self._waiting:
            if self._sender is None:
                self._sender = await asyncio.to_thread(self._made)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            taken = await asyncio.to_thread(self._sender.send, batch)
            if not taken:
                self._failed(batch)
                return
            self.exported += len(batch)
            if self._failing:
                self._failing = False
                log.info("traces.exported_again", lost=sum(self.lost.values()))

    def _failed(self, batch: list[dict[str, Any]]) -> None:
        """Back to the front, where there is still room; told once."""
        room = max(0, self._wanted() - len(self._waiting))
        kept = batch[len(batch) - min(room, len(batch)) :]
        self._waiting.extendleft(reversed(kept))
        self.lost["refused"] += len(batch) - len(kept)
        if not self._failing:
            self._failing = True
            log.warning("traces.export_failed", waiting=len(self._waiting))

    async def series(self) -> dict[str, Series]:
        """See ``Measured``."""
        return {
            "tidegate_spans_exported_total": {(): self.exported},
            "tidegate_spans_lost_total": {(cause,): number for cause, number in self.lost.items()},
            "tidegate_spans_waiting": {(): len(self._waiting)},
        }
