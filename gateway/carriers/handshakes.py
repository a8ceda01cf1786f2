"""A handshake on a WebSocket route: checked, made anew for the upstream, answered only behind the upstream's own 101.

Where the upstream refuses (401, 404 …), its answer goes to the client as to any request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gateway.carriers.arrival import arrived
from gateway.carriers.link import Link
from gateway.carriers.session import Session
from gateway.http.server.problem import PROBLEM_JSON, Problem, encode_problem, problem_for, problem_lines
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.forwarding import request_id, trace_id
from gateway.http.wire.head import OVERRIDES
from gateway.judging.route import Relayed, Route
from gateway.websocket import endings
from gateway.websocket.handshake import (
    REASONS,
    REPLACED,
    HandshakeError,
    check_client,
    check_upstream,
    client_answer,
    new_key,
    upstream_lines,
)

if TYPE_CHECKING:
    import asyncio

    from gateway.carriers.sockets import Sockets
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Found
    from gateway.http.wire.head import ResponseHead
    from gateway.surfaces.input.request import Arrived
    from gateway.websocket.handshake import ClientHandshake

SWITCHED: Final = 101
_DROPPED: Final = REPLACED | OVERRIDES


def accept(sockets: Sockets, exchange: Exchange, found: Found[Any], route: Route | Relayed) -> None:
    """Begin a socket, or refuse the request that asks for one. Raises ``HTTPError``."""
    assert route.socket is not None
    head = exchange.head
    judged = isinstance(route, Route)
    if judged and head.underscored:
        raise HTTPError("head.underscore_name")
    if judged and head.options:
        raise HTTPError("head.connection_option")
    try:
        asked = check_client(head, route.socket.origins)
    except HandshakeError as error:
        sockets.count_refused(route.name, error.reason)
        _refuse(exchange, error)
        return
    if sockets.draining:
        exchange.refuse(problem_for("server.full"))
        return
    key = new_key()
    request = arrived(exchange, found, route) if isinstance(route, Route) else None
    opening = Opening(sockets, exchange, route, request, asked, key)
    exchange.upgrade(
        route.upstream, upstream_lines(asked, key, extensions=not judged), opening.on_upgraded, drop=_DROPPED,
        target=b"" if judged else head.target, route=route.name, answers=route.answers,
    )  # fmt: skip


class Opening:
    """A handshake that waits for the upstream's word."""

    __slots__ = ("_asked", "_exchange", "_key", "_request", "_route", "_sockets")

    def __init__(
        self,
        sockets: Sockets,
        exchange: Exchange,
        route: Route | Relayed,
        request: Arrived | None,
        asked: ClientHandshake,
        key: bytes,
    ) -> None:
        self._sockets = sockets
        self._exchange = exchange
        self._route = route
        self._request = request
        self._asked = asked
        self._key = key

    def on_upgraded(
        self, head: ResponseHead, transport: asyncio.Transport, early: bytes, release: Callable[[], None]
    ) -> None:
        """The upstream has switched: check what it says, then switch as well."""
        exchange = self._exchange
        sockets = self._sockets
        route = self._route
        request = self._request
        assert route.socket is not None
        try:
            agreed = check_upstream(head, self._asked, self._key, extensions=request is None)
        except HandshakeError as error:
            sockets.count_refused(route.name, error.reason)
            route.upstream.ended("", error.reason, error.detail)
            _abandon(transport, release)
            _refuse(exchange, error)
            return
        if exchange.cancelled:
            _abandon(transport, release)
            return
        link = (
            Session(sockets, route, request)
            if isinstance(route, Route) and request is not None
            else Link(sockets, route.name, route.socket.habits)
        )
        if sockets.on_ended is not None:
            link.named = (request_id(exchange.head, exchange.ids), trace_id(exchange.head, exchange.ids))
        if sockets.tracer is not None:
            exchange.status = SWITCHED
            sockets.tracer.answered(exchange, "whole")
        answer = client_answer(head, self._asked, agreed)
        link.open(exchange.take_over(), answer, transport, early, release, extensions=bool(agreed.extensions))
        if sockets.draining:
            link.end(endings.STOPPING)


def _abandon(transport: asyncio.Transport, release: Callable[[], None]) -> None:
    transport.abort()
    release()


def _refuse(exchange: Exchange, error: HandshakeError) -> None:
    row = REASONS[error.reason]
    problem, spoken = exchange.worded(Problem(row.status, error.reason, *row.told()))
    lines = problem_lines(problem) + error.lines + spoken
    exchange.reason = problem.reason
    exchange.answer(row.status, lines, encode_problem(problem), PROBLEM_JSON)
