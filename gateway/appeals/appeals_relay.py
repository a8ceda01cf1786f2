"""Appeals on the public side: passed on, unread, to control's own small server, which is no upstream of anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.http.upstream.upstream import Upstream


class AppealsRelay:
    """``path``: ``appeals.path``; what a route names comes first."""

    __slots__ = ("path", "upstream")

    def __init__(self, path: bytes, upstream: Upstream) -> None:
        self.path = path
        self.upstream = upstream

    def takes(self, path: bytes) -> bool:
        """Whether a request for ``path`` is one of an appellant."""
        return path == self.path or path == self.path + b"/"
