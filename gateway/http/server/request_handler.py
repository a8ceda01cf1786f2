"""What the server asks for each request: the one that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.http.upstream.failure import UpstreamError


class RequestHandler(Protocol):
    """Decides what becomes of a request. Each call may decide at once or later, in another turn of the loop."""

    def admit_request(self, exchange: Exchange) -> None:
        """A head is complete. One of ``exchange.relay``, ``collect``, ``answer``, ``refuse``, ``take_over`` follows.

        ``HTTPError`` may be raised: it is answered as the problem of its reason.
        """

    def shed(self, exchange: Exchange) -> None:
        """The worker is overloaded: refuse the request before anything is judged or recorded."""

    def on_body(self, exchange: Exchange, body: bytes) -> None:
        """The body asked for with ``collect`` is whole. One of ``forward``, ``answer``, ``refuse`` follows."""

    def language(self, exchange: Exchange) -> str:
        """The language in which a refusal of this request is told (``Sentences.chosen``); empty where nothing says."""

    def on_outcome(
        self, exchange: Exchange, status: int | None, body_prefix: bytes, error: UpstreamError | None
    ) -> None:
        """What became of a forwarded request, once: after its answer was relayed, or failed.

        ``status``: of the upstream's answer, None where no head came. ``body_prefix``: its first 64 KiB. ``error``:
        set where the answer is not complete; with ``error.sent`` nobody knows whether the message was published.
        """
