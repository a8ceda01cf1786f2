"""What the client of state needs to be told. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, create_default_context

from gateway.common.defaults import default_time


@dataclass(frozen=True, slots=True)
class Address:
    """A server: a unix socket ``path``, or ``host`` and ``port``. Hashable, so that links are found by it."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: authorities to trust (the system's if None), and a certificate of our own with its key."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> SSLContext:
        """Reads the files; raises ``OSError`` or ``ssl.SSLError``."""
        context = create_default_context(cafile=self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a connection introduces itself. ``tls`` is None for a plain connection."""

    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class StateSettings:
    """The names are those of ``[state]`` and ``[state.breaker]``, which explain each and take their defaults."""

    prefix: str = "tg"
    deadline: float = default_time("20ms")
    connect_timeout: float = default_time("1s")
    reconnect: float = default_time("100ms")
    batch: int = 32
    max_waiting: int = 4096
    misses: int = 20
    window: float = default_time("1s")
    pause: float = default_time("500ms")
    max_pause: float = default_time("10s")
    local_share: float = 0.5
    local_limits: int = 100_000
    verified_for: float = default_time("5m")
    verified_most: int = 50_000
    poll: float = default_time("250ms")
