"""Governance data in state: what control writes, and how all of it is written anew.

The control database is the truth; this is its image. Each key is named after the epoch it belongs to. ``rebuild``
writes a new epoch aside, under names nobody reads yet, then switches the epoch key, then removes the old names; so
nobody is ever innocent because his block is not there yet. Nothing here expires by itself: a block's end is part of
its value.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from filters.model.errors import TidegateError
from filters.model.limits import Pace
from gateway.state.model.keys import SLOTS, Keys
from gateway.state.model.snapshot import LIMITED, SnapshotRows, encode

CHUNK = 1000  # keys of one pipeline


class ChangedRow(Protocol):
    """A row as it is now, or None where it is gone; ``subject`` names its place: ``{"scope", "value"}`` of a block,
    ``{"sender"}`` of an account, ``{"room"}`` of a room."""

    @property
    def table(self) -> str: ...
    @property
    def subject(self) -> Mapping[str, Any]: ...
    @property
    def row(self) -> Mapping[str, Any] | None: ...


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class EpochLost(TidegateError):
    """State holds no epoch, or an older one: a rebuild is due before anything else is written."""


def account_value(verified: bool, verified_until: int, credit: int) -> str:
    """As ``lua/admit.lua`` and ``facts.account`` read it."""
    return f"{int(verified)} {verified_until} {credit}"


def block_value(reason: str, expires_at: int, limited: Pace | None) -> str:
    """As ``lua/admit.lua`` and ``facts`` read it: a wall has interval 0; a limit begins unused."""
    interval, burst = limited or (0, 0)
    return f"{expires_at} {interval} {burst} 0 {reason}"


def room_value(status: str, interval_ms: int) -> str | None:
    """As ``lua/admit.lua`` and ``facts`` read it; None for an open room, which has no key."""
    if status == "slow":
        return f"slow {interval_ms * 1000}"
    return None if status == "open" else status


def image(keys: Keys, epoch: int, change: ChangedRow, limited: Pace = LIMITED) -> tuple[str, str | None] | None:
    """The key and value of one row, the value None where the key has to go; None for what is not in state by itself
    (address ranges are part of the snapshot). ``limited``: what a block allows that is a limit."""
    row, subject = change.row, change.subject
    if change.table == "accounts":
        value = account_value(row["verified"], row["verified_until"], row["credit"]) if row is not None else None
        return keys.account(epoch, subject["sender"]), value
    if change.table == "rooms":
        value = room_value(row["status"], row["interval_ms"]) if row is not None else None
        return keys.room(epoch, subject["room"]), value
    if change.table == "blocks" and subject["scope"] != "cidr":
        value = None
        if row is not None:
            value = block_value(row["reason"], row["expires_at"], limited if row["limited"] else None)
        return keys.block(epoch, subject["scope"], subject["value"]), value
    return None


class GovernanceProjection:
    """Writes governance data. ``redis`` is a redis-py client: ``Redis`` or, with ``cluster``, ``RedisCluster``.
    ``limited``: what a block allows that is a limit."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        *,
        cluster: bool = False,
        limited: Pace = LIMITED,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._cluster = cluster
        self._limited = limited
        self._now_ms = now_ms
        self._epoch = 0  # the newest seen
        self._lock = asyncio.Lock()  # what changes during a rebuild is applied to what the rebuild made

    async def apply(self, changes: Sequence[ChangedRow]) -> None:
        """Bring these subjects up to date. Harmless when repeated. Raises ``EpochLost``."""
        async with self._lock:
            epoch = await self._current()
            if epoch is None:
                raise EpochLost("state lost the governance data: rebuild them")
            await self._write(epoch, changes)

    async def publish(self, snapshot: SnapshotRows) -> None:
        """Store the snapshot, then its version, then tell every node."""
        await self._redis.set(self._keys.snapshot, orjson.dumps(encode(snapshot)))
        await self._redis.set(self._keys.version, str(snapshot.version))
        await self._redis.publish(self._keys.notices, str(snapshot.version))

    async def confirm(self) -> bool:
        """Does state still hold what was written? False where it was emptied or replaced: rebuild."""
        async with self._lock:
            return await self._current() is not None

    async def restarted(self) -> bool:
        """Was the server started again since the last rebuild, or is it another one, a replica that took over?

        What it read back from disk, or was still to be told, can lack what was written last, a block say, and the epoch
        does not show it. Of a cluster, or where INFO is forbidden, nobody can tell: then it was not.
        """
        async with self._lock:
            run = await self._run()
            return bool(run) and await self._redis.get(self._keys.server) != run

    async def ping(self) -> None:
        """Raise where state does not answer."""
        await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def rebuild(self, batches: Iterable[Sequence[ChangedRow]], snapshot: SnapshotRows) -> int:
        """Replace all governance data by ``batches``; returns how many subjects were written."""
        async with self._lock:
            await self._current()
            run = await self._run()
            epoch = max(self._now_ms(), self._epoch + 1)
            written = 0
            for batch in batches:
                written += await self._write(epoch, batch)
            await self.publish(snapshot)
            await self._switch(epoch)
            if run:
                await self._redis.set(self._keys.server, run)
            await self._sweep(epoch)
            return written

    async def _run(self) -> bytes:
        """Name of this run of the server (``run_id``); empty where that cannot be told."""
        if self._cluster:
            return b""
        try:
            told = await self._redis.info("server")
        except ResponseError:  # NOPERM, or a proxy that knows no INFO
            return b""
        return str(told.get("run_id", "")).encode()

    async def _current(self) -> int | None:
        """The epoch in force, None where there is none or only an older one than was seen before."""
        name = self._keys.epoch_at(0) if self._cluster else self._keys.epoch
        found = await self._redis.get(name)
        if found is None or not found.isdigit() or int(found) < self._epoch:
            return None
        self._epoch = int(found)
        return self._epoch

    async def _write(self, epoch: int, changes: Sequence[ChangedRow]) -> int:
        images = [told for change in changes if (told := image(self._keys, epoch, change, self._limited)) is not None]
        if images:
            pipeline = self._pipeline()
            for key, value in images:
                if value is None:
                    pipeline.execute_command("DEL", key)
                else:
                    pipeline.execute_command("SET", key, value)
            await pipeline.execute()
        return len(images)

    async def _switch(self, epoch: int) -> None:
        names = [self._keys.epoch_at(slot) for slot in range(SLOTS)] if self._cluster else [self._keys.epoch]
        for start in range(0, len(names), CHUNK):
            pipeline = self._pipeline()
            for name in names[start : start + CHUNK]:
                pipeline.execute_command("SET", name, str(epoch))
            await pipeline.execute()
        self._epoch = epoch

    async def _sweep(self, epoch: int) -> None:
        """Remove what earlier epochs left, and what a rebuild that broke off left."""
        kept = f"{self._keys.prefix}:{epoch}:".encode()
        old: list[bytes] = []
        async for key in self._redis.scan_iter(match=f"{self._keys.prefix}:[0-9]*:*", count=CHUNK):
            if not key.startswith(kept):
                old.append(key)
            if len(old) >= CHUNK:
                await self._remove(old)
                old = []
        await self._remove(old)

    async def _remove(self, names: Sequence[bytes]) -> None:
        if names:
            pipeline = self._pipeline()
            for name in names:
                pipeline.execute_command("UNLINK", name)
            await pipeline.execute()

    def _pipeline(self) -> Any:
        """Commands are given by name: the methods of redis-py's cluster pipeline differ (some are coroutines)."""
        return self._redis.pipeline(transaction=False)
