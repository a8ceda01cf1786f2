"""Governance data in state, wherever the server is: found anew when it does not answer, as after a failover."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.common.ending import end
from gateway.config.sections.state import State
from gateway.control.acts.neighbours import Batches, Change
from gateway.state.cold.eviction import Eviction
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.cold.owner import StateOwner
from gateway.state.cold.primary_watch import PrimaryWatch
from gateway.state.cold.topology import close, topology
from gateway.state.connecting import cold, limited
from gateway.state.model.keys import Keys
from gateway.state.model.settings import Address
from gateway.state.model.snapshot import SnapshotRows

log = structlog.get_logger()

T = TypeVar("T")


class LocatedProjection:
    """``gateway.state.cold.governance_projection`` over whichever server ``[state]`` leads to.

    ``folder``: the embedded server's. ``owner``: the control database that projects; None asks for no owner.

    A server that was not the same a moment ago may lack what was written last (replication is asynchronous):
    ``restarted`` says so until all was written anew.
    """

    def __init__(self, state: State, folder: Path, owner: StateOwner | None = None) -> None:
        self._owner = owner
        self._state = state
        self._folder = folder
        self._topology = topology(state, folder)
        self._address: Address | None = None
        self._client: Any = None
        self._projection: GovernanceProjection | None = None
        self._moved = False
        self._finding = asyncio.Lock()
        self._moving = asyncio.Event()
        self._watch: PrimaryWatch | None = None

    def watch(self, on_moved: Callable[[], None]) -> None:
        """From now on a fail-over is seen by itself, until ``close``; ``on_moved`` is called then."""

        async def moved(primaries: frozenset[Address]) -> None:
            # In a cluster any of them may be another; else it may be that we had found the new one already.
            if self._topology.cluster or self._address not in primaries:
                await self._move()
            on_moved()

        view = self._topology.view
        if view is not None:
            self._watch = PrimaryWatch(view(), moved)
            self._watch.start()

    async def own(self, owner: StateOwner) -> None:
        """From now on ``owner`` projects."""
        await self._forget()
        self._owner = owner

    async def apply(self, changes: Sequence[Change]) -> None:
        await self._ask(lambda projection: projection.apply(changes))

    async def publish(self, snapshot: SnapshotRows) -> None:
        await self._ask(lambda projection: projection.publish(snapshot))

    async def confirm(self) -> bool:
        if self._projection is not None:
            await self._look_again()  # a primary that was made a replica goes on answering
        return await self._ask(lambda projection: projection.confirm())

    async def replicated(self, *, every: bool = False) -> bool | None:
        return await self._ask(lambda projection: projection.replicated(every=every))

    async def restarted(self) -> bool:
        told = await self._ask(lambda projection: projection.restarted())
        return self._moved if told is None else told

    async def rebuild(
        self, batches: Batches, snapshot: SnapshotRows, epoch: int, newest: Callable[[], Awaitable[int]] | None = None
    ) -> int:
        written = await self._ask(lambda projection: projection.rebuild(batches, snapshot, epoch, newest))
        self._moved = False
        return written

    async def numbers(self) -> tuple[int, int]:
        return await self._ask(lambda projection: projection.numbers())

    async def version(self) -> int:
        return await self._ask(lambda projection: projection.version())

    async def holds_snapshot(self) -> bool:
        return await self._ask(lambda projection: projection.holds_snapshot())

    async def lacking(self, changes: Sequence[Change]) -> Sequence[Change]:
        return await self._ask(lambda projection: projection.lacking(changes))

    async def eviction(self) -> Eviction:
        return await self._ask(lambda projection: projection.eviction())

    async def claim(self) -> StateOwner | None:
        return await self._ask(lambda projection: projection.claim())

    async def ping(self) -> None:
        await self._ask(lambda projection: projection.ping())

    async def close(self) -> None:
        if self._watch is not None:
            await self._watch.close()
        await self._forget()

    async def _forget(self) -> None:
        client, self._client, self._projection = self._client, None, None
        self._moving.set()
        self._moving = asyncio.Event()
        if client is not None:
            await close(client)

    async def _ask(self, what: Callable[[GovernanceProjection], Awaitable[T]]) -> T:
        projection = self._projection or await self._find()
        try:
            return await self._unless_moved(what(projection))
        except Exception:  # raised again; redis-py's errors have no class in common
            await self._look_again()
            raise
        finally:
            if projection is not self._projection:  # a cluster's client that was closed under its hands opens again
                await projection.close()

    async def _unless_moved(self, work: Awaitable[T]) -> T:
        """A server that hangs takes new connections, and redis-py's waits for each: nobody waits where it has moved.
        Raises ``ConnectionError`` there."""
        doing, moving = asyncio.ensure_future(work), asyncio.ensure_future(self._moving.wait())
        try:
            await asyncio.wait((doing, moving), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise ConnectionError("state has moved")
            return doing.result()
        finally:
            moving.cancel()
            if not doing.done():
                await end([doing])
                if not doing.cancelled():
                    doing.exception()  # nobody asks for it any more, and asyncio would tell of it

    async def _find(self) -> GovernanceProjection:
        async with self._finding:
            return self._projection or await self._found()

    async def _found(self) -> GovernanceProjection:
        self._address = await self._topology.locate()
        self._client = await cold(self._state, self._folder)
        if isinstance(self._client, Redis):
            # The relay and its pauses are the way of trying again; a client that tries ten times only hides the outage.
            self._client.set_retry(Retry(NoBackoff(), 1))
        self._projection = GovernanceProjection(
            self._client,
            Keys(self._state.prefix),
            cluster=self._topology.cluster,
            limited=limited(self._state),
            owner=self._owner,
        )
        return self._projection

    async def _look_again(self) -> None:
        """Redis-py reconnects by itself; only a server that has moved needs another client."""
        try:
            address = await self._topology.locate()
        except OSError:
            return  # nobody knows; the next call tries again
        if address != self._address:
            await self._move()

    async def _move(self) -> None:
        """Whoever waits for the one that was the primary is let go: it may never answer."""
        log.warning("state.moved")
        await self._forget()
        self._moved = True
