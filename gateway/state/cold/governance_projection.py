"""Governance data in state: what control writes, and how all of it is written anew.

The control database is the truth; this is its image. Each key is named after the epoch it belongs to. ``rebuild``
writes a new epoch aside, under names nobody reads yet, then switches the epoch key, then removes the old names; so
nobody is ever innocent because his block is not there yet. Nothing here expires by itself: a block's end is part of
its value.

State belongs to one control database (``owner``). On a single server a write and the look at whose it is are one
transaction; a cluster, where the two lie in different slots, is looked at just before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError, WatchError

from filters.model.errors import TidegateError
from filters.model.limits import Pace
from gateway.state.cold import eviction
from gateway.state.cold.eviction import Eviction
from gateway.state.cold.owner import NotOurs, StateOwner, decode
from gateway.state.cold.owner import encode as encode_owner
from gateway.state.model.keys import SLOTS, Keys
from gateway.state.model.snapshot import LIMITED, SnapshotRows, encode

CHUNK = 1000  # keys of one pipeline
TRIES = 5  # of a write whose owner changed under its hands


B = TypeVar("B")
Held = TypeVar("Held", bound="ChangedRow")


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


def account_value(verified: bool, verified_until: int, credit: int, approved: int = 0) -> str:
    """As ``lua/admit.lua``, to which the credit is the last number, and ``facts.account`` read it."""
    counted = f"{approved} " if approved else ""
    return f"{int(verified)} {verified_until} {counted}{credit}"


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
        value = None
        if row is not None:
            # The outbox may hold rows of a program that did not count.
            value = account_value(row["verified"], row["verified_until"], row["credit"], row.get("approved", 0))
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


async def _each(batches: Iterable[B] | AsyncIterable[B]) -> AsyncIterator[B]:
    if isinstance(batches, AsyncIterable):
        async for batch in batches:
            yield batch
    else:
        for batch in batches:
            yield batch


def _stands(mark: Any) -> None:
    if mark is None:
        raise EpochLost("state was emptied while it was filled: rebuild it")


def _holds(value: bytes | None, wanted: str) -> bool:
    """Whether state has this value. The arrival of a block that is a limit is state's own."""
    if value is None:
        return False
    held = value.decode("utf-8", "surrogatepass")
    if held == wanted:
        return True
    ours, theirs = wanted.split(" ", 4), held.split(" ", 4)
    return len(ours) == len(theirs) == 5 and ours[1] != "0" and [*ours[:3], ours[4]] == [*theirs[:3], theirs[4]]


class GovernanceProjection:
    """Writes governance data. ``redis`` is a redis-py client: ``Redis`` or, with ``cluster``, ``RedisCluster``.
    ``limited``: what a block allows that is a limit. ``owner``: who we are; None asks for no owner.

    Every write raises ``NotOurs`` where state is another's, and takes it where it is nobody's.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        *,
        cluster: bool = False,
        limited: Pace = LIMITED,
        owner: StateOwner | None = None,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._cluster = cluster
        self._limited = limited
        self._owner = owner
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
        data = orjson.dumps(encode(snapshot))
        await self._send([("SET", self._keys.snapshot, data), ("SET", self._keys.version, str(snapshot.version))])
        await self._redis.publish(self._keys.notices, str(snapshot.version))

    async def confirm(self) -> bool:
        """Does state still hold what was written? False where it was emptied or replaced: rebuild. Raises
        ``NotOurs``."""
        async with self._lock:
            await self._send([])
            return await self._current() is not None

    async def claim(self) -> StateOwner | None:
        """Make state ours, whosever it was; tells whose. What is in it is still theirs: rebuild."""
        assert self._owner is not None
        async with self._lock:
            before: bytes | None = await self._redis.set(  # type: ignore[assignment]  # never decoded
                self._keys.owner, encode_owner(self._owner), get=True
            )
            return decode(before)

    async def version(self) -> int:
        """Of the snapshot in state; 0 where there is none that can be read."""
        found = await self._redis.get(self._keys.version)
        return int(found) if found is not None and found.isdigit() else 0

    async def holds_snapshot(self) -> bool:
        """Are the snapshot and its version there?"""
        return None not in await self._values([self._keys.snapshot, self._keys.version])

    async def lacking(self, changes: Sequence[Held]) -> list[Held]:
        """Those of these rows whose value is not in state, as it would be written; how much of a limit is used up does
        not matter. Raises ``EpochLost``."""
        async with self._lock:
            epoch = await self._current()
            if epoch is None:
                raise EpochLost("state lost the governance data: rebuild them")
            asked: list[tuple[Held, str, str]] = []
            for change in changes:
                told = image(self._keys, epoch, change, self._limited)
                if told is not None and told[1] is not None:
                    asked.append((change, told[0], told[1]))
            found = await self._values([key for _, key, _ in asked])
        return [change for (change, _, wanted), value in zip(asked, found, strict=True) if not _holds(value, wanted)]

    async def _values(self, names: Sequence[str]) -> Sequence[bytes | None]:
        if not names:
            return ()
        if not self._cluster:
            return await self._redis.mget(names)  # type: ignore[return-value]  # never decoded
        pipeline: Any = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.execute_command("GET", name)
        return await pipeline.execute()  # type: ignore[no-any-return]

    async def eviction(self) -> Eviction:
        """What the server throws away when its memory is full."""
        return await eviction.told(self._redis, cluster=self._cluster)

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

    async def rebuild(
        self, batches: Iterable[Sequence[ChangedRow]] | AsyncIterable[Sequence[ChangedRow]], snapshot: SnapshotRows
    ) -> int:
        """Replace all governance data by ``batches``; returns how many subjects were written.

        A server that was emptied meanwhile has lost what was written first, and would be believed with what came after:
        a mark that is written before everything else must still stand when the epoch is switched. Raises ``EpochLost``
        where it does not.
        """
        async with self._lock:
            await self._current()
            run = await self._run()
            epoch = max(self._now_ms(), self._epoch + 1)
            await self._send([("SET", self._keys.begun(epoch), "1")])
            written = 0
            async for batch in _each(batches):
                written += await self._write(epoch, batch)
            await self.publish(snapshot)
            await self._switch(epoch)
            if run:
                await self._send([("SET", self._keys.server, run)])
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
            await self._send([("DEL", key) if value is None else ("SET", key, value) for key, value in images])
        return len(images)

    async def _switch(self, epoch: int) -> None:
        names = [self._keys.epoch_at(slot) for slot in range(SLOTS)] if self._cluster else [self._keys.epoch]
        for start in range(0, len(names), CHUNK):
            commands = [("SET", name, str(epoch)) for name in names[start : start + CHUNK]]
            await self._send(commands, standing=self._keys.begun(epoch))
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
            await self._send([("UNLINK", name) for name in names])

    # Whose state it is

    async def _send(self, commands: Sequence[tuple[str | bytes, ...]], standing: str = "") -> None:
        """Write, where state is ours or nobody's, and only while the key ``standing`` is there, if one is named.
        Commands are given by name: the methods of redis-py's cluster pipeline differ (some are coroutines). Raises
        ``NotOurs``, ``EpochLost``."""
        if self._owner is not None and not self._cluster:
            await self._watched(commands, self._owner, standing)
            return
        if self._owner is not None and not self._is_ours(await self._redis.get(self._keys.owner)):
            await self._redis.set(self._keys.owner, encode_owner(self._owner), nx=True)
            self._is_ours(await self._redis.get(self._keys.owner))
        if standing:
            _stands(await self._redis.get(standing))
        if commands:
            pipeline: Any = self._redis.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            await pipeline.execute()

    async def _watched(self, commands: Sequence[tuple[str | bytes, ...]], owner: StateOwner, standing: str) -> None:
        """One transaction, which is not done where something changes between the look and the writes (WATCH)."""
        for _ in range(TRIES):
            pipeline: Any
            async with self._redis.pipeline(transaction=True) as pipeline:
                await pipeline.watch(self._keys.owner, standing or self._keys.owner)
                ours = self._is_ours(await pipeline.get(self._keys.owner))
                if standing:
                    _stands(await pipeline.get(standing))
                if ours and not commands:
                    return
                pipeline.multi()
                if not ours:
                    pipeline.execute_command("SET", self._keys.owner, encode_owner(owner))
                for command in commands:
                    pipeline.execute_command(*command)
                try:
                    await pipeline.execute()
                except WatchError:
                    continue
                return
        raise WatchError("the owner of state changes all the time")

    def _is_ours(self, value: Any) -> bool:
        """False where state is nobody's. Raises ``NotOurs``."""
        found = decode(value)
        assert self._owner is not None
        if found is not None and found.id != self._owner.id:
            raise NotOurs(found, self._owner.id)
        return found is not None
