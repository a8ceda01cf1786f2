"""Who holds how much of an upstream: each route and each client address has a share of its connections.

A slow route, or one address that reads its answers slowly, would otherwise take them all, and everybody else would be
told that the upstream is busy. Who is within both shares gets whatever connection there is. Who holds more than a share
gets one only while more than the spare part is free, else waits behind, and it is he who is told ``upstream.busy``. So
one who is alone has nearly all, and never the last.
"""

from __future__ import annotations

from math import ceil

from gateway.http.upstream.settings import UpstreamSettings


class Share:
    """Calls of one holder that are under way at one upstream: those that wait, too."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0


class ShareBounds:
    """Numbers of connections: ``client`` and ``route`` make a share, with ``open`` in use the rest is spare."""

    __slots__ = ("client", "open", "route")

    def __init__(self, settings: UpstreamSettings, servers: int, routes: int) -> None:
        every = settings.max_connections * servers
        self.client = max(1, ceil(every * settings.client_share))
        # One route alone is held up by no other.
        self.route = max(1, ceil(every * settings.route_share)) if routes > 1 else 1 << 30
        self.open = max(1, ceil(every * (1.0 - settings.spare_share)))
