"""A parked request as it goes to the platform once a person approved it: to the address for publishing, or as it came.

Nothing that was judged is read otherwise (law 14): what changes is what the person or a mask changed, what names our
id, and of several messages in one body those that are not this one are cut out. No credential of the sender's goes
along but those that ``replay`` names.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from filters.model.errors import TidegateError
from gateway.config import Config
from gateway.config.sections.routes import Release, Route
from gateway.control.releasing.remade_body import remade
from gateway.generation import conversion
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.path import Template, parse_template
from gateway.parking.parked import ParkedRequest
from gateway.surfaces.input.decoded import Messages, SeveralMessages
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError

HOPS: Final = frozenset(
    "connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length host expect "  # noqa: SIM905
    "via forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-real-ip traceparent tracestate".split()
)
"""Fields of one connection or of one way to us (RFC 9110, section 7.6.1)."""
DESCRIBING: Final = frozenset(("content-md5", "digest", "content-digest", "repr-digest", "content-encoding"))
"""Fields that describe the bytes that came (RFC 9530)."""
CREDENTIAL: Final = re.compile(r"auth|cookie|token|session|secret|passw|api-?key|csrf|signature|jwt", re.I)
DOTS: Final = frozenset((".", ".."))
NO_ROOM: Final = "release.unsafe_name"


class Unreleasable(TidegateError):
    """What was parked cannot be sent as the route is configured now. ``reason``: a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Outgoing(NamedTuple):
    """A request with its complete head."""

    head: bytes
    body: bytes


def outgoing(
    config: Config,
    route: Route,
    release: Release,
    parked: ParkedRequest,
    upstream: Upstream,
    release_id: str,
    texts: tuple[str, ...] | None,
) -> Outgoing:
    """The request that publishes ``parked`` with ``texts`` (None: as it was sent). Raises ``Unreleasable``."""
    fields = {name: value for name, value in parked.headers if name not in HOPS}
    body = _body(config, route, parked, release_id, texts)
    if body != parked.body:
        fields = {name: value for name, value in fields.items() if name not in DESCRIBING}
    authority = upstream.settings.servers[0].address.authority
    if parked.restores and release.match is None:
        raise Unreleasable("release.unconfigured")
    if release.match is not None and not parked.edit:
        template = parse_template(release.match)
        method, target = template.methods[0].decode(), _path(template, parked.room)
        host = template.host.decode() or authority
        described = {name: fields[name] for name in (*sorted(DESCRIBING), "content-type") if name in fields}
        fields = {"accept": "*/*", **({"content-type": "application/json"} if parked.socket else described)}
    else:
        if release.replay is None or parked.socket:
            raise Unreleasable("release.unconfigured")
        named = {name.lower() for name in release.replay}
        method, target = parked.method, parked.target
        host = dict(parked.headers).get("host", authority)
        fields = {
            name: value
            for name, value in fields.items()
            if (name in named or CREDENTIAL.search(name) is None) and not name.startswith("tidegate-")
        }
    fields |= _ours(route, release, parked, release_id)
    fields["content-length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"host": host, **fields}.items())
    return Outgoing(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode(errors="surrogateescape"), body)


def _ours(route: Route, release: Release, parked: ParkedRequest, release_id: str) -> dict[str, str]:
    fields = {
        "user-agent": "tidegate-release",
        "tidegate-message-id": release_id,
        **({"tidegate-restores": parked.restores} if parked.restores else {"tidegate-releases": parked.id}),
        "idempotency-key": parked.id,
    }
    if parked.labels:
        fields["tidegate-label"] = ", ".join(parked.labels)
    if release.on_behalf:
        fields[release.on_behalf.lower()] = _value(parked.sender)
    if route.id_to.startswith("header:"):
        fields[route.id_to.partition(":")[2].lower()] = release_id
    return fields | {name.lower(): secret.get_secret_value() for name, secret in release.headers.items()}


def _value(sender: str) -> str:
    """As a field's value: percent-encoded where it is not plain (RFC 8187 has the encoding)."""
    return sender if sender.isascii() and sender.isprintable() and sender == sender.strip() else quote(sender, safe="")


def _path(template: Template, room: str) -> str:
    if template.names and room in DOTS:  # as a segment of a path it would name another thing
        raise Unreleasable(NO_ROOM)
    values = iter([room] * len(template.names))
    return "".join(
        "/" + (segment.decode() if segment is not None else quote(next(values), safe=""))
        for segment in template.segments
    )


def _body(config: Config, route: Route, parked: ParkedRequest, release_id: str, texts: tuple[str, ...] | None) -> bytes:
    """What goes on of the body that came; of a message that is restored, one made of its texts."""
    if parked.restores:
        made = remade(route, parked, texts or parked.texts, release_id)
        if made is None:
            raise Unreleasable("release.unreadable")
        return made.body
    if texts is None and not (route.id_to.startswith("json:") or route.each or parked.socket):
        return parked.body
    # Who sends and where to is known: it may stand in a token that has expired since.
    reading = route.model_copy(
        update={
            "sender": ("const:released",), "whoami": None, "room": (), "room_format": "keep",
            "device": "", "registrant": "", "location": (), "verified": "", "level": "", "shown_sender": "",
            "playback": "",
        }
    )  # fmt: skip
    try:
        surface = conversion.compiled(config, reading, lambda: release_id, lambda: parked.time)
        path, _, query = parked.target.partition("?")
        repeated = [name for name, _ in parked.headers]
        arrived = Arrived(
            parked.method.encode(),
            {name.encode(): value.encode(errors="surrogateescape") for name, value in parked.headers},
            frozenset(name.encode() for name in repeated if repeated.count(name) > 1),
            query.encode(),
            _parameters(route.template, path),
        )
        changes = {parked.place: texts} if texts is not None else {}
        if parked.socket:
            decoder = surface.attach(arrived)
            decoded = decoder.decode(parked.body, parked.binary)
            if not isinstance(decoded, Messages):
                raise Unreleasable("release.unreadable")
            frame = decoded.encode(parked.body, changes) if changes or decoded.stamped else parked.body
            payload = decoder.payload(frame, parked.place) if frame is not None else None
            if payload is None:
                raise Unreleasable("release.unreadable")
            return payload
        decoded = surface.decode(arrived, parked.body)
    except SurfaceError:
        raise Unreleasable("release.unreadable") from None
    if isinstance(decoded, SeveralMessages):
        others: dict[int, tuple[str, ...] | None] = {
            at: None for at in range(len(decoded.messages)) if at != parked.place
        }
        body = decoded.encode(decoded.body, others | changes)
    elif isinstance(decoded, Messages):
        body = decoded.encode(decoded.body, changes) if changes or decoded.stamped else decoded.body
    else:
        raise Unreleasable("release.unreadable")
    if body is None:
        raise Unreleasable("release.unreadable")
    return body


def _parameters(template: Template, path: str) -> dict[str, str]:
    segments = path.split("/")[1:]
    names = iter(template.names)
    found: dict[str, str] = {}
    for segment, value in zip(template.segments, segments, strict=False):
        if segment is None:
            found[next(names)] = unquote(value)
    return found
