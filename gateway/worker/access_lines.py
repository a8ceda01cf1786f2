"""What a worker's access log tells of a request and of a WebSocket: their routes' names and templates, their ids."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from gateway.http.wire.errors import HTTPError
from gateway.http.wire.forwarding import request_id, trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.carriers.link import Link
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Router
    from gateway.http.server.server import Ended
    from gateway.judging.route import Target
    from gateway.logs.access_log import AccessLog


class AccessLines:
    """``paths``: the templates of routes, by name."""

    def __init__(self, log: AccessLog, router: Router[Target], paths: Mapping[str, str]) -> None:
        self.log = log
        self._router = router
        self._paths = paths

    def answered(self, exchange: Exchange, ended: Ended) -> None:
        """A request has its answer, or never will. Only a judged one has its route at hand."""
        head = exchange.head
        found = exchange.route
        if found is None:
            with suppress(HTTPError):  # it was refused for that
                found = self._router.find(head.method, head.host, head.target)
        name = getattr(found.route, "name", "") if found is not None else ""
        self.log.add(
            head.method.decode("ascii", "replace"),
            name,
            self._paths.get(name, ""),
            exchange.status or 0,
            seconds=perf_counter() - exchange.began,
            sizes=(head.length if head.length >= 0 else None, exchange.sent),
            request_id=request_id(head, exchange.ids),
            message_id=exchange.message_id,
            trace_id=trace_id(head, exchange.ids),
            reason=exchange.reason,
            ended=ended,
        )

    def refused(self, status: int, reason: str, sent: int) -> None:
        """What came was no request: nothing that it said can be told."""
        self.log.add("", "", "", status, seconds=0.0, sizes=(None, sent), reason=reason)

    def ended(self, link: Link) -> None:
        """Both connections of a socket are gone."""
        self.log.add_socket(
            link.name,
            self._paths.get(link.name, ""),
            seconds=perf_counter() - link.began,
            frames=(link.frames_up, link.relay.frames),
            sizes=(link.bytes_up, link.bytes_down),
            code=link.close_code,
            request_id=link.named[0],
            trace_id=link.named[1],
        )
