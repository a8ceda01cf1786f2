"""Bodies that nobody judges pass through a connection, as fast as the slower side reads."""

from __future__ import annotations

from typing import Any

from tests.gateway.http.server.requests import HOST, OK, STREAMED, chunked, get, post, reason, settings


async def test_an_unjudged_body_streams_with_back_pressure(bench: Any) -> None:
    client = bench.connect()
    client.send(b"POST /up HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc")
    call = client.call
    assert (call.body, call.chunked, call.written) == (None, False, b"abc")
    assert b"Content-Length: 10\r\n" in call.head
    call.room = False
    client.send(b"def")
    assert not client.transport.reading
    call.room = True
    call.sink.on_drain()
    assert client.transport.reading
    client.send(b"ghij" + get(b"/next"))
    assert (call.written, call.ended) == (b"abcdefghij", True)
    assert len(bench.gate.exchanges) == 1
    call.sink.on_head(OK, True)
    call.sink.on_data(b"ok")
    call.sink.on_end()
    assert len(bench.gate.exchanges) == 2


async def test_a_chunked_body_streams(bench: Any) -> None:
    client = bench.connect()
    client.send(chunked(b"abc", b"def", path=b"/up"), 3)
    assert (client.call.written, client.call.chunked, client.call.ended) == (b"abcdef", True, True)
    assert b"Transfer-Encoding: chunked\r\n" in client.call.head


async def test_a_slow_client_slows_the_upstream(bench: Any) -> None:
    client = bench.connect()
    client.transport.stalled = True
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"a" * 70000)
    assert client.call.paused
    client.transport.flush(70000)
    assert not client.call.paused


async def test_a_client_that_does_not_read_is_not_read_from(bench: Any) -> None:
    client = bench.connect()
    client.transport.stalled = True
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"a" * 70000)
    client.call.sink.on_end()
    for _ in range(1000):
        if not client.transport.reading:
            break
        client.send(get(b"/next"))
    assert not client.transport.reading
    assert len(bench.gate.exchanges) == 1
    client.transport.flush(80000)
    assert len(bench.gate.exchanges) == 2


async def test_a_streamed_body_is_bounded(bench: Any) -> None:
    settings(bench, max_relayed_body=5)
    client = bench.connect()
    client.send(chunked(b"abc", b"def", path=b"/up"))
    assert client.call.aborted
    assert reason(client.written) == "body.too_large"
    client = bench.connect()
    client.send(post(b"abcdef", path=b"/up"))
    assert reason(client.written) == "body.too_large"


async def test_an_answer_before_the_body_is_over_ends_the_connection(bench: Any) -> None:
    client = bench.connect()
    client.send(b"POST /up HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc")
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"no")
    client.call.sink.on_end()
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert len(bench.gate.exchanges) == 1
    assert client.transport.eof_written
