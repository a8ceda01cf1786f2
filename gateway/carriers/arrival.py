"""From an exchange to what a surface reads of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.surfaces.input.request import Arrived

# What NamedTuple's own constructor does, without its frame.
_new: Final = tuple.__new__

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Found
    from gateway.judging.route import Route


def arrived(exchange: Exchange, found: Found[Any], route: Route) -> Arrived:
    """The head of a request to ``route``. Raises ``HTTPError`` where a part of the path is not UTF-8."""
    head = exchange.head
    peer_ip, trusted = exchange.client()
    return _new(
        Arrived,
        (
            exchange.method, head.fields, head.repeated, exchange.query, found.parameters(), peer_ip,
            trusted or route.trusted.trusts(peer_ip),
        ),
    )  # fmt: skip
