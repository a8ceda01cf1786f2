"""From an exchange to what a surface reads of it, now or once the platform has said who sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.surfaces.input.request import Arrived

# What NamedTuple's own constructor does, without its frame.
_new: Final = tuple.__new__

if TYPE_CHECKING:
    from gateway.carriers.requests import Gate
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Found
    from gateway.judging.route import Route
    from gateway.surfaces.input.request import Told


def arrived(exchange: Exchange, found: Found[Any], route: Route, told: Told | None = None) -> Arrived:
    """The head of a request to ``route``. ``told``: what the platform has just said of its sender.

    Raises ``HTTPError`` where a part of the path is not UTF-8."""
    head = exchange.head
    peer_ip, trusted = exchange.client()
    whoami = route.whoami
    if whoami is not None and told is None:
        told = whoami.look(head.fields, head.repeated)
    return _new(
        Arrived,
        (
            exchange.method, head.fields, head.repeated, exchange.query, found.parameters(), peer_ip,
            trusted or route.trusted.trusts(peer_ip), told,
        ),
    )  # fmt: skip


class SenderAsked:
    """A request whose sender the platform is asked for."""

    __slots__ = ("_body", "_exchange", "_gate")

    def __init__(self, gate: Gate, exchange: Exchange, body: bytes) -> None:
        self._gate = gate
        self._exchange = exchange
        self._body = body

    def on_told(self, told: Told) -> None:
        """See ``SenderWaiting``."""
        try:
            self._gate.on_body(self._exchange, self._body, told)
        except Exception as fault:  # others wait for the same answer
            self._exchange.failed(fault)
