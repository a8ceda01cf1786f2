"""All sockets of one worker: who is open, what a sweep, a switch, a reload and a stop mean for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from gateway.carriers.session import Session
from gateway.http.server.sentences import SILENT
from gateway.websocket import endings

if TYPE_CHECKING:
    from gateway.carriers.link import Link
    from gateway.common.metrics import Counts
    from gateway.common.sweep import Sweep
    from gateway.judging.overlay import Overlay
    from gateway.judging.pipeline import Pipeline
    from gateway.judging.route import Route
    from gateway.judging.tracer import Tracer
    from gateway.state.model.snapshot import Snapshot

LOOKS: Final = 5
"""Sockets are looked at every fifth tick of the sweep: 10,000 of them cost about half a millisecond."""

PER_TURN: Final = 256
"""Sockets that are told of a switch in one turn of the loop: with 10,000 of them messages wait for none."""


class Sockets:
    """``routes``: the judged WebSocket routes in force, by name; swapped by a reload as one reference (law 9).
    ``sentences``: what senders are told, in their language."""

    def __init__(self, pipeline: Pipeline, refused: Counts, ends: Counts, sweep: Sweep) -> None:
        self.pipeline = pipeline
        self.sweep = sweep
        self.routes: Mapping[str, Route] = {}
        self.links: set[Link] = set()
        self.draining = False
        self.sentences = SILENT
        self.tracer: Tracer | None = None
        self.on_ended: Callable[[Link], None] | None = None  # for an access log
        self._refused = refused
        self._ends = ends
        self._empty = asyncio.Event()
        self._told: Any = None  # what the sockets were last told of: switches and blocks
        self._ticks = 0
        sweep.watch(self._look)

    def opened(self, link: Link) -> None:
        """A handshake is complete."""
        self.links.add(link)

    def closed(self, link: Link) -> None:
        """Both connections of a link are gone."""
        self.links.discard(link)
        if self.on_ended is not None:
            self.on_ended(link)
        if not self.links:
            self._empty.set()

    def count_refused(self, route: str, reason: str) -> None:
        """Count a frame or a handshake that came to no verdict."""
        self._refused.add((route, reason))

    def count_end(self, route: str, reason: str) -> None:
        """Count a socket that the gateway ended."""
        self._ends.add((route, reason))

    def report(self, error: Exception) -> None:
        """A socket's work failed: whoever handles the loop's exceptions is told."""
        asyncio.get_running_loop().call_exception_handler({"message": "a socket's work failed", "exception": error})

    def on_snapshot(self, snapshot: Snapshot, overlay: Overlay | None) -> None:
        """Switches or blocks may have changed: whoever they concern is told, a few sockets a turn."""
        rows = snapshot.rows
        standing = (rows.switches, rows.blocks, rows.ranges)
        if standing != self._told and (self._told is not None or any(standing)):
            self._tell([link for link in self.links if isinstance(link, Session)], snapshot, overlay)
        self._told = standing

    def _tell(self, sessions: list[Session], snapshot: Snapshot, overlay: Overlay | None) -> None:
        for session in sessions[-PER_TURN:]:
            session.check(snapshot, overlay)
        del sessions[-PER_TURN:]
        if sessions:
            asyncio.get_running_loop().call_soon(self._tell, sessions, snapshot, overlay)

    async def drain(self, seconds: float) -> bool:
        """Close every socket with 1012, behind what is being judged; cut what is left after ``seconds``.

        True where nothing had to be cut.
        """
        self.draining = True
        self._empty.clear()
        for link in tuple(self.links):
            link.end(endings.STOPPING)
        clean = True
        if self.links:
            try:
                await asyncio.wait_for(self._empty.wait(), seconds)
            except TimeoutError:
                clean = False
                for link in tuple(self.links):
                    link.abort()
        self.sweep.unwatch(self._look)
        return clean

    def _look(self, now: float) -> None:
        self._ticks += 1
        if self._ticks % LOOKS:
            return
        for link in [link for link in self.links if link.deadline <= now]:
            link.overdue(now)
