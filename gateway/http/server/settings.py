"""The server side's bounds and habits, as ``[server]`` sets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.common.addresses import PREFIX
from gateway.common.defaults import default_rate, default_size, default_time
from gateway.common.listening import BACKLOG
from gateway.common.units import Rate
from gateway.http.wire.head import DEFAULT_BOUNDS, HeadBounds

CONTINUE_WITHIN: Final = 1.0
"""Seconds that an upstream has to say 100 (Continue), or that it wants no body; then we say it: the upstreams that do
not know it wait for the body themselves."""
LINGER_BOUND: Final = 64 << 20
"""Bytes that are thrown away behind a refused request before the connection is cut: a client may send all of a large
upload before it reads the answer."""
EMPTY_LINES: Final = 8
"""Before a request line (RFC 9112 section 2.2); more are a request line that is none."""


WAITED: Final = 1.0
"""Seconds that who waited for his turn when his time was over has more: by then he was read. Not all of his time again,
or an address that keeps a worker busy would be late with nothing."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Sizes in bytes, times in seconds. The names are those of ``[server]``, which explains each and takes its default.

    ``linger_timeout``: how long what a refused client still sends is read and thrown away, so that the reset which
    closing would cause does not destroy the answer on its way (RFC 9112 section 9.6).
    """

    trusted_proxies: tuple[str, ...] = ()
    via: str = "tidegate"
    max_target: int = default_size(DEFAULT_BOUNDS.target)
    max_head: int = default_size(DEFAULT_BOUNDS.size)
    max_headers: int = DEFAULT_BOUNDS.fields
    max_relayed_body: int = default_size("1GiB")
    max_buffered: int = default_size("256KiB")
    max_connections: int = 20000
    backlog: int = BACKLOG
    max_connections_per_address: int = 1000
    ipv6_prefix: int = PREFIX
    max_queueing: float = default_time("0s")
    turn_requests: int = 4
    turn_frames: int = 24
    turn_bytes: int = default_size("128KiB")
    max_small_chunks: Rate = default_rate("1000/1s")  # noqa: RUF009 - it is a field
    max_collected: int = default_size("256MiB")
    head_timeout: float = default_time("10s")
    body_timeout: float = default_time("30s")
    stall_timeout: float = default_time("60s")
    min_receive_rate: int = default_size("256B")
    min_send_rate: int = default_size("1KiB")
    idle_timeout: float = default_time("75s")
    linger_timeout: float = default_time("5s")
    request_ids: bool = True
    traces: bool = False

    @property
    def head_bounds(self) -> HeadBounds:
        """The bounds of a request's head."""
        return HeadBounds(self.max_head, self.max_headers, self.max_target)
