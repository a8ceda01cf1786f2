"""Active health checks: off unless configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.http.upstream.settings import CheckSettings, EjectionSettings, UpstreamServerSettings, UpstreamSettings
from gateway.http.upstream.sink import ResponseSink

if TYPE_CHECKING:
    from gateway.http.upstream.failure import UpstreamError
    from gateway.http.upstream.upstream import Upstream
    from gateway.http.upstream.upstream_call import UpstreamCall
    from gateway.http.wire.head import ResponseHead


def check_settings(
    settings: UpstreamSettings, server: UpstreamServerSettings, check: CheckSettings
) -> UpstreamSettings:
    """An upstream of one server and one connection: checks go through the same strict code as calls."""
    return replace(
        settings,
        servers=(server,),
        max_connections=1,
        connect_timeout=check.timeout,
        answer_timeout=check.timeout,
        read_timeout=check.timeout,
        total_timeout=check.timeout,
        idle_timeout=max(settings.idle_timeout, 2 * check.interval),
        retries=1,
        ejection=EjectionSettings(failures=0),
        check=None,
    )


class Probe(ResponseSink):
    """Checks one server each interval; a ``ResponseSink`` for its own calls. ``report(well)`` once per check.

    A check is due at its interval from the start of the one before; one that has not ended holds up the next.
    """

    __slots__ = ("_call", "_check", "_due", "_head", "_report", "_status", "upstream")

    def __init__(
        self, upstream: Upstream, server: UpstreamServerSettings, check: CheckSettings, report: Callable[[bool], None]
    ) -> None:
        self.upstream = upstream
        self._check = check
        self._report = report
        self._due = 0.0
        self._call: UpstreamCall | None = None
        self._status = 0
        host = check.host or server.address.authority
        self._head = (
            f"GET {check.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tidegate-health-check\r\nAccept: */*\r\n\r\n"
        ).encode()

    def look(self, now: float) -> None:
        """Begin a check when it is due."""
        if now >= self._due and self._call is None:
            self._due = now + self._check.interval
            self._call = self.upstream.start(self._head, b"", self, idempotent=True)

    def close(self) -> None:
        """Stop checking; nothing is reported any more."""
        if self._call is not None:
            self._call.abort()
            self._call = None
        self.upstream.close()

    def on_informational(self, head: ResponseHead) -> None:
        """Not the answer yet."""

    def on_head(self, head: ResponseHead, more: bool) -> None:
        """The status decides."""
        self._status = head.status

    def on_data(self, data: bytes) -> None:
        """The body does not matter."""

    def on_end(self) -> None:
        """The whole answer came in time."""
        self._call = None
        self._report(200 <= self._status < 400)

    def on_error(self, error: UpstreamError) -> None:
        """No answer, or half of one."""
        self._call = None
        self._report(False)

    def on_drain(self) -> None:
        """Nothing is streamed."""
