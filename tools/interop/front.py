"""The HTTP side of a worker, with everything relayed and nothing judged: a listening socket for each server that it is
told of.

``python -m tools.interop.front`` prints the port on which it takes orders. An order is a line, ``PORT``; the answer is
the port at which that server of loopback is reached through the gate.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import uvloop

from gateway.carriers.handshakes import accept
from gateway.carriers.requests import Gate
from gateway.carriers.sockets import Sockets
from gateway.common.metrics import WorkerMetrics
from gateway.common.sweep import Sweep
from gateway.http.server.exchange import Exchange
from gateway.http.server.router import Router
from gateway.http.server.server import Server
from gateway.http.server.settings import ServerSettings
from gateway.http.upstream.settings import UpstreamServerSettings, UpstreamSettings
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.address import parse_address
from gateway.judging.route import Relayed, SocketSide, Target
from gateway.websocket.habits import Habits
from gateway.websocket.handshake import is_plain
from gateway.websocket.origins import Origins


class Everything(Gate):
    """Relays every request, and every socket."""

    def __init__(self, sockets: Sockets, upstream: Upstream) -> None:
        nothing: Router[Target] = Router([])
        super().__init__(cast(Any, None), cast(Any, None), nothing, Relayed("", upstream), sockets)
        # Every client of a suite counts as one from the server's own pages.
        self._tunnel = Relayed(
            "all", upstream, SocketSide(Habits(max_message=1 << 28, max_frame=1 << 28), Origins(["*"]))
        )

    def admit_request(self, exchange: Exchange) -> None:
        head = exchange.head
        if is_plain(head):
            super().admit_request(exchange)
            return
        found = self.router.find(head.method, head.host, head.target)
        exchange.path = found.path
        exchange.query = found.query
        exchange.route = found
        accept(self.sockets, exchange, found, self._tunnel)


class Front:
    """All listening sockets of one run."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sweep = Sweep(self._loop)
        metrics = WorkerMetrics()
        self._sockets = Sockets(cast(Any, None), metrics.refused_requests, metrics.socket_ends, self._sweep)
        self._listening: list[asyncio.Server] = []

    async def before(self, port: int) -> int:
        """The port behind which the server on ``port`` is reached."""
        server = UpstreamServerSettings(parse_address(f"http://127.0.0.1:{port}"))
        upstream = Upstream(UpstreamSettings("suite", (server,)), self._loop, self._sweep)
        gate = Everything(self._sockets, upstream)
        listening = await self._loop.create_server(Server(gate, ServerSettings(), self._sweep).protocol, "127.0.0.1", 0)
        self._listening.append(listening)
        taken: int = listening.sockets[0].getsockname()[1]
        return taken

    async def orders(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One who asks: a line, an answer."""
        while line := await reader.readline():
            writer.write(b"%d\n" % await self.before(int(line)))
            await writer.drain()
        writer.close()


async def main() -> None:
    """Until the process is ended."""
    front = Front()
    server = await asyncio.start_server(front.orders, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
