"""The mirror on the gate's own address: requests under ``mirror.path`` become answers of ``MirrorFiles``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.http.wire.errors import HTTPError

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.mirror.serving.mirror_files import Answer, MirrorFiles

READING = frozenset((b"GET", b"HEAD"))


class MirrorSite:
    """``prefix`` is ``mirror.path``. Made anew with each generation."""

    __slots__ = ("_files", "prefix")

    def __init__(self, prefix: str, files: MirrorFiles) -> None:
        self.prefix = prefix.encode("ascii")
        self._files = files

    def serve(self, exchange: Exchange) -> None:
        """Answer a reader; the answer may wait for the platform's word on the room. Raises HTTPError."""
        if exchange.method not in READING:
            raise HTTPError("head.method")
        if exchange.head.options:  # the platform is asked with the reader's fields, as if they came to it
            raise HTTPError("head.connection_option")

        def then(answer: Answer) -> None:
            exchange.answer(answer.status, answer.lines, answer.body, answer.content_type)

        self._files.request(exchange.method, exchange.path, exchange.query, exchange.head.fields, then)
