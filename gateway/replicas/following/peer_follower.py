"""Follows one peer: asks how its journal goes on, writes it down, asks again.

    ask (waits there while nothing is new) ──► numbers and sums ──► written ──► synced once a second ──► ask

A peer that does not answer is asked again after a while, less and less often. What stands in the way is kept as a word
(``cause``), told once when it begins and once when it is over; how far the copy lags is told by both clocks of this
machine, and never by the peer's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

from filters.model.errors import TidegateError
from gateway.common.boot import ClockReading, reading
from gateway.journal.write.errors import Locked
from gateway.replicas.copying.fetched import Garbled, JournalFetched, decoded
from gateway.replicas.copying.folder_copy import Doubted
from gateway.replicas.copying.node_copy import Heard, NodeCopy, NotACopy, heard
from gateway.replicas.copying.settings import PeerSettings, ReplicaSettings
from gateway.replicas.following.peer_client import NoAnswer

log = structlog.get_logger("replicas")

WAIT: Final = 1.0  # seconds that a peer waits for something new before it answers that there is nothing
LINGER: Final = 0.1  # seconds between two questions: what came meanwhile is one answer
SYNC_EVERY: Final = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0  # seconds; after a refusal at once the longest
REFUSALS: Final = frozenset(("refused", "same_node", "other_node", "not_a_copy"))  # somebody has to do something

Ask = Callable[[dict[str, Any]], Awaitable[bytes]]


class PeerStanding(NamedTuple):
    """How a copy stands. ``cause``: what is in its way, empty for nothing; ``lag``: seconds since nothing of the peer's
    was missing here; ``behind``: bytes that were missing when it last answered."""

    node: int
    cause: str
    lag: float
    behind: int


class Barred(TidegateError):
    """Why a peer is not copied from now. ``cause``: a word; docs/journal.md has them."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail


class PeerFollower:
    """``own``: the number of this node. ``room``: why nothing more may be written now, empty for nothing. ``added`` is
    told the bytes of each answer, ``failed`` what stood in the way, ``found`` damaged lines, holes and segments that
    went aside."""

    def __init__(
        self,
        peer: PeerSettings,
        own: int,
        root: Path,
        settings: ReplicaSettings,
        ask: Ask,
        *,
        room: Callable[[], str] = lambda: "",
        added: Callable[[int], object] = lambda size: None,
        failed: Callable[[str], object] = lambda cause: None,
        found: Callable[[int, int, int], object] = lambda *counts: None,
        clock: Callable[[], ClockReading] = reading,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.peer = peer
        self.cause = "starting"
        self._own = own
        self._root = root
        self._settings = settings
        self._ask = ask
        self._room = room
        self._added = added
        self._failed = failed
        self._counted = found
        self._clock = clock
        self._sleep = sleep
        self._began = clock()
        self._copy: NodeCopy | None = None
        self._heard: Heard | None = heard(root / f"node-{peer.node}")
        self._synced_at = 0.0
        self._before = (0, 0, 0)

    async def run(self) -> None:
        """Until it is cancelled."""
        pause = FIRST_PAUSE
        try:
            while True:
                try:
                    await self.turn()
                    pause = FIRST_PAUSE
                except Barred as barred:
                    self._bar(barred.cause, barred.detail)
                    pause = LONGEST_PAUSE if barred.cause in REFUSALS else min(2 * pause, LONGEST_PAUSE)
                    await self._sleep(pause)
        finally:
            await asyncio.shield(asyncio.to_thread(self.close))

    async def turn(self) -> int:
        """Ask once, and write what is answered; how many bytes that was."""
        try:
            return await self._turn()
        except NoAnswer as error:
            raise Barred(error.cause, error.detail) from None
        except Garbled as error:
            raise Barred("garbled", str(error)) from None
        except Doubted as error:
            raise Barred("doubted", str(error)) from None
        except NotACopy:
            raise Barred("not_a_copy") from None
        except Locked:
            raise Barred("locked") from None
        except OSError as error:
            self.close()  # what was written is looked through when it is opened again
            raise Barred("disk", error.strerror or type(error).__name__) from None

    async def _turn(self) -> int:
        if self._copy is None:
            self._copy = await asyncio.to_thread(NodeCopy, self._root, self.peer.node, self._clock)
            self._before = (0, 0, 0)
        copy = self._copy
        full = await asyncio.to_thread(self._room)
        if full:
            raise Barred(full)
        began = time.monotonic()
        asked = {"node": self._own, "folders": copy.wanted(), "wait": WAIT, "most": self._settings.chunk}
        body = await self._ask(asked)
        answer = await asyncio.to_thread(decoded, body)
        if answer.node != self.peer.node:
            raise Barred("other_node", f"it is node {answer.node}")
        added = await asyncio.to_thread(partial(self._take, copy, answer))
        self._clear()
        if answer.complete:
            await self._sleep(LINGER)
        elif added:
            await self._sleep(max(0.0, added / self._settings.rate - (time.monotonic() - began)))
        return added

    def _take(self, copy: NodeCopy, answer: JournalFetched) -> int:
        try:
            added = copy.take(answer)
        finally:
            self._tell(copy.counted)
        self._heard = copy.heard
        self._added(added)
        if time.monotonic() - self._synced_at >= SYNC_EVERY:
            copy.sync()
            self._synced_at = time.monotonic()
        return added

    def _tell(self, counted: tuple[int, int, int]) -> None:
        flaws, holes, aside = (now - before for now, before in zip(counted, self._before, strict=True))
        self._before = counted
        if flaws:
            log.error("replicas.flaws", replica=self.peer.name, lines=flaws)
        if holes:
            log.error("replicas.hole", replica=self.peer.name, segments=holes)
        if aside:
            log.error("replicas.put_aside", replica=self.peer.name, segments=aside)
        if flaws or holes or aside:
            self._counted(flaws, holes, aside)

    def standing(self) -> PeerStanding:
        """How the copy stands now."""
        now = self._clock()
        since = self._heard.complete if self._heard is not None else None
        return PeerStanding(
            self.peer.node, self.cause, _between(since or self._began, now),
            self._heard.behind if self._heard is not None else 0,
        )  # fmt: skip

    def close(self) -> None:
        """Sync, and give the copy up."""
        copy, self._copy = self._copy, None
        if copy is not None:
            try:
                copy.sync()
            except OSError as error:
                log.error("replicas.sync_failed", replica=self.peer.name, error=error.strerror or type(error).__name__)
            copy.close()

    def _bar(self, cause: str, detail: str) -> None:
        self._failed(cause)
        if cause != self.cause:
            log.error("replicas.barred", replica=self.peer.name, cause=cause, detail=detail)
        self.cause = cause

    def _clear(self) -> None:
        if self.cause:
            log.info("replicas.following", replica=self.peer.name, of=self.peer.node)
        self.cause = ""


def _between(before: ClockReading, now: ClockReading) -> float:
    """Seconds, by the clock that nobody sets where the machine has run on."""
    same = before.boot and before.boot == now.boot
    return max(0, now.uptime - before.uptime if same else now.time - before.time) / 1e6
