"""Why an upstream gave no answer: one exception, one table of reasons."""

from __future__ import annotations

from typing import Final

from filters.model.errors import TidegateError

REASONS: Final[dict[str, tuple[int, str]]] = {
    "upstream.refused": (502, "No server of the upstream accepted a connection"),
    "upstream.connect_timeout": (504, "No server of the upstream accepted a connection in time"),
    "upstream.tls": (502, "The TLS handshake with the upstream failed, or its certificate was not accepted"),
    "upstream.closed": (502, "The upstream closed the connection before its answer was complete"),
    "upstream.garbage": (502, "The upstream's answer broke HTTP/1.1 or a bound"),
    "upstream.timeout": (504, "The upstream did not answer, or stopped answering, in time"),
    "upstream.busy": (503, "All connections to the upstream were in use, and the wait for one was over"),
    "upstream.stopped": (503, "The gateway stopped, or took the server out of its configuration"),
}
"""``reason: (status, title)``, as in ``errors.REASONS``: what the client is answered when no head was relayed yet.

502, 503 and 504 as RFC 9110 sections 15.6.3 to 15.6.5 mean them.
"""

CHOSEN: Final = frozenset(
    (
        "body.chunk_extension",
        "body.trailer_fields",
        "head.control_character",
        "head.field_line",
        "head.field_name",
        "head.folded_line",
        "head.length_and_encoding",
        "head.repeated_content_length",
        "head.too_large",
        "head.too_many_fields",
        "head.transfer_encoding",
        "head.upgrade",
    )
)
"""What is refused in an answer by our own choice, for others would take it: a bound, or what two readers may read in
two ways. The server that sends it is well, and goes on getting requests."""


class UpstreamError(TidegateError):
    """A call that failed. It carries no byte of the request or of the answer.

    - ``reason``: a key of ``REASONS``.
    - ``sent``: whether any byte of the request may have reached a server. ``False`` means that nothing was published.
    - ``head_relayed``: whether ``on_head`` was called; ``relayed``: the body bytes handed to the sink.
    - ``server``: the configured address of the last server tried, empty when none was.
    - ``detail``: for logs and metrics, from a small fixed set of words (``head.too_large``, ``queue`` …).
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
        return REASONS[self.reason][0]
