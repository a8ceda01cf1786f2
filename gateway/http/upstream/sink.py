"""Where an upstream's answer goes: what the server side implements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.http.upstream.failure import UpstreamError
    from gateway.http.wire.head import ResponseHead


class LateAnswer(Protocol):
    """An answer whose first bytes are here, and not taken yet."""

    def go_on(self) -> None:
        """Take them; nothing where that is done, or the call is over."""


class ResponseSink(Protocol):
    """Receives one answer: informational*, then head, data*, end, or whole instead of these three; or error at any
    point before end.

    No method is called before ``Upstream.start`` has returned, and none after ``on_end``, ``on_whole``, ``on_error``
    or ``UpstreamCall.abort``.
    """

    def awaits_turn(self, answer: LateAnswer) -> bool:
        """The answer begins to come. True: it is to be taken in a later turn of the loop, and the sink sees to it that
        ``answer.go_on`` is called then. What only we ask for waits for nobody."""
        return False

    def on_informational(self, head: ResponseHead) -> None:
        """A 1xx answer other than 101: 100, 103 …"""

    def on_head(self, head: ResponseHead, more: bool) -> None:
        """The final answer's head. ``more`` is false where no body follows: ``on_end`` comes next."""

    def on_data(self, data: bytes) -> None:
        """Body bytes, chunk framing removed; never empty."""

    def on_end(self) -> None:
        """The answer is complete."""

    def on_whole(self, head: ResponseHead, body: bytes) -> None:
        """All of an answer, for it came in one piece and is of a length that was announced: head, data and end at
        once, so that it can go on in one write; the call is over. ``body`` may be empty. A sink that gains nothing by
        it inherits this."""
        self.on_head(head, bool(body))
        if body:
            self.on_data(body)
        self.on_end()

    def on_error(self, error: UpstreamError) -> None:
        """No answer, or no more of it: ``error.head_relayed`` and ``error.relayed`` say how much there was."""

    def on_drain(self) -> None:
        """After ``UpstreamCall.write`` returned false: there is room again for the request's body."""


class UpgradeSink(ResponseSink, Protocol):
    """Receives the answer to an upgrade: ``on_upgraded`` for a 101, the methods above for anything else."""

    def on_upgraded(
        self, head: ResponseHead, transport: asyncio.Transport, early: bytes, release: Callable[[], None]
    ) -> None:
        """The upstream switched protocols; the transport belongs to the sink from here on.

        Before it returns the sink calls ``transport.set_protocol`` and takes ``early`` (bytes that came right behind
        the head) as the first received bytes. Once, in its ``connection_lost``, it calls ``release()``. ``on_end``
        and ``on_error`` are not called any more.
        """
