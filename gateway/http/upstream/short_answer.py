"""A question of the gateway's own to a platform: a request without a body, and a bounded answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.http.upstream.sink import ResponseSink

if TYPE_CHECKING:
    from gateway.http.upstream.upstream import Upstream
    from gateway.http.upstream.upstream_call import UpstreamCall
    from gateway.http.wire.head import ResponseHead


class ShortAnswer(ResponseSink):
    """``most``: bytes of the answer's body. Who asks says what a head means (``on_head``), and an answer that does not
    come (``on_error``). A short body is read to its end, which keeps the connection."""

    __slots__ = ("_call", "_left")

    def __init__(self, most: int) -> None:
        self._call: UpstreamCall | None = None
        self._left = most

    def ask(self, upstream: Upstream, head: bytes) -> None:
        """Send ``head``, complete, with its empty line."""
        self._call = upstream.start(head, b"", self, idempotent=True)

    def give_up(self) -> None:
        """Nothing is heard of it any more."""
        if self._call is not None:
            self._call.abort()
            self._call = None

    def on_informational(self, head: ResponseHead) -> None:
        """Not the answer yet."""

    def on_data(self, data: bytes) -> None:
        """A part of the body."""
        self._left -= len(data)
        if self._left < 0 and self._call is not None:
            self.on_too_long()
            self.give_up()

    def on_too_long(self) -> None:
        """The body is longer than the bound; nothing more comes."""

    def on_end(self) -> None:
        """The answer is complete."""

    def on_drain(self) -> None:
        """Nothing is streamed."""
