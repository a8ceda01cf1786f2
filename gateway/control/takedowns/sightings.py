"""Follows the journal for two things: what the platform calls our messages, and deletions that were seen.

A worker that sees a deletion knows the name in the request and no more: the message was let in by another worker, maybe
days ago. So it records what it saw, and here the removal is recorded once more with our id and the room, which the
mirror needs. Names come from ``upstream_ids``, and where that does not reach, nothing is known: the first start begins
``REACH`` bytes back in each folder, and the index has its bound. What cannot be named is told in the log and counted.

    outcome delivered, upstream_id 77  ──► index       (imported, upstream_id 77, likewise)
    removal seen, upstream_id 77       ──► index ──► the message's own record ──► removal seen, id, room

Everything that reads is done in a thread. After a crash between recording and keeping the position a removal may be
recorded twice, which means the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from gateway.control.takedowns.upstream_ids import UpstreamIds
from gateway.journal.read import lookup
from gateway.journal.read.follow import Follower
from gateway.journal.read.reader import folder_name
from gateway.journal.write.ids import CONTROL
from gateway.journal.write.record import removal
from gateway.journal.write.segments import copied, folders, segments

log = structlog.get_logger()

EVERY = 0.25  # seconds between two looks where nothing is new
CHUNK = 2000  # records of each worker read at once
REACH = 1 << 30  # bytes of each folder that a first start reads
PATIENCE_US = 60_000_000  # how long a name is looked for: its outcome may stand in a folder not yet read so far
MAX_WAITING = 10_000
MAX_RETRY = 5.0  # seconds
OWN = f"/{CONTROL}"  # the folder in which control records


class _Step(NamedTuple):
    """What one look gave. ``more``: something was read, so more may be there; ``changed``: something is to keep."""

    names: list[tuple[str, str, str]]
    removals: list[dict[str, Any]]
    more: bool
    changed: bool


class Sightings:
    """``routes`` tells the judged routes whose messages are named by the platform; while there are none, nothing is
    followed. ``append`` returns when the record is written, and raises where it may not be."""

    def __init__(
        self,
        root: Path,
        path: Path,
        routes: Callable[[], Collection[str]],
        append: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        self.unnamed = 0  # deletions seen of messages that nobody here knows, since the start
        self._root = root
        self._routes = routes
        self._append = append
        self._index = UpstreamIds.opened(path)
        self._follower: Follower | None = None
        self._waiting: list[dict[str, Any]] = self._index.kept("waiting", [])
        self._task: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sightings")

    async def stop(self) -> None:
        """Finish the look under way, then let the index go."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        async with self._reading:
            self._index.close()

    async def named(self, route: str, upstream_id: str) -> str:
        """Our id of what the platform calls ``upstream_id``; empty where the index does not know it."""
        async with self._reading:
            return await asyncio.to_thread(self._index.get, route, upstream_id)

    async def step(self) -> bool:
        """Read on once; True where more may be there."""
        async with self._reading:
            routes = frozenset(self._routes())
            if not routes and not self._waiting:
                return False
            step = await asyncio.to_thread(self._read, routes)
            for record in step.removals:
                await self._append(record)
            if step.changed:
                await asyncio.to_thread(self._keep, step.names)
            return step.more

    async def _run(self) -> None:
        pause = EVERY
        while not self._stopping.is_set():
            try:
                more = await self.step()
                pause = EVERY
            except Exception:  # of disk, index or ourselves; from the kept position nothing is lost
                if pause == EVERY:  # once for each outage
                    log.error("sightings.failed", exc_info=True)
                pause = min(pause * 2, MAX_RETRY)
                self._follower = None  # from the kept position again
                self._waiting = self._index.kept("waiting", [])
                more = False
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)

    def _read(self, routes: Collection[str]) -> _Step:
        follower = self._follower
        if follower is None:
            positions = self._index.kept("positions", None)
            follower = self._follower = Follower(
                self._root, lambda flaw: None, positions if positions is not None else _recent(self._root)
            )
        names: dict[tuple[str, str], str] = {}
        entries = follower.read(CHUNK)
        copies = {node for node in {entry.folder.partition("/")[0] for entry in entries} if copied(self._root / node)}
        for entry in entries:
            record = entry.record
            kind = record["kind"]
            if kind == "outcome":
                theirs, route = record.get("upstream_id", ""), record.get("route", "")
                if theirs and route in routes and record["state"] == "delivered":
                    names[route, theirs] = record["id"]
            elif kind == "imported":
                place = (record["route"], record["upstream_id"])
                # What came through the gateway is newer, whichever of the two is read first.
                if record["route"] in routes and place not in names and not self._index.get(*place):
                    names[place] = record["id"]
            elif kind == "removal" and record["state"] == "seen" and not entry.folder.endswith(OWN):
                if entry.folder.partition("/")[0] in copies:
                    continue  # whoever saw it names it, or tells that nobody can
                if record["id"] and record.get("room"):
                    continue  # it says all there is to say
                if len(self._waiting) < MAX_WAITING:
                    self._waiting.append(record)
                else:
                    self._give_up(record)
        waited = len(self._waiting)
        removals = self._resolved(names)
        return _Step(
            [(route, theirs, ours) for (route, theirs), ours in names.items()], removals, bool(entries),
            bool(entries) or len(self._waiting) != waited,
        )  # fmt: skip

    def _resolved(self, names: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        waiting: list[dict[str, Any]] = []
        oldest = time.time_ns() // 1000 - PATIENCE_US
        for seen in self._waiting:
            route, theirs = seen.get("route", ""), seen.get("upstream_id", "")
            ours = seen["id"] or names.get((route, theirs)) or self._index.get(route, theirs)
            told = lookup.find(self._root, ours) if ours else None
            if told is not None:
                if theirs and (told.upstream_id or theirs) != theirs:
                    self._give_up(seen)  # another name with the same key
                    continue
                found.append(_named(seen, ours, told.first["route"], told.first["room"]))
            elif seen["time"] > oldest:
                waiting.append(seen)
            elif ours and not seen["id"]:
                # The journal has been pruned since; a static version may have outlived it.
                found.append(_named(seen, ours, route, seen.get("room", "")))
            else:
                self._give_up(seen)
        self._waiting = waiting
        return found

    def _give_up(self, seen: dict[str, Any]) -> None:
        self.unnamed += 1
        log.warning("removal.unnamed", route=seen.get("route", ""))

    def _keep(self, names: list[tuple[str, str, str]]) -> None:
        assert self._follower is not None
        self._index.commit(names, {"positions": self._follower.positions, "waiting": self._waiting})


def _named(seen: dict[str, Any], ours: str, route: str, room: str) -> dict[str, Any]:
    return removal(
        ours,
        seen["by"],
        "seen",
        route=route,
        room=room,
        upstream_id=seen.get("upstream_id", ""),
        status=seen.get("status"),
    )


def _recent(root: Path) -> dict[str, str]:
    """Where a first start begins in each folder."""
    positions: dict[str, str] = {}
    for folder in folders(root):
        size = 0
        for segment in reversed(segments(folder)):
            size += segment.path.stat().st_size
            positions[folder_name(folder)] = f"{segment.name}:0"
            if size > REACH:
                break
    return positions
