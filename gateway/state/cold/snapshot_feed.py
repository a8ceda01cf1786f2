"""How a worker hears of new switches, urgent words, ranges and blocks: a channel for speed, a poll for certainty."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.common.ending import end
from gateway.state.cold.topology import close
from gateway.state.model.keys import Keys
from gateway.state.model.snapshot import Snapshot, parse

log = structlog.get_logger(__name__)
LONGEST_PAUSE = 1.0  # seconds between two attempts while state is away


class Notices:
    """Reads the snapshot whenever its version changes. ``connect`` makes a redis-py client, ``on_snapshot`` is called
    in the loop with each new version; what cannot be read is told in the log, and the last good one stays.

    A message on the channel only wakes the poll: notices may be lost, versions are not.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Redis]],
        keys: Keys,
        on_snapshot: Callable[[Snapshot], None],
        *,
        poll: float,
    ) -> None:
        self.version: bytes | None = None
        self.reads = 0  # polls that were answered
        self._connect = connect
        self._keys = keys
        self._on_snapshot = on_snapshot
        self._poll = poll
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    def start(self) -> None:
        """Begin to listen and to poll."""
        self._tasks = [
            asyncio.create_task(self._forever(self._polling)),
            asyncio.create_task(self._forever(self._listen)),
        ]

    async def close(self) -> None:
        """Stop both."""
        await end(self._tasks)

    async def moved(self) -> None:
        """Another server is the primary now: whoever listens to the old one, or waits for it, begins anew."""
        await end(self._tasks)
        self.start()

    async def _forever(self, work: Callable[[Redis], Awaitable[None]]) -> None:
        pause = self._poll
        while True:
            client: Redis | None = None
            try:
                client = await self._connect()
                before = self.reads
                await work(client)
                if self.reads > before:
                    pause = self._poll
            except (RedisError, OSError):
                pass  # the client of the hot path says that state is away; once is enough
            finally:
                if client is not None:
                    await close(client)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _polling(self, client: Redis) -> None:
        while True:
            self._wake.clear()
            await self._read(client)
            self.reads += 1
            try:
                async with asyncio.timeout(self._poll):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _read(self, client: Redis) -> None:
        version: bytes | None = await client.get(self._keys.version)  # type: ignore[assignment]  # never decoded
        # A version that is gone is not news: absence must not switch off what is in force.
        if version is None or version == self.version:
            return
        data: bytes | None = await client.get(self._keys.snapshot)  # type: ignore[assignment]
        if data is None:
            return
        self.version = version
        try:
            snapshot = parse(data)
        except ValueError:
            log.exception("notices.snapshot_unreadable")
            return
        self._on_snapshot(snapshot)

    async def _listen(self, client: Redis) -> None:
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(self._keys.notices)
            while True:
                if await pubsub.get_message(timeout=30.0) is not None:
                    self._wake.set()
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]
