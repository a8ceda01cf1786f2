"""``[control]``, ``[metrics]``, ``[logs]`` and ``[traces]``: the operators' side."""

from __future__ import annotations

from typing import Literal

from gateway.common.defaults import defaults
from gateway.common.folders import PostgresqlSettings
from gateway.config.values.database import DatabaseText
from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration, Listen, Local, Present, Range, Readable, Size

POSTGRESQL = defaults(PostgresqlSettings)


class Postgresql(Section):
    """For a database that is a URL. What an act cannot have in time is answered with 503, and was not done."""

    password: Secret = setting("", "Password, where the url has none.")
    connect_timeout: Duration = setting(
        POSTGRESQL.connect_timeout, "A connection must stand within, to each address of the url.", ge=1, le=60
    )
    statement_timeout: Duration = setting(
        POSTGRESQL.statement_timeout,
        "Longest that the server works on a statement; migrations apart.",
        ge=0.1,
        le=600,
    )
    lock_timeout: Duration = setting(
        POSTGRESQL.lock_timeout, "Longest that an act waits for somebody else's in the database.", ge=0.1, le=600
    )
    max_wait: Duration = setting(POSTGRESQL.max_wait, "Longest that a call waits for those before it.", ge=0.1, le=600)


class Control(Section):
    """The admin API, health and metrics. One token for each person (law 12)."""

    listen: Listen = setting("127.0.0.1:8081", "Address of the admin API, /healthz, /readyz and /metrics.")
    allow: tuple[Range, ...] = setting((), "Peers that may connect; empty: whoever reaches the address.")
    probes: Listen | None = setting(
        None,
        "Further address with /healthz, /readyz and /metrics alone, in plain HTTP and for whoever reaches it: for "
        "balancers, Kubernetes and Prometheus, while the admin API stays where it is.",
    )
    certificate: Readable | None = setting(None, "Certificate (PEM), with key; needed beyond loopback.")
    key: Present | None = setting(None, "Private key of the certificate (PEM).")
    database: DatabaseText | None = setting(
        None,
        "SQLite file, “control/control.sqlite3” in server.data_dir if unset; or the postgresql:// URL of a server, "
        "with its options for TLS.",
    )
    postgresql: Postgresql = setting({}, "For a database that is a URL.")
    first_person: str = setting("admin", "Name of the person created on the first start.", min_length=1)
    first_token: Local | None = setting(
        None, "File (mode 0600) for that person's token; “control/first-token” in server.data_dir if unset."
    )
    max_body: Size = setting("1MiB", "Largest request body, imports apart; beyond: 413.", ge=1024)
    max_connections: int = setting(
        1000, "Connections at once to each address; beyond, what has rested longest is closed.", ge=16, le=100_000
    )
    idle_timeout: Duration = setting(
        "75s", "A connection may rest, or bring a request, for; beyond: closed.", ge=5, le=3600
    )
    max_import: Size = setting("1GiB", "Largest import of accounts, streamed; beyond: 413.", ge=1024)
    relay_interval: Duration = setting("1s", "How often acts that were not yet journalled are tried again.", gt=0)


class Metrics(Section):
    """What Prometheus reads at /metrics on the control address. No label carries personal data."""

    enabled: bool = setting(True, "Offer /metrics.")
    buckets: tuple[Duration, ...] = setting(
        ("50us", "100us", "200us", "500us", "1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms", "1s"),
        "Bounds of the time histograms, rising.",
        min_length=1,
    )


class Logs(Section):
    """What the processes say about themselves. Neither log ever holds a text or a personal field (law 7)."""

    level: Literal["debug", "info", "warning", "error"] = setting("info", "Least weight that is logged.")
    format: Literal["auto", "json", "console"] = setting("auto", "auto: for people on a terminal, JSON in a pipe.")
    access: bool = setting(
        False, "Log each request, and each WebSocket at its end: route, status, sizes, times and ids, nobody's address."
    )
    access_file: Local | None = setting(None, "File for the access log; the standard error if unset.")


class Traces(Section):
    """What is sampled; the table may be empty. Every request goes on with a traceparent then."""

    sample: float | None = setting(
        None,
        "Share of requests, and of messages on sockets, that are sampled, from 0 to 1; what OTEL_TRACES_SAMPLER and "
        "OTEL_TRACES_SAMPLER_ARG say if unset, and 0.01 where they say nothing.",
        ge=0,
        le=1,
    )
    parents: Literal["trusted", "anyone", "nobody"] = setting(
        "trusted",
        "Whose word counts on whether a request that is in a trace already is sampled: that of server.trusted_proxies, "
        "anyone's (who can then make every request sampled), nobody's.",
    )
    queue: int = setting(8192, "Spans that control holds while they cannot be exported; beyond: lost, counted.", ge=512,
                         le=1_000_000)  # fmt: skip
