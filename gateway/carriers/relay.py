"""From the upstream to the client: bytes as they come, and frames of ours at the boundaries between messages.

Laws:

* nothing is joined or unmasked, nor held back but where small frames come in masses: what the upstream sends leaves in
  the same turn of the loop, as far as the turn of the client's address goes, and the rest in the next;
* a frame of ours never lands inside a frame, and none with data between the fragments of a message;
* nothing follows a close frame, whoever sent it;
* when the client reads too slowly the upstream is not read, so that ``max_buffered`` and one read wait at most.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway.websocket import endings
from gateway.websocket.boundary import BoundaryTracker
from gateway.websocket.frames import close_frame, frame
from gateway.websocket.opcodes import PING, PONG

if TYPE_CHECKING:
    from gateway.carriers.link import Link

PAYLOAD: Final = b"tidegate"
"""Of our own pings: a pong with it answers us and goes no further."""
_PING: Final = frame(PING, PAYLOAD)
_PONG: Final = frame(PONG, PAYLOAD)

PIECE: Final = 4096
"""Bytes between whose frames boundaries are looked for at once: a read may hold tens of thousands of small ones."""
MAX_WAITING: Final = 16
"""Notices that wait for a boundary, or for a slow client; with more the client itself is not read."""


class Relay(asyncio.Protocol):
    """The upstream's side of one link: the protocol of its transport.

    ``ended``: the client gets nothing more, because our own close frame was sent or nobody is there. ``waits``: for the
    next turn of the client's address; the upstream is not read meanwhile.
    """

    __slots__ = ("_client", "_goodbye", "_link", "_paused", "_rest", "_tracker", "_waiting", "ended", "waits")

    def __init__(self, link: Link, client: asyncio.Transport, *, extensions: bool) -> None:
        self._link = link
        self._client = client
        self._tracker = BoundaryTracker(extensions=extensions)
        self._waiting: list[bytes] | None = None
        self._goodbye = b""
        self._rest = b""  # came when the turn was over
        self._paused = False  # and so the upstream is not read
        self.waits = False
        self.ended = False

    # what the transport tells

    def data_received(self, data: bytes) -> None:
        link = self._link
        link.bytes_down += len(data)
        live = link.live
        live.upstream = now = link.sweep.now
        if self._rest:
            self._rest += data
        elif self._waiting is None and not self.ended and self._tracker.whole(data):
            live.spoke = now
            self._client.write(data)
        else:
            self._take(data)

    def go_on(self) -> None:
        """See ``turns.TurnWaiting``."""
        self.waits = False
        rest, self._rest = self._rest, b""
        self._take(rest)
        if not self.waits and self._paused:
            self._paused = False
            self._link.relay_goes_on()

    def _take(self, data: bytes) -> None:
        """Pass on piece by piece, as far as the turn goes."""
        link = self._link
        account = link.account
        turns = account.turns
        if account.turn != turns.number:
            turns.begin(account)
        account.left -= turns.read
        tracker = self._tracker
        at = 0
        while at < len(data):
            if account.left <= 0 and not link.gone:
                self._rest = data[at:]
                self.waits = True
                if not self._paused:
                    self._paused = True
                    link.relay_waits()
                turns.wait(account, self)
                return
            piece = data[at : at + PIECE]
            at += PIECE
            before = tracker.frames
            self._pass_on(piece)
            account.left -= len(piece) * turns.byte + (tracker.frames - before) * turns.chunk

    def _pass_on(self, data: bytes) -> None:
        link = self._link
        tracker = self._tracker
        # An answer to our own ping comes alone nearly always: the upstream was silent. Where it does not, the client
        # gets a pong that it did not ask for, which means nothing (RFC 6455 section 5.5.3).
        if self.ended or tracker.closed or (data == _PONG and tracker.between_frames):
            return
        link.live.spoke = link.live.upstream
        cut = tracker.cut(data)
        if tracker.error is not None:
            if cut:
                self._client.write(data[:cut])
            link.end(endings.UPSTREAM_GARBAGE)
            return
        if self._waiting is None or not cut or tracker.closed:
            self._client.write(data)
        else:
            self._client.write(data[:cut])
            self._send_waiting()
            if not self.ended and cut < len(data):
                self._client.write(data[cut:])
        if self.closed:
            link.upstream_closes()

    def eof_received(self) -> bool:
        """A server that says no more has ended the socket: ``connection_lost`` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        rest, self._rest = self._rest, b""
        for at in range(0, len(rest), PIECE):
            self._pass_on(rest[at : at + PIECE])
        self._link.upstream_lost()

    def pause_writing(self) -> None:
        self._link.upstream_slow(True)

    def resume_writing(self) -> None:
        self._link.upstream_slow(False)

    # what the link inserts

    @property
    def closed(self) -> bool:
        """The upstream has sent its close frame."""
        return self._tracker.closed

    @property
    def close_code(self) -> int:
        """Of the upstream's close frame; 0 where none came."""
        return self._tracker.close_code

    @property
    def frames(self) -> int:
        """Messages and control frames that the upstream has sent."""
        return self._tracker.frames

    def insert(self, inserted: bytes) -> bool:
        """Send a data frame of ours at the next boundary between messages. False where too many wait."""
        if self.ended or self._goodbye or self._tracker.closed:
            return True
        waiting = self._waiting
        if waiting is not None:
            waiting.append(inserted)
            return len(waiting) < MAX_WAITING
        if self._tracker.between_messages and not self._link.client_slow:
            self._client.write(inserted)
        else:
            self._waiting = [inserted]
        return True

    def client_reads(self) -> None:
        """The client is no longer slow: what waits goes, if the upstream is not amid a message."""
        if self._waiting is not None and self._tracker.between_messages:
            self._send_waiting()

    def ping(self) -> bool:
        """Ping the client; False amid a frame."""
        if self.ended or self._tracker.closed or not self._tracker.between_frames:
            return False
        self._client.write(_PING)
        return True

    def close(self, code: int, reason: str) -> bool:
        """Send the client a close frame, now or where the upstream's frame ends. False where it can never be sent."""
        tracker = self._tracker
        if self.ended or self._goodbye or tracker.closed:
            return True
        if not tracker.between_frames:
            if tracker.error is not None:
                return False
            self._goodbye = close_frame(code, reason)
            if self._waiting is None:
                self._waiting = []
            return True
        if tracker.between_messages and self._waiting is not None:
            self._send_waiting()
        self._client.write(close_frame(code, reason))
        self.ended = True
        self._waiting = None
        return True

    def _send_waiting(self) -> None:
        waiting = self._waiting
        self._waiting = None
        if waiting:
            self._client.write(b"".join(waiting))
        if self._goodbye:
            self._client.write(self._goodbye)
            self.ended = True
        else:
            self._link.notices_sent()


def _over() -> Relay:
    relay = Relay.__new__(Relay)
    relay._tracker = BoundaryTracker()
    relay._waiting = None
    relay._goodbye = b""
    relay._rest = b""
    relay._paused = False
    relay.waits = False
    relay.ended = True
    return relay


OVER: Final = _over()
"""What a link has when both its connections are gone: so that link and relay do not keep each other."""
