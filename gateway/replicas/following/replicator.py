"""The replicator's process: a follower for each peer, and what they may take of the disk together.

A process of its own, because a slow disk, a stream of megabytes or a peer's certificate must hold up neither a person's
act nor a probe, and because nothing that another node sends may reach the process that does people's acts.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Final

import structlog

from gateway.common import channel
from gateway.common.ending import end
from gateway.common.folders import Folders
from gateway.config import Config
from gateway.generation import conversion, generation
from gateway.replicas.copying import node_copy
from gateway.replicas.following.peer_client import PeerClient
from gateway.replicas.following.peer_follower import PeerFollower
from gateway.replicas.following.replica_metrics import Gauges, ReplicaMetrics

log = structlog.get_logger("replicas")

COUNT_EVERY: Final = 60.0  # seconds between two looks at what all copies take


class Replicator:
    """``run`` until ``stop`` is set."""

    def __init__(self, folders: Folders, stop: asyncio.Event) -> None:
        self._folders = folders
        self._stop = stop
        self._config: Config = generation.load(folders, folders.current()).config
        self._settings = conversion.replicas(self._config.journal)
        self._journal = folders.journal(self._config)
        self._followers: list[PeerFollower] = []
        self._size = 0
        self._counted_at = float("-inf")
        self.metrics = ReplicaMetrics(self._gauges)

    async def run(self) -> None:
        """Follow every peer. Raises OSError where the command socket cannot be made, or a file of certificates cannot
        be read."""
        with suppress(OSError):  # told by whoever writes there
            self._journal.mkdir(mode=0o700, parents=True, exist_ok=True)  # a new node's workers may not have yet
        async with AsyncExitStack() as stack:
            for peer in conversion.peers(self._config):
                self.metrics.begin(peer.name)
                client = PeerClient(peer)
                stack.push_async_callback(client.close)
                self._followers.append(
                    PeerFollower(
                        peer, self._config.server.node, self._journal, self._settings, client.fetch,
                        room=self._room, added=partial(self._added, peer.name),
                        failed=partial(self._failed, peer.name), found=partial(self._found, peer.name),
                    )
                )  # fmt: skip
            commands = await channel.serve(
                self._folders.replicator_socket, {"status": self._on_status, "counters": lambda _: self.metrics.told()}
            )
            stack.push_async_callback(commands.close)
            tasks = [asyncio.create_task(one.run(), name=f"replica of {one.peer.name}") for one in self._followers]
            stack.push_async_callback(end, tasks)
            stopping = asyncio.create_task(self._stop.wait())
            done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()  # a follower only ends by a fault of ours: the process starts anew

    def _room(self) -> str:
        """Why nothing more may be written now. The node's own records come first: copies stop where those warn."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_EVERY:
            self._size = node_copy.size(self._journal)
            self._counted_at = now
        if self._size >= self._settings.max_size:
            return "full"
        if shutil.disk_usage(self._journal).free < self._config.journal.low_disk:
            return "low_disk"
        return ""

    def _added(self, peer: str, size: int) -> None:
        self._size += size
        self.metrics.bytes.add((peer,), size)

    def _failed(self, peer: str, cause: str) -> None:
        self.metrics.failures.add((peer, cause))

    def _found(self, peer: str, flaws: int, holes: int, aside: int) -> None:
        for kind, count in (("flaw", flaws), ("hole", holes), ("aside", aside)):
            if count:
                self.metrics.findings.add((peer, kind), count)

    def _gauges(self) -> Gauges:
        standing = {one.peer.name: one.standing() for one in self._followers}
        return {
            "tidegate_replica_up": {(name,): int(not told.cause) for name, told in standing.items()},
            "tidegate_replica_lag_seconds": {(name,): told.lag for name, told in standing.items()},
            "tidegate_replica_behind_bytes": {(name,): told.behind for name, told in standing.items()},
            "tidegate_replicas_size_bytes": {(): self._size},
            "tidegate_replicas_max_size_bytes": {(): self._settings.max_size},
            "tidegate_replicas_max_lag_seconds": {(): self._settings.max_lag},
        }

    def _on_status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "pid": os.getpid(),
            "max_lag": self._settings.max_lag,
            "peers": {one.peer.name: one.standing()._asdict() for one in self._followers},
        }
