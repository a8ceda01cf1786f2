"""Who the primaries are, asked again and again: a fail-over is known within a moment, also where the old one lives on.

One that was made a replica goes on answering, and one that is stopped answers nobody for as long as its connections
last. So nobody waits for an error: sentinels or the cluster are asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.common.ending import end
from gateway.state.model.settings import Address

EVERY: Final = 0.25  # seconds


class PrimaryView(Protocol):
    """Whoever knows which servers are primaries."""

    async def primaries(self) -> frozenset[Address]:
        """Raises ``OSError`` where nobody can tell."""

    async def close(self) -> None:
        """Close the connections."""


class ClusterView:
    """The primaries of a cluster, as a node says that sees a majority of them (``cluster_state``).

    ``connect`` makes a client of one node, ``slots`` reads the owners of all slots there; ``seed``: a node to begin
    with."""

    def __init__(
        self,
        seed: Address,
        connect: Callable[[Address], Redis],
        slots: Callable[[Address, Redis], Awaitable[Iterable[tuple[int, int, Address]]]],
    ) -> None:
        self._seed = seed
        self._connect = connect
        self._slots = slots
        self._known: frozenset[Address] = frozenset()
        self._asked: tuple[Address, Redis] | None = None

    async def primaries(self) -> frozenset[Address]:
        """Raises ``OSError`` where no node that is reached sees the cluster whole."""
        last = [self._asked[0]] if self._asked is not None else []
        for address in dict.fromkeys((*last, *sorted(self._known, key=str), self._seed)):
            try:
                told = await self._told(address)
            except (RedisError, OSError):
                told = frozenset()
            if told:
                self._known = told
                return told
            await self.close()
        raise ConnectionError("no node of the cluster sees it whole")

    async def close(self) -> None:
        """Close the connection."""
        asked, self._asked = self._asked, None
        if asked is not None:
            await asked[1].aclose()

    async def _told(self, address: Address) -> frozenset[Address]:
        if self._asked is None or self._asked[0] != address:
            await self.close()
            self._asked = address, self._connect(address)
        client = self._asked[1]
        told = await client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
        state = told.get("cluster_state") if isinstance(told, dict) else _state(told)
        if state != "ok":
            return frozenset()
        return frozenset(owner for _, _, owner in await self._slots(address, client))


def _state(told: bytes | str) -> str:
    text = told.decode() if isinstance(told, bytes) else str(told)
    return next((line.partition(":")[2] for line in text.splitlines() if line.startswith("cluster_state:")), "")


class PrimaryWatch:
    """``on_moved`` is awaited with the primaries whenever they are others than before. ``view`` is closed with this."""

    def __init__(
        self,
        view: PrimaryView,
        on_moved: Callable[[frozenset[Address]], Awaitable[None]],
        *,
        every: float = EVERY,
    ) -> None:
        self._view = view
        self._on_moved = on_moved
        self._every = every
        self._known: frozenset[Address] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.create_task(self._run(), name="watch of primaries")

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            await end([self._task])
        await self._view.close()

    async def look(self) -> None:
        """Ask once. Where nobody can tell, nothing is known to have changed."""
        try:
            found = await self._view.primaries()
        except OSError:
            return
        before, self._known = self._known, found
        if before is not None and found != before:
            await self._on_moved(found)

    async def _run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._every)
