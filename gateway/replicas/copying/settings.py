"""What an operator may set of copies."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.common.defaults import default_size, default_time

LEAST_CHUNK = 64 * 1024  # bytes
MOST_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReplicaSettings:
    """Bytes and seconds. ``[journal.replicas]`` has the same names and takes its defaults.

    ``max_size``: of all copies together; beyond, nothing more is copied, and it is told. ``rate``: bytes a second from
    each peer; ``chunk``: of one answer. A peer is told to be behind once its copy lags by more than ``max_lag``.
    """

    max_size: int = default_size("1TiB")
    rate: int = default_size("64MiB")
    chunk: int = default_size("1MiB")
    max_lag: float = default_time("10s")


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """A node whose journal is copied. ``name``: as the configuration calls it; ``node``: its number, which it must
    confirm. ``ca``: certificates to trust (PEM), the system's where empty; ``server_name``: the name in its
    certificate, the host of ``url`` where empty."""

    name: str
    node: int
    url: str
    token: str
    ca: str = ""
    server_name: str = ""

    def __repr__(self) -> str:
        return f"PeerSettings({self.name!r}, {self.node}, {self.url!r})"  # never the token
