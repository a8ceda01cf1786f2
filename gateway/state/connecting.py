"""From the configuration to what talks to state: the hot path's client, and redis-py's for every cold path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from filters.model.limits import Pace, pace
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.cold.logout_feed import LogOutFeed
from gateway.state.cold.primary_watch import PrimaryWatch
from gateway.state.cold.snapshot_feed import Notices
from gateway.state.cold.topology import TIMEOUT, redis, settings, tls_options, topology
from gateway.state.hot.cluster import ClusterClient
from gateway.state.hot.state_client import StateClient
from gateway.state.model.keys import Keys
from gateway.state.model.settings import Address
from gateway.state.model.snapshot import Snapshot

if TYPE_CHECKING:
    from gateway.config.sections.state import State


def client(state: State, folder: Path, on_batch: Callable[[], None], *, epoch: int = 0) -> StateClient:
    """The hot path's client; ``start`` it in the loop. ``folder`` is the embedded server's."""
    where = topology(state, folder)
    kind = ClusterClient if where.cluster else StateClient
    made = kind(where.locate, where.credentials, settings(state), on_batch=on_batch, epoch=epoch)
    made.fallback.limited = limited(state)
    return made


async def cold(state: State, folder: Path) -> Any:
    """A redis-py client (``Redis`` or ``RedisCluster``) that the caller closes. Raises ``OSError`` where no server is
    found."""
    where = topology(state, folder)
    address = await where.locate()
    if not where.cluster:
        return redis(address, where.credentials)
    return RedisCluster(
        host=address.host,
        port=address.port,
        username=where.credentials.username or None,
        password=where.credentials.password or None,
        retry=Retry(NoBackoff(), 1),  # as ``topology.redis``: whoever tries ten times only hides that state is away
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        **tls_options(where.credentials.tls),
    )


def watch(state: State, folder: Path, on_moved: Callable[[frozenset[Address]], Awaitable[None]]) -> PrimaryWatch | None:
    """What tells of a fail-over; None where there is one server, which does not move."""
    view = topology(state, folder).view
    return PrimaryWatch(view(), on_moved) if view is not None else None


async def projection(state: State, folder: Path) -> GovernanceProjection:
    """What control writes with."""
    redis = await cold(state, folder)
    return GovernanceProjection(redis, Keys(state.prefix), cluster=state.topology == "cluster", limited=limited(state))


def limited(state: State) -> Pace:
    """What a block allows that is a limit rather than a wall."""
    return pace(state.block_limit.quota, max(1, round(state.block_limit.seconds * 1e6)))


def log_outs(
    state: State, folder: Path, on_ended: Callable[[Iterable[bytes]], None], on_missed: Callable[[], None]
) -> LogOutFeed:
    """What a worker tells of log-outs with, and hears with."""

    async def connect() -> Any:
        return await cold(state, folder)

    return LogOutFeed(connect, Keys(state.prefix), on_ended, on_missed)


def notices(state: State, folder: Path, on_snapshot: Callable[[Snapshot], None]) -> Notices:
    """What a worker hears with."""

    async def connect() -> Redis:
        made: Redis = await cold(state, folder)
        return made

    return Notices(connect, Keys(state.prefix), on_snapshot, poll=state.poll)
