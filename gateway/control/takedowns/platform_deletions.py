"""Asking the platform to delete a message: ``[routes.takedown]``, over the same strict client as the data plane's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from gateway.common.sweep import Sweep
from gateway.config import Config
from gateway.config.sections.routes import Route
from gateway.config.sections.routes import Takedown as Section
from gateway.config.sections.upstreams import Upstream as UpstreamSection
from gateway.control.takedowns.neighbours import Asked, Said
from gateway.generation import conversion
from gateway.http.upstream.failure import UpstreamError
from gateway.http.upstream.sink import ResponseSink
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.head import ResponseHead
from gateway.http.wire.path import Template, parse_template
from gateway.surfaces.deletion import gone

WITHIN = 10.0  # seconds for one answer
MAX_CONNECTIONS = 8
MAX_BODY = 65536  # bytes of an answer that are read for ``gone_when``
GONE = (404, 410)  # there is nothing to delete, or nothing any more
UNCONFIGURED = "takedown.unconfigured"
UNNAMED = "takedown.unnamed"
OUTSTANDING = "takedown.outstanding"
UNSAFE = "takedown.unsafe_name"
DOTS = frozenset((".", ".."))  # as a segment of a path they would name another thing, and delete that


class PlatformDeletions:
    """``current`` gives the configuration in force: what a reload changes holds from the next try on."""

    def __init__(self, current: Callable[[], Config], loop: asyncio.AbstractEventLoop) -> None:
        self._current = current
        self._loop = loop
        self._sweep = Sweep(loop)
        self._upstreams: dict[str, tuple[UpstreamSection, Upstream]] = {}

    def confirm_within(self, route: str) -> float:
        """Seconds the platform has for it; 0 where nobody can ask it."""
        takedown = _route(self._current(), route).takedown
        return takedown.confirm_within if takedown is not None else 0.0

    async def delete(self, asked: Asked) -> Said:
        """Ask once. Never raises: what went wrong is in the answer."""
        config = self._current()
        route = _route(config, asked.route)
        takedown = route.takedown
        if takedown is None:
            return Said(False, None, UNCONFIGURED)
        name = asked.upstream_id or (asked.message_id if route.id_to else "")
        if not name:
            return Said(False, None, UNNAMED)
        if name in DOTS or asked.room in DOTS:
            return Said(False, None, UNSAFE)
        upstream = self._upstream(config, route.upstream)
        answer = _Answer(self._loop)
        call = upstream.start(_head(takedown, upstream, name, asked), b"", answer, idempotent=True)
        try:
            async with asyncio.timeout(WITHIN):
                status = await answer.status
        except TimeoutError:
            call.abort()
            return Said(False, None, "upstream.timeout")
        except UpstreamError as error:
            return Said(False, None, error.reason)
        if status in GONE:
            # What has not arrived yet is not there either, and may be a moment later.
            return Said(False, status, OUTSTANDING) if asked.outstanding else Said(True, status)
        return Said(gone(takedown.gone_when)(status, bytes(answer.body)), status)

    def close(self) -> None:
        """Close every connection."""
        for _, upstream in self._upstreams.values():
            upstream.close()

    def _upstream(self, config: Config, name: str) -> Upstream:
        section = config.upstreams[name]
        held = self._upstreams.get(name)
        if held is not None and held[0] == section:
            return held[1]
        settings = replace(conversion.upstream(name, section), max_connections=MAX_CONNECTIONS, check=None)
        if held is None:
            upstream = Upstream(settings, self._loop, self._sweep)
        else:
            upstream = held[1]
            upstream.apply(settings)
        self._upstreams[name] = (section, upstream)
        return upstream


class _Answer(ResponseSink):
    """The sink of one answer, which ends in a future: the status, or the ``UpstreamError``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.status: asyncio.Future[int] = loop.create_future()
        self.body = bytearray()
        self._status = 0

    def on_informational(self, head: ResponseHead) -> None:
        """Not the answer yet."""

    def on_head(self, head: ResponseHead, more: bool) -> None:
        """The status; the body may matter too."""
        self._status = head.status

    def on_data(self, data: bytes) -> None:
        """Kept as far as it may matter."""
        self.body += data[: MAX_BODY - len(self.body)]

    def on_end(self) -> None:
        """The answer is whole."""
        if not self.status.done():
            self.status.set_result(self._status)

    def on_error(self, error: UpstreamError) -> None:
        """No answer, or not all of it."""
        if not self.status.done():
            self.status.set_exception(error)

    def on_drain(self) -> None:
        """Nothing is streamed."""


NOTHING = Route.model_construct(takedown=None, id_to="", upstream="")


def _route(config: Config, name: str) -> Route:
    """The route; one that says nothing where it is configured no more."""
    return next((route for route in config.routes if route.name == name), NOTHING)


def _head(takedown: Section, upstream: Upstream, name: str, asked: Asked) -> bytes:
    template = parse_template(takedown.match)
    host = template.host.decode() or upstream.settings.servers[0].address.authority
    fields = {
        "Host": host,
        "User-Agent": "tidegate-takedown",
        "Accept": "*/*",
        "Tidegate-Message-Id": asked.message_id,
        **{field: secret.get_secret_value() for field, secret in takedown.headers.items()},
    }
    method = template.methods[0].decode()
    if method not in ("DELETE", "GET"):
        fields["Content-Length"] = "0"
    lines = "".join(f"{field}: {value}\r\n" for field, value in fields.items())
    return f"{method} {_path(template, name, asked.room)} HTTP/1.1\r\n{lines}\r\n".encode()


def _path(template: Template, name: str, room: str) -> str:
    values = iter([{"id": name, "room": room}[one] for one in template.names])
    return "".join(
        "/" + (segment.decode() if segment is not None else quote(next(values), safe=""))
        for segment in template.segments
    )
