"""One request and its answer.

The gate holds an exchange from ``admit_request`` until it has decided; the upstream's call holds it as the sink of the
answer. An exchange outlives its client: a judged request that was forwarded runs to its outcome, so that the outcome is
recorded; an unjudged one is aborted with its client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.http.server.problem import (
    Problem,
    encoded,
    problem_for,
    problem_lines,
    upstream_problem,
)
from gateway.http.server.turns import TurnAccount  # when this is imported: a field of a tuple is of it
from gateway.http.wire import forwarding
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.framing import encode_chunk
from gateway.http.wire.head import CHUNKED, RequestHead, ResponseHead

if TYPE_CHECKING:
    from gateway.common.metrics import AnswerCounts
    from gateway.http.server.cors import Cors
    from gateway.http.server.server_protocol import ServerProtocol
    from gateway.http.server.shapes import AnswerShapes, Values
    from gateway.http.upstream.failure import UpstreamError
    from gateway.http.upstream.sink import LateAnswer
    from gateway.http.upstream.upstream import Upstream, UpstreamCall
    from gateway.http.wire.override import Screen
    from gateway.tracing.trace import Trace

    OnUpgraded = Callable[[ResponseHead, asyncio.Transport, bytes, Callable[[], None]], None]

PREFIX_SIZE: Final = 65536
"""Bytes of a judged answer's body that are kept for ``on_outcome``."""

EXPECT: Final = b"Expect: 100-continue\r\n"
LEFT_WITHIN: Final = 1.0
"""Seconds that the rest of a judged answer may take once its client has left."""
ENDLESS: Final = (b"text/event-stream", b"multipart/x-mixed-replace")
"""Media types (as they begin) of answers that are read as they come and hold no id of the platform's."""

_IDEMPOTENT: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


class TakenOver(NamedTuple):
    """A connection that speaks another protocol from now on. ``early``: bytes already received behind the head.

    Who took it calls ``transport.set_protocol`` at once and, in that protocol's ``connection_lost``, ``release()``:
    until then it counts towards the caps on connections. ``account``: to whom its turns are charged.
    """

    transport: asyncio.Transport
    early: bytes
    release: Callable[[], None]
    account: TurnAccount


class Exchange:
    """``path`` and ``query`` are the target's two halves, the path in its normal form; the gate sets both.

    ``route`` and ``user`` are the gate's own. ``cors`` and ``shapes`` apply to ``refuse``. ``message_id``:
    what the gate calls it, for the answer when the upstream fails. ``judged``: collected. ``cancelled``: the client is
    gone. ``answered``: the head of a final answer was written, or would have been if the client were still there.
    ``endless``: its answer streams until somebody leaves.
    ``ids``: lines that name this request, added for the upstream. ``reason``: why we refused it. ``trace``: if sampled.
    """

    __slots__ = (
        "_answers", "_call", "_chunked", "_connection", "_extra", "_prefix", "_prefix_size", "_told", "_upgraded",
        "_upstream_status", "_waits", "answered", "began", "cancelled", "cors", "endless", "head", "ids", "judged",
        "message_id", "method", "path", "query", "reason", "route", "sent", "shapes", "status", "trace", "user",
    )  # fmt: skip

    def __init__(self, connection: ServerProtocol, head: RequestHead) -> None:
        self._connection = connection
        self.began = perf_counter()
        self.sent = 0
        self._call: UpstreamCall | None = None
        self._chunked = False
        self.endless = False
        self._waits = False  # for the next turn of its address
        self._extra = b""
        self._prefix: list[bytes] | None = None
        self._told = False
        self._upstream_status: int | None = None
        self._upgraded: OnUpgraded | None = None
        self.head = head
        self.method = head.method
        self.path = b""
        self.query = b""
        self.reason = ""
        self.answered = False
        self.cancelled = False
        self.ids = b""
        self.judged = False
        self.message_id = ""
        self.status: int | None = None
        self.trace: Trace | None = None
        self.route: Any = None
        self.user: Any = None
        self.cors: Cors | None = None
        self.shapes: AnswerShapes | None = None

    # what the gate reads

    @property
    def peer_ip(self) -> str:
        """The client's address; behind trusted proxies the one they name."""
        return self.client()[0]

    @property
    def peer_trusted(self) -> bool:
        """Whether the connection's peer is a trusted proxy, so that what it says of the sender counts."""
        return self._connection.peer.trusted

    def client(self) -> tuple[str, bool]:
        """``peer_ip`` and ``peer_trusted``."""
        connection = self._connection
        peer = connection.peer
        if peer.trusted:
            return connection.server.trusted.client(peer.ip, self.head.fields.get(b"x-forwarded-for")), True
        return peer.ip, False

    def header(self, name: bytes) -> bytes | None:
        """A field's value by lower-case name, repeated ones joined: see ``head.repeated``."""
        return self.head.fields.get(name)

    @property
    def body_complete(self) -> bool:
        """Whether nothing of the request is still to come."""
        return self._connection.request_complete

    @property
    def body_at_hand(self) -> bytes | None:
        """The body, where all of it came with the head."""
        return self._connection.body_at_hand

    # what the gate decides

    def charge(self, messages: int) -> None:
        """It holds so many messages more than one: each costs its address what a request does."""
        account = self._connection.account
        account.left -= messages * account.turns.request

    def gather(self, max_body: int) -> None:
        """Its whole body goes to ``gate.on_body``, which decides whether it is judged or relayed."""
        self._connection.collect(max_body)

    def collect(self, max_body: int, body: bytes | None = None) -> None:
        """Judge this request: its whole body goes to ``gate.on_body``, at once where it is at hand. ``body``: where it
        was gathered before."""
        self.judged = True
        head = self.head
        # An offer to switch protocols may be ignored (RFC 9110 section 7.8): it is not among what goes on.
        if head.underscored:
            raise HTTPError("head.underscore_name")
        if head.options:
            raise HTTPError("head.connection_option")
        if body is None:
            self._connection.collect(max_body)
        else:
            self._connection.server.gate.on_body(self, body)

    def relay(
        self, upstream: Upstream, *, watched: bool = False, route: str = "", screen: Screen | None = None,
        body: bytes | None = None, answers: AnswerCounts | None = None,
    ) -> None:  # fmt: skip
        """Send this request on unjudged, its body streamed. ``watched``: ``gate.on_outcome`` hears of its answer.
        ``route``: its name, for the shares of the upstream. ``screen``: looks at a body that is still to come.
        ``body``: where it was gathered. ``answers``: counts the answer, unless it is watched.

        An offer to switch protocols, of WebSocket too, is ignored (RFC 9110 section 7.8): the platform answers what it
        answers to a plain request. A client that waits for 100 (Continue) waits for the platform's (section 10.1.1),
        which may answer at once that it wants no body; for ours where the platform says nothing.
        """
        head = self.head
        connection = self._connection
        self._answers = answers
        if watched:
            self._prefix = []
            self._prefix_size = 0
        if body is None:
            body = connection.claim_body()
        asks = EXPECT if head.expect and body is None and not connection.body_begun else b""
        lines = self._upstream_head(upstream, head.length if body is None else len(body), asks, target=head.target)
        self._call = upstream.start(
            lines, body, self, idempotent=head.method in _IDEMPOTENT, chunked=body is None and head.length == CHUNKED,
            client=connection.account.share(upstream), route=upstream.share(route),
        )  # fmt: skip
        if body is None:
            connection.stream(self._call, screen)

    def forward(
        self,
        upstream: Upstream,
        body: bytes,
        extra: bytes = b"",
        drop: Collection[bytes] = (),
        answer_extra: bytes = b"",
        route: str = "",
    ) -> None:
        """Send a judged request on with ``body``. ``route``: as with ``relay``.

        ``extra``: lines for the upstream (``Tidegate-Message-Id: …`` with line end). ``drop``: names of fields that no
        longer fit the body. ``answer_extra``: lines that the upstream's answer gets on its way to the client.
        """
        self._prefix = []
        self._prefix_size = 0
        self._extra = answer_extra
        lines = self._upstream_head(upstream, len(body), extra, drop)
        self._call = upstream.start(
            lines, body, self, idempotent=self.head.method in _IDEMPOTENT,
            client=self._connection.account.share(upstream), route=upstream.share(route),
        )  # fmt: skip

    def answer(self, status: int, lines: bytes, body: bytes, content_type: bytes = b"application/json") -> None:
        """Answer ourselves. ``lines``: further header lines, each with its line end."""
        if self.answered:
            return
        self.answered = True
        self.status = status
        self.sent = len(body)
        connection = self._connection
        if self.cancelled:
            return
        connection.write_answer(status, lines, body, content_type)

    def refuse(self, problem: Problem, each: Sequence[tuple[Problem, Values | None]] = ()) -> None:
        """Answer with a problem, in the route's shape and with its CORS fields. ``each``: what is told of every element
        of a body that is an array, where the shape is JSON, and the values of each."""
        self.reason = problem.reason
        problem, spoken = self.worded(problem)
        lines = problem_lines(problem)
        if self.cors is not None:
            lines += self.cors.answer_lines(self.head.fields.get(b"origin"))
        accept = self.head.fields.get(b"accept")
        told = None
        if self.shapes is not None:
            told = self.shapes.answer(problem, accept, spoken)
            if each and told is not None:
                told = self.shapes.answer_each(told, problem, each, accept, self.worded)
            lines += self.shapes.vary
        if told is None:
            self.answer(problem.status, lines + spoken, *encoded(problem))
        else:
            self.answer(told.status, lines + told.lines, told.body, told.content_type)

    def accept(self, problem: Problem) -> None:
        """Answer that the request goes on later (202). From now on it is like one whose client has left, though with an
        answer (``status``): what is forwarded is only heard out."""
        if not self.cancelled:
            self.refuse(problem)
            self.cancelled = True

    def worded(self, problem: Problem) -> tuple[Problem, bytes]:
        """A problem in the language of whom it is told, and the header lines that say which that is."""
        server = self._connection.server
        return server.sentences.told(problem, server.gate.language(self), self.head.fields.get(b"accept-language"))

    def take_over(self) -> TakenOver:
        """Hand the connection to another protocol: for a WebSocket session, before anything was answered.

        Raises ``HTTPError`` for a request with a body: its bytes could be taken for frames.
        """
        if self.head.length:
            raise HTTPError("head.upgrade")
        self.answered = True
        return self._connection.take_over()

    def upgrade(
        self, upstream: Upstream, extra: bytes, then: OnUpgraded, *, drop: Collection[bytes] = (), target: bytes = b"",
        route: str = "", answers: AnswerCounts | None = None,
    ) -> None:  # fmt: skip
        """Send the request's head on as a handshake. ``extra``: the lines that make it one. ``target``: where it is not
        the normal form that goes on. ``route`` and ``answers``: as with ``relay``.

        ``then`` is called as ``UpgradeSink.on_upgraded`` when the upstream switches protocols; any other answer of it,
        and its failure, is the answer to this request.
        """
        self._upgraded = then
        self._answers = answers
        self._call = upstream.upgrade(
            self._upstream_head(upstream, 0, extra, drop, target), self,
            client=self._connection.account.share(upstream), route=upstream.share(route),
        )  # fmt: skip

    def on_upgraded(
        self, head: ResponseHead, transport: asyncio.Transport, early: bytes, release: Callable[[], None]
    ) -> None:
        """See ``UpgradeSink``."""
        self._call = None
        if self._answers is not None:
            self._answers.count(head.status)
        then, self._upgraded = self._upgraded, None
        assert then is not None
        then(head, transport, early, release)

    def _upstream_head(
        self, upstream: Upstream, length: int, extra: bytes = b"", drop: Collection[bytes] = (), target: bytes = b""
    ) -> bytes:  # fmt: skip
        connection = self._connection
        server = connection.server
        head = self.head
        if not target:
            target = self.path
            if self.query:
                target = b"%b?%b" % (target, self.query)
            elif head.target[-1:] == b"?":
                target += b"?"
        settings = server.settings
        if settings.traces:
            trace = self.trace
            if trace is not None:
                trace.forwarded_at = perf_counter()
            if left_out := forwarding.trace_fields(head, trace is not None):
                drop = (*drop, *left_out)
            self.ids = self.ids or forwarding.ids(head, settings.request_ids, True)
            extra += self.ids
        elif settings.request_ids:
            self.ids = forwarding.ids(head, True, False)
            extra += self.ids
        extra = forwarding.forwarding_lines(head, connection.peer, server.via) + extra
        host = upstream.host or head.host or upstream.authority
        return forwarding.request_head(head, target, length, extra, drop, self.judged, host)

    # the sink of the upstream's answer

    def awaits_turn(self, answer: LateAnswer) -> bool:
        account = self._connection.account
        return account.turns.charge_answer(account, answer)

    def on_informational(self, head: ResponseHead) -> None:
        if not self.cancelled and self.head.minor and not (head.status == 100 and not self.head.expect):
            self._connection.write_informational(head)
            if head.status == 100:
                self.head.expect = False
                self._connection.rearm()

    def on_head(self, head: ResponseHead, more: bool) -> None:
        self.answered = True
        self.status = self._upstream_status = head.status
        if not self.cancelled:
            self._chunked = self._connection.write_head(head, self._extra) and more
        self.endless = head.fields.get(b"content-type", b"").lower().startswith(ENDLESS)
        if self.cancelled:
            self._let_go()

    def on_data(self, data: bytes) -> None:
        prefix = self._prefix
        if prefix is not None and self._prefix_size < PREFIX_SIZE:
            piece = data[: PREFIX_SIZE - self._prefix_size]
            prefix.append(piece)
            self._prefix_size += len(piece)
        self.sent += len(data)
        if not self.cancelled:
            connection = self._connection
            connection.write(encode_chunk(data) if self._chunked else data)
            account = connection.account
            if account.turns.charge_read(account, len(data)) and self._call is not None and not self._waits:
                self._waits = True
                self._call.pause()
                account.turns.wait(account, self)
        elif self._prefix_size >= PREFIX_SIZE:
            self._let_go()

    def go_on(self) -> None:
        """See ``turns.TurnWaiting``: the answer is read on, unless its reader is slow."""
        self._waits = False
        if self._call is not None and (self.cancelled or self._connection.writable):
            self._call.resume()

    def on_end(self) -> None:
        self._call = None
        if not self.cancelled:
            if self._chunked:
                self._connection.write(b"0\r\n\r\n")
            self._connection.finished()
        self._outcome(None)

    def on_whole(self, head: ResponseHead, body: bytes) -> None:
        self._call = None
        self.answered = True
        self.status = self._upstream_status = head.status
        self.sent = len(body)
        if not self.cancelled:
            self._connection.write_whole(head, self._extra, body)
        if self._prefix is None:
            self._unwatched()
        elif not self._told:
            self._told = True
            self._connection.server.gate.on_outcome(self, head.status, body[:PREFIX_SIZE], None)

    def on_error(self, error: UpstreamError) -> None:
        self._call = None
        if not self.cancelled:
            if self.answered:
                self._connection.cut()
            else:
                self.refuse(upstream_problem(error, self.message_id))
        self._outcome(error)

    def on_drain(self) -> None:
        self._connection.stream_drained()

    # what the connection tells

    def client_gone(self) -> None:
        """The client's connection is lost: a judged call, and a watched one that was sent whole, goes on to its
        outcome; any other ends with its client."""
        self.cancelled = True
        call = self._call
        if call is not None:
            if self.judged or (self._prefix is not None and self.body_complete):
                call.resume()
                if self._upstream_status is not None:
                    self._let_go()
            else:
                self._call = None
                call.abort()
                self._unwatched()

    def half_closed(self) -> bool:
        """The client sends no more. Before its answer that is a habit of simple clients; amid one it is nearly always
        the first that is seen of a client that has left. False where it is taken to have: the answer streams without an
        end. Otherwise the rest of it may not pause for long."""
        call = self._call
        if self.answered and call is not None:
            call.hush()
        return not self.endless

    def _let_go(self) -> None:
        """Nobody reads the answer, and its status is known: others want the connection to the upstream. What of the
        body is missing for the outcome has ``LEFT_WITHIN`` seconds to come, where it is a body that ends."""
        call = self._call
        if call is None:
            return
        if self.endless or self._prefix is None or self._prefix_size >= PREFIX_SIZE:
            self._call = None
            call.abort()
            self._outcome(None)
        else:
            call.hurry(LEFT_WITHIN)

    def client_slow(self, slow: bool) -> None:
        """Stop or go on reading the upstream's answer."""
        call = self._call
        if call is not None:
            if slow:
                call.pause()
            else:
                call.resume()

    def abort(self) -> None:
        """Give the upstream's call up, because the request cannot be completed."""
        call = self._call
        if call is not None:
            self._call = None
            call.abort()

    def failed(self, fault: Exception) -> None:
        """A fault of ours: told to the log, and answered with a 500."""
        self._connection.failed(self, fault)

    def refuse_reason(self, reason: str) -> None:
        """Answer one of the HTTP layer's own problems."""
        self._connection.server.count_refusal(reason)
        self.refuse(problem_for(reason))

    def _outcome(self, error: UpstreamError | None) -> None:
        if self._prefix is None:
            self._unwatched()
        elif not self._told:
            self._told = True
            prefix = self._prefix[0] if len(self._prefix) == 1 else b"".join(self._prefix)
            self._connection.server.gate.on_outcome(self, self._upstream_status, prefix, error)

    def _unwatched(self) -> None:
        """What came of a relayed request is counted, and no more."""
        if self._answers is not None:
            self._answers.count(self.status)
