"""One client's connection, without a network: requests in their order, answers, and when it ends."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.common.sweep import Sweep
from gateway.http.server.exchange import Exchange
from gateway.http.server.server import Server
from gateway.http.server.settings import EMPTY_LINES, ServerSettings
from gateway.http.wire.head import parse_response
from tests.gateway.http.server.requests import HOST, OK, STREAMED, chunked, get, post, reason

# requests and answers


@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize("text", [post(b"hello"), chunked(b"hel", b"lo"), b"\r\n" + post(b"hello")])
async def test_a_judged_body_is_whole_however_it_is_cut(bench: Any, text: bytes, step: int) -> None:
    client = bench.connect()
    client.send(text + text, step)
    assert bench.gate.bodies == [b"hello", b"hello"]
    assert client.statuses == [200, 200]
    assert client.written.endswith(b"Content-Length: 5\r\n\r\nhello")
    assert not client.transport.closed


async def test_an_answer_of_our_own(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"x"))
    head = client.written.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"HTTP/1.1 200 OK"
    assert head[1].startswith(b"Date: ")
    assert head[2:] == [b"Content-Type: application/json", b"Content-Length: 1"]


async def test_a_verdict_that_comes_later_is_still_in_order(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"one") + post(b"two") + get(b"/three"))
    assert bench.gate.bodies == [b"one"]
    bench.gate.exchanges[0].answer(200, b"", b"1")
    assert bench.gate.bodies == [b"one", b"two"]
    bench.gate.exchanges[1].answer(200, b"", b"2")
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"33")
    client.call.sink.on_end()
    assert [part.rpartition(b"\r\n\r\n")[2] for part in client.written.split(b"HTTP/1.1 ")[1:]] == [b"1", b"2", b"33"]


async def test_pipelining_is_bounded(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"x"))
    while client.transport.reading:
        client.send(get())
        assert len(client.protocol._buffer) < 20000
    bench.gate.judge = None
    bench.gate.exchanges[0].answer(200, b"", b"")
    for _ in range(2000):
        if client.transport.reading:
            break
        client.call.sink.on_head(OK, False)
        client.call.sink.on_end()
    assert client.transport.reading


async def test_answers_to_head_have_no_body(bench: Any) -> None:
    bench.gate.admit = lambda exchange: exchange.answer(200, b"", b"12345")
    client = bench.connect()
    client.send(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert client.written.endswith(b"Content-Length: 5\r\n\r\n")


async def test_informational_answers(bench: Any) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_informational(parse_response(b"HTTP/1.1 103 Early Hints\r\nLink: </a>"))
    client.call.sink.on_informational(parse_response(b"HTTP/1.1 100 Continue"))
    assert client.written == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTING = post(b"abc", path=b"/up", lines=b"Expect: 100-continue\r\n")[:-3]


async def test_continue_is_said_when_a_judged_body_is_wanted(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"abc", path=b"/j/a", lines=b"Expect: 100-continue\r\n")[:-3])
    assert client.take() == CONTINUE
    client.send(b"abc")
    assert b"100" not in client.take()


async def test_a_relayed_client_waits_for_the_upstreams_continue(bench: Any) -> None:
    """RFC 9110 section 10.1.1: a proxy forwards it, or answers at once with what it would answer in the end."""
    client = bench.connect()
    client.send(EXPECTING)
    assert client.call.head.count(b"Expect: 100-continue\r\n") == 1
    assert client.take() == b""
    client.call.sink.on_informational(parse_response(b"HTTP/1.1 100 Continue"))
    assert client.take() == CONTINUE
    client.call.sink.on_informational(parse_response(b"HTTP/1.1 100 Continue"))
    bench.advance(2)
    client.send(b"abc")
    assert client.take() == b""
    assert client.call.written == b"abc"


async def test_a_body_that_the_upstream_does_not_want_is_not_asked_for(bench: Any) -> None:
    client = bench.connect()
    client.send(EXPECTING)
    client.call.sink.on_head(parse_response(b"HTTP/1.1 413 Too large\r\nContent-Length: 0"), False)
    client.call.sink.on_end()
    assert client.statuses == [413]
    bench.advance(2)
    assert b"100 Continue" not in client.take()


async def test_an_upstream_that_does_not_know_continue_stalls_nobody(bench: Any) -> None:
    client = bench.connect()
    client.send(EXPECTING)
    bench.advance(0.5)
    assert client.take() == b""
    bench.advance(1)
    assert client.take() == CONTINUE
    client.call.sink.on_informational(parse_response(b"HTTP/1.1 100 Continue"))
    assert client.take() == b""
    client.send(b"abc")
    assert client.call.written == b"abc"


@pytest.mark.parametrize("sent", [b"a", b"abc"])
async def test_who_has_begun_its_body_waits_for_nothing(bench: Any, sent: bytes) -> None:
    client = bench.connect()
    client.send(EXPECTING + sent)
    assert b"Expect" not in client.call.head
    bench.advance(2)
    assert client.take() == b""


async def test_who_waits_no_longer_is_told_nothing(bench: Any) -> None:
    client = bench.connect()
    client.send(EXPECTING)
    client.send(b"a")
    bench.advance(2)
    assert client.take() == b""


async def test_continue_is_not_said_for_nothing(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"abc", lines=b"Expect: 100-continue\r\n"))
    assert b"100 Continue" not in client.take()
    client.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
    assert client.statuses == [413]


# how it ends


async def test_http_1_0(bench: Any) -> None:
    client = bench.connect()
    client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"ok")
    client.call.sink.on_end()
    assert b"Connection: keep-alive\r\n" in client.take()
    assert not client.transport.closed
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"ok")
    client.call.sink.on_end()
    assert client.take() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"
    assert client.transport.closed == "close"


async def test_connection_close(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"a", lines=b"Connection: close\r\n") + post(b"b"))
    assert bench.gate.bodies == [b"a"]
    assert b"Connection: close\r\n" in client.written
    assert client.transport.eof_written  # and what is behind it is thrown away


async def test_a_half_closed_client_gets_its_answer(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"a"))
    assert client.protocol.eof_received() is True
    client.exchange.answer(200, b"", b"x")
    assert client.statuses == [200]
    assert client.transport.closed == "close"


async def test_a_body_cut_off(bench: Any) -> None:
    client = bench.connect()
    client.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc")
    client.protocol.eof_received()
    assert reason(client.written) == "body.cut_off"
    assert bench.gate.bodies == []
    assert bench.server.collected == 0


# all of it, cut anywhere


STREAM = (
    post(b"one") + chunked(b"t", b"wo") + get(b"/a?b") + post(b"", lines=b"Expect: 100-continue\r\n") + post(b"x" * 900)
)


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
def test_a_stream_of_requests_reads_the_same_however_it_is_cut(cuts: list[int]) -> None:
    async def run() -> None:
        class Gate:
            def __init__(self) -> None:
                self.seen: list[bytes] = []

            def admit_request(self, exchange: Exchange) -> None:
                exchange.collect(1000)

            def on_body(self, exchange: Exchange, body: bytes) -> None:
                self.seen.append(exchange.head.target + b" " + body)
                exchange.answer(200, b"", body)

            def language(self, exchange: Exchange) -> str:
                return ""

            def on_outcome(self, *_: Any) -> None: ...

        class Transport(asyncio.Transport):
            def __init__(self) -> None:
                super().__init__({"peername": ("1.2.3.4", 1)})
                self.written = b""

            def write(self, data: Any) -> None:
                self.written += data

            def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

        gate = Gate()
        server = Server(gate, ServerSettings(), Sweep(asyncio.get_running_loop()))
        protocol = server.protocol()
        transport = Transport()
        protocol.connection_made(transport)
        places = sorted({0, len(STREAM), *cuts})
        for start, end in pairwise(places):
            protocol.data_received(STREAM[start:end])
        server.sweep.unwatch(server._look)
        assert gate.seen == [b"/j/a one", b"/j/a two", b"/a?b ", b"/j/a ", b"/j/a " + b"x" * 900]
        assert transport.written.count(b"HTTP/1.1 200 OK") == 5

    asyncio.run(run())


@pytest.mark.parametrize("step", [0, 1])
async def test_who_has_said_all_gets_every_answer(bench: Any, step: int) -> None:
    """Three requests and the end of the stream, before any is answered."""
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"a") + post(b"b") + post(b"c"), step)
    assert client.protocol.eof_received() is True
    for number in range(3):
        assert not client.transport.closed
        client.bench.gate.exchanges[number].answer(200, b"", b"x")
    assert client.statuses == [200, 200, 200]
    assert client.written.count(b"Connection: close") == 1, "of the last one"
    assert client.transport.closed == "close"


async def test_who_has_said_all_and_reads_slowly_gets_every_answer(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: exchange.answer(200, b"", b"x" * 100_000)
    client = bench.connect()
    client.transport.stalled = True
    client.send(post(b"a") + post(b"b"))
    assert client.protocol.eof_received() is True
    assert client.statuses == [200]
    client.transport.stalled = False
    client.transport.flush(1 << 20)
    assert client.statuses == [200, 200]
    assert client.transport.closed == "close"


async def test_what_is_cut_off_behind_whole_requests_is_told_behind_their_answers(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"a") + post(b"bcd")[:-1])
    assert client.protocol.eof_received() is True
    client.exchange.answer(200, b"", b"x")
    assert client.statuses == [200, 400]
    assert reason(client.written) == "body.cut_off"
    assert client.transport.closed


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize("lines", [1, 2, EMPTY_LINES])
async def test_empty_lines_before_a_request_are_skipped(bench: Any, lines: int, step: int) -> None:
    client = bench.connect()
    client.send(b"\r\n" * lines + post(b"a") + b"\r\n" * lines + post(b"b"), step)
    assert bench.gate.bodies == [b"a", b"b"]


async def test_empty_lines_without_end_are_no_request(bench: Any) -> None:
    client = bench.connect()
    client.send(b"\r\n" * (EMPTY_LINES + 1) + post(b"a"))
    assert reason(client.written) == "head.request_line"


@pytest.mark.parametrize("judged", [True, False])
async def test_a_request_without_a_host_goes_on_under_the_upstreams(bench: Any, judged: bool) -> None:
    """HTTP/1.0 knows such requests; an empty Host field is refused by most servers (RFC 9112 section 3.2)."""
    bench.gate.judge = lambda exchange, body: exchange.forward(bench.upstream, body)
    client = bench.connect()
    client.send(b"POST /j/a HTTP/1.0\r\nContent-Length: 1\r\n\r\na" if judged else b"GET /up HTTP/1.0\r\n\r\n")
    lines = client.call.head.split(b"\r\n")
    assert lines[1] == b"Host: platform.example:9000"
    assert not any(line.startswith(b"X-Forwarded-Host") for line in lines)


@pytest.mark.parametrize(
    "target",
    [
        b"/%7Euser/a%2fb/%41", b"/a/../b", b"/a/./b/", b"//a", b"/a;p=1/b", b"/a%2e%2e/%zz", b"/a|b", b"/\xe4\xb8\xad",
        b"/a?", b"/a?b?c", b"/a?b=%7e",
    ],
)  # fmt: skip
async def test_what_is_only_relayed_goes_to_the_very_target_that_was_asked(bench: Any, target: bytes) -> None:
    """Law 8."""
    client = bench.connect()
    client.send(get(target))
    assert client.call.head.split(b" ")[1] == target
