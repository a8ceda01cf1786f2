"""How a client's connection is answered: heads made for the client's version of HTTP and for what becomes of the
connection, and bodies behind them; and when it is read.

``ServerProtocol`` is the rest of the connection: reading, states, time.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.common.sweep import NEVER
from gateway.common.unread import unread
from gateway.http.wire import forwarding
from gateway.http.wire.head import ResponseHead

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.server import Server
    from gateway.http.server.turns import TurnAccount

JOIN_BELOW: Final = 65536
"""Bytes of an answer's body up to which copying it behind its head costs less than a second write."""


class Answering(asyncio.Protocol):
    """``exchange``: the request that is being answered, None between two. ``account``: whom it is charged to.

    ``deadline``: when the sweep calls ``overdue``. ``writable``: the client reads as fast as we write.
    ``_whole``: nothing of it is to come. ``_waits``: for its address's next turn, or for the end of an overload;
    ``_since``: when it began to wait for that turn (perf_counter), 0 where it does not.
    """

    __slots__ = (
        "_keep_alive", "_reading", "_since", "_transport", "_unread", "_waits", "_whole", "account", "deadline",
        "exchange", "server", "writable",
    )  # fmt: skip

    _transport: asyncio.Transport
    account: TurnAccount

    def __init__(self, server: Server) -> None:
        self.server = server
        self.exchange: Exchange | None = None
        self.deadline = NEVER
        self.writable = True
        self._keep_alive = True
        self._reading = True
        self._since = 0.0
        self._unread = -1
        self._waits = False
        self._whole = True

    @property
    def request_complete(self) -> bool:
        """Whether the body has been received to its end."""
        return self._whole

    @abstractmethod
    def finished(self) -> None:
        """The answer is written."""

    def write(self, data: bytes) -> None:
        """Body bytes, framed."""
        self._transport.write(data)

    def write_informational(self, head: ResponseHead) -> None:
        """Relay a 1xx answer."""
        self._transport.write(forwarding.informational_head(head))

    def write_whole(self, head: ResponseHead, extra: bytes, body: bytes) -> None:
        """Write the upstream's answer, whole, and be done with the exchange."""
        lines, _ = self._answer_head(head, extra)
        if len(body) <= JOIN_BELOW:
            self._transport.write(lines + body)
        else:
            self._transport.write(lines)
            self._transport.write(body)
        self.finished()

    def write_head(self, head: ResponseHead, extra: bytes) -> bool:
        """Write the upstream's head; true where its body has to be chunked."""
        lines, chunked = self._answer_head(head, extra)
        self._transport.write(lines)
        return chunked

    def _answer_head(self, head: ResponseHead, extra: bytes) -> tuple[bytes, bool]:
        exchange = self.exchange
        assert exchange is not None
        if head.relayed and self._keep_alive and exchange.head.minor and not self.server.draining:
            return head.relayed + extra + b"\r\n", False
        lines, chunked, keep_alive = forwarding.response_head(
            head,
            method=exchange.method,
            minor=exchange.head.minor,
            keep_alive=self._keep_alive and not self.server.draining,
            extra=extra,
        )
        self._keep_alive = keep_alive
        return lines, chunked

    def write_answer(self, status: int, lines: bytes, body: bytes, content_type: bytes) -> None:
        """Write an answer of our own, whole, and be done with the exchange."""
        exchange = self.exchange
        if exchange is None:
            return
        if not self.request_complete or self.server.draining:
            self._keep_alive = False
        self._write_own(status, lines, body, content_type, head_only=exchange.method == b"HEAD")
        self.finished()

    def _write_own(self, status: int, lines: bytes, body: bytes, content_type: bytes, *, head_only: bool) -> None:
        exchange = self.exchange
        if not self._keep_alive:
            lines += b"Connection: close\r\n"
        elif exchange is not None and exchange.head.minor == 0:
            lines += b"Connection: keep-alive\r\n"
        head = forwarding.own_head(status, self.server.date_line + lines, len(body), content_type)
        self._transport.write(head if head_only else head + body)

    # clients that read slowly

    def _watch_reading(self, seconds: float) -> None:
        """What is unread now is held against what is when so many seconds are over."""
        self._unread = unread(self._transport)
        self.deadline = self.server.sweep.after(seconds)

    def _reads_at_all(self) -> bool:
        """Whether anything was read since it was last looked at."""
        return unread(self._transport) < self._unread

    def _reads_on(self) -> bool:
        """Whether as much was read since it was last looked at as must be; then its time begins anew."""
        settings = self.server.settings
        if self._unread - unread(self._transport) < max(1, settings.min_send_rate * settings.stall_timeout):
            return False
        self._watch_reading(settings.stall_timeout)
        return True

    def _leave(self) -> None:
        """Close where nothing is under way. With TLS, the other end is waited for while it reads."""
        self._transport.close()
        if self.writable:
            self._watch_reading(self.server.settings.linger_timeout)

    # reading

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        if self._reading:
            self._reading = False
            if not self._waits:
                self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the client."""
        if not self._reading and not self._transport.is_closing():
            self._reading = True
            if not self._waits:
                self._transport.resume_reading()

    def wait_turn(self) -> None:
        """As much as may be was taken of this address in this turn: the rest is, unread, in the next."""
        if not self._waits:
            self._waits = True
            if not self._since:
                self._since = perf_counter()
            if self._reading:
                self._transport.pause_reading()
            self.server.turns.wait(self.account, self)

    def rest(self) -> None:
        """It was told to come back later. Reading stops with the first that it sends before: who does as told costs
        two system calls less."""
        if not self._waits:
            self._waits = True
            self._since = 0.0
            self.server.queueing.rest(self)

    @abstractmethod
    def go_on(self) -> None:
        """See ``turns.TurnWaiting`` and ``queueing.Resting``."""
