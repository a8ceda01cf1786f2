"""``[upstreams.NAME]``: the platform's servers behind the gateway."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration, Readable, ServerUrl, Size


class Passive(Section):
    """What real traffic says of a server."""

    failures: int = setting(5, "Failures in a row after which a server rests; 0: never.", ge=0, le=1000)
    pause: Duration = setting("10s", "Rest, times the number of rests so far.", gt=0)
    longest_pause: Duration = setting("5m", "Longest rest.", gt=0)
    share: float = setting(0.5, "At most this share of the servers rests at once, and never all.", gt=0, le=1)


class Active(Section):
    """What asking a server regularly says of it."""

    path: str = required("Path that is asked; a status from 200 to 399 is well.", pattern="^/")
    interval: Duration = setting("5s", "Between two checks of a server.", gt=0)
    timeout: Duration = setting("2s", "A check must be answered within.", gt=0)
    healthy_after: int = setting(2, "Good checks in a row after which a server is taken back.", ge=1, le=100)
    unhealthy_after: int = setting(3, "Bad checks in a row after which a server is left out.", ge=1, le=100)
    host: str = setting("", "Host field of a check; the server's address if empty.")


class UpstreamTls(Section):
    """How an ``https://`` server is checked, and what is shown to it."""

    verify: bool = setting(True, "Check the server's certificate.")
    ca: Readable | None = setting(None, "File with the certificates to trust; the system's if unset.")
    server_name: str = setting("", "Name expected in the certificate; the server's host if empty.")
    certificate: Readable | None = setting(None, "Client certificate (PEM), with key.")
    key: Readable | None = setting(None, "Private key of the client certificate (PEM).")


class UpstreamServer(Section):
    """One server; ``"http://host:port"`` alone is the same with weight 1."""

    url: ServerUrl = required("“http://host:port”, “https://host:port” or “unix:/path”.")
    weight: int = setting(1, "Share of the traffic, beside the others' weights.", ge=1, le=1000)


def _server(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


class Upstream(Section):
    """One named upstream. Bounds are per worker, time-outs per request."""

    servers: tuple[Annotated[UpstreamServer, BeforeValidator(_server)], ...] = required(
        "Servers: addresses, or tables with url and weight.", min_length=1
    )
    balance: Literal["round-robin", "least-connections"] = setting(
        "round-robin", "How a server is chosen among the healthy ones."
    )
    preserve_host: bool = setting(True, "Send the client's Host on; otherwise the server's own address.")
    connect_timeout: Duration = setting("3s", "A connection must stand within; beyond: another server, then 504.", gt=0)
    answer_timeout: Duration = setting("30s", "From the whole request to the answer's first byte; beyond: 504.", gt=0)
    read_timeout: Duration = setting("60s", "Between two pieces of the answer; beyond: the connection is cut.", gt=0)
    total_timeout: Duration | None = setting(None, "A whole call; unset, because a download may be long.", gt=0)
    idle_timeout: Duration = setting("50s", "An unused connection is kept for; stay below the server's own.", gt=0)
    max_connections: int = setting(256, "Connections to each server, upgraded ones apart.", ge=1, le=65535)
    max_upgraded: int = setting(16384, "WebSocket connections to each server; beyond: 503.", ge=1)
    max_waiting: int = setting(1024, "Requests that may wait for a connection; beyond: 503.", ge=0)
    wait_timeout: Duration = setting("2s", "A request may wait for a connection; beyond: 503.", gt=0)
    max_head: Size = setting("64KiB", "Largest head of an answer; beyond: 502.", ge=1024)
    max_informational: int = setting(16, "1xx answers before the final one; beyond: 502.", ge=0, le=1000)
    retries: int = setting(1, "Further tries where nothing was sent or the method is idempotent.", ge=0, le=10)
    passive: Passive = setting({}, "When a server rests after failures.")
    active: Active | None = setting(None, "Regular checks; unset: only real traffic tells.")
    tls: UpstreamTls = setting({}, "For https servers.")
