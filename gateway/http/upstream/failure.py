"""Why an upstream gave no answer: one exception, one table of reasons."""

from __future__ import annotations

from typing import Final

from filters.model.errors import TidegateError
from filters.model.meaning import Meaning, titled

REASONS: Final[dict[str, Meaning]] = {
    "upstream.refused": titled(502, "No server of the upstream accepted a connection", "上游服务器均未接受连接"),
    "upstream.connect_timeout": titled(
        504, "No server of the upstream accepted a connection in time", "上游服务器均未在规定时间内接受连接"
    ),
    "upstream.tls": titled(
        502,
        "The TLS handshake with the upstream failed, or its certificate was not accepted",
        "与上游服务器的 TLS 握手失败，或其证书未被接受",
    ),
    "upstream.closed": titled(
        502, "The upstream closed the connection before its answer was complete", "上游服务器在响应完成之前关闭了连接"
    ),
    "upstream.garbage": titled(
        502, "The upstream's answer broke HTTP/1.1 or a bound", "上游服务器的响应不符合 HTTP/1.1 或超出上限"
    ),
    "upstream.timeout": titled(
        504,
        "The upstream did not answer, or stopped answering, in time",
        "上游服务器未在规定时间内响应，或中途停止响应",
    ),
    "upstream.busy": titled(
        503,
        "All connections to the upstream were in use, and the wait for one was over",
        "与上游服务器的连接已全部占用，等待超时",
    ),
    "upstream.stopped": titled(
        503, "The gateway stopped, or took the server out of its configuration", "网关已停止，或该服务器已从配置中移除"
    ),
}
"""As ``errors.REASONS``: what the client is answered when no head was relayed yet.

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
        return REASONS[self.reason].status
