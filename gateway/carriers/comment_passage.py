"""One message of one request: through the pipeline, and what its verdict makes of the request."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.http.wire import forwarding
from gateway.judging import answers
from gateway.judging.pipeline import FAULT, Passage
from gateway.mirror.pages.names import link_value

if TYPE_CHECKING:
    from filters.model.message import Message
    from filters.model.verdict import Facts, Verdict
    from gateway.carriers.requests import Gate
    from gateway.http.server.exchange import Exchange
    from gateway.http.upstream.failure import UpstreamError
    from gateway.judging.route import Route
    from gateway.surfaces.input.decoded import Messages
DIGESTS: Final = frozenset((b"content-md5", b"digest", b"content-digest", b"repr-digest"))
"""Fields that describe the bytes which came (RFC 9530): wrong for a body that was masked or inflated."""
INFLATED: Final = DIGESTS | {b"content-encoding"}
NONE: Final[frozenset[bytes]] = frozenset()

CLIENT_GONE: Final = "client.gone"
UNRECORDED: Final = "journal.unavailable"


class Comment(Passage):
    """One message of one request, between body and outcome."""

    __slots__ = ("_decoded", "_exchange", "_forwarded_at", "_gate")

    def __init__(
        self, gate: Gate, exchange: Exchange, route: Route, decoded: Messages, message: Message, began: float
    ) -> None:
        # What Passage.__init__ does, without its frame.
        self.pipeline = gate.pipeline
        self.route = route
        self.message = message
        self.began = began
        self._gate = gate
        self._exchange = exchange
        self._decoded = decoded

    def on_verdict(self) -> None:
        """Refuse, or relay what the verdict leaves of the message."""
        exchange = self._exchange
        verdict = self.verdict
        route = self.route
        message_id = exchange.message_id = self.message.id
        if verdict.disposition != "pass":
            exchange.refuse(answers.problem(verdict, message_id, route.appeal))
            return
        if exchange.cancelled:
            self.pipeline.failed(self, CLIENT_GONE)
            return
        try:
            self._forward(exchange, verdict, message_id)
        except Exception as fault:  # the client must not wait for ever, nor the message stay open
            exchange.user = None
            exchange.abort()
            exchange.failed(fault)
            self.pipeline.failed(self, FAULT)

    def _forward(self, exchange: Exchange, verdict: Verdict, message_id: str) -> None:
        """Send on what the verdict leaves of the message."""
        route = self.route
        decoded = self._decoded
        body = decoded.body
        drop = INFLATED if decoded.identity else NONE
        lines = answer_lines = b"Tidegate-Message-Id: %b\r\n" % message_id.encode()
        if route.mirrored:
            answer_lines += b"Link: %b\r\n" % link_value(route.mirrored, self.message.room)
        if verdict.decided:
            if verdict.texts is not None:
                masked = decoded.encode(body, {0: verdict.texts})
                assert masked is not None, "a masked message goes on"
                body = masked
                drop = drop | DIGESTS
                answer_lines += b"Tidegate-Verdict: mask\r\n"
            for label in verdict.labels:
                lines += b"Tidegate-Label: %b\r\n" % label.encode()
        if decoded.stamped and body is decoded.body:
            stamped = decoded.encode(body, {})
            assert stamped is not None, "a passed message goes on"
            body = stamped
            drop = drop | DIGESTS
        if route.id_header:
            lines += b"%b: %b\r\n" % (route.id_header, message_id.encode())
            drop = drop | route.id_header_drop
        self._forwarded_at = perf_counter()
        exchange.user = self
        exchange.forward(route.upstream, body, lines, drop, answer_lines, route.name)

    def on_unrecorded(self) -> None:
        """Nothing may leave that is not recorded."""
        self._gate.count_refused(self.route.name, UNRECORDED)
        self._exchange.refuse(answers.unrecorded(self.message.id))

    def on_fault(self, fault: Exception) -> None:
        """See ``Passage``: the client hears of a failure of ours."""
        self._exchange.failed(fault)

    def on_outcome(self, status: int | None, body_prefix: bytes, error: UpstreamError | None) -> None:
        """The upstream's answer is over. An answer that broke off after a good head was still a delivery."""
        pipeline = self.pipeline
        route = self.route
        route.upstream_seconds.observe(perf_counter() - self._forwarded_at)
        if status is not None and status < 400:
            pipeline.delivered(self, status, route.surface.upstream_id(body_prefix))
        elif status is not None:
            pipeline.refused(self, status)
        elif error is None or error.sent:
            pipeline.unknown(self, error.reason if error is not None else "upstream.closed")
        else:
            pipeline.failed(self, error.reason)


class Traced(Comment):
    """A comment whose record names its trace. The ids with which it would go on are made now, though it may not."""

    __slots__ = ()

    def _record(self, verdict: Verdict) -> None:
        exchange = self._exchange
        message = self.message
        pipeline = self.pipeline
        self.verdict = verdict
        pipeline.observe(perf_counter() - self.began)
        exchange.ids = exchange.ids or forwarding.ids(exchange.head, self._gate.traces is True, True)
        trace = forwarding.trace_id(exchange.head, exchange.ids)
        fields = self.route.basis.fields(message, verdict) + b',"trace":"%b"' % trace.encode()
        pipeline.journal.enqueue(fields, self, message.id if verdict.disposition == "pass" else "")


class Sampled(Traced):
    """A comment that is sampled: it writes down when it came to what."""

    __slots__ = ()

    def read(self) -> None:
        """See ``Passage``."""
        super().read()
        trace = self._exchange.trace
        assert trace is not None
        trace.reading()

    def on_facts(self, facts: Facts) -> None:
        """See ``Passage``."""
        trace = self._exchange.trace
        assert trace is not None
        trace.facts_at = perf_counter()
        super().on_facts(facts)

    def _record(self, verdict: Verdict) -> None:
        trace = self._exchange.trace
        assert trace is not None
        trace.judged(self.began, verdict)
        super()._record(verdict)

    def on_verdict(self) -> None:
        """See ``Comment``. What goes on is not over before its outcome."""
        super().on_verdict()
        exchange = self._exchange
        trace = exchange.trace
        if trace is not None and exchange.user is self:
            trace.awaited = True

    def on_outcome(self, status: int | None, body_prefix: bytes, error: UpstreamError | None) -> None:
        """See ``Comment``."""
        super().on_outcome(status, body_prefix, error)
        trace = self._exchange.trace
        tracer = self._gate.tracer
        if trace is not None and tracer is not None:
            tracer.outcome(trace, status, error)
