"""Which node closes the pages: of those that copy each other's journals and are there, the one with the lowest number.

No lease: whoever is wrong for a while, because the nodes cannot hear each other, has recorded pages that all others
come to read, and of two records of one page the lower number's counts (``recorded_pages``). Bullets wait for nobody:
while none closes pages they stand on the open one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gateway.common import channel
from gateway.common.channel import ChannelError
from gateway.config import Config
from gateway.generation import conversion

AWAY: Final = 30.0  # seconds without all that a node wrote, after which the next one closes pages
WITHIN: Final = 0.5  # seconds for the replicator's answer


class PageMaking:
    """``replicator``: its socket, which says how far each copy is. ``makes``: whether we close pages; ``current``:
    whether we have what every node wrote that is there."""

    def __init__(self, replicator: Path, config: Callable[[], Config]) -> None:
        self.makes = True
        self.current = True
        self._replicator = replicator
        self._config = config
        self._known: set[int] = set()  # nodes of which we had everything once

    async def look(self) -> None:
        """Ask once. While the replicator does not answer, it stays as it was; at first nobody is believed away."""
        config = self._config()
        peers = {peer.node for peer in conversion.peers(config)}
        if not peers:
            self.makes = self.current = True
            return
        if not self._known:
            self.makes = self.current = False
        try:
            told = await channel.call(self._replicator, {"command": "status"}, WITHIN)
        except ChannelError:
            return
        self._judge(config.server.node, [one for one in told["peers"].values() if one["node"] in peers])

    def _judge(self, own: int, peers: list[Mapping[str, Any]]) -> None:
        near = {one["node"] for one in peers if one["lag"] <= AWAY and not one["cause"]}
        away = {one["node"] for one in peers if one["lag"] > AWAY and one["cause"] not in ("", "starting")}
        self._known |= near | away
        unknown = {one["node"] for one in peers} - self._known  # begins, or is copied from its beginning
        self.current = not unknown and near | away == {one["node"] for one in peers}
        below = {one["node"] for one in peers if one["node"] < own}
        self.makes = not unknown and not below - away
