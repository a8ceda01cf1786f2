"""The messages of one request: through the pipeline, and what their verdicts make of the request.

Nearly every request holds one (``Comment``). Of several (``Comments``) each is a message with a record and a verdict of
its own; the request waits for all of them, goes on once or not at all, and all that went on have the same outcome.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.http.wire import forwarding
from gateway.judging import answers
from gateway.judging.echo import Echo
from gateway.judging.pipeline import FAULT, Carried, Passage
from gateway.mirror.pages.names import link_value
from gateway.parking.parked import Original, lines

if TYPE_CHECKING:
    from filters.model.message import Message
    from filters.model.verdict import Facts, Verdict
    from gateway.carriers.requests import Gate
    from gateway.http.server.exchange import Exchange
    from gateway.http.upstream.failure import UpstreamError
    from gateway.judging.route import Route
    from gateway.surfaces.input.decoded import Messages, SeveralMessages

DIGESTS: Final = frozenset((b"content-md5", b"digest", b"content-digest", b"repr-digest"))
"""Fields that describe the bytes which came (RFC 9530): wrong for a body that was masked or inflated."""
INFLATED: Final = DIGESTS | {b"content-encoding"}
NONE: Final[frozenset[bytes]] = frozenset()
HEAD: Final = 4096  # bytes that a request takes beside its body while it waits, roughly

CLIENT_GONE: Final = "client.gone"
UNRECORDED: Final = "journal.unavailable"
WITHHELD: Final = "batch.refused"
"""The reason of a failure: another message of the same request was refused."""


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

    def original(self) -> Original:
        """See ``Passage``: the request, with the very body that was judged."""
        head = self._exchange.head
        decoded = self._decoded
        return Original(
            head.method.decode("latin-1"), head.target.decode("latin-1"),
            lines(head.fields, INFLATED if decoded.identity else NONE), decoded.body,
        )  # fmt: skip

    def size(self) -> int:
        """See ``Passage``."""
        return HEAD + len(self._decoded.body)

    def on_delayed(self) -> None:
        """See ``Passage``: the client does not wait for it."""
        exchange = self._exchange
        message_id = exchange.message_id = self.message.id
        exchange.accept(answers.delayed(message_id, self.pipeline.address(message_id), self.route.delay))

    def on_verdict(self) -> None:
        """Refuse, tell that it waits, or relay what the verdict leaves of the message."""
        exchange = self._exchange
        verdict = self.verdict
        message_id = exchange.message_id = self.message.id
        if verdict.disposition != "pass":
            if verdict.disposition == "hold":
                exchange.refuse(answers.held(message_id, self.pipeline.address(message_id)))
            else:
                exchange.refuse(answers.problem(verdict, message_id, self.route.appeal))
            return
        if exchange.cancelled and exchange.status is None:
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
        if route.delay:
            self.pipeline.delays.under_way += 1

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
        if route.delay:
            pipeline.delays.arrived()


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
        if trace is not None and exchange.user is self and not trace.ended:
            trace.awaited = True

    def on_outcome(self, status: int | None, body_prefix: bytes, error: UpstreamError | None) -> None:
        """See ``Comment``."""
        super().on_outcome(status, body_prefix, error)
        trace = self._exchange.trace
        tracer = self._gate.tracer
        if trace is not None and tracer is not None:
            tracer.outcome(trace, status, error)


class Element(Carried):
    """One of several messages of a request. ``index``: which."""

    __slots__ = ("comments", "index")

    def __init__(self, comments: Comments, route: Route, message: Message, index: int, began: float) -> None:
        super().__init__(comments.gate.pipeline, route, message, comments, began)
        self.comments = comments
        self.index = index


class TracedElement(Element):
    """The same where records name the trace of the request, which all of them share. Where it is sampled, the times of
    the last one count."""

    __slots__ = ()

    def read(self) -> None:
        """See ``Passage``."""
        super().read()
        trace = self.comments.exchange.trace
        if trace is not None:
            trace.reading()

    def on_facts(self, facts: Facts) -> None:
        """See ``Passage``."""
        trace = self.comments.exchange.trace
        if trace is not None:
            trace.facts_at = perf_counter()
        super().on_facts(facts)

    def _record(self, verdict: Verdict) -> None:
        exchange = self.comments.exchange
        message = self.message
        pipeline = self.pipeline
        if exchange.trace is not None:
            exchange.trace.judged(self.began, verdict)
        self.verdict = verdict
        pipeline.observe(perf_counter() - self.began)
        exchange.ids = exchange.ids or forwarding.ids(exchange.head, self.comments.gate.traces is True, True)
        trace = forwarding.trace_id(exchange.head, exchange.ids)
        fields = self.route.basis.fields(message, verdict) + b',"trace":"%b"' % trace.encode()
        pipeline.journal.enqueue(fields, self, message.id if verdict.disposition == "pass" else "")


class Comments:
    """Several messages of one request: elements of an array in its body. A ``Carrier``.

    Where one is refused, none goes on, unless the route says that refused ones are cut out (``cut_refused``). Nothing
    is answered or relayed before all of them are recorded.
    """

    __slots__ = ("_decoded", "_delayed", "_fault", "_forwarded_at", "_left", "_passed", "_refused", "_route",
                 "_unrecorded", "exchange", "gate")  # fmt: skip

    def __init__(self, gate: Gate, exchange: Exchange, route: Route, decoded: SeveralMessages) -> None:
        self.gate = gate
        self.exchange = exchange
        self._route = route
        self._decoded = decoded
        self._left = len(decoded.messages)
        self._passed: list[Passage] = []
        self._refused: list[Passage] = []
        self._delayed: set[Passage] = set()
        self._unrecorded = ""
        self._fault: Exception | None = None
        self._forwarded_at = 0.0

    def enter(self, began: float) -> None:
        """Send all of them on their way. ``began``: as with ``Passage``."""
        route = self._route
        decoded = self._decoded
        kind = Element if self.gate.traces is None else TracedElement
        for index, (message, which) in enumerate(zip(decoded.messages, decoded.kinds, strict=True)):
            kind(self, route if which < 0 else route.kinds[which], message, index, began).enter()

    # what the pipeline tells

    def on_verdict(self, passage: Passage) -> None:
        """See ``Carrier``."""
        (self._passed if passage.verdict.disposition == "pass" else self._refused).append(passage)
        self._settle(passage)

    def original(self, passage: Passage) -> None:
        """See ``Carrier``: none of them waits by itself, because the request goes on once, or not at all."""

    def size(self, passage: Passage) -> int:
        """See ``Carrier``."""
        return (HEAD + len(self._decoded.body)) // len(self._decoded.messages)

    def on_delayed(self, passage: Passage) -> None:
        """See ``Carrier``: the request waits with all that is in it."""
        self._delayed.add(passage)
        self._look()

    def on_unrecorded(self, passage: Passage) -> None:
        """See ``Carrier``."""
        self._unrecorded = passage.message.id
        self._settle(passage)

    def on_fault(self, passage: Passage, fault: Exception) -> None:
        """See ``Carrier``."""
        self._fault = fault
        self._settle(passage)

    def _settle(self, passage: Passage) -> None:
        self._left -= 1
        self._delayed.discard(passage)
        if not self._left:
            self._end()
        elif self._delayed:
            self._look()

    def _end(self) -> None:
        self._passed.sort(key=_index)
        self._refused.sort(key=_index)
        try:
            self._leave()
        finally:
            # A passage holds its carrier: nothing is left to the collector of cycles, which seldom comes.
            self._refused.clear()
            self._delayed.clear()
            if self.exchange.user is not self:
                self._passed.clear()

    def _leave(self) -> None:
        """All of them have come to something."""
        exchange = self.exchange
        passed = self._passed
        refused = self._refused
        pipeline = self.gate.pipeline
        if self._fault is not None:
            exchange.failed(self._fault)
            self._fail(FAULT)
        elif self._unrecorded:
            self.gate.count_refused(self._route.name, UNRECORDED)
            exchange.refuse(answers.unrecorded(self._unrecorded))
            self._fail(UNRECORDED)
        elif refused and not self._goes_on():
            self._refuse()
            for passage in passed:
                pipeline.withheld(passage, WITHHELD)
        elif exchange.cancelled and exchange.status is None:
            self._fail(CLIENT_GONE)
        else:
            try:
                self._forward(exchange)
            except Exception as fault:  # the client must not wait for ever, nor the messages stay open
                exchange.user = None
                exchange.abort()
                exchange.failed(fault)
                self._fail(FAULT)

    def _look(self) -> None:
        """All that are left wait for their time: answer now, unless nothing goes on anyway."""
        delayed = self._delayed
        exchange = self.exchange
        if len(delayed) < self._left:
            return
        pipeline = self.gate.pipeline
        if self._fault is None and not self._unrecorded and (not self._refused or self._goes_on()):
            message_id = exchange.message_id = min(delayed, key=_index).message.id
            exchange.accept(answers.delayed(message_id, pipeline.address(message_id), self._route.delay))
            return
        for passage in delayed:
            pipeline.delays.forget(passage)
        self._passed += delayed
        self._end()

    def _goes_on(self) -> bool:
        """Whether those that are refused are cut out, and anything is left."""
        return self._route.settings.cut_refused and len(self._decoded.elements) > len(self._refused)

    def _fail(self, reason: str) -> None:
        for passage in self._passed:
            self.gate.pipeline.failed(passage, reason)

    def _refuse(self) -> None:
        """Answer for all of them: as the first that is refused, and where the body is an array and the route's shape
        is JSON, with such a one for each element."""
        exchange = self.exchange
        first = self._refused[0]
        exchange.message_id = first.message.id
        leading = answers.problem(first.verdict, first.message.id, first.route.appeal)
        shapes = exchange.shapes
        if shapes is None:
            exchange.refuse(leading)
            return
        decoded = self._decoded
        by_place = {decoded.places[_index(one)]: one for one in self._refused}
        ids = dict(zip(decoded.places, (message.id for message in decoded.messages), strict=True))
        values = shapes.values
        echo = values if isinstance(values, Echo) else None
        if echo is not None:
            shapes.values = echo.about(decoded.elements[decoded.places[_index(first)]])
        if not decoded.listed:
            exchange.refuse(leading)
            return
        each = []
        for place, element in enumerate(decoded.elements):
            one = by_place.get(place)
            if one is None:
                problem = answers.withheld(ids.get(place, ""))
            else:
                problem = answers.problem(one.verdict, one.message.id, one.route.appeal)
            each.append((problem, None if echo is None else echo.about(element)))
        exchange.refuse(leading, each)

    def _forward(self, exchange: Exchange) -> None:
        """Send on what the verdicts leave of the request."""
        route = self._route
        decoded = self._decoded
        passed = self._passed
        body = decoded.body
        drop = INFLATED if decoded.identity else NONE
        changes: dict[int, tuple[str, ...] | None] = {_index(one): None for one in self._refused}
        labels: dict[str, None] = {}
        masked = False
        for one in passed:
            verdict = one.verdict
            if verdict.texts is not None:
                changes[_index(one)] = verdict.texts
                masked = True
            for label in verdict.labels:
                labels[label] = None
        lines = answer_lines = b""
        if passed:
            exchange.message_id = passed[0].message.id
            ids = ", ".join([one.message.id for one in passed])
            lines = answer_lines = b"Tidegate-Message-Id: %b\r\n" % ids.encode()
        if route.mirrored:
            for room in dict.fromkeys([one.message.room for one in passed]):
                answer_lines += b"Link: %b\r\n" % link_value(route.mirrored, room)
        if masked:
            answer_lines += b"Tidegate-Verdict: mask\r\n"
        if self._refused:
            answer_lines += b"Tidegate-Refused: %b\r\n" % ", ".join(map(self._told, self._refused)).encode()
        for label in labels:
            lines += b"Tidegate-Label: %b\r\n" % label.encode()
        if changes or decoded.stamped:
            encoded = decoded.encode(body, changes)
            assert encoded is not None, "something is left"
            body = encoded
            drop = drop | DIGESTS
        self._forwarded_at = perf_counter()
        exchange.user = self
        exchange.forward(route.upstream, body, lines, drop, answer_lines, route.name)
        if route.delay:
            self.gate.pipeline.delays.under_way += 1
        trace = exchange.trace
        if trace is not None and exchange.user is self and not trace.ended:
            trace.awaited = True

    def _told(self, refused: Passage) -> str:
        """A refused one in a list of RFC 9651: which element it was, why, and its id."""
        leading = refused.verdict.leading
        assert leading is not None, "only a refusal is told"
        place = self._decoded.places[_index(refused)]
        return f'{place};reason="{leading.finding.reason}";id="{refused.message.id}"'

    def on_outcome(self, status: int | None, body_prefix: bytes, error: UpstreamError | None) -> None:
        """The upstream's answer is over: it counts for all that went on."""
        pipeline = self.gate.pipeline
        self._route.upstream_seconds.observe(perf_counter() - self._forwarded_at)
        for passage in self._passed:
            if status is not None and status < 400:
                pipeline.delivered(passage, status, "")
            elif status is not None:
                pipeline.refused(passage, status)
            elif error is None or error.sent:
                pipeline.unknown(passage, error.reason if error is not None else "upstream.closed")
            else:
                pipeline.failed(passage, error.reason)
        self._passed.clear()
        if self._route.delay:
            pipeline.delays.arrived()
        trace = self.exchange.trace
        tracer = self.gate.tracer
        if trace is not None and tracer is not None:
            tracer.outcome(trace, status, error)


def _index(passage: Passage) -> int:
    assert isinstance(passage, Element)
    return passage.index
