"""Something that control looks after for as long as it runs: a round, a pause, the next round."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.common.ending import end

log = structlog.get_logger()


class Rounds:
    """Awaits ``look`` at once, and again ``every`` so many seconds after it has ended, however it ended, or when it is
    kicked. A round that fails is told as ``round.failed``."""

    def __init__(self, name: str, look: Callable[[], Awaitable[None]], every: float) -> None:
        self._name = name
        self._look = look
        self._every = every
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def kick(self) -> None:
        """The next round begins now, or as soon as the one under way has ended."""
        self._wake.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Give up the round under way; returns when it has ended."""
        if self._task is not None:
            await end([self._task])

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._look()
            except Exception:  # whatever it was, what is looked after is still to be looked after
                log.error("round.failed", round=self._name, exc_info=True)
            await self._pause()

    async def _pause(self) -> None:
        waiting = [asyncio.ensure_future(one) for one in (asyncio.sleep(self._every), self._wake.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
