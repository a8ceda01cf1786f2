"""How a worker tells all others of log-outs, and hears of theirs: a bounded stream in state.

A stream and no channel: a reader that was away goes on where it stopped. What it cannot have heard (the stream was cut
behind it, or is another one) it says, and then nothing that was remembered counts. Entries hold digests alone.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from gateway.common.ending import end
from gateway.state.cold.topology import close
from gateway.state.model.keys import Keys

log = structlog.get_logger(__name__)

DIGEST: Final = 16
"""Bytes."""
TOGETHER: Final = 1024
"""Digests in one entry."""
ENTRIES: Final = 1000
"""Entries that the stream holds, about: 16 MB at most, and some twenty seconds of a flood of log-outs."""
GATHER: Final = 0.05
"""Seconds in which log-outs are gathered for one entry."""
MAX_PENDING: Final = 65_536
"""Digests that wait to be told while state is away; beyond, everybody is asked for anew everywhere."""
BLOCK: Final = 500
"""Milliseconds that the server holds a read for which there is nothing."""
HEARING: Final = 1.5
"""Seconds since the last answer after which it may be that something was not heard."""
LONGEST_PAUSE: Final = 1.0
"""Seconds between two attempts while state is away."""
NOTHING: Final = b"0-0"
"""In the place of an entry's id: there is none."""
ALL: Final = b"*"
"""In the place of digests: too many to name."""


class LogOutFeed:
    """``connect`` makes a redis-py client. ``on_ended`` is called in the loop with digests, ``on_missed`` where
    log-outs may have gone unheard."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        keys: Keys,
        on_ended: Callable[[Iterable[bytes]], None],
        on_missed: Callable[[], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._connect = connect
        self._key = keys.log_outs
        self._on_ended = on_ended
        self._on_missed = on_missed
        self._clock = clock
        self._pending: dict[bytes, None] = {}
        self._too_many = False
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._last = b""  # the last entry that was read
        self._since = float("inf")  # without a break since then
        self._answered = -1e9
        self._deaf = False

    def start(self) -> None:
        """Begin to tell and to hear."""
        self._tasks = [
            asyncio.create_task(self._forever(self._telling)),
            asyncio.create_task(self._forever(self._hearing)),
        ]

    async def close(self) -> None:
        """Stop both; what is to be told yet is told, where state answers within a second."""
        await end(self._tasks)
        if self._pending or self._too_many:
            try:
                async with asyncio.timeout(1.0):
                    client = await self._connect()
                    try:
                        await self._send(client)
                    finally:
                        await client.aclose()
            except (RedisError, OSError):
                pass

    def tell(self, digests: Iterable[bytes]) -> None:
        """These credentials were just logged out."""
        pending = self._pending
        for digest in digests:
            if len(pending) >= MAX_PENDING:
                pending.clear()
                self._too_many = True
            pending[digest] = None
        self._wake.set()

    def heard(self, since: float) -> bool:
        """Whether every log-out since then, in seconds on the clock, was heard of."""
        return self._since <= since and self._clock() - self._answered < HEARING

    def look(self, now: float) -> None:
        """Called some times a second: says when nothing is heard."""
        deaf = self._clock() - self._answered >= HEARING and self._answered > 0
        if deaf is not self._deaf:
            self._deaf = deaf
            if deaf:
                log.error("logouts.unheard")
            else:
                log.warning("logouts.heard")

    async def moved(self) -> None:
        """Another server is the primary now: begin anew there."""
        await end(self._tasks)
        self.start()

    async def _forever(self, work: Callable[[Any], Awaitable[None]]) -> None:
        pause = GATHER
        while True:
            client: Any = None
            began = self._clock()
            try:
                client = await self._connect()
                await work(client)
            except (RedisError, OSError):
                pass  # the client of the hot path says that state is away
            finally:
                if client is not None:
                    await close(client)
            pause = GATHER if self._clock() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _telling(self, client: Any) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._pending or self._too_many:
                    await self._send(client)
            except BaseException:
                self._wake.set()
                raise
            await asyncio.sleep(GATHER)

    async def _send(self, client: Any) -> None:
        """One entry; what it says is pending until it is there."""
        if self._too_many:
            await client.xadd(self._key, {b"d": ALL}, maxlen=ENTRIES, approximate=True)
            self._too_many = False
            return
        told = [digest for digest, _ in zip(self._pending, range(TOGETHER), strict=False)]
        await client.xadd(self._key, {b"d": b"".join(told)}, maxlen=ENTRIES, approximate=True)
        for digest in told:
            self._pending.pop(digest, None)

    async def _hearing(self, client: Any) -> None:
        self._since = float("inf")
        await self._take_up(client)
        self._answered = self._since = self._clock()
        while True:
            answer = await client.xread({self._key: self._last}, count=64, block=BLOCK)
            self._answered = self._clock()
            for _, entries in answer or ():
                for entry, fields in entries:
                    self._last = entry
                    self._take(fields.get(b"d", ALL))

    async def _take_up(self, client: Any) -> None:
        """Find where to read on: behind what was read last, if that is still there, else at the end."""
        before = self._last
        if before not in (b"", NOTHING) and await client.xrevrange(self._key, before, before, count=1):
            return
        newest = await client.xrevrange(self._key, count=1)
        self._last = newest[0][0] if newest else NOTHING
        if before and self._last != before:
            self._on_missed()

    def _take(self, told: bytes) -> None:
        if told == ALL:
            self._on_missed()
        else:
            self._on_ended([told[at : at + DIGEST] for at in range(0, len(told), DIGEST)])
