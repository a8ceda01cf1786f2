"""Which requests and messages are traced, and what is told of them: head sampling, once, when a request is found.

Who is in a trace already is sampled as whoever sent it says, where ``parents`` takes their word; all others by chance.
What is not sampled costs a draw here and nothing further on.
"""

from __future__ import annotations

from contextlib import suppress
from random import random
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from gateway.http.wire import forwarding
from gateway.http.wire.errors import HTTPError
from gateway.tracing.trace import Finished, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filters.model.verdict import Verdict
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Router
    from gateway.http.upstream.failure import UpstreamError
    from gateway.judging.pipeline import Passage
    from gateway.judging.route import Route, Target

METHODS: Final = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
"""Methods by their names; any other is ``_OTHER`` (OpenTelemetry's semantic conventions): a client makes it up, and may
write into it what no span is to hold."""
OTHER: Final = "_OTHER"
ANYONE: Final = "anyone"
TRUSTED: Final = "trusted"


class Tracer:
    """``share``: of requests and of messages on sockets, 0 to 1. ``parents``: whose word on sampling counts: anyone's,
    trusted peers', nobody's. ``paths``: the templates of routes, by name."""

    def __init__(
        self, finished: Finished, share: float, parents: str, request_ids: bool, router: Router[Target],
        paths: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._finished = finished
        self._share = share
        self._parents = parents
        self._request_ids = request_ids
        self._router = router
        self._paths = paths

    def begin(self, exchange: Exchange) -> None:
        """Decide, and name the request: its ``ids`` are what goes on."""
        head = exchange.head
        told = forwarding.parent_sampled(head)
        parents = self._parents
        if told is not None and (parents == ANYONE or (parents == TRUSTED and exchange.peer_trusted)):
            sampled = told
        else:
            sampled = self.drawn()
        lines, trace, parent, own, upstream = forwarding.continued(head, self._request_ids, sampled)
        exchange.ids = lines
        if sampled:
            exchange.trace = Trace("server", trace, own, upstream, parent, exchange.began)

    def drawn(self) -> bool:
        """Whether what comes now is sampled, by chance."""
        return random() < self._share  # noqa: S311 - nobody gains by foreseeing it

    def message(self, route: Route, began: float) -> Trace:
        """The trace of a message on a socket: each has its own, because a socket lives for hours."""
        trace = Trace("consumer", forwarding.drawn(32), forwarding.drawn(16), "", "", began)
        trace.name = f"message {self._paths.get(route.name, '')}"
        trace.attributes = {"tidegate.route": route.name, "network.protocol.name": "websocket"}
        return trace

    def answered(self, exchange: Exchange, ended: Any) -> None:
        """A request has its answer, or never will."""
        trace = exchange.trace
        if trace is None or trace.ended:
            return
        trace.ended = perf_counter()
        status = exchange.status or 0
        head = exchange.head
        found = exchange.route
        if found is None:
            with suppress(HTTPError):  # it was refused for that
                found = self._router.find(head.method, head.host, head.target)
        route = getattr(found.route, "name", "") if found is not None else ""
        method = head.method.decode("ascii", "replace")
        path = self._paths.get(route, "")
        if method not in METHODS:
            method = OTHER
        named = method if method != OTHER else "HTTP"
        trace.name = f"{named} {path}" if path else named
        told = {"http.route": path, "tidegate.route": route, "tidegate.reason": exchange.reason}
        attributes: dict[str, Any] = {name: value for name, value in told.items() if value}
        attributes["http.request.method"] = method
        if status:
            attributes["http.response.status_code"] = status
        if ended != "whole":
            attributes["tidegate.ended"] = ended
        if status >= 500 or ended == "cut":
            trace.error = attributes["error.type"] = exchange.reason or str(status or ended)
        trace.attributes = attributes
        if not trace.awaited:
            self._finished.add(trace)

    def outcome(self, trace: Trace, status: int | None, error: UpstreamError | None) -> None:
        """What became of a message that went on."""
        trace.upstream_ended = perf_counter()
        trace.upstream_status = status or 0
        if error is not None:
            trace.upstream_error = error.reason
        if trace.awaited:
            trace.awaited = False
            if trace.ended:
                self._finished.add(trace)

    def told(self, trace: Trace, error: str = "") -> None:
        """A message on a socket is over."""
        trace.ended = perf_counter()
        trace.error = error
        if error:
            trace.attributes["error.type"] = error
        self._finished.add(trace)


def record(passage: Passage, verdict: Verdict, trace: Trace) -> None:
    """What ``Passage`` does, with the trace in the record."""
    message = passage.message
    pipeline = passage.pipeline
    passage.verdict = verdict
    pipeline.observe(perf_counter() - passage.began)
    fields = passage.route.basis.fields(message, verdict) + b',"trace":"%b"' % trace.trace_id.encode()
    pipeline.journal.enqueue(fields, passage, message.id if verdict.disposition == "pass" else "")
