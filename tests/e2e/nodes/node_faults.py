"""What goes wrong with nodes that share a database and a state server, drawn one after the other, and made good."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from gateway.common import channel
from tests.e2e.node import kill
from tests.e2e.nodes.cluster import Cluster, soon

PAST_THE_LEASE = 7.0  # seconds: a lease lasts 6
AGAIN = 120.0  # seconds in which a node is well again
SHARES = {
    "control_dies": 6, "worker_dies": 3, "node_dies": 3, "control_stops": 5, "database_cut": 4, "database_held": 4,
    "state_cut": 4, "state_held": 4, "database_restarts": 2, "database_pauses": 1.5, "state_is_emptied": 2,
}  # fmt: skip


class NodeFaults:
    """``seed``: of what is drawn. ``seen``: how often each was done."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self.seen: Counter[str] = Counter()
        self._cluster = cluster
        self._draw = random.Random(f"faults {seed}")

    async def go_on(self, enough: asyncio.Event) -> None:
        """One after the other, now and then two at once; the last is made good."""
        while not enough.is_set():
            await self._wait(0.5, 4.0)
            await self.one_more()

    async def one_more(self) -> None:
        """Done and made good: both nodes are well behind it, as far as they say."""
        names = self._draw.choices(tuple(SHARES), tuple(SHARES.values()), k=1 + (self._draw.random() < 0.25))
        nodes = self._draw.sample(tuple(self._cluster.nodes), 2)
        await asyncio.gather(*(self._do(name, node) for name, node in zip(dict.fromkeys(names), nodes, strict=False)))
        for number in self._cluster.nodes:
            await soon(lambda number=number: self.well(number), AGAIN)

    async def _do(self, name: str, node: int) -> None:
        fault: Callable[[int], Awaitable[None]] = getattr(self, f"_{name}")
        await fault(node)
        self.seen[name] += 1

    async def well(self, number: int) -> bool:
        """Whether the node says so, of its database and of state."""
        try:
            answer = await self._cluster.ask(number, "GET", "/readyz")
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return False
        return answer.status == 200 and not answer.json()["checks"]["database"]["detail"]

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self._draw.uniform(least, most))

    async def _pids(self, node: int, prefix: str) -> list[int]:
        with contextlib.suppress(OSError, channel.ChannelError):
            return list((await self._cluster.nodes[node].pids(prefix)).values())
        return []

    async def _control_dies(self, node: int) -> None:
        for pid in await self._pids(node, "control"):
            with contextlib.suppress(ProcessLookupError):
                kill(pid)

    async def _worker_dies(self, node: int) -> None:
        for pid in await self._pids(node, "worker"):
            with contextlib.suppress(ProcessLookupError):
                kill(pid)

    async def _node_dies(self, node: int) -> None:
        """All its processes at once, as where a machine loses its power; then it is started again."""
        one = self._cluster.nodes[node]
        assert one.process is not None
        pids = [one.process.pid, *await self._pids(node, "")]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await one.process.wait()
        await self._wait(0.0, 3.0)
        until = time.monotonic() + AGAIN
        while True:
            try:
                await one.start()
            except RuntimeError:  # its last processes are ending
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)
            else:
                return

    async def _control_stops(self, node: int) -> None:
        pids = await self._pids(node, "control")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await self._wait(PAST_THE_LEASE, PAST_THE_LEASE + 2)
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    async def _database_cut(self, node: int) -> None:
        line = self._cluster.lines[node].database
        line.cut()
        await self._wait(0.2, 8.0)
        line.mend()

    async def _database_held(self, node: int) -> None:
        line = self._cluster.lines[node].database
        line.hold()
        await self._wait(0.2, 8.0)
        line.mend()

    async def _state_cut(self, node: int) -> None:
        line = self._cluster.lines[node].state
        line.cut()
        await self._wait(0.2, 5.0)
        line.mend()

    async def _state_held(self, node: int) -> None:
        line = self._cluster.lines[node].state
        line.hold()
        await self._wait(0.2, 5.0)
        line.mend()

    async def _database_restarts(self, _node: int) -> None:
        server = self._cluster.server
        await asyncio.to_thread(server.kill)
        await self._wait(0.0, 2.0)
        await asyncio.to_thread(server.start)

    async def _database_pauses(self, _node: int) -> None:
        server = self._cluster.server
        server.pause()
        await self._wait(0.5, 6.0)
        server.resume()

    async def _state_is_emptied(self, _node: int) -> None:
        await self._cluster.state.ask("FLUSHALL")
