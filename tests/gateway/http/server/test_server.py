"""The server: caps, draining, reloading; and the whole thing once over real sockets."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from gateway.common.sweep import Sweep
from gateway.http.server import server as serving
from gateway.http.server.server import Server
from gateway.http.server.settings import ServerSettings
from gateway.http.wire.head import parse_response

HOST = b"Host: h.example\r\n"
OK = parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: 2")
POST = b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na"


async def test_the_cap_on_connections(bench: Any) -> None:
    bench.server.configure(replace(bench.server.settings, max_connections=2))
    first, second, third = (bench.connect(f"1.1.1.{i}") for i in range(3))
    assert not first.transport.closed
    assert not second.transport.closed
    assert third.transport.closed == "abort"
    assert bench.server.refusals == {"server.full": 1}
    first.transport.close()
    assert not bench.connect("1.1.1.9").transport.closed


async def test_the_cap_on_one_address(bench: Any) -> None:
    bench.server.configure(
        replace(bench.server.settings, max_connections_per_address=1, trusted_proxies=("10.0.0.0/8",))
    )
    bench.connect("1.1.1.1")
    refused = bench.connect("1.1.1.1")
    assert refused.statuses == [503]
    assert b'"reason":"server.busy"' in refused.written
    assert b"Retry-After: 1\r\n" in refused.written
    assert not bench.connect("2.2.2.2").transport.closed
    bench.connect("10.0.0.1")
    assert bench.connect("10.0.0.1").written == b""


async def test_what_has_not_begun_counts_as_a_connection_of_its_address(bench: Any) -> None:
    bench.server.configure(
        replace(
            bench.server.settings, max_connections_per_address=2, max_connections=7, trusted_proxies=("10.0.0.0/8",)
        )
    )
    bench.connect("1.1.1.1")
    begun = bench.server.arrived("1.1.1.1")
    assert bench.server.arrived("1.1.1.1") is None
    refused = bench.connect("1.1.1.1")
    assert refused.statuses == [503]
    refused.transport.abort()
    begun()
    assert not bench.connect("1.1.1.1").transport.closed
    assert bench.server.arrived("1.1.1.1") is None
    assert bench.server.refusals == {"server.busy": 3}
    # Balancers, and trusted proxies, are nobody's address: theirs is not that of clients on a unix socket either.
    several = [bench.server.arrived(ip) for ip in ("", "", "", "10.0.0.1")]
    assert not bench.connect("").transport.closed
    assert bench.server.arrived("2.2.2.2") is None
    assert bench.server.refusals["server.full"] == 1
    for over in several:
        over()
    assert bench.server.arrived("2.2.2.2") is not None


async def test_judged_bodies_together_are_bounded(bench: Any) -> None:
    bench.server.configure(replace(bench.server.settings, max_collected=100))
    start = b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 900\r\n\r\n"
    first = bench.connect()
    first.send(start + b"a" * 90)
    assert bench.server.collected == 90
    second = bench.connect()
    second.send(start + b"a" * 20)
    assert second.statuses == [503]
    assert b"server.full" in second.written
    assert bench.server.collected == 90
    first.transport.abort()
    assert bench.server.collected == 0


async def test_connections_of_one_ipv6_network_count_together(bench: Any) -> None:
    bench.server.configure(replace(bench.server.settings, max_connections_per_address=2))
    first, second = bench.connect("2001:db8:1:2::1"), bench.connect("2001:db8:1:2::2")
    assert b"503" in bench.connect("2001:db8:1:2::3").written
    assert bench.connect("2001:db8:1:3::1").written == b""
    bench.server.configure(replace(bench.server.settings, ipv6_prefix=128))  # who came before counts as they came
    for client in (first, second):
        client.protocol.connection_lost(None)
    bench.server.configure(replace(bench.server.settings, ipv6_prefix=64))
    assert bench.connect("2001:db8:1:2::4").written == b""


async def test_peers_and_senders(bench: Any) -> None:
    bench.server.configure(replace(bench.server.settings, trusted_proxies=("10.0.0.0/8",)))
    lines = b"X-Forwarded-For: 6.6.6.6, 7.7.7.7\r\n"
    for ip, peer_ip, trusted in (("10.0.0.1", "7.7.7.7", True), ("3.3.3.3", "3.3.3.3", False)):
        client = bench.connect(ip)
        client.send(b"GET / HTTP/1.1\r\n" + HOST + lines + b"\r\n")
        assert (client.exchange.peer_ip, client.exchange.peer_trusted) == (peer_ip, trusted)


async def test_draining(bench: Any, monkeypatch: pytest.MonkeyPatch, eventually: Any) -> None:
    monkeypatch.setattr(serving, "LAST_REQUESTS", 0.01)
    idle, busy = bench.connect(), bench.connect()
    idle.send(POST)
    busy.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    draining = asyncio.ensure_future(bench.server.drain(10))
    await eventually(lambda: idle.transport.closed == "close")
    assert not busy.transport.closed
    busy.call.sink.on_head(OK, True)
    busy.call.sink.on_data(b"ok")
    busy.call.sink.on_end()
    assert b"Connection: close\r\n" in busy.written
    assert not draining.done()
    busy.protocol.eof_received()
    busy.transport.close()
    assert await draining is True
    bench.sweep.watch(bench.server._look)


async def test_what_was_on_its_way_to_a_server_that_stops_is_answered(bench: Any) -> None:
    """A proxy may have written on a connection that it kept, and can ask nobody else with that."""
    idle = bench.connect()
    idle.send(POST)
    draining = asyncio.ensure_future(bench.server.drain(10))
    await asyncio.sleep(0)
    assert not idle.transport.closed
    assert b"Connection: close\r\n" not in idle.written
    idle.send(POST)
    assert idle.statuses == [200, 200]
    assert b"Connection: close\r\n" in idle.written
    idle.protocol.eof_received()
    idle.transport.close()
    assert await draining is True
    bench.sweep.watch(bench.server._look)


async def test_draining_has_an_end(bench: Any) -> None:
    busy = bench.connect()
    busy.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert await bench.server.drain(0.01) is False
    assert busy.transport.closed == "abort"
    assert busy.call.aborted
    bench.sweep.watch(bench.server._look)


async def test_a_reload_swaps_the_gate_and_closes_nothing(bench: Any) -> None:
    client = bench.connect()
    client.send(POST)
    other = type(bench.gate)(bench.upstream)
    bench.server.gate = other
    client.send(POST)
    assert (len(bench.gate.bodies), len(other.bodies)) == (1, 1)
    assert client.statuses == [200, 200]


async def test_over_real_sockets(bench: Any) -> None:
    server = Server(bench.gate, ServerSettings(max_buffered=65536), Sweep(asyncio.get_running_loop()))
    sock = socket.create_server(("127.0.0.1", 0))
    await server.listen(sock)
    port = sock.getsockname()[1]

    def judge(exchange: Any, body: bytes) -> None:
        asyncio.get_running_loop().call_soon(exchange.answer, 200, b"", body * 100)

    bench.gate.judge = judge
    bench.gate.max_body = 1 << 20
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"x" * 200_000
    writer.write(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body + POST)
    for expected in (body, b"a"):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert await reader.readexactly(len(expected) * 100) == expected * 100
    # refused in the middle of a large body: the answer arrives all the same
    bench.gate.max_body = 1000
    writer.write(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 900000\r\n\r\n" + b"x" * 900_000)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
    assert b"body.too_large" in await reader.read()
    writer.close()
    assert await server.drain(5) is True
