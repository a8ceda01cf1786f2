"""What an operator can set on an upstream; every bound has a default (law 10). Times are in seconds, sizes in bytes.

The names are those of ``[upstreams.NAME]`` and its tables, which take their defaults from here.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Literal

from gateway.common.defaults import default_size, default_time
from gateway.http.wire.address import ServerAddress

Balance = Literal["round-robin", "least-connections"]


@dataclass(frozen=True, slots=True)
class UpstreamServerSettings:
    """``tls`` is built once at load, so that a reload with a broken certificate file fails before anything is swapped.

    ``tls_key``: anything that changes when the TLS settings or the files behind them change.
    """

    address: ServerAddress
    weight: int = 1
    tls: ssl.SSLContext | None = None
    tls_key: str = ""
    server_name: str = ""  # for SNI and the certificate; the address's host where empty

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError(f"{self.address.text}: a weight is 1 or more")
        if self.address.tls and self.tls is None:
            object.__setattr__(self, "tls", ssl.create_default_context())


@dataclass(frozen=True, slots=True)
class EjectionSettings:
    """Passive health: ``failures`` in a row pause a server for ``pause`` x (times ejected), at most ``longest_pause``.

    At most ``share`` of the servers pause at once, and never all of them. ``failures = 0`` turns it off.
    """

    failures: int = 5
    pause: float = default_time("10s")
    longest_pause: float = default_time("5m")
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Active health checks: ``GET path`` each ``interval``; 200 to 399 within ``timeout`` is well."""

    path: str
    interval: float = default_time("5s")
    timeout: float = default_time("2s")
    healthy_after: int = 2
    unhealthy_after: int = 3
    host: str = ""  # the Host field; the server's address where empty


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """One named upstream."""

    name: str
    servers: tuple[UpstreamServerSettings, ...]
    balance: Balance = "round-robin"
    max_connections: int = 256  # per server
    max_upgraded: int = 16_384  # WebSocket connections per server, counted apart from the pool
    client_share: float = 0.25  # of the connections, for one client address
    route_share: float = 0.5  # for one route, where there are several
    spare_share: float = 0.25  # for those who hold no more than their shares
    max_waiting: int = 1024  # calls that wait for a connection
    wait_timeout: float = default_time("2s")
    connect_timeout: float = default_time("3s")
    answer_timeout: float = default_time("30s")  # from the complete request to the answer's complete head
    read_timeout: float = default_time("60s")  # between two pieces of the answer's body, or of the request's
    total_timeout: float | None = None  # of a whole call; None because a download may be long
    idle_timeout: float = default_time("50s")  # of a kept connection; shorter than the common 60 s and 75 s of servers
    retries: int = 1  # repetitions of a call that may be repeated safely, besides connection attempts
    max_head: int = default_size("64KiB")
    max_informational: int = 16  # 1xx answers before the final one
    ejection: EjectionSettings = field(default_factory=EjectionSettings)
    check: CheckSettings | None = None
    host: str = ""  # the Host field of requests; the client's own where empty

    def __post_init__(self) -> None:
        if not self.servers:
            raise ValueError(f"upstream {self.name!r}: name at least one server")
        if len({server.address.text for server in self.servers}) != len(self.servers):
            raise ValueError(f"upstream {self.name!r}: the same server is named twice; give it a weight instead")
