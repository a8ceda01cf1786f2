"""Governance data in state: what control writes, and how all of it is written anew.

The control database is the truth; this is its image. Each key is named after the epoch it belongs to. ``rebuild``
writes a new epoch aside, under names nobody reads yet, then switches the epoch key, then removes the old names; so
nobody is ever innocent because his block is not there yet. Nothing here expires by itself: a block's end is part of
its value.

Several controls of one database write, in whatever order their writes come (``lua/project.lua``):

* Each value carries the number of the act up to which its row was read, and gives way to none that was read earlier.
  The number of what was removed stays as well, for as long as a write can be late (``KEPT_MS``).
* An epoch has a floor: what was read before the act that was the newest when its rows began to be read does not count.
* What changes while an epoch is written aside is written there too: whoever saw none being written had committed
  before its rows were read.
* Version and epoch are numbers of the database's, and only rise.

State belongs to one control database (``owner``). On a single server a write and the look at whose it is are one; a
cluster, where the two lie in different slots, is looked at just before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from filters.model.errors import TidegateError
from filters.model.limits import Pace
from gateway.state.cold import eviction, topology
from gateway.state.cold.eviction import Eviction
from gateway.state.cold.owner import NotOurs, StateOwner, decode
from gateway.state.cold.owner import encode as encode_owner
from gateway.state.cold.projection_script import DatedValue, ProjectionScript, WriteGuard
from gateway.state.cold.replication import Replication
from gateway.state.model.keys import SLOTS, Keys, slot_of
from gateway.state.model.snapshot import LIMITED, SnapshotRows, encode

CHUNK = 1000  # keys of one pipeline
TRIES = 5  # of a write whose epoch changed under its hands


B = TypeVar("B")
Held = TypeVar("Held", bound="ChangedRow")


class ChangedRow(Protocol):
    """A row as it is now, or None where it is gone; ``subject`` names its place: ``{"scope", "value"}`` of a block,
    ``{"sender"}`` of an account, ``{"room"}`` of a room. ``act``: the newest when it was read."""

    @property
    def table(self) -> str: ...
    @property
    def subject(self) -> Mapping[str, Any]: ...
    @property
    def row(self) -> Mapping[str, Any] | None: ...
    @property
    def act(self) -> int: ...


class EpochLost(TidegateError):
    """State holds no epoch, or an older one: a rebuild is due before anything else is written."""


class ReadTooEarly(TidegateError):
    """These rows were read before an epoch that is in force, or is being written, was begun: read them again."""


class Overtaken(TidegateError):
    """Somebody else began to write all of it anew, after us: what we wrote is not wanted any more."""


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
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._cluster = cluster
        self._limited = limited
        self._owner = owner
        self._script = ProjectionScript(
            redis, cluster=cluster, owner=(keys.owner, owner.id) if owner is not None else None
        )
        self._replication = Replication(redis, keys, cluster=cluster)
        self._epoch = 0  # the newest seen
        self._floor = (0, 0)  # of an epoch
        self._lock = asyncio.Lock()

    async def apply(self, changes: Sequence[ChangedRow]) -> None:
        """Bring these subjects up to date, where nothing newer is there. Harmless when repeated. Raises ``EpochLost``,
        ``ReadTooEarly``."""
        async with self._lock:
            for _ in range(TRIES):
                await self._own()
                building = await self._building()  # before the epoch: whoever begins now reads what we have to say
                epoch = await self._current()
                if epoch is None:
                    raise EpochLost("state lost the governance data: rebuild them")
                floor = await self._floor_of(epoch)
                if any(change.act < max(floor, building[1]) for change in changes):
                    raise ReadTooEarly("these rows were read before state was written anew")
                if await self._write(epoch, self._in_force(epoch), changes, kept=True) is None:
                    continue
                if building[0] > epoch and (
                    await self._write(building[0], self._aside(building), changes, kept=True) is None
                ):
                    continue
                newest = max((change.act for change in changes), default=0)
                await self._raised(newest, [(self._keys.newest(epoch), str(newest))])
                return
        raise EpochLost("state is written anew again and again")

    async def publish(self, snapshot: SnapshotRows) -> None:
        """Store the snapshot and its version, unless a newer one is there, then tell every node."""
        data = orjson.dumps(encode(snapshot))
        await self._own()
        await self._raised(snapshot.version, [(self._keys.snapshot, data), (self._keys.version, str(snapshot.version))])
        await self._redis.publish(self._keys.notices, str(snapshot.version))

    async def confirm(self) -> bool:
        """Does state still hold what was written? False where it was emptied or replaced, in a cluster where a part of
        it was: rebuild. Raises ``NotOurs``."""
        async with self._lock:
            await self._own()
            epoch = await self._current()
            if epoch is None or not self._cluster:
                return epoch is not None
            firsts = [self._keys.epoch_at(slot) for _, slot in await topology.owners(self._redis)]
            return all(found == b"%d" % epoch for found in await self._values(firsts))

    async def replicated(self, *, every: bool = False) -> bool | None:
        """Whether a replica of each primary has what was written until now, or with ``every`` each replica that is
        connected; None where there is none. The last look at every one says where there are any."""
        return await (self._replication.look() if every else self._replication.confirmed())

    async def numbers(self) -> tuple[int, int]:
        """The highest epoch that is in force or being written, and the newest act up to which rows were read that stand
        in the one in force; 0 for what is not there."""
        epoch, building = await self._number(self._epoch_key()), await self._number(self._keys.building)
        newest = await self._number(self._keys.newest(epoch)) if epoch else 0
        return max(epoch, building), max(newest, await self._floor_of(epoch) if epoch else 0)

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

    async def restarted(self) -> bool | None:
        """Was a server started again since the last rebuild, or is it another one, a replica that took over? None where
        INFO is forbidden: then nobody can tell.

        What it read back from disk, or was still to be told, can lack what was written last, a block say, and the epoch
        does not show it.
        """
        async with self._lock:
            runs = await self._runs()
            if not runs:
                return None
            held: Any = await self._redis.get(self._keys.server)
            return not runs <= frozenset((held or b"").split(b","))

    async def ping(self) -> None:
        """Raise where state does not answer."""
        await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await topology.close(self._redis)

    async def rebuild(
        self,
        batches: Iterable[Sequence[ChangedRow]] | AsyncIterable[Sequence[ChangedRow]],
        snapshot: SnapshotRows,
        epoch: int = 0,
        newest: Callable[[], Awaitable[int]] | None = None,
    ) -> int:
        """Replace all governance data by ``batches``; returns how many subjects were written. ``epoch``: a number of
        the database's, which has to be above that in state; one above it, where none is given. ``newest`` tells the
        newest act; it is asked before the first batch is.

        A server that was emptied meanwhile has lost what was written first, and would be believed with what came after:
        the mark of what is being written must still stand when the epoch is switched. Raises ``EpochLost`` where it
        does not, ``Overtaken`` where it is somebody else's by then.
        """
        async with self._lock:
            await self._own()
            runs = await self._runs()
            await self._current()
            epoch = epoch or max(self._epoch, await self._number(self._keys.building)) + 1
            await self._begin(epoch, 0)  # from now on everybody writes here too
            floor = await newest() if newest is not None else 0
            await self._begin(epoch, floor)
            guard = self._aside((epoch, floor))
            written = 0
            async for batch in _each(batches):
                if await self._write(epoch, guard, batch, kept=False) is None:
                    await self._gone(epoch)
                written += len(batch)
            await self.publish(snapshot)
            await self._switch(epoch, floor, guard)
            if runs:
                await self._redis.set(self._keys.server, b",".join(sorted(runs)))
            await self._sweep(epoch)
            return written

    async def _begin(self, epoch: int, floor: int) -> None:
        told = await self._raised(epoch, [(self._keys.building, f"{epoch} {floor}")])
        if told != [1]:
            raise Overtaken(f"epoch {epoch} is older than one that is being written")
        if floor:
            await self._raised(floor, [(self._keys.begun(epoch), str(floor))])

    async def _gone(self, epoch: int) -> None:
        """Raise why the epoch that we wrote is not to be switched to."""
        if (await self._building())[0] > epoch:
            raise Overtaken(f"epoch {epoch} is older than one that is being written")
        raise EpochLost("state was emptied while it was filled: rebuild it")

    async def _runs(self) -> frozenset[bytes]:
        """Names of these runs of the server, or of each primary (``run_id``); empty where that cannot be told."""
        nodes = [node for node, _ in await topology.owners(self._redis)] if self._cluster else []
        try:
            told = [await self._redis.info("server", target_nodes=node) for node in nodes]
            if not self._cluster:
                told = [await self._redis.info("server")]
        except ResponseError:  # NOPERM, or a proxy that knows no INFO
            return frozenset()
        return frozenset(str(one["run_id"]).encode() for one in told if one.get("run_id"))

    def _epoch_key(self) -> str:
        return self._keys.epoch_at(0) if self._cluster else self._keys.epoch

    async def _current(self) -> int | None:
        """The epoch in force, None where there is none or only an older one than was seen before."""
        found = await self._redis.get(self._epoch_key())
        if found is None or not found.isdigit() or int(found) < self._epoch:
            return None
        self._epoch = int(found)
        return self._epoch

    async def _number(self, key: str) -> int:
        """The number with which a value begins; 0 where there is none."""
        told: Any = await self._redis.get(key)
        found = (told or b"").partition(b" ")[0]
        return int(found) if found.isdigit() else 0

    async def _building(self) -> tuple[int, int]:
        """The epoch that is being written aside, and its floor."""
        told: Any = await self._redis.get(self._keys.building)
        epoch, _, floor = (told or b"").partition(b" ")
        return (int(epoch), int(floor)) if epoch.isdigit() and floor.isdigit() else (0, 0)

    async def _floor_of(self, epoch: int) -> int:
        if self._floor[0] != epoch:
            self._floor = epoch, await self._number(self._keys.begun(epoch))
        return self._floor[1]

    def _in_force(self, epoch: int) -> Callable[[str], WriteGuard]:
        if self._cluster:
            return lambda key: WriteGuard(
                self._keys.epoch_at(slot_of(key.encode("utf-8", "surrogatepass"))), str(epoch)
            )
        guard = WriteGuard(self._keys.epoch, str(epoch))
        return lambda key: guard

    def _aside(self, building: tuple[int, int]) -> Callable[[str], WriteGuard]:
        """Of an epoch that is being written; in a cluster, where the mark lies in another slot, it is no guard."""
        told = f"{building[0]} {building[1]}"
        return lambda key: WriteGuard(key, "") if self._cluster else WriteGuard(self._keys.building, told)

    async def _write(
        self, epoch: int, guard: Callable[[str], WriteGuard], changes: Sequence[ChangedRow], *, kept: bool
    ) -> int | None:
        """How many there were; None where the guard says something else. Raises ``NotOurs``."""
        values = []
        for change in changes:
            told = image(self._keys, epoch, change, self._limited)
            if told is not None:
                values.append(DatedValue(*told, self._keys.dated(epoch, told[0]), change.act))
        if not values:
            return 0
        guards = [guard(value.key) for value in values] if self._cluster else [guard("")]
        replies = await self._script.rows(values, guards, kept=kept)
        await self._heard(replies)
        return None if "guard" in replies else len(values)

    async def _raised(
        self, number: int, pairs: Iterable[tuple[str, Any]], guard: WriteGuard | None = None
    ) -> list[Any]:
        """The replies. Raises ``NotOurs``."""
        replies = await self._script.raised(number, pairs, guard)
        await self._heard(replies)
        return replies

    async def _switch(self, epoch: int, floor: int, guard: Callable[[str], WriteGuard]) -> None:
        names = [self._keys.epoch_at(slot) for slot in range(SLOTS)] if self._cluster else [self._keys.epoch]
        for start in range(0, len(names), CHUNK):
            if self._cluster and await self._building() != (epoch, floor):
                await self._gone(epoch)
            some = [(name, str(epoch)) for name in names[start : start + CHUNK]]
            replies = await self._raised(epoch, some, guard(""))
            if "higher" in replies:
                raise Overtaken(f"epoch {epoch} is older than the one in force")
            if "guard" in replies:
                await self._gone(epoch)
        self._epoch, self._floor = epoch, (epoch, floor)
        # What is written from now on goes to the epoch in force alone.
        await self._script.dropped(WriteGuard(self._keys.building, f"{epoch} {floor}"))

    async def _sweep(self, epoch: int) -> None:
        """Remove what earlier epochs left, those of rebuilds that broke off among them."""
        first = len(self._keys.prefix) + 1
        old: list[bytes] = []
        async for key in self._redis.scan_iter(match=f"{self._keys.prefix}:[0-9]*:*", count=CHUNK):
            number = key[first:].partition(b":")[0]
            if number.isdigit() and int(number) < epoch:
                old.append(key)
            if len(old) >= CHUNK:
                await self._remove(old)
                old = []
        await self._remove(old)

    async def _remove(self, names: Sequence[bytes]) -> None:
        if names:
            await self._own()
            pipeline: Any = self._redis.pipeline(transaction=False)
            for name in names:
                pipeline.execute_command("UNLINK", name)
            await pipeline.execute()

    # Whose state it is

    async def _own(self) -> None:
        """Take state where it is nobody's. Raises ``NotOurs``."""
        if self._owner is None or self._is_ours(await self._redis.get(self._keys.owner)):
            return
        await self._redis.set(self._keys.owner, encode_owner(self._owner), nx=True)
        self._is_ours(await self._redis.get(self._keys.owner))

    async def _heard(self, replies: Sequence[Any]) -> None:
        """Raise where a script found that state is another's, or nobody's any more."""
        if "other" in replies or "nobody" in replies:
            await self._own()
            raise EpochLost("state was emptied while it was filled: rebuild it")

    def _is_ours(self, value: Any) -> bool:
        """False where state is nobody's. Raises ``NotOurs``."""
        found = decode(value)
        assert self._owner is not None
        if found is not None and found.id != self._owner.id:
            raise NotOurs(found, self._owner.id)
        return found is not None
