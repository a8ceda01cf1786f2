"""What a worker hears from state unasked: new snapshots, log-outs, and that another server is the primary now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.state import connecting
from gateway.state.cold.logout_feed import LogOutFeed
from gateway.state.cold.primary_watch import PrimaryWatch
from gateway.state.hot.state_client import StateClient
from gateway.state.model.settings import Address
from gateway.state.model.snapshot import Snapshot

if TYPE_CHECKING:
    from gateway.config.sections.state import State


class Hearing:
    """``folder``: the embedded server's. ``client``: the hot path's, which is told of a fail-over as well."""

    def __init__(
        self, state: State, folder: Path, client: StateClient, on_snapshot: Callable[[Snapshot], None]
    ) -> None:
        self.feed: LogOutFeed | None = None
        self._state = state
        self._folder = folder
        self._client = client
        self._notices = connecting.notices(state, folder, on_snapshot)
        self._watch: PrimaryWatch | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._notices.start()
        self._watch = connecting.watch(self._state, self._folder, self.moved)
        if self._watch is not None:
            self._watch.start()

    def log_outs(self, on_ended: Callable[[Iterable[bytes]], None], on_missed: Callable[[], None]) -> LogOutFeed:
        """From now on log-outs are told and heard of as well; the caller has the feed looked at."""
        feed = self.feed = connecting.log_outs(self._state, self._folder, on_ended, on_missed)
        feed.start()
        return feed

    async def moved(self, primaries: frozenset[Address]) -> None:
        """These are the primaries now: nobody goes on with one that is none any more."""
        self._client.moved(primaries)
        await self._notices.moved()
        if self.feed is not None:
            await self.feed.moved()

    async def close(self) -> None:
        """Stop; log-outs that are to be told yet are told, where state answers within a second."""
        if self._watch is not None:
            await self._watch.close()
        await self._notices.close()
        if self.feed is not None:
            await self.feed.close()
