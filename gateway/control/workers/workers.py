"""The workers of this node, as control sees them: each behind its unix socket.

A snapshot goes to each of them directly, beside its way through state, so that a switch acts at once and also while
state is away. A worker that was away (started anew, busy) is given the present snapshot by the keeper, which looks at
every worker once a second; the same look keeps the counters, so that little is lost when one dies. It asks
projector and replicator for their counters too; nothing else is told to them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.common import channel
from gateway.common.rounds import Rounds
from gateway.control.workers.totals import Totals
from gateway.state.cold import kept_snapshot
from gateway.state.model.snapshot import SnapshotRows, encode

WITHIN = 0.5  # seconds for one answer
EVERY = 1.0  # seconds between two looks of the keeper
PROJECTOR, REPLICATOR = "projector", "replicator"  # their names among those that count


class Workers:
    """``sockets`` tells the sockets of the present workers by name (``worker-0`` …); ``projector`` is the projector's,
    and ``replicator`` the replicator's, where a node has one. ``kept``: the file where a worker that
    starts finds the snapshot."""

    def __init__(
        self,
        sockets: Callable[[], Mapping[str, Path]],
        totals: Totals,
        projector: Path | None = None,
        kept: Path | None = None,
        replicator: Path | None = None,
    ) -> None:
        self.answers: dict[str, str] = {}  # name -> ok, or why there was no answer
        self.statuses: dict[str, dict[str, Any]] = {}  # name -> last status; only of those that answer
        self.totals = totals
        self._sockets = sockets
        self._besides = {
            name: path for name, path in ((PROJECTOR, projector), (REPLICATOR, replicator)) if path is not None
        }
        self._kept = kept
        self._snapshot: SnapshotRows | None = None
        self.keeper = Rounds("workers.look", self.look, EVERY)

    def offer(self, snapshot: SnapshotRows) -> None:
        """Let the keeper see to it that every worker holds this snapshot, or a newer one; those that start read it."""
        if self._snapshot is None or snapshot.version >= self._snapshot.version:
            self._snapshot = snapshot
            if self._kept is not None:
                kept_snapshot.keep(self._kept, snapshot)

    def lost(self) -> int:
        """Messages for which a worker's snapshot knew what state had lost, over those that answer."""
        return sum(int(status.get("state", {}).get("lost", 0)) for status in self.statuses.values())

    async def push(self, snapshot: SnapshotRows) -> dict[str, bool]:
        """Give every worker the snapshot; tells which have it in force."""
        self.offer(snapshot)
        answers = await self._tell({"command": "snapshot", "snapshot": encode(snapshot)})
        return {name: isinstance(answer, dict) and "error" not in answer for name, answer in answers.items()}

    def present(self) -> frozenset[tuple[str, int]]:
        """The workers that there are, by name, each with what its socket is: one that was started anew has another."""
        found = []
        for name, path in self._sockets().items():
            with contextlib.suppress(FileNotFoundError):
                found.append((name, path.stat().st_ino))
        return frozenset(found)

    async def tell(self, command: dict[str, Any]) -> bool:
        """Tell every worker; whether all of them took it."""
        answers = await self._tell(command)
        return all(isinstance(answer, dict) and "error" not in answer for answer in answers.values())

    async def look(self) -> None:
        """Read counters and status of every worker, and bring those up to date that hold an older snapshot."""
        counters, besides, statuses = await asyncio.gather(
            self._tell({"command": "counters"}), self._beside(), self._tell({"command": "status"})
        )
        counters |= besides
        for name, answer in counters.items():
            if isinstance(answer, dict):
                self.totals.take(name, answer)
            else:
                self.totals.silent(name)
        self.totals.keep_only(set(counters))
        self.answers = {
            name: answer if isinstance(answer, str) else str(answer.get("error", "ok"))
            for name, answer in statuses.items()
        }
        self.statuses = {
            name: answer for name, answer in statuses.items() if isinstance(answer, dict) and "error" not in answer
        }
        snapshot = self._snapshot
        if snapshot is None:
            return
        sockets = self._sockets()
        for name, status in self.statuses.items():
            if status.get("snapshot", 0) < snapshot.version and name in sockets:
                await self._one(sockets[name], {"command": "snapshot", "snapshot": encode(snapshot)})

    async def _beside(self) -> dict[str, dict[str, Any] | str]:
        answers = await asyncio.gather(*(self._one(path, {"command": "counters"}) for path in self._besides.values()))
        return dict(zip(self._besides, answers, strict=True))

    async def _tell(self, command: dict[str, Any]) -> dict[str, dict[str, Any] | str]:
        sockets = self._sockets()
        answers = await asyncio.gather(*(self._one(path, command) for path in sockets.values()))
        return dict(zip(sockets, answers, strict=True))

    @staticmethod
    async def _one(path: Path, command: dict[str, Any]) -> dict[str, Any] | str:
        try:
            return await channel.call(path, command, timeout=WITHIN)
        except channel.ChannelError as error:
            return error.cause
