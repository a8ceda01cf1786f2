"""Requests of control's own to the platform, over the same strict client as the data plane's: few, and with a body that
is at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from gateway.common.sweep import Sweep
from gateway.config import Config
from gateway.config.sections.routes import Route
from gateway.config.sections.upstreams import Upstream as UpstreamSection
from gateway.generation import conversion
from gateway.http.upstream.failure import UpstreamError
from gateway.http.upstream.sink import ResponseSink
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.head import ResponseHead

WITHIN = 10.0  # seconds for one answer
MAX_CONNECTIONS = 8
MAX_BODY = 65536  # bytes of an answer that are kept
TIMEOUT = "upstream.timeout"


class Answered(NamedTuple):
    """``status``: the answer's, None where there was none; ``problem``: then why, as a code, and ``sent``: whether the
    platform may have read the request all the same."""

    status: int | None
    body: bytes = b""
    problem: str = ""
    sent: bool = True


class PlatformSide:
    """``current`` gives the configuration in force: what a reload changes holds from the next request on."""

    def __init__(self, current: Callable[[], Config], loop: asyncio.AbstractEventLoop) -> None:
        self.current = current
        self._loop = loop
        self._sweep = Sweep(loop)
        self._upstreams: dict[str, tuple[UpstreamSection, Upstream]] = {}

    async def ask(self, upstream: Upstream, head: bytes, body: bytes, *, idempotent: bool) -> Answered:
        """Ask once. Never raises: what went wrong is in the answer."""
        answer = _Answer(self._loop)
        call = upstream.start(head, body, answer, idempotent=idempotent)
        try:
            async with asyncio.timeout(WITHIN):
                status = await answer.status
        except TimeoutError:
            call.abort()
            return Answered(None, b"", TIMEOUT)
        except UpstreamError as error:
            return Answered(None, b"", error.reason, error.sent)
        return Answered(status, bytes(answer.body))

    def upstream(self, name: str) -> Upstream:
        """The upstream of this name, as it is configured now."""
        section = self.current().upstreams[name]
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

    def close(self) -> None:
        """Close every connection."""
        for _, upstream in self._upstreams.values():
            upstream.close()


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


NOTHING = Route.model_construct(takedown=None, release=None, id_to="", upstream="", surface=None)


def route_of(config: Config, name: str) -> Route:
    """The route; one that says nothing where it is configured no more."""
    return next((route for route in config.routes if route.name == name), NOTHING)
