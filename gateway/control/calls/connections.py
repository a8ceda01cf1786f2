"""Connections to an address of control, bounded in number and in how long they may bring nothing (law 10).

aiohttp bounds a request in bytes and not in time: who opens a connection and sends half a head has it for good, and
with enough of these nobody else gets in, nor does control open a file. Here a connection rests until a request is there
as a whole (``working``), and again once it is answered. What rests too long is closed; where there are too many, so is
what has rested longest, so that whoever comes with a request gets in before those who come with none.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from aiohttp import web

HANDSHAKE: Final = 10.0  # seconds for TLS


class Connections:
    """Of one address. ``protocol`` makes what speaks HTTP on one; ``most`` at once, each of which may rest ``idle``
    seconds."""

    def __init__(self, protocol: Callable[[], asyncio.Protocol], most: int, idle: float) -> None:
        self.idle = idle
        self._protocol = protocol
        self._most = most
        self._all: set[Connection] = set()
        self._resting: dict[Connection, None] = {}  # the one that rests longest first

    def __call__(self) -> Connection:
        return Connection(self, self._protocol())

    def __len__(self) -> int:
        return len(self._all)

    def opened(self, one: Connection) -> None:
        """One more; where there are too many, one goes."""
        self._all.add(one)
        if len(self._all) > self._most:
            next(iter(self._resting), one).drop()

    def rests(self, one: Connection) -> None:
        self._resting.pop(one, None)
        self._resting[one] = None

    def works(self, one: Connection) -> None:
        self._resting.pop(one, None)

    def closed(self, one: Connection) -> None:
        self._all.discard(one)
        self._resting.pop(one, None)


class Connection(asyncio.Protocol):
    """One of them: hands everything on, and knows whether it rests."""

    __slots__ = ("_inner", "_of", "_timer", "_transport")

    def __init__(self, of: Connections, inner: asyncio.Protocol) -> None:
        self._of = of
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._inner.connection_made(transport)
        self._of.opened(self)
        self.rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._of.closed(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def work(self) -> None:
        """A request is here as a whole: how long it takes is ours."""
        self._stop()
        self._of.works(self)

    def rest(self) -> None:
        """There is none, or not all of it."""
        self._stop()
        if self._transport is None or self._transport.is_closing():
            return
        self._of.rests(self)
        self._timer = asyncio.get_running_loop().call_later(self._of.idle, self.drop)

    def drop(self) -> None:
        """Nobody has to be told what they never asked for."""
        if self._transport is not None:
            self._of.closed(self)
            self._transport.abort()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def working(request: web.BaseRequest) -> None:
    """The request is here as a whole, or is one that takes its time."""
    if (one := _connection(request)) is not None:
        one.work()


def answered(request: web.BaseRequest) -> None:
    """What comes next is another request."""
    if (one := _connection(request)) is not None:
        one.rest()


def _connection(request: web.BaseRequest) -> Connection | None:
    transport = request.transport
    protocol = transport.get_protocol() if transport is not None else None
    return protocol if isinstance(protocol, Connection) else None


async def serve(
    runner: web.AppRunner, listener: socket.socket, most: int, idle: float, context: ssl.SSLContext | None = None
) -> None:
    """Serve what ``runner`` has been set up for, until it is cleaned up."""
    await _BoundedSite(runner, listener, most, idle, context).start()


class _BoundedSite(web.SockSite):
    __slots__ = ("_bounds", "_listener")

    def __init__(
        self, runner: web.AppRunner, listener: socket.socket, most: int, idle: float, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(runner, listener, ssl_context=context)
        self._listener = listener
        self._bounds = most, idle

    async def start(self) -> None:
        await web.BaseSite.start(self)
        server = self._runner.server
        assert server is not None
        handshake = HANDSHAKE if self._ssl_context is not None else None
        self._server = await asyncio.get_running_loop().create_server(
            Connections(server, *self._bounds), sock=self._listener, ssl=self._ssl_context, backlog=self._backlog,
            ssl_handshake_timeout=handshake,
        )  # fmt: skip
