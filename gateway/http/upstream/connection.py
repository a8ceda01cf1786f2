"""One raw connection to an upstream server: a request goes out in one write, its answer is read strictly.

Laws:

* one call at a time: the next request is written when the answer before it is complete (no pipelining, so that no call
  waits behind another one's slow answer);
* a connection is kept only when the answer ended exactly where its framing says, with nothing behind it, and
  the whole request was taken; on any doubt it is closed;
* bytes that nobody asked for (an idle server speaks) close the connection;
* every state has a deadline, a number that ``Sweep`` looks at; there is no timer here.

A sink may abort its call from within any of its methods, hence the ``self.call is not call`` after each of them.
"""

from __future__ import annotations

import asyncio
import re
import select
from typing import TYPE_CHECKING, Final, cast

from gateway.common.sweep import NEVER, TICK
from gateway.http.upstream.failure import CHOSEN
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.framing import BodyDecoder, UntilCloseDecoder, decoder_for
from gateway.http.wire.head import HeadBounds, ResponseHead, find_head, known_response, parse_response

if TYPE_CHECKING:
    from gateway.http.upstream.pool import ServerPool
    from gateway.http.upstream.sink import UpgradeSink
    from gateway.http.upstream.upstream_call import UpstreamCall

MAX_FIELDS: Final = 200  # header lines of an answer
PROBE_AFTER: Final = 1.0
"""Seconds idle after which a kept connection is asked before reuse whether the server has closed it."""
HUSHED: Final = 5.0
"""Seconds of silence after which an answer ends whose client may not be there any more."""
JOIN_BELOW: Final = 64 * 1024
"""Bytes of body up to which copying head and body together costs less than a vector write."""

_keep_alive_timeout = re.compile(rb"(?:^|[ ,])timeout=([0-9]{1,6})(?:$|[ ,])").search


class UpstreamConnection(asyncio.Protocol):
    """Belongs to ``pool`` until it is closed or, after a 101, handed over. ``deadline``: see ``Sweep``."""

    __slots__ = (
        "_answer_wait",
        "_blocked",
        "_bounds",
        "_decoder",
        "_held",
        "_idle_wait",
        "_keep",
        "_late",
        "_paused",
        "_read_wait",
        "_responded",
        "_sweep",
        "_transport",
        "_unsent",
        "_used",
        "call",
        "deadline",
        "idle_since",
        "pool",
        "tls_age",
    )

    _transport: asyncio.Transport

    def __init__(self, pool: ServerPool) -> None:
        settings = pool.upstream.settings
        self.pool = pool
        self.call: UpstreamCall | None = None
        self.deadline = NEVER
        self.idle_since = 0.0
        self.tls_age = pool.tls_age  # under which of the pool's TLS settings it was made
        self._sweep = pool.upstream.sweep
        self._answer_wait = settings.answer_timeout + TICK
        self._read_wait = settings.read_timeout + TICK
        self._idle_wait = settings.idle_timeout + TICK
        self._bounds = HeadBounds(settings.max_head, MAX_FIELDS)
        self._decoder: BodyDecoder | None = None  # reading a body
        self._held: bytearray | None = None  # a head that is not complete
        self._keep = False  # what the answer's head says
        self._late: bytes | None = None  # the answer's first bytes, where they wait for a later turn of the loop
        self._responded = False  # a byte of the current answer came
        self._used = 0  # answers completed
        self._paused = False  # the sink is slow
        self._blocked = False  # the server is slow
        self._unsent = 0

    # -- the pool's side

    @property
    def is_closing(self) -> bool:
        """Closed, or about to be."""
        return self._transport.is_closing()

    def still_good(self) -> bool:
        """Whether a kept connection may be used again.

        The loop notices a close only when it next polls. Where the connection was idle for long enough that a server's
        own time-out may just have fired, the kernel is asked now: a few microseconds against a request that must not
        be repeated.
        """
        if self._transport.is_closing():
            return False
        if self._sweep.now - self.idle_since < PROBE_AFTER:
            return True
        socket = self._transport.get_extra_info("socket")
        if socket is None:
            return True
        poll = select.poll()
        poll.register(socket.fileno(), select.POLLIN)
        return not poll.poll(0)

    def keep_idle(self) -> None:
        """Wait for the next call."""
        now = self.idle_since = self._sweep.now
        self.deadline = now + self._idle_wait

    def send(self, call: UpstreamCall) -> None:
        """Write the request, or the part of it that is there, and wait for the answer."""
        self.call = call
        call.connection = self
        self._responded = False
        body = call.body
        if body is not None:
            self.deadline = min(self._sweep.now + self._answer_wait, call.ends_at)
            call.sent = True
            if len(body) <= JOIN_BELOW:
                self._transport.write(call.head + body)
            else:
                self._transport.writelines((call.head, body))
            if call.paused:
                self.pause_answer()
            return
        pending, call.pending = call.pending, None
        self.deadline = min(self._sweep.now + self._answer_wait, call.ends_at) if call.complete else call.ends_at
        call.sent = True
        self._transport.write(call.head + b"".join(pending or ()))
        if call.paused:
            self.pause_answer()
        if pending and not self._blocked and not call.complete:
            call.sink.on_drain()

    def expire(self, now: float) -> None:
        """The deadline has passed."""
        call = self.call
        if call is None:
            self.close()
        elif call.ends_at <= now:
            self._fail("upstream.timeout", "total", blame=False)
        elif call.head_relayed:
            self._fail("upstream.timeout", "body", blame=not call.hushed)
        elif not self._blocked:
            self._fail("upstream.timeout", "answer")
        elif (unsent := self._transport.get_write_buffer_size()) < self._unsent:
            self._unsent = unsent  # slow, but it reads
            self.rearm(call)
        else:
            self._fail("upstream.timeout", "request")

    def close(self) -> None:
        """Take a connection without a call out of its pool and close it. The pool serves waiting calls, not this."""
        self.pool.discard(self)
        if self._transport.get_write_buffer_size():
            self._transport.abort()  # close() would wait until a server that does not read has read
        else:
            self._transport.close()

    def drop(self) -> None:
        """Close a connection that its pool never got, because the attempt was given up; it may not even stand yet."""
        transport: asyncio.Transport | None = getattr(self, "_transport", None)
        if transport is not None:
            transport.abort()

    def stop(self) -> None:
        """Close whatever goes on."""
        if self.call is None:
            self.close()
        else:
            self._fail("upstream.stopped", "", blame=False)

    # -- the call's side

    def write_body(self, data: bytes) -> bool:
        """More of a streamed request; False when the sink has to wait for ``on_drain``."""
        self._transport.write(data)
        return not self._blocked

    def end_body(self, last: bytes) -> None:
        """The streamed request is complete: the server's time to answer begins."""
        if last:
            self._transport.write(last)
        if self.call is not None:
            self.rearm(self.call)

    def pause_answer(self) -> None:
        """Stop reading. The server is not to blame for the silence, so only the total time-out goes on."""
        if not self._paused and self.call is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()
            self.rearm(self.call)

    def resume_answer(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
            if self.call is not None:
                self.rearm(self.call)

    def abandon(self) -> None:
        """The call was aborted: what is left of the answer is nobody's."""
        self.call = None
        self._transport.abort()
        self.pool.remove(self)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        call = self.call
        if call is None:
            if not self._transport.is_closing():
                self.close()
            return
        if self._late is not None:  # reading was resumed meanwhile
            self._late += data
            return
        if not self._responded:
            self._responded = True
            if call.sink.awaits_turn(self):
                self._late = data
                self.pause_answer()
                return
        try:
            if self._decoder is None:
                if self._held is None:
                    end = data.find(b"\r\n\r\n")
                    head = known_response(data[:end], self._bounds)
                    # Nearly every answer: a head like one before it, and the whole body behind it.
                    if head is not None and head.length == len(data) - end - 4 and not call.head.startswith(b"HEAD "):
                        self._take_whole(call, head, data[end + 4 :])
                        return
                self._read_head(call, data)
            else:
                self._read_body(call, self._decoder, data)
        except HTTPError as error:
            if self.call is not call:
                return
            chosen = error.reason in CHOSEN
            if chosen:
                self.pool.upstream.failures[self.pool.name, "upstream.garbage"] += 1
            self._fail("upstream.garbage", error.reason, blame=not chosen)

    def go_on(self) -> None:
        """See ``LateAnswer``."""
        late, call = self._late, self.call
        if late is None:
            return
        self._late = None
        if call is None:
            return
        if not call.paused:
            self.resume_answer()
        self.data_received(late)

    def eof_received(self) -> None:
        """Half-closed is closed: ``connection_lost`` follows."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.go_on()
        call = self.call
        if call is None:
            self.pool.remove(self)
            return
        decoder = self._decoder
        if exc is None and type(decoder) is UntilCloseDecoder:
            self._finish(call, False)
        elif self._responded:
            self._fail("upstream.closed", "body" if call.head_relayed else "head")
        elif call.idempotent and call.body is not None and call.repeated < self.pool.upstream.settings.retries:
            self._leave(call)
            pool = self.pool
            pool.discard(self)
            if not self._used:
                pool.upstream.failed(pool, "upstream.closed")
            pool.upstream.repeat(call)
            pool.freed()
        else:
            # A server that closes a kept connection just when it is used does nothing wrong.
            self._fail("upstream.closed", "reused" if self._used else "unanswered", blame=not self._used)

    def pause_writing(self) -> None:
        self._blocked = True
        self._unsent = self._transport.get_write_buffer_size()
        if self.call is not None:
            self.rearm(self.call)

    def resume_writing(self) -> None:
        self._blocked = False
        call = self.call
        if call is None:
            return
        self.rearm(call)
        if not call.complete:
            call.sink.on_drain()

    # -- reading

    def _read_head(self, call: UpstreamCall, data: bytes) -> None:
        searched = 0
        held = self._held
        if held is not None:
            searched = len(held)
            held += data
            if find_head(held, self._bounds, 0, searched) < 0:
                return  # and the time to answer runs on
            data = bytes(held)
            self._held = None
        at = 0
        while True:
            end = find_head(data, self._bounds, at, searched)
            if end < 0:
                self._held = bytearray(data[at:]) if at < len(data) else None
                if at:
                    self.rearm(call)  # after a 100 or 103 the server may think for as long as before
                return
            head = parse_response(data[at:end], self._bounds)
            at = end + 4
            if head.status >= 200:
                break
            if head.status == 101:
                self._switch(call, head, data[at:])
                return
            call.informational += 1
            if call.informational > self.pool.upstream.settings.max_informational:
                raise HTTPError("head.too_many_fields")
            call.sink.on_informational(head)
            if self.call is not call:
                return
        self._begin_body(call, head, data, at)

    def _begin_body(self, call: UpstreamCall, head: ResponseHead, data: bytes, at: int) -> None:
        length = head.body_length(b"HEAD" if call.head.startswith(b"HEAD ") else b"")
        size = len(data) - at
        if 0 <= length <= size:
            self._take_whole(call, head, data[at : at + length], size == length)
            return
        self._keep = head.keep_alive
        if b"keep-alive" in head.fields:
            self._heed(head.fields[b"keep-alive"])
        call.head_relayed = True
        sink = call.sink
        sink.on_head(head, length != 0)
        if self.call is not call:
            return
        decoder = self._decoder = decoder_for(length)
        if size:
            self._read_body(call, decoder, data[at:])
        else:
            self.rearm(call)

    def _read_body(self, call: UpstreamCall, decoder: BodyDecoder, data: bytes) -> None:
        body = decoder.feed(data)
        if body:
            call.relayed += len(body)
            call.sink.on_data(body)
            if self.call is not call:
                return
        if decoder.done:
            self._finish(call, not decoder.rest)
        else:
            self.rearm(call)

    def _take_whole(self, call: UpstreamCall, head: ResponseHead, body: bytes, clean: bool = True) -> None:
        """An answer that came at once. ``clean``: nothing came behind it."""
        self._keep = head.keep_alive
        if b"keep-alive" in head.fields:
            self._heed(head.fields[b"keep-alive"])
        call.head_relayed = True
        call.relayed = len(body)
        self._part(call, clean)
        call.sink.on_whole(head, body)

    def _heed(self, hint: bytes) -> None:
        """A connection that is kept is closed before the server does: it said when it will (``timeout=5``)."""
        matched = _keep_alive_timeout(hint)
        if matched is not None:
            seconds = int(matched[1])
            self._idle_wait = min(self.pool.upstream.settings.idle_timeout, max(seconds - 1, seconds / 2)) + TICK

    def _switch(self, call: UpstreamCall, head: ResponseHead, early: bytes) -> None:
        if not call.upgrade:
            raise HTTPError("head.upgrade")
        self._leave(call)
        call.over()
        self.resume_answer()
        pool = self.pool
        pool.discard(self)
        pool.upgraded += 1
        pool.health.failures = 0
        released = False

        def release() -> None:
            nonlocal released
            if not released:
                released = True
                pool.upgraded -= 1

        cast("UpgradeSink", call.sink).on_upgraded(head, self._transport, early, release)
        pool.freed()

    # -- ends

    def rearm(self, call: UpstreamCall) -> None:
        """The deadline of the state that the call is in."""
        if call.head_relayed:
            wait = NEVER if self._paused else self._read_wait
            if call.hushed:
                wait = min(wait, HUSHED)
        elif self._blocked:
            wait = self._read_wait
        elif self._paused or not call.complete:
            wait = NEVER  # it is us, or the client, who keeps the server waiting
        else:
            wait = self._answer_wait
        self.deadline = min(self._sweep.now + wait, call.ends_at)

    def _leave(self, call: UpstreamCall) -> None:
        """Connection and call part."""
        self.call = None
        self._decoder = None
        self._held = None
        self._late = None
        call.connection = None

    def _finish(self, call: UpstreamCall, clean: bool) -> None:
        """The answer is complete; ``clean``: nothing came behind it."""
        self._part(call, clean)
        call.sink.on_end()

    def _part(self, call: UpstreamCall, clean: bool) -> None:
        """Connection and call part in good order, before the sink hears that the answer is over."""
        self.call = None
        self._decoder = None
        call.connection = None
        call.done = True
        client, route = call.client, call.route
        if client is not None and route is not None:  # as ``call.over``, without its frame
            client.held -= 1
            route.held -= 1
        pool = self.pool
        pool.health.failures = 0
        if self._paused:
            self.resume_answer()
        if clean and self._keep and call.complete and not self._blocked and not self._transport.is_closing():
            self._used += 1
            self.keep_idle()
            pool.release(self)
        else:
            self.close()
            pool.freed()

    def _fail(self, reason: str, detail: str, *, blame: bool = True) -> None:
        """The call ends here, and the connection with it. ``blame``: it counts against the server's health."""
        call = self.call
        assert call is not None
        self._leave(call)
        self._transport.abort()
        pool = self.pool
        pool.discard(self)
        if blame:
            pool.upstream.failed(pool, reason)
        call.fail(reason, pool.name, detail)
        pool.freed()
