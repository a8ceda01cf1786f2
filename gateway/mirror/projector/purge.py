"""Telling a content network that a page changed: only removals change a page, so only they are told.

Bounded: paths that wait, tries, time. A path that is given up is counted; ``max-age`` ends what was not purged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import structlog

log = structlog.get_logger("mirror")

MAX_WAITING = 10_000
TRIES = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
WITHIN = 5.0  # seconds for one answer

Post = Callable[[str, dict[str, str], float], "asyncio.Future[int] | asyncio.Task[int]"]
"""Sends an empty POST to an address with these fields, within so many seconds; gives the status."""


class Purger:
    """``address`` is ``mirror.purge``, with ``{path}``; ``count(result)`` hears purged, failed, dropped."""

    def __init__(self, address: str, token: str, count: Callable[[str], None], post: Post) -> None:
        self.address = address
        self._fields = {"Authorization": f"Bearer {token}"} if token else {}
        self._count = count
        self._post = post
        self._waiting: dict[str, None] = {}  # in order, each once
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, path: str) -> None:
        """Have a path purged."""
        if len(self._waiting) >= MAX_WAITING:
            self._count("dropped")
            log.error("mirror.purge_dropped", waiting=MAX_WAITING)
            return
        self._waiting[path] = None
        self._some.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="mirror purger")

    async def stop(self) -> None:
        """Give up what waits."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def idle(self) -> None:
        """Wait until nothing waits."""
        while self._waiting:
            await asyncio.sleep(0.01)

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            while self._waiting:
                path = next(iter(self._waiting))
                purged = await self._purge(path)
                self._waiting.pop(path, None)
                self._count("purged" if purged else "failed")
            self._some.clear()

    async def _purge(self, path: str) -> bool:
        address = self.address.replace("{path}", quote(path, safe="/=~._-"))
        pause = FIRST_PAUSE
        told = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            try:
                status = await self._post(address, self._fields, WITHIN)
            except (OSError, TimeoutError) as error:
                told = type(error).__name__
                continue
            if 200 <= status < 300 or status == 404:  # 404: it has no such page
                return True
            told = str(status)
        log.error("mirror.purge_failed", tries=TRIES, answer=told)
        return False
