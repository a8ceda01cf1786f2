"""How long a client may take on its connection."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest

from gateway.http.server.states import CLOSED
from tests.gateway.http.server.requests import HOST, STREAMED, get, post, reason, settings


async def test_slowloris_head(bench: Any) -> None:
    client = bench.connect()
    for byte in b"GET / HTTP/1.1\r\nX: ":
        client.send(bytes((byte,)))
        bench.advance(0.1)
    assert client.statuses == [408]
    assert reason(client.written) == "head.timeout"
    assert client.transport.eof_written


async def test_slow_body(bench: Any) -> None:
    settings(bench, body_timeout=5)
    client = bench.connect()
    client.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n")
    for _ in range(7):
        client.send(b"a")
        bench.advance(0.3)
    assert reason(client.written) == "body.timeout"
    assert bench.server.collected == 0


async def test_a_streamed_body_may_take_its_time_but_not_pause(bench: Any) -> None:
    settings(bench, stall_timeout=5, min_receive_rate=0)
    client = bench.connect()
    client.send(b"POST /up HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\n")
    for _ in range(5):
        client.send(b"a")
        bench.advance(3)
    assert client.written == b""
    bench.advance(6)
    assert reason(client.written) == "body.timeout"
    assert client.call.aborted


async def test_silence(bench: Any) -> None:
    client = bench.connect()
    bench.advance(9)
    assert not client.transport.closed
    bench.advance(2)
    assert client.transport.closed == "abort"
    client = bench.connect()
    client.send(post(b"a"))
    bench.advance(70)
    assert not client.transport.closed
    bench.advance(6)
    assert client.transport.closed
    assert client.statuses == [200]


async def test_a_verdict_may_take_longer_than_any_client_time_out(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"a"))
    bench.advance(200)
    assert not client.transport.closed


async def test_a_client_that_stops_reading_is_cut(bench: Any) -> None:
    settings(bench, min_send_rate=0)
    client = bench.connect()
    client.transport.stalled = True
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"a" * 70000)
    bench.advance(50)
    client.transport.buffered -= 10  # slow, but reading
    bench.advance(50)
    assert not client.transport.closed
    bench.advance(70)
    assert client.transport.closed == "abort"
    assert client.call.aborted


@pytest.mark.parametrize(("size", "ended"), [(100, True), (600, False)])
async def test_a_streamed_body_that_trickles_is_ended(bench: Any, size: int, ended: bool) -> None:
    settings(bench, stall_timeout=5, min_receive_rate=100)
    client = bench.connect()
    client.send(b"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(4):
        bench.advance(3)
        client.send(b"x" * size)
    assert (reason(client.written) == "body.too_slow") is ended if ended else not client.written
    assert client.call.aborted is ended


async def test_the_time_in_which_we_do_not_read_a_body_does_not_count(bench: Any) -> None:
    settings(bench, stall_timeout=5, min_receive_rate=100)
    client = bench.connect()
    client.send(b"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
    client.call.room = False
    client.send(b"x")
    bench.advance(60)
    client.call.room = True
    client.call.sink.on_drain()
    client.send(b"x")
    assert not client.call.aborted


@pytest.mark.parametrize(("size", "ended"), [(200, True), (2000, False)])
async def test_an_answer_that_is_hardly_read_is_ended_and_counted(bench: Any, size: int, ended: bool) -> None:
    settings(bench, stall_timeout=5, min_send_rate=100)
    client = bench.connect()
    client.transport.stalled = True
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"a" * 80_000)
    for _ in range(3):
        client.transport.flush(size)
        bench.advance(5)
    assert (client.transport.closed == "abort") is ended
    assert bench.server.refusals == ({"answer.too_slow": 1} if ended else {})


class Kernel:
    """A socket of TCP of which the kernel says how much was acknowledged (tcp_info)."""

    family = socket.AF_INET

    def __init__(self) -> None:
        self.acknowledged = 0

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        return struct.pack("@120xQ", self.acknowledged)[:size]


async def test_what_the_kernel_still_holds_is_not_unread_for_good(bench: Any) -> None:
    """It takes no more from us until a third of its buffer is read, which a slow reader needs longer for."""
    settings(bench, stall_timeout=5, min_send_rate=100)
    client = bench.connect()
    kernel = Kernel()
    client.transport._extra["socket"] = kernel
    client.transport.stalled = True
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"a" * 80_000)
    for _ in range(4):
        kernel.acknowledged += 600
        bench.advance(6)
    assert not client.transport.closed
    bench.advance(6)
    assert client.transport.closed == "abort"
    assert bench.server.refusals == {"answer.too_slow": 1}


@pytest.mark.parametrize("reads", [True, False])
async def test_one_that_is_closed_is_waited_for_while_it_reads(
    bench: Any, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """TLS sends what waits, and waits for the other end's own word: the transport goes on for a while."""
    settings(bench, stall_timeout=5, min_send_rate=100, linger_timeout=4)
    last, idle = bench.connect(), bench.connect()
    for client in (last, idle):
        client.transport._extra["socket"] = Kernel()
        monkeypatch.setattr(client.transport, "close", lambda: None)
        monkeypatch.setattr(client.transport, "is_closing", lambda: True)
    last.protocol.state = CLOSED
    last.protocol.deadline = bench.server.sweep.after(5)
    idle.protocol.drain()
    for _ in range(12):
        for client in (last, idle):
            client.transport._extra["socket"].acknowledged += 600 if reads else 0
        bench.advance(3)
    assert {client.transport.closed for client in (last, idle)} == ({""} if reads else {"abort"})
