"""``[upstreams.NAME]``: the platform's servers behind the gateway."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from gateway.common.defaults import defaults
from gateway.config.values.section import Section, required, setting
from gateway.config.values.spelled import OrText
from gateway.config.values.units import Duration, Present, Readable, ServerUrl, Size
from gateway.http.upstream.settings import (
    Balance,
    CheckSettings,
    EjectionSettings,
    UpstreamServerSettings,
    UpstreamSettings,
)

EJECTION = defaults(EjectionSettings)
CHECK = defaults(CheckSettings)
SERVER = defaults(UpstreamServerSettings)
UPSTREAM = defaults(UpstreamSettings)


class Passive(Section):
    """What real traffic says of a server."""

    failures: int = setting(EJECTION.failures, "Failures in a row after which a server rests; 0: never.", ge=0, le=1000)
    pause: Duration = setting(EJECTION.pause, "Rest, times the number of rests so far.", gt=0)
    longest_pause: Duration = setting(EJECTION.longest_pause, "Longest rest.", gt=0)
    share: float = setting(
        EJECTION.share, "At most this share of the servers rests at once, and never all.", gt=0, le=1
    )


class Active(Section):
    """What asking a server regularly says of it."""

    path: str = required("Path that is asked; a status from 200 to 399 is well.", pattern="^/")
    interval: Duration = setting(CHECK.interval, "Between two checks of a server.", gt=0)
    timeout: Duration = setting(CHECK.timeout, "A check must be answered within.", gt=0)
    healthy_after: int = setting(
        CHECK.healthy_after, "Good checks in a row after which a server is taken back.", ge=1, le=100
    )
    unhealthy_after: int = setting(
        CHECK.unhealthy_after, "Bad checks in a row after which a server is left out.", ge=1, le=100
    )
    host: str = setting(CHECK.host, "Host field of a check; the server's address if empty.")


class UpstreamTls(Section):
    """How an ``https://`` server is checked, and what is shown to it."""

    verify: bool = setting(True, "Check the server's certificate.")
    ca: Readable | None = setting(None, "File with the certificates to trust; the system's if unset.")
    server_name: str = setting(SERVER.server_name, "Name expected in the certificate; the server's host if empty.")
    certificate: Readable | None = setting(None, "Client certificate (PEM), with key.")
    key: Present | None = setting(None, "Private key of the client certificate (PEM).")


class UpstreamServer(Section):
    """One server; ``"http://host:port"`` alone is the same with weight 1."""

    url: ServerUrl = required("“http://host:port”, “https://host:port” or “unix:/path”.")
    weight: int = setting(SERVER.weight, "Share of the traffic, beside the others' weights.", ge=1, le=1000)


def _server(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


class Upstream(Section):
    """One named upstream. Bounds are per worker, time-outs per request."""

    servers: tuple[Annotated[UpstreamServer, BeforeValidator(_server), OrText()], ...] = required(
        "Servers: addresses, or tables with url and weight.", min_length=1
    )
    balance: Balance = setting(UPSTREAM.balance, "How a server is chosen among the healthy ones.")
    preserve_host: bool = setting(True, "Send the client's Host on; otherwise the server's own address.")
    connect_timeout: Duration = setting(
        UPSTREAM.connect_timeout, "A connection must stand within; beyond: another server, then 504.", gt=0
    )
    answer_timeout: Duration = setting(
        UPSTREAM.answer_timeout, "From the whole request to the answer's first byte; beyond: 504.", gt=0
    )
    read_timeout: Duration = setting(
        UPSTREAM.read_timeout, "Between two pieces of the answer; beyond: the connection is cut.", gt=0
    )
    total_timeout: Duration | None = setting(
        UPSTREAM.total_timeout, "A whole call; unset, because a download may be long.", gt=0
    )
    idle_timeout: Duration = setting(
        UPSTREAM.idle_timeout, "An unused connection is kept for; stay below the server's own.", gt=0
    )
    max_connections: int = setting(
        UPSTREAM.max_connections, "Connections to each server, upgraded ones apart.", ge=1, le=65535
    )
    max_upgraded: int = setting(UPSTREAM.max_upgraded, "WebSocket connections to each server; beyond: 503.", ge=1)
    client_share: float = setting(
        UPSTREAM.client_share,
        "Part of the connections that one client address may hold; beyond: it gets what is not spare, waits, then 503.",
        gt=0,
        le=1,
    )
    route_share: float = setting(
        UPSTREAM.route_share, "The same for one route, where several lead to this upstream.", gt=0, le=1
    )
    spare_share: float = setting(
        UPSTREAM.spare_share, "Part of the connections for those within both shares only.", ge=0, lt=1
    )
    max_waiting: int = setting(UPSTREAM.max_waiting, "Requests that may wait for a connection; beyond: 503.", ge=0)
    wait_timeout: Duration = setting(UPSTREAM.wait_timeout, "A request may wait for a connection; beyond: 503.", gt=0)
    max_head: Size = setting(UPSTREAM.max_head, "Largest head of an answer; beyond: 502.", ge=1024)
    max_informational: int = setting(
        UPSTREAM.max_informational, "1xx answers before the final one; beyond: 502.", ge=0, le=1000
    )
    retries: int = setting(
        UPSTREAM.retries, "Further tries where nothing was sent or the method is idempotent.", ge=0, le=10
    )
    passive: Passive = setting({}, "When a server rests after failures.")
    active: Active | None = setting(None, "Regular checks; unset: only real traffic tells.")
    tls: UpstreamTls = setting({}, "For https servers.")
