"""One client's connection: requests one after the other, each answered before the next is looked at.

Pipelined requests wait in the buffer, and beyond a bound reading stops. Answers are thus in order without a queue of
them, and so are a client's messages on their way to the upstream, which parallel forwarding would shuffle (law 11).

    IDLE ── head ──► UNDECIDED ── collect ──► COLLECT ─┐
     ▲                   ├─────── relay ────► STREAM ──┤ body complete
     │                   └── answer, refuse ───────────┴──► COMPLETE ── answer written ──► IDLE
     └───────────────────────────────────────────────────────────────────────────────────┘
    LINGER: answered, but the request was not read to its end; what still comes is thrown away.
    TAKEN:  another protocol has the transport.

No timer belongs to a connection: ``deadline`` is a number, and the server's sweep compares it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from gateway.common.sweep import NEVER
from gateway.http.server.answering import Answering
from gateway.http.server.arriving_body import ArrivingBody, Collected, Streamed
from gateway.http.server.exchange import Exchange, TakenOver
from gateway.http.server.problem import PROBLEM_JSON, encode_problem, problem_for, problem_lines
from gateway.http.server.settings import CONTINUE_WITHIN, EMPTY_LINES, LINGER_BOUND, WAITED
from gateway.http.server.states import CLOSED, COLLECT, COMPLETE, IDLE, LINGER, STREAM, TAKEN, UNDECIDED
from gateway.http.server.turns import CROWD, LARGE
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.head import HeadBounds, find_head, parse_request
from gateway.http.wire.languages import asked_in

if TYPE_CHECKING:
    from gateway.http.accepting.acceptor import Announced
    from gateway.http.server.server import Server
    from gateway.http.upstream.upstream import UpstreamCall
    from gateway.http.wire.override import Screen


class ServerProtocol(Answering):
    """See the module."""

    __slots__ = (
        "_advancing",
        "_announced",
        "_arriving",
        "_body",
        "_buffer",
        "_half_closed",
        "_lingered",
        "_searched",
        "bounds",
        "owner",
        "peer",
        "state",
    )

    def __init__(self, server: Server, announced: Announced | None = None) -> None:
        super().__init__(server)
        self._announced = announced
        self.bounds: HeadBounds = server.bounds
        self.state = IDLE
        self._advancing = False
        self._body: bytes | None = None
        self._buffer = b""
        self._arriving: ArrivingBody | None = None
        self._half_closed = False
        self._lingered = 0
        self._searched = 0

    # the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        server = self.server
        announced, self._announced = self._announced, None
        self.peer = server.peer_of(transport, announced)
        turns = server.turns
        self.account = self.owner = turns.unbounded() if self.peer.trusted else turns.account(self.peer.counted)
        refused = server.opened(self, announced)
        high = server.settings.max_buffered
        self._transport.set_write_buffer_limits(high=high, low=high // 4)
        self.deadline = server.sweep.after(server.settings.head_timeout)
        if refused == "server.busy":
            self._refuse_head(refused)
        elif refused:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        owner = self.owner
        owner.reads += 1 + (len(data) >> LARGE)
        if owner.reads >= CROWD:
            owner.turns.crowded(owner)
        state = self.state
        if state == IDLE:
            self._buffer = self._buffer + data if self._buffer else data
            if self._waits:
                self._transport.pause_reading()
            elif self.writable:
                self._advance()
            elif len(self._buffer) > self.bounds.size:
                self.pause_reading()
        elif state in (COLLECT, STREAM):
            if self._arriving is not None:
                self._arriving.received(data)
        elif state == LINGER:
            self._lingered += len(data)
            if self._lingered > LINGER_BOUND:
                self._transport.abort()
            elif self.server.turns.charge_read(self.account, len(data)):
                self.wait_turn()
        elif state != CLOSED:
            self._buffer += data
            if len(self._buffer) > self.bounds.size:
                self.pause_reading()

    def eof_received(self) -> bool:
        """A half-closed client still gets the answer to what it has sent whole, see ``Exchange.half_closed``. Of TLS
        there is no half to keep: its transport closes with its client."""
        self._half_closed = True
        self._keep_alive = self._keep_alive and bool(self._buffer)
        if self.state in (UNDECIDED, COMPLETE) and self.exchange is not None:
            return self.exchange.half_closed() and self._transport.can_write_eof()
        if self.state == IDLE and self._buffer and (self._waits or not self.writable):
            return self._transport.can_write_eof()
        if self.state in (COLLECT, STREAM):
            self.body_failed("body.cut_off")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self.state != TAKEN:
            self.state = CLOSED
            self.server.closed(self)
        self._drop_body()
        self._buffer = b""
        exchange = self.exchange
        if exchange is not None:
            self.exchange = None
            if self.server.on_answered is not None:
                self.server.on_answered(exchange, "left")
            exchange.client_gone()

    def pause_writing(self) -> None:
        self.writable = False
        self._watch_reading(self.server.settings.stall_timeout)
        if self.exchange is not None:
            self.exchange.client_slow(True)

    def resume_writing(self) -> None:
        self.writable = True
        self.deadline = NEVER
        if self.exchange is not None:
            self.rearm()
            self.exchange.client_slow(False)
        elif self.state == IDLE:
            self.rearm()
            self._advance()

    # reading requests

    def _advance(self) -> None:
        """Take requests from the buffer while there are whole heads and nobody is waiting for an answer."""
        if self._advancing:
            return
        self._advancing = True
        try:
            turns = self.server.turns
            while self.state == IDLE and self._buffer and self.writable:
                account = self.account
                if account.turn != turns.number:
                    turns.begin(account)
                if account.left <= 0 and not turns.renewed(account):
                    self.wait_turn()
                    break
                if not self._next_request():
                    break
                self._since = 0.0
        finally:
            self._advancing = False
        if self.state == IDLE and self._half_closed and not self._waits and (self.writable or not self._buffer):
            self._transport.close()

    def hold_back(self) -> None:
        """See ``turns.TurnMember``."""
        if self._reading and not (self._waits or self._half_closed or self._transport.is_closing()):
            self.wait_turn()

    def go_on(self) -> None:
        """See ``turns.TurnWaiting``."""
        if self.state == TAKEN:
            return
        self._waits = False
        if self._reading and not self._transport.is_closing():
            self._transport.resume_reading()
        if self.state == IDLE:
            self._advance()
            if not self._waits:
                self._since = 0.0
        elif self._arriving is not None:
            self._arriving.go_on()
            if self._half_closed and self._arriving is not None and not self._waits:
                self.body_failed("body.cut_off")

    def _next_request(self) -> bool:
        data = self._buffer
        if data[0] == 13 and data[:2] == b"\r\n":
            at = 2
            while at < 2 * EMPTY_LINES and data[at : at + 2] == b"\r\n":
                at += 2
            data = self._buffer = data[at:]
            self._searched = 0
            if not data:
                return False
        bounds = self.bounds
        try:
            end = data.find(b"\r\n\r\n") if not self._searched else -1
            if end < 0 or end > bounds.size - 4:
                end = find_head(data, bounds, 0, self._searched)
            if end < 0:
                if not self._searched:
                    self.deadline = self.server.sweep.after(self.server.settings.head_timeout)
                self._searched = len(data)
                self.account.left -= self.server.turns.read
                self.resume_reading()
                return False
            head = parse_request(data[:end], bounds)
        except HTTPError as error:
            self._refuse_head(error.reason)
            return False
        self._searched = 0
        server, account = self.server, self.account
        if self.peer.trusted:
            account = self.account = server.named(self.peer, head)
            if account.left <= 0 and not server.turns.renewed(account):
                self.wait_turn()
                return False
        account.left -= server.turns.request
        length = head.length
        start = end + 4
        self.deadline = NEVER
        self.state = UNDECIDED
        exchange = self.exchange = Exchange(self, head)
        if length == 0:
            self._body = b""
            self._buffer = data[start:]
        elif 0 < length <= len(data) - start:
            self._body = data[start : start + length]
            self._buffer = data[start + length :]
        else:
            self._body = None
            self._buffer = data[start:]
            self._whole = False
        # One that has said all that it wants to gets the answers to all that it asked.
        self._keep_alive = head.keep_alive and not (self._half_closed and not self._buffer)
        try:
            queueing, since = server.queueing, self._since
            if (since and queueing.too_late(account, since)) or (queueing.shedding and not queueing.admits(since)):
                server.gate.shed(exchange)
                if self.state == IDLE and not self.peer.trusted:  # on a front's connection others wait as well
                    self.rest()
                return not self._waits
            server.gate.admit_request(exchange)
        except Exception as failure:  # the gate's own fault: the client must not wait for ever
            self.failed(exchange, failure)
        return True

    def _refuse_head(self, reason: str) -> None:
        """Answer a request that is not one. There is no telling where the next would begin."""
        self.server.count_refusal(reason)
        problem, spoken = self.server.sentences.told(problem_for(reason), "", asked_in(self._buffer))
        self._keep_alive = False
        self._buffer = b""
        self.state = UNDECIDED
        self._whole = False  # whatever follows is not read as a request
        lines, body = problem_lines(problem) + spoken, encode_problem(problem)
        self._write_own(problem.status, lines, body, PROBLEM_JSON, head_only=False)
        if self.server.on_refused is not None:
            self.server.on_refused(problem.status, reason, len(body))
        self.finished()

    # bodies

    def collect(self, max_body: int) -> None:
        """Hand the whole body to the gate. Raises ``HTTPError`` where more than ``max_body`` bytes are announced."""
        exchange = self.exchange
        if exchange is None:
            return
        if exchange.head.length > max_body:
            raise HTTPError("body.too_large")
        body = self._body
        if body is not None:
            self.state = COMPLETE
            self.server.gate.on_body(exchange, body)
            return
        if self.server.collected >= self.server.settings.max_collected:
            raise HTTPError("server.full")
        self._begin_body(COLLECT, Collected(self, exchange, max_body))

    def claim_body(self) -> bytes | None:
        """The body where it is whole, for a relay. Raises ``HTTPError`` where it is announced too large."""
        exchange = self.exchange
        if exchange is not None and exchange.head.length > self.server.settings.max_relayed_body:
            raise HTTPError("body.too_large")
        if self._body is not None:
            self.state = COMPLETE
        return self._body

    @property
    def body_at_hand(self) -> bytes | None:
        """The request's body, where all of it came with the head."""
        return self._body

    @property
    def body_begun(self) -> bool:
        """Whether a part of the request's body came with the head: its client waits for no 100 (Continue)."""
        return bool(self._buffer)

    def stream(self, call: UpstreamCall, screen: Screen | None) -> None:
        """Write the body to ``call`` as it comes."""
        exchange = self.exchange
        if exchange is not None:
            self._begin_body(STREAM, Streamed(self, exchange, call, self.server.settings.max_relayed_body, screen))

    def stream_drained(self) -> None:
        """The upstream takes more of the body."""
        if self.state == STREAM and self._arriving is not None:
            self._arriving.read_anew()
            self.rearm()
            self.resume_reading()

    def _begin_body(self, state: int, arriving: ArrivingBody) -> None:
        self.state = state
        self._arriving = arriving
        self.rearm()
        early = self._buffer
        self._buffer = b""
        self.resume_reading()
        if early:
            arriving.received(early)
        elif arriving.exchange.head.expect:
            if state == COLLECT:
                self._continue(arriving.exchange)
            else:  # the upstream was asked, see ``Exchange.relay``
                self.deadline = self.server.sweep.after(CONTINUE_WITHIN)
        if self._half_closed and self._arriving is arriving and not self._waits:
            self.body_failed("body.cut_off")

    def _continue(self, exchange: Exchange) -> None:
        exchange.head.expect = False
        self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.rearm()

    def body_ended(self, rest: bytes) -> None:
        """The request's body is whole; ``rest`` begins the next request."""
        self._arriving = None
        self._whole = True
        self._buffer = rest
        self.state = COMPLETE
        self.deadline = NEVER
        self.resume_reading()

    def body_waits(self, arriving: ArrivingBody) -> None:
        """There is more of the body than this turn may take."""
        if self._arriving is arriving:
            self.wait_turn()

    def body_failed(self, reason: str) -> None:
        """The body cannot be completed: give the upstream up, and answer where nothing was answered yet."""
        exchange = self.exchange
        if exchange is None:
            return
        self._keep_alive = False
        exchange.abort()
        if exchange.answered:
            self.cut()
        else:
            exchange.refuse_reason(reason)

    def failed(self, exchange: Exchange, error: Exception) -> None:
        """The gate raised: an ``HTTPError`` is its answer, anything else a 500."""
        if not isinstance(error, HTTPError):
            self.server.failed(error)
        exchange.refuse_reason(error.reason if isinstance(error, HTTPError) else "gateway.failure")

    def finished(self) -> None:
        """The answer is written: on to the next request, or to the end."""
        exchange = self.exchange
        self.exchange = None
        self._body = None
        self.account = self.owner
        if exchange is not None and self.server.on_answered is not None:
            self.server.on_answered(exchange, "whole")
        if not self._whole:
            self._linger()
            return
        if not self._keep_alive:
            if self._buffer or (exchange is not None and exchange.head.keep_alive):
                self._linger()  # more has come, or may be on its way already: a reset would overtake the answer
                return
            self.state = CLOSED
            self.deadline = self.server.sweep.after(self.server.settings.stall_timeout)
            self._transport.close()
            return
        self.state = IDLE
        self.rearm()
        if self._buffer:
            self._advance()
        elif not self._reading:
            self.resume_reading()
        if self.server.draining and self.state == IDLE:
            self._leave()

    def _drop_body(self) -> None:
        if self._arriving is not None:
            self._arriving.release()
            self._arriving = None

    def cut(self) -> None:
        """End an answer that cannot be completed, so that nobody takes it for whole."""
        if self.exchange is not None and self.server.on_answered is not None:
            self.server.on_answered(self.exchange, "cut")
        self.exchange = None
        self._transport.abort()

    def _linger(self) -> None:
        self._drop_body()
        self._whole = True
        self._buffer = b""
        self.deadline = self.server.sweep.after(self.server.settings.linger_timeout)
        self.state = LINGER
        if self._half_closed:
            self._transport.close()
            return
        if self._transport.can_write_eof():  # TLS has no such thing here: its client knows the end by our fields
            self._transport.write_eof()
        self.resume_reading()

    def take_over(self) -> TakenOver:
        """Give the transport away."""
        self.state = TAKEN
        self.deadline = NEVER
        self.exchange = None
        early = self._buffer
        self._buffer = b""
        if self._waits:  # held back meanwhile; whoever has it now has turns of his own
            self._waits = self._reading = False
        self.resume_reading()
        return TakenOver(self._transport, early, self.server.taken(self), self.account)

    # time

    def rearm(self) -> None:
        """Set the deadline that the state asks for. A client that does not read has its own until it does."""
        if not self.writable:
            return
        settings = self.server.settings
        state = self.state
        if state == IDLE:
            seconds = settings.idle_timeout
        elif state == COLLECT:
            seconds = settings.body_timeout
        elif state == STREAM:
            seconds = settings.stall_timeout
        else:
            self.deadline = NEVER
            return
        self.deadline = self.server.sweep.after(seconds)

    def overdue(self) -> None:
        """The deadline has passed."""
        self.deadline = NEVER
        state = self.state
        if not self.writable and state != TAKEN:
            if not self._reads_on():
                self.server.count_refusal("answer.too_slow")
                self._transport.abort()
        elif self._waits and state == STREAM:
            self.rearm()  # it is we who let it wait
        elif self._waits:
            self.deadline = self.server.sweep.after(WAITED)
        elif state == IDLE and self._buffer:
            self._refuse_head("head.timeout")
        elif state == STREAM and self.exchange is not None and self.exchange.head.expect:
            self._continue(self.exchange)
        elif state in (COLLECT, STREAM):
            self.body_failed("body.timeout")
        elif state == IDLE and self._transport.is_closing() and self._reads_at_all():
            self._leave()
        elif state not in (UNDECIDED, COMPLETE) and not (state == CLOSED and self._reads_on()):
            self._transport.abort()

    def drain(self) -> None:
        """The server stops: what is idle closes now, what is busy behind its answer."""
        self._keep_alive = False
        if self.state == IDLE and not self._buffer:
            self._leave()

    def abort(self) -> None:
        """Close without ceremony."""
        self._transport.abort()
