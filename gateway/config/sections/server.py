"""``[server]``: the public side, and the bounds of what comes in (law 10)."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator

from filters.lists.matcher import AUTO
from filters.reading.keywords import Bounds
from gateway.common.defaults import defaults
from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, required, setting
from gateway.config.values.spelled import OrOne
from gateway.config.values.units import Duration, Listen, Local, Range, RateOf, Size, addresses
from gateway.http.server.settings import ServerSettings
from gateway.surfaces.input.settings import SurfaceSettings

SERVER = defaults(ServerSettings)
SURFACE = defaults(SurfaceSettings)
READING = defaults(Bounds)


class PublicAddress(NamedTuple):
    """``setting``: where it stands. ``peers``: ranges of those who begin with a PROXY header, None where none do."""

    address: str
    setting: str
    secure: bool
    peers: tuple[str, ...] | None


class Pair(Section):
    """A certificate of the public side and its key. Whether they can be read is seen where they are used: a process
    that begins in a generation in force must not fail for a file that has gone since."""

    certificate: Local = required("Chain in PEM, the server's own certificate first.")
    key: Local = required("Its private key in PEM, without a password.")


class ServerTls(Section):
    """TLS on the public side. Files are looked at every ten seconds and taken over for new connections when they were
    changed; a pair that cannot be used is told, and the one in force stays."""

    listen: Annotated[tuple[Listen, ...], BeforeValidator(addresses), OrOne()] = required(
        "Address, or list of addresses, for HTTPS and secure WebSockets.", min_length=1
    )
    certificates: tuple[Pair, ...] = required(
        "Chosen by the name that a client asks for (SNI); the first one where none fits.", min_length=1
    )
    min_version: Literal["1.2", "1.3"] = setting("1.2", "Oldest version of TLS.")


class Server(Section):
    """The listening side. Every bound's breach has an answer: docs/configuration.md names it."""

    listen: Annotated[tuple[Listen, ...], BeforeValidator(addresses), OrOne()] = setting(
        "127.0.0.1:8080", "Address, or list of addresses, for HTTP and WebSocket alike; none where tls has some."
    )
    tls: ServerTls | None = setting(None, "Further addresses, with TLS.")
    proxy_protocol: dict[str, tuple[Range, ...]] = setting(
        {},
        "For addresses of listen and tls.listen: the balancers whose connections begin with a PROXY header (version 1 "
        "or 2), such as { “0.0.0.0:8443” = [“10.0.0.0/8”] }. There a header is required, and nobody else is let in.",
    )
    workers: int = setting(2, "Worker processes; each has one event loop.", ge=1, le=254)
    node: int = setting(0, "Number of this node: part of every message id, so different on each.", ge=0, le=16383)
    max_skew: Duration = setting(
        "1s",
        "Where several nodes share a database: by how much this machine's clock may be apart from the database "
        "server's, beyond what the measurement may be wrong by, before readiness and the log tell.",
        gt=0,
    )
    data_dir: Local = setting(
        "data", "Folder for generations, journal, mirror, state, the control database and the processes' sockets."
    )
    salt: Secret = setting(
        "",
        "What digests of senders (hash:, whoami) are keyed with; unset: made once, and kept as salt in data_dir. "
        "Machines that share their state share it; another one makes strangers of everybody.",
    )
    engine: Literal["auto", "daachorse", "pyahocorasick"] = setting(
        AUTO,
        "What finds the words of lists: daachorse, or pyahocorasick with the same answers; auto: daachorse where it is "
        "installed (there is no wheel of it for aarch64).",
    )
    backlog: int = setting(SERVER.backlog, "Connections that may wait to be accepted, per address.", ge=1, le=65535)
    keep_generations: int = setting(3, "Compiled generations kept on disk, the live one included.", ge=2, le=100)

    unmatched: Literal["relay", "read", "refuse"] = setting(
        "relay",
        "What no route matches is relayed untouched; or (read) only what reads is, GET, HEAD and OPTIONS without a "
        "body, and all other writing refused with 403; or all of it is refused with 404.",
    )
    unmatched_upstream: str = setting("", "Upstream for unmatched requests; needed where several upstreams exist.")
    unmatched_hosts: dict[str, str] = setting(
        {},
        "Upstreams for unmatched requests by host, such as { “forum.example” = “forum” }; a host that is not listed "
        "goes where its routes go, if that is one upstream.",
    )
    trusted_proxies: tuple[Range, ...] = setting(
        (), "Peers whose X-Forwarded-For and X-Forwarded-Proto count, and whose word on senders is taken."
    )
    via: str = setting(SERVER.via, "Name in the Via header.", pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
    request_ids: bool = setting(SERVER.request_ids, "Send each request on with an X-Request-Id, unless it has one.")
    traces: bool = setting(
        SERVER.traces,
        "Send each request on with a traceparent (W3C Trace Context), unless it has one that can be read.",
    )

    max_target: Size = setting(SERVER.max_target, "Longest request target; beyond: 414.", ge=64)
    max_head: Size = setting(SERVER.max_head, "Largest request head, all header lines together; beyond: 431.", ge=1024)
    max_headers: int = setting(SERVER.max_headers, "Header lines in a request; beyond: 431.", ge=8, le=1000)
    max_relayed_body: Size = setting(
        SERVER.max_relayed_body, "Largest body of an unjudged request, streamed; beyond: 413.", ge=1
    )
    max_buffered: Size = setting(
        SERVER.max_buffered,
        "Bytes waiting for a slow reader, each direction of a connection; then reading pauses.",
        ge=4096,
    )
    max_connections: int = setting(
        SERVER.max_connections, "Open connections per worker; beyond: closed at once, counted.", ge=1
    )
    max_connections_per_address: int = setting(
        SERVER.max_connections_per_address,
        "Open connections of one client address per worker; beyond: 503 and closed, without an answer where many come "
        "at once. Trusted proxies are exempt.",
        ge=1,
    )
    ipv6_prefix: int = setting(
        SERVER.ipv6_prefix,
        "Bits of an IPv6 address by which clients are told apart: in limits by address, blocks of an address and the "
        "bound on connections. The journal keeps whole addresses.",
        ge=32,
        le=128,
    )
    max_queueing: Duration = setting(
        SERVER.max_queueing,
        "A request may wait in a worker (turns of its loop and of its address; state, beyond what it takes at its "
        "best; for an upstream's connection) before it is overloaded; beyond, for three tenths of a second: requests "
        "are refused before they are judged (503 with Retry-After) until those admitted wait no longer; an address "
        "whose turns all wait for sheds its own. 0: never. On trial: try it under your own load before you rely on it.",
        ge=0,
        le=10,
    )
    turn_requests: int = setting(
        SERVER.turn_requests,
        "Requests that one client address begins in one turn of a worker's loop; what it sent beyond waits, unread, "
        "for the next turn. Sixteen times as many while nobody else is there. Behind trusted proxies: of the address "
        "that they name.",
        ge=1,
        le=100000,
    )
    turn_frames: int = setting(
        SERVER.turn_frames,
        "Frames of a judged WebSocket that count as much as that, whatever they hold; a message that is judged counts "
        "as a request besides.",
        ge=1,
        le=1000000,
    )
    turn_bytes: Size = setting(
        SERVER.turn_bytes,
        "Bytes of bodies and frames that count as much as that; each read counts as 1KiB more. After so many reads in "
        "a turn that 1KiB each is all of it, none of the address’s connections is read any more before the next turn.",
        ge=4096,
    )
    max_small_chunks: RateOf = setting(
        SERVER.max_small_chunks, "Chunks below 64 bytes in one chunked body; beyond: 429."
    )
    max_collected: Size = setting(
        SERVER.max_collected,
        "Judged bodies being collected, all connections of a worker together; beyond: 503.",
        ge=65536,
    )

    head_timeout: Duration = setting(SERVER.head_timeout, "A head must be complete within; beyond: 408.", gt=0)
    body_timeout: Duration = setting(SERVER.body_timeout, "A judged body must be complete within; beyond: 408.", gt=0)
    stall_timeout: Duration = setting(
        SERVER.stall_timeout, "A streamed body or a slow reader may pause for; beyond: closed.", gt=0
    )
    min_receive_rate: Size = setting(
        SERVER.min_receive_rate,
        "A streamed body brings as much a second, over stall_timeout; else 408. While we do not read it ourselves no "
        "time counts. 0: any.",
        ge=0,
    )
    min_send_rate: Size = setting(
        SERVER.min_send_rate,
        "A client for which more than max_buffered waits reads as much a second, over stall_timeout; else it is closed "
        "and counted. 0: any at all.",
        ge=0,
    )
    idle_timeout: Duration = setting(SERVER.idle_timeout, "A kept-alive connection may rest for; beyond: closed.", gt=0)
    linger_timeout: Duration = setting(
        SERVER.linger_timeout,
        "What a refused client still sends is read and thrown away for, so that our answer reaches it.",
        ge=0,
    )
    shutdown_delay: Duration = setting(
        "0s",
        "After SIGTERM, all is served on for so long while /readyz answers 503, so that a balancer stops sending; then "
        "what is open is drained. A second SIGTERM ends it at once.",
        ge=0,
        le=3600,
    )
    drain: Duration = setting("30s", "Then, open exchanges may finish within.", gt=0)

    max_json_depth: int = setting(SURFACE.max_json_depth, "Nesting of a judged JSON body; beyond: 400.", ge=1, le=512)
    max_fields: int = setting(SURFACE.max_fields, "Fields of a judged form; beyond: 400.", ge=1, le=10000)
    max_inflated: Size = setting(SURFACE.max_inflated, "A judged body after decompression; beyond: 413.", ge=1024)
    max_folded: int = setting(
        READING.folded, "Code points of a text after folding; beyond: the keywords rule's on_error.", ge=256
    )
    max_hits: int = setting(
        READING.hits, "Hits of one list in one message; beyond: the keywords rule's on_error.", ge=1, le=4096
    )

    @property
    def public(self) -> tuple[PublicAddress, ...]:
        """All public addresses, in the order in which they are opened."""
        secure = self.tls.listen if self.tls is not None else ()
        places = [(address, "server.listen") for address in self.listen]
        places += [(address, "server.tls.listen") for address in secure]
        return tuple(
            PublicAddress(address, place, place != "server.listen", self._peers(address)) for address, place in places
        )

    def _peers(self, address: str) -> tuple[str, ...] | None:
        peers = self.proxy_protocol.get(address)
        return None if peers is None else tuple(map(str, peers))
