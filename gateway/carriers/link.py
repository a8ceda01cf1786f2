"""A client's socket and the upstream's, bound together: bytes both ways, back-pressure, and how both end.

``Link`` relays a socket that nobody judges; ``session.Session`` is the link of a judged one. It is the protocol of the
client's transport; ``relay.Relay`` is that of the upstream's.

How a link ends. A close frame of either side goes to the other one, with its code, and its answer comes back the same
way; behind both the client's connection is closed here (RFC 6455 section 7.1.1: the server closes first) and the
upstream closes its own. A client that goes without a word leaves a half-closed connection to the upstream, so that what
was written to it is read there. When the gateway ends a link (``end``, a reason of ``endings``) the client gets the
reason's close code, the upstream 1001. Whatever happens, both connections are gone ``CLOSE_WAIT`` seconds later.

No timer belongs to a link: ``deadline`` is a number, and the sweep compares it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.carriers.liveness import PING_CLIENT, PING_UPSTREAM, Liveness
from gateway.carriers.relay import OVER, PIECE, Relay
from gateway.common.sweep import NEVER
from gateway.http.server.turns import CROWD, LARGE
from gateway.websocket import endings, frames
from gateway.websocket.boundary import BoundaryTracker
from gateway.websocket.opcodes import ABNORMAL, NO_STATUS, may_be_sent

if TYPE_CHECKING:
    from gateway.carriers.sockets import Sockets
    from gateway.common.sweep import Sweep
    from gateway.http.server.exchange import TakenOver
    from gateway.http.server.turns import TurnAccount
    from gateway.websocket.habits import Habits

CLOSE_WAIT: Final = 5.0
"""Seconds for the two sides to say goodbye."""

NAMELESS: Final = ("", "")

# Why the client is not read: bits.
UPSTREAM_SLOW: Final = 1
HELD: Final = 2
NOTICES: Final = 4
TURN: Final = 8
ASKING: Final = 16


class Link(asyncio.Protocol):
    """``name``: the route's. ``named``: the ids of its request and trace, where an access log tells of them.
    ``closing``: a deadline for the end runs; nothing new is taken on. ``account``: to whom the client's turns are
    charged (``http/server/turns.py``)."""

    __slots__ = (
        "_client",
        "_client_closed",
        "_client_eof",
        "_client_up",
        "_pauses",
        "_release_client",
        "_release_upstream",
        "_said_goodbye",
        "_tracker",
        "_unfollowed",
        "_upstream",
        "_upstream_up",
        "_waits",
        "account",
        "began",
        "bytes_down",
        "bytes_up",
        "closing",
        "deadline",
        "ended_as",
        "habits",
        "live",
        "name",
        "named",
        "relay",
        "sockets",
        "sweep",
    )

    account: TurnAccount
    relay: Relay
    _client: asyncio.Transport
    _upstream: asyncio.Transport
    _release_client: Callable[[], None]
    _release_upstream: Callable[[], None]

    def __init__(self, sockets: Sockets, name: str, habits: Habits) -> None:
        self.sockets = sockets
        self.sweep: Sweep = sockets.sweep
        self.name = name
        self.named = NAMELESS
        self.habits = habits
        self.live = Liveness(self.sweep.now)
        self.deadline = NEVER
        self.closing = False
        self._client_up = self._upstream_up = True
        self._client_closed = 0  # the code of its close frame, once that has come
        self._client_eof = False
        self._pauses = 0
        self._waits = False  # for its address's next turn
        self._said_goodbye = False  # it is we who end
        self._tracker: BoundaryTracker | None = None  # of what the client sends, where nobody reads it otherwise
        self._unfollowed = b""  # went up, and its frames are not looked at yet
        self.began = perf_counter()
        self.bytes_up = self.bytes_down = 0  # what the client has sent, and what the upstream has
        self.ended_as = ""  # the reason of ours, where it is we who end

    def open(
        self,
        taken: TakenOver,
        answer: bytes,
        upstream: asyncio.Transport,
        early: bytes,
        release: Callable[[], None],
        *,
        extensions: bool,
    ) -> None:
        """Begin. ``answer``: the 101 for the client. ``early``: what came right behind the upstream's own 101."""
        client = self._client = taken.transport
        self._upstream = upstream
        self._release_client = taken.release
        self.account = taken.account
        self.account.members.add(self)
        self._release_upstream = release
        self.relay = Relay(self, client, extensions=extensions)
        self._follow(extensions)
        high = self.habits.max_buffered
        client.set_write_buffer_limits(high=high, low=high // 4)
        upstream.set_write_buffer_limits(high=high, low=high // 4)
        client.set_protocol(self)
        upstream.set_protocol(self.relay)
        self.deadline = self.live.next(self.habits)
        self.sockets.opened(self)
        client.write(answer)
        if early:
            self.relay.data_received(early)
        if taken.early:
            self.data_received(taken.early)

    def _follow(self, extensions: bool) -> None:
        """Find the end of what the client sends: its close frame."""
        self._tracker = BoundaryTracker(extensions=extensions, masked=True)

    # what the client's transport tells

    def data_received(self, data: bytes) -> None:
        self.bytes_up += len(data)
        live = self.live
        live.client = live.spoke = self.sweep.now
        if self._upstream_up and not self._upstream.is_closing():
            self._upstream.write(data)
        account = self.account
        turns = account.turns
        account.reads += 1 + (len(data) >> LARGE)
        if account.reads >= CROWD:
            turns.crowded(account)
        if account.turn != turns.number:
            turns.begin(account)
        account.left -= turns.read + len(data) * turns.byte
        if account.left <= 0:
            self._wait_turn()
        tracker = self._tracker
        if tracker is not None and (self._unfollowed or not tracker.whole(data)):
            self._unfollowed += data
            self._follow_on(tracker)

    def _follow_on(self, tracker: BoundaryTracker) -> None:
        """Look for the client's close frame, as far as the turn goes."""
        account = self.account
        turns = account.turns
        data, self._unfollowed = self._unfollowed, b""
        at = 0
        while at < len(data) and not self._client_closed and tracker.error is None:
            if account.turn != turns.number:
                turns.begin(account)
            if account.left <= 0 and at:
                self._unfollowed = data[at:]
                self._wait_turn()
                return
            before = tracker.frames
            tracker.cut(data[at : at + PIECE])
            at += PIECE
            account.left -= (tracker.frames - before) * turns.chunk
            if tracker.closed:
                self._client_closes(tracker.close_code)

    def _client_closes(self, code: int) -> None:
        """The client's close frame went up. Where it answers one that was sent before, the closing is complete, and the
        server's side closes the connection at once (RFC 6455 section 7.1.1)."""
        self._begin_end()
        self._client_closed = code if may_be_sent(code) else NO_STATUS
        if self._said_goodbye or self.relay.closed:
            self._client.close()
        elif not self._upstream_up:
            self._answer_close()

    def eof_received(self) -> bool:
        """A half-closed client may still read, so its side stays open until the upstream ends."""
        self._client_eof = True
        if self.relay.ended or self._client_closed or not self._upstream_up:
            return False
        self._leave()
        return self._client.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client_up = False
        self.account.members.discard(self)
        self._release_client()
        self.relay.ended = True
        if self._upstream_up:
            self._leave()
            # An upstream that is not read because the client was slow would never be seen to close.
            self._read_upstream(True)
        else:
            self._gone()

    def pause_writing(self) -> None:
        live = self.live
        live.client_slow = self.sweep.now
        self.deadline = min(self.deadline, live.client_slow + self.habits.slow_timeout)
        self._read_upstream(False)

    def resume_writing(self) -> None:
        self.live.read_upstream_again(self.sweep.now)
        self._read_upstream(True)
        self.relay.client_reads()

    # what the relay tells

    @property
    def client_slow(self) -> bool:
        """The client has more than the bound still to read."""
        return self.live.client_slow != NEVER

    def upstream_slow(self, slow: bool) -> None:
        """The upstream has more than the bound still to read, or no longer."""
        live = self.live
        if slow:
            live.upstream_slow = self.sweep.now
            self.deadline = min(self.deadline, live.upstream_slow + self.habits.slow_timeout)
            self._stop_reading(UPSTREAM_SLOW)
        else:
            live.upstream_slow = NEVER
            self._go_on_reading(UPSTREAM_SLOW)

    def upstream_closes(self) -> None:
        """The upstream's close frame was relayed."""
        self._begin_end()
        if self._client_closed:
            self._client.close()

    def upstream_lost(self) -> None:
        """The upstream's connection is over."""
        self._upstream_up = False
        self._release_upstream()
        if not self._client_up:
            self._gone()
        elif self.relay.closed or self.relay.ended:
            self._upstream_left()
        elif self._client_closed:
            self._answer_close()
        elif self._client_eof:
            self._say_goodbye(endings.UPSTREAM_CLOSED)
            self._client.close()
        else:
            self.end(endings.UPSTREAM_CLOSED)

    def notices_sent(self) -> None:
        """Nothing of ours waits any more."""

    # what is told of it in the end

    @property
    def frames_up(self) -> int | None:
        """Messages and control frames that the client has sent; None where nobody reads them."""
        return None

    @property
    def close_code(self) -> int:
        """With which code it ended: ours, else the client's, else the upstream's; 1006 where nobody closed it
        (RFC 6455 section 7.1.5)."""
        ours = endings.code_of(self.ended_as) if self.ended_as else 0
        return ours or self._client_closed or self.relay.close_code or ABNORMAL

    # ends

    def end(self, reason: str) -> None:
        """End the link for a reason of ours."""
        if not self.closing:
            self._begin_end()
            self._say_goodbye(reason)

    def abort(self) -> None:
        """Cut both connections."""
        for up, transport in ((self._client_up, self._client), (self._upstream_up, self._upstream)):
            if up:
                transport.abort()

    def overdue(self, now: float) -> None:
        """The deadline has passed."""
        if self.closing:
            self.deadline = now + CLOSE_WAIT
            self.abort()
            return
        live = self.live
        while due := live.due(now, self.habits):
            if due == PING_CLIENT:
                if not self.relay.ping():
                    live.client = now  # amid a frame: asked again after an interval
            elif due == PING_UPSTREAM:
                self._ping_upstream(now)
            else:
                self.end(due)
                return
        self.deadline = live.next(self.habits)

    def _ping_upstream(self, now: float) -> None:
        """Nobody knows whether the client is amid a frame: an upstream that is only relayed to is never pinged."""
        self.live.upstream = now

    def _begin_end(self) -> None:
        if not self.closing:
            self.closing = True
            self.deadline = self.sweep.after(CLOSE_WAIT)

    def _say_goodbye(self, reason: str) -> None:
        self._said_goodbye = True
        self.ended_as = reason
        self.sockets.count_end(self.name, reason)
        code = endings.code_of(reason)
        if not self._client_up:
            return
        if not self.relay.close(code, reason):
            self._client.abort()
        elif reason in frames.REASONS and self.relay.ended and self._client.can_write_eof():
            # The client's answer will not be understood: end our half at once, throw away what comes, wait for its own.
            self._client.write_eof()

    def _leave(self) -> None:
        """The client sends no more: tell the upstream, which then closes."""
        self._begin_end()
        if self._upstream_up:
            if self._upstream.can_write_eof():
                self._upstream.write_eof()
            else:
                self._upstream.close()

    def _answer_close(self) -> None:
        """The upstream is gone, so nobody but us can answer the client's close frame: with its own code."""
        self.relay.close(self._client_closed, "")
        self._client.close()

    def _upstream_left(self) -> None:
        """The upstream said goodbye and went, or we did: what is missing is the client's answer."""
        if self._client_closed:
            self._client.close()

    def _gone(self) -> None:
        self.deadline = NEVER
        self.sockets.closed(self)
        self.relay = OVER

    # reading

    def _wait_turn(self) -> None:
        """As much as may be was taken of this address in this turn: the client is read again in the next."""
        self._stop_reading(TURN)
        if not self._waits:
            self._waits = True
            self.account.turns.wait(self.account, self)

    def hold_back(self) -> None:
        """See ``turns.TurnMember``."""
        if not self._pauses and not self._client.is_closing():
            self._wait_turn()

    def go_on(self) -> None:
        """See ``turns.TurnWaiting``."""
        self._waits = False
        if self._unfollowed and self._tracker is not None:
            self._follow_on(self._tracker)
        if not self._waits:
            self._go_on_reading(TURN)

    def relay_waits(self) -> None:
        """The upstream sends more than this turn of the client's address may take."""
        if not self.client_slow:
            self._read_upstream(False)

    def relay_goes_on(self) -> None:
        """It is taken; the upstream is read again, unless the client is slow."""
        if not self.client_slow:
            self._read_upstream(True)

    @property
    def gone(self) -> bool:
        """Whether the client is not there any more."""
        return not self._client_up

    def _stop_reading(self, why: int) -> None:
        if not self._pauses and not self._client.is_closing():
            self._client.pause_reading()
        self._pauses |= why
        self.live.client_read = False

    def _go_on_reading(self, why: int) -> None:
        before, self._pauses = self._pauses, self._pauses & ~why
        if not before or self._pauses:
            return
        self.live.read_client_again(self.sweep.now)
        # A transport that has met the end of its stream must not be read again.
        if not self._client_eof and not self._client.is_closing():
            self._client.resume_reading()

    def _read_upstream(self, read: bool) -> None:
        if self._upstream_up and not self._upstream.is_closing():
            if read and not self.relay.waits:
                self._upstream.resume_reading()
            elif not read:
                self._upstream.pause_reading()
