"""Why an upstream gave no answer: one exception, one table of reasons."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """``status``: what the client is answered when the upstream's head was not relayed yet (RFC 9110, 15.6)."""

    status: int
    meaning: str


REASONS: dict[str, Reason] = {
    "upstream.refused": Reason(502, "No server of the upstream accepted a connection."),
    "upstream.connect_timeout": Reason(504, "No server of the upstream accepted a connection in time."),
    "upstream.tls": Reason(502, "The TLS handshake with the upstream failed, or its certificate was not accepted."),
    "upstream.closed": Reason(502, "The upstream closed the connection before its answer was complete."),
    "upstream.garbage": Reason(502, "The upstream's answer broke HTTP/1.1 or a bound, and was not relayed further."),
    "upstream.timeout": Reason(504, "The upstream did not answer, or stopped answering, in time."),
    "upstream.busy": Reason(503, "All connections to the upstream were in use and the wait for one was over."),
    "upstream.stopped": Reason(503, "The gateway is stopping, or the upstream was taken out of its configuration."),
}


class UpstreamError(Exception):
    """A call that failed. It carries no byte of the request or of the answer.

    - ``reason``: a key of ``REASONS``.
    - ``sent``: whether any byte of the request may have reached a server. ``False`` means that nothing was published.
    - ``relayed``: body bytes that had been handed to the sink; ``head_relayed`` whether ``on_head`` was called.
    - ``server``: the configured address of the last server tried, empty when none was.
    - ``detail``: for logs and metrics, from a small fixed set of words (``head.too_large``, ``reset`` …).
    """

    def __init__(
        self,
        reason: str,
        *,
        sent: bool,
        server: str = "",
        detail: str = "",
        relayed: int = 0,
        head_relayed: bool = False,
    ) -> None:
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason
        self.sent = sent
        self.server = server
        self.detail = detail
        self.relayed = relayed
        self.head_relayed = head_relayed

    @property
    def status(self) -> int:
        """502, 503 or 504."""
        return REASONS[self.reason].status
