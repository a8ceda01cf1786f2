"""One named upstream: several servers, and calls to them."""

from __future__ import annotations

from typing import Protocol

from gateway.http.failure import REASONS, UpstreamError
from gateway.http.sink import ResponseSink, UpgradeSink

__all__ = ["REASONS", "ResponseSink", "UpgradeSink", "Upstream", "UpstreamCall", "UpstreamError"]


class UpstreamCall(Protocol):
    """One request on its way and its answer coming back."""

    def write(self, data: bytes) -> bool:
        """Body bytes of a streamed request (unframed). False: accepted, but wait for ``sink.on_drain`` before more."""
        ...

    def end(self) -> None:
        """The streamed body is complete."""

    def abort(self) -> None:
        """The client is gone: the sink hears nothing more, the connection is closed. May be called at any time."""

    def pause(self) -> None:
        """Stop reading the answer: the client is slow."""

    def resume(self) -> None:
        """Read on."""


class Upstream(Protocol):
    """Several servers behind one name."""

    def start(
        self, head: bytes, body: bytes | None, sink: ResponseSink, *, idempotent: bool, chunked: bool = False
    ) -> UpstreamCall:
        """Send a request. ``head`` is complete: request line, fields (Content-Length or Transfer-Encoding included), empty line.

        ``body`` given (``b""`` for none): sent with the head in one write, and again to another server where that
        is allowed. ``body`` None: streamed with ``UpstreamCall.write`` and ``end``; with ``chunked`` the call adds the
        chunk framing that the head announces.
        """
        ...

    def upgrade(self, head: bytes, sink: UpgradeSink) -> UpstreamCall:
        """Send an upgrade request (a WebSocket handshake)."""
        ...
