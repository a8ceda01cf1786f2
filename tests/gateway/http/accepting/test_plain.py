"""Listening without TLS: the configured queue, and many who come at once."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from gateway.http.accepting.acceptor import LOOKED_AT, Announced
from gateway.http.accepting.plain import FEW, PlainListener

MANY = 200


class Counting:
    """The server that is asked. ``turns``: how many connections began in each turn of the loop in which any did."""

    def __init__(self) -> None:
        self.turns: list[int] = []
        self.parked: list[Any] = []
        self.spent: set[str] = set()
        self.made = 0
        self.all = asyncio.Event()
        self.wanted = 0
        self._amid = False

    def protocol(self) -> asyncio.BaseProtocol:
        return _Made(self)

    def announced(self, announced: Announced) -> asyncio.BaseProtocol:
        announced.over()
        return _Made(self)

    def arrived(self, ip: str) -> Callable[[], None] | None:
        return lambda: None

    def begins(self, ip: str, waiting: Any) -> bool:
        if ip not in self.spent:
            return True
        self.parked.append(waiting)
        return False

    def count_refusal(self, reason: str) -> None:
        raise AssertionError(reason)

    def one_more(self) -> None:
        self.made += 1
        if not self._amid:
            self._amid = True
            self.turns.append(0)
            asyncio.get_running_loop().call_soon(self._turn)
        self.turns[-1] += 1
        if self.made == self.wanted:
            self.all.set()

    def _turn(self) -> None:
        self._amid = False


class _Made(asyncio.Protocol):
    def __init__(self, server: Counting) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.one_more()


def listening(server: Counting) -> tuple[socket.socket, PlainListener]:
    opened = socket.create_server(("127.0.0.1", 0), backlog=4096)
    opened.setblocking(False)
    return opened, PlainListener(opened, server, timeout=lambda: 30.0, closing=lambda: 30.0)


def connected(opened: socket.socket, count: int, ip: str = "127.0.0.1") -> list[socket.socket]:
    clients = [socket.socket() for _ in range(count)]
    for client in clients:
        client.bind((ip, 0))
        client.connect(opened.getsockname())
    return clients


def close(listener: PlainListener, clients: list[socket.socket]) -> None:
    listener.close()
    for client in clients:
        client.close()


async def test_the_queue_is_as_long_as_configured() -> None:
    opened, listener = listening(Counting())
    await listener.open(1234)
    # struct tcp_info of a listening socket: tcpi_sacked is the bound of its queue, see tcp_get_info in Linux.
    (bound,) = struct.unpack_from("I", opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 28)
    assert bound == 1234
    close(listener, [])


async def test_many_at_once_are_not_taken_one_a_turn() -> None:
    server = Counting()
    opened, listener = listening(server)
    clients = connected(opened, MANY)
    server.wanted = MANY
    await listener.open(4096)
    await asyncio.wait_for(server.all.wait(), 30)
    assert max(server.turns) > 1
    assert len(server.turns) < MANY / 2, "those who wait are taken several in a turn"
    assert server.turns[:FEW] == [1] * FEW  # the loop's own are enough for a few
    close(listener, clients)


async def test_a_few_are_left_to_the_loop() -> None:
    server = Counting()
    opened, listener = listening(server)
    await listener.open(4096)
    clients: list[socket.socket] = []
    for number in range(1, 4 * FEW + 1):
        server.wanted = number
        server.all.clear()
        clients += connected(opened, 1)
        await asyncio.wait_for(server.all.wait(), 30)
        listener.tick()
    server.spent.add("127.0.0.1")  # nobody would be asked by the loop itself
    server.wanted += 1
    server.all.clear()
    clients += connected(opened, 1)
    await asyncio.wait_for(server.all.wait(), 30)
    assert not server.parked
    close(listener, clients)


async def test_who_comes_behind_many_of_one_address_does_not_wait_for_them() -> None:
    server = Counting()
    opened, listener = listening(server)
    flood = connected(opened, LOOKED_AT * 2)
    server.spent.add("127.0.0.1")
    one = connected(opened, 1, "127.0.0.2")
    server.wanted = 1 << 30
    await listener.open(4096)
    for _ in range(1000):
        await asyncio.sleep(0.001)
        if server.made + len(server.parked) == len(flood) + 1:
            break
    assert server.made + len(server.parked) == len(flood) + 1
    assert server.made < len(flood) / 2, "those of the address wait in the worker, and not in the kernel's queue"
    close(listener, flood + one)
