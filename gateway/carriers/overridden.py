"""A POST that stands for another method: an HTML form's ``_method``, or X-HTTP-Method-Override, where a route says so.

Rails, Laravel, Symfony and Spring edit and delete by such forms, because HTML knows no PUT, PATCH or DELETE. Where a
route says by what its platform is told (``method_override``), a POST to its address is what it names: judged by the
route of that method, as an edit where that is one, or watched as a deletion. It goes on as it came. So exactly one
method may be named, in exactly one place: with two, which one counts is known to the platform alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.carriers.arrival import arrived
from gateway.http.wire import override
from gateway.http.wire.errors import HTTPError
from gateway.judging import answers
from gateway.judging.relayed_deletion import Deletions
from gateway.judging.route import Overridden, Relayed, Route, Target
from gateway.surfaces.bodies.method_field import in_form
from gateway.surfaces.input.decoded import Malformed, malformed
from gateway.surfaces.input.reasons import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.carriers.requests import Gate
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Found

UNCLEAR: Final = "head.method_override"
UNJUDGED: Final = "route.unjudged"


def begin(exchange: Exchange, found: Found[Any], target: Overridden) -> None:
    """Ask for the body: only with it is known what is asked. Raises ``HTTPError`` where the head says more than it
    may."""
    head = exchange.head
    if override.in_query(exchange.query):
        raise HTTPError(UNCLEAR)
    if target.by_header:
        exchange.method = override.in_header(head) or head.method
        # No other field of that kind is there: so this one goes on, and the platform reads what was judged.
        head.overrides = False
    elif override.names_any(head):
        raise HTTPError(UNCLEAR)
    exchange.route = found
    exchange.cors = target.cors
    exchange.collect(target.max_body)


def on_body(gate: Gate, exchange: Exchange, found: Found[Any], body: bytes) -> None:
    """The body is whole: from now on the request is what it names."""
    target = found.route
    assert isinstance(target, Overridden)
    head = exchange.head
    try:
        if b"content-type" in head.repeated:
            raise Refused("type.unsupported")
        in_body = in_form(head.fields.get(b"content-type", b""), body)
    except Refused as refused:
        gate.count_refused(target.name, refused.reason)
        exchange.refuse(answers.malformed(malformed(refused.reason)))
        return
    try:
        if target.by_header and in_body:
            raise HTTPError(UNCLEAR)
        method = exchange.method if target.by_header else in_body
        if method in (b"", head.method):
            raise HTTPError(UNJUDGED)
        meant: Found[Any] = gate.router.find(method, head.host, head.target)
        exchange.method = method
        if isinstance(meant.route, Deletions):
            gate.delete(exchange, meant, body)
        elif isinstance(meant.route, Route) and method in target.methods:
            _judge(gate, exchange, meant, meant.route, target, body)
        else:
            raise HTTPError(UNCLEAR)
    except HTTPError as error:
        exchange.refuse_reason(error.reason)


def _judge(gate: Gate, exchange: Exchange, meant: Found[Any], route: Route, target: Overridden, body: bytes) -> None:
    """Hand it to its route, where that reads the same method in it: in JSON it could stand as well."""
    if len(body) > route.settings.max_body:
        raise HTTPError("body.too_large")
    gate.meant(exchange, meant, route)
    decoded = route.surface.decode(arrived(exchange, meant, route), body)
    if not isinstance(decoded, Malformed) and decoded.method != (b"" if target.by_header else exchange.method):
        raise HTTPError(UNCLEAR)
    gate.on_body(exchange, body)


class Renamed:
    """A POST that nobody judges, until its body has said which method it means. ``others``: what is found by each
    method that would be judged or watched; None where it would be refused."""

    __slots__ = ("others", "relayed")

    def __init__(self, relayed: Relayed, others: Mapping[bytes, Found[Target] | None]) -> None:
        self.relayed = relayed
        self.others = others


def deletion_named(body: bytes, others: Mapping[bytes, Found[Target] | None]) -> Found[Target] | None:
    """The deletion that ``body`` names, None where it names none of ``others``; ``HTTPError`` for any other of them."""
    named = [others[method] for method in override.named(body, others)]
    if not named:
        return None
    found = named[0]
    if len(named) > 1 or found is None or not isinstance(found.route, Deletions):
        raise HTTPError("head.method_override")
    return found
