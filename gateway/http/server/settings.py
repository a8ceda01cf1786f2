"""The server side's bounds and habits, as ``[server]`` sets them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.http.wire.head import HeadBounds


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Sizes in bytes, times in seconds. The names are those of the configuration, where each is explained.

    ``linger_timeout``: how long what a refused client still sends is read and thrown away, so that the reset which
    closing would cause does not destroy the answer on its way (RFC 9112 section 9.6).
    """

    trusted_proxies: tuple[str, ...] = ()
    via: str = "tidegate"
    max_target: int = 8192
    max_head: int = 16384
    max_headers: int = 100
    max_relayed_body: int = 1 << 30
    max_buffered: int = 262144
    max_connections: int = 20000
    max_connections_per_address: int = 1000
    max_collected: int = 256 << 20
    head_timeout: float = 10.0
    body_timeout: float = 30.0
    stall_timeout: float = 60.0
    idle_timeout: float = 75.0
    linger_timeout: float = 2.0
    request_ids: bool = True
    traces: bool = False

    @property
    def head_bounds(self) -> HeadBounds:
        """The bounds of a request's head."""
        return HeadBounds(self.max_head, self.max_headers, self.max_target)
