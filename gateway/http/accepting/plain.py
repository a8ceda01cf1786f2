"""Listening without TLS and PROXY headers.

The loop accepts by itself, with the fewest calls, one connection a turn. Where many come at once, turns are long as
well, and who comes last would wait for as many turns as there are others before him: so from ``FEW`` connections in a
tick on, more are taken in each turn (``acceptor.py``), and those of an address that has had its share wait for its next
one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Protocol

from gateway.http.accepting.acceptor import Accepting, Acceptor

FEW: Final = 8
"""Connections in a tick of the sweep (a tenth of a second) that are left to the loop."""


class Serving(Accepting, Protocol):
    """What a plain listener asks the server."""

    def protocol(self) -> asyncio.BaseProtocol:
        """The protocol of a connection that the loop accepted."""


class PlainListener:
    """One address of one worker. ``timeout`` and ``closing`` as of an ``Acceptor``."""

    def __init__(
        self, listener: socket.socket, server: Serving, *, timeout: Callable[[], float], closing: Callable[[], float]
    ) -> None:
        self._listener = listener
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._acceptor = Acceptor(
            listener, server, certificates=None, peers=None, timeout=timeout, closing=closing, watched=False
        )
        self._came = 0
        self._scheduled = False
        self._serving: asyncio.Server | None = None

    async def open(self, backlog: int) -> None:
        """Accept. ``backlog``: the loop calls listen(2) once more, and its own bound would take the place of the one
        with which the socket was opened."""
        self._serving = await self._loop.create_server(self._made, sock=self._listener, backlog=backlog)

    @property
    def beginning(self) -> int:
        """How many wait for their beginning."""
        return self._acceptor.beginning

    def leave(self) -> None:
        """Accept no more; those that wait for their beginning go on."""
        self._acceptor.leave()
        if self._serving is not None:
            self._serving.close()

    def close(self) -> None:
        """Accept no more, and let go of those that wait."""
        self.leave()
        self._acceptor.close()

    def tick(self) -> None:
        """A tenth of a second is over."""
        self._came = 0

    def _made(self) -> asyncio.BaseProtocol:
        self._came += 1
        if self._came > FEW and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._more)
        return self._server.protocol()

    def _more(self) -> None:
        self._scheduled = False
        self._acceptor.accept()
