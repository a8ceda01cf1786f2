"""One client's connection, without a network."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.errors import REASONS
from gateway.http.exchange import Exchange
from gateway.http.failure import UpstreamError
from gateway.http.head import parse_response
from gateway.http.problem import PlatformShape, Problem
from gateway.http.server import Server
from gateway.http.server_protocol import LINGER_BOUND
from gateway.http.settings import ServerSettings
from gateway.http.sweep import Sweep

HOST = b"Host: h.example\r\n"
OK = parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: 2")
STREAMED = parse_response(b"HTTP/1.1 200 OK")


def post(body: bytes, path: bytes = b"/j/a", lines: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path, HOST, lines, len(body), body)


def get(path: bytes = b"/a", lines: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path, HOST, lines)


def chunked(*chunks: bytes, path: bytes = b"/j/a", lines: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks)
    return b"POST %b HTTP/1.1\r\n%b%bTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (path, HOST, lines, body)


def reason(written: bytes) -> str:
    return str(orjson.loads(written.rpartition(b"\r\n\r\n")[2])["reason"])


def settings(bench: Any, **changes: Any) -> None:
    bench.server.configure(replace(bench.server.settings, **changes))


# judged requests


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


async def test_a_forwarded_message_and_its_outcome(bench: Any) -> None:
    def judge(exchange: Exchange, body: bytes) -> None:
        exchange.forward(
            bench.upstream, body, b"Tidegate-Message-Id: m\r\n", answer_extra=b"Tidegate-Message-Id: m\r\n"
        )

    bench.gate.judge = judge
    client = bench.connect()
    client.send(post(b"hello", lines=b"X-HTTP-Method-Override: GET\r\nTidegate-Message-Id: forged\r\nA: b\r\n"))
    call = client.call
    lines = call.head.split(b"\r\n")
    assert lines[:4] == [b"POST /j/a HTTP/1.1", b"Host: h.example", b"A: b", b"Content-Length: 5"]
    assert b"X-Forwarded-For: 1.2.3.4" in lines
    assert lines.count(b"Tidegate-Message-Id: m") == 1
    assert b"forged" not in call.head
    assert b"Override" not in call.head
    assert (call.body, call.idempotent) == (b"hello", False)
    call.sink.on_head(parse_response(b"HTTP/1.1 201 Created\r\nContent-Length: 9"), True)
    call.sink.on_data(b'{"id":')
    call.sink.on_data(b"12}")
    assert bench.gate.outcomes == []
    call.sink.on_end()
    assert bench.gate.outcomes == [(201, b'{"id":12}', None)]
    assert client.written == (b'HTTP/1.1 201 Created\r\nContent-Length: 9\r\nTidegate-Message-Id: m\r\n\r\n{"id":12}')


async def test_the_outcomes_prefix_is_bounded(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: exchange.forward(bench.upstream, body)
    client = bench.connect()
    client.send(post(b"x"))
    client.call.sink.on_head(STREAMED, True)
    for _ in range(3):
        client.call.sink.on_data(b"a" * 40000)
    client.call.sink.on_end()
    assert len(bench.gate.outcomes[0][1]) == 65536


@pytest.mark.parametrize(
    ("code", "status"), [("upstream.refused", 502), ("upstream.timeout", 504), ("upstream.busy", 503)]
)
async def test_an_upstream_without_an_answer(bench: Any, code: str, status: int) -> None:
    def judge(exchange: Exchange, body: bytes) -> None:
        exchange.message_id = "m1"
        exchange.forward(bench.upstream, body)

    bench.gate.judge = judge
    client = bench.connect()
    client.send(post(b"x"))
    error = UpstreamError(code, sent=False)
    client.call.sink.on_error(error)
    assert client.statuses == [status]
    assert reason(client.written) == code
    assert b"Tidegate-Message-Id: m1\r\n" in client.written
    assert (b"Retry-After: 1\r\n" in client.written) is (status == 503)
    assert bench.gate.outcomes == [(None, b"", error)]
    client.send(post(b"x"))
    assert len(bench.gate.bodies) == 2  # the connection goes on


async def test_an_answer_that_breaks_off_is_cut_not_completed(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: exchange.forward(bench.upstream, body)
    client = bench.connect()
    client.send(post(b"x"))
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"abc")
    error = UpstreamError("upstream.closed", sent=True, head_relayed=True, relayed=3)
    client.call.sink.on_error(error)
    assert client.transport.closed == "abort"
    assert not client.written.endswith(b"0\r\n\r\n")
    assert bench.gate.outcomes == [(200, b"abc", error)]


async def test_a_judged_request_outlives_its_client(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: exchange.forward(bench.upstream, body)
    client = bench.connect()
    client.send(post(b"x"))
    client.transport.abort()
    exchange = client.exchange
    assert exchange.cancelled
    assert not client.call.aborted
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"ok")
    client.call.sink.on_end()
    assert bench.gate.outcomes == [(200, b"ok", None)]
    assert client.written == b""


async def test_an_unjudged_request_ends_with_its_client(bench: Any) -> None:
    client = bench.connect()
    client.send(get())
    client.transport.abort()
    assert client.call.aborted
    assert bench.gate.outcomes == []


async def test_an_answer_to_nobody_is_no_error(bench: Any) -> None:
    bench.gate.judge = lambda exchange, body: None
    client = bench.connect()
    client.send(post(b"x"))
    client.transport.abort()
    client.exchange.answer(200, b"", b"late")
    assert client.written == b""


# refusals


REFUSED = [
    (b"nonsense\r\n\r\n", "head.request_line"),
    (b"GET / HTTP/1.1\r\n\r\n", "head.missing_host"),
    (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 20000, "head.too_large"),
    (post(b"a" * 2000), "body.too_large"),
    (chunked(b"a" * 600, b"a" * 600), "body.too_large"),
    (chunked(b"a", path=b"/j/a").replace(b"1\r\na", b"z\r\na"), "body.chunk_size"),
    (chunked(b"a").removesuffix(b"\r\n") + b"X: trailer\r\n\r\n", "body.trailers"),
    (post(b"a", path=b"/j//a"), "path.empty_segment"),
    (post(b"a", lines=b"X_User: 1\r\n"), "head.underscore_name"),
    (post(b"a", lines=b"Connection: Upgrade\r\nUpgrade: websocket\r\n"), "head.upgrade"),
    (get(lines=b"Connection: Upgrade\r\nUpgrade: WebSocket\r\n"), "head.upgrade"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
@pytest.mark.parametrize("step", [0, 1, 13])
async def test_refusals_say_why_however_they_are_cut(bench: Any, text: bytes, code: str, step: int) -> None:
    client = bench.connect()
    client.send(text, step)
    assert client.statuses == [REASONS[code][0]]
    assert reason(client.written) == code
    assert bench.server.refusals == {code: 1}
    assert bench.gate.bodies == []


async def test_what_follows_a_broken_request_is_never_a_request(bench: Any) -> None:
    client = bench.connect()
    client.send(chunked(b"a" * 2000, path=b"/j/a") + get(b"/smuggled"))
    client.send(get(b"/smuggled"))
    assert len(bench.gate.exchanges) == 1
    assert client.statuses == [413]
    assert b"Connection: close\r\n" in client.written
    assert client.transport.eof_written
    assert not client.transport.closed  # closing now would reset, and the answer would be lost
    bench.advance(3)
    assert client.transport.closed


async def test_lingering_is_bounded(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"", lines=b"").replace(b"Content-Length: 0", b"Content-Length: 100000000"))
    assert client.statuses == [413]
    client.send(b"a" * (LINGER_BOUND + 1), 65536)
    assert client.transport.closed == "abort"


async def test_a_refusal_with_nothing_left_to_read_keeps_the_connection(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"a", path=b"/j//a") + post(b"b"))
    assert client.statuses == [400, 200]
    assert not client.transport.closed


async def test_refusals_in_the_platforms_shape(bench: Any) -> None:
    def judge(exchange: Exchange, body: bytes) -> None:
        exchange.shape = PlatformShape(200, {"code": 1, "msg": "{title}", "id": "{id}"})
        status = 403 if body == b"a" else 503
        exchange.refuse(Problem(status, "keyword.match", "No", message_id="m1"))

    bench.gate.judge = judge
    client = bench.connect()
    client.send(post(b"a"))
    assert client.statuses == [200]
    assert client.take().endswith(b'{"code":1,"msg":"No","id":"m1"}')
    client.send(post(b"b"))
    assert client.statuses == [503]  # a failure of ours is told as one
    assert reason(client.written) == "keyword.match"


async def test_a_gate_that_breaks_is_a_500_without_a_word_of_the_message(bench: Any, caplog: Any) -> None:
    def judge(exchange: Exchange, body: bytes) -> None:
        raise ValueError(body.decode())

    bench.gate.judge = judge
    client = bench.connect()
    client.send(post(b"secret"))
    client.send(chunked(b"secret"))
    assert client.statuses == [500, 500]
    assert b"secret" not in client.written
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


# streaming


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


@pytest.mark.parametrize("path", [b"/j/a", b"/up"])
async def test_continue_is_said_when_the_body_is_wanted(bench: Any, path: bytes) -> None:
    client = bench.connect()
    head, _, body = post(b"abc", path=path, lines=b"Expect: 100-continue\r\n").partition(b"\r\n\r\n")
    client.send(head + b"\r\n\r\n")
    assert client.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(body)
    assert b"100" not in client.take()
    if path == b"/up":
        assert b"Expect" not in client.call.head


async def test_continue_is_not_said_for_nothing(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"abc", lines=b"Expect: 100-continue\r\n"))
    assert b"100 Continue" not in client.take()
    client.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
    assert client.statuses == [413]


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
    assert client.transport.closed == "close"


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


# time


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
    settings(bench, stall_timeout=5)
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


# taking over


async def test_a_connection_is_handed_over(bench: Any) -> None:
    taken: list[Any] = []
    bench.gate.admit = lambda exchange: taken.append(exchange.take_over())
    client = bench.connect()
    client.send(get(b"/live", b"Connection: Upgrade\r\nUpgrade: websocket\r\n") + b"\x81\x00")
    assert (taken[0].transport, taken[0].early) == (client.transport, b"\x81\x00")
    assert client.exchange.head.upgrade == b"websocket"
    assert bench.server._addresses == {"1.2.3.4": 1}
    taken[0].release()
    taken[0].release()
    assert bench.server._addresses == {}
    bench.advance(100)
    assert not client.transport.closed


async def test_an_upgrade_with_a_body_is_refused(bench: Any) -> None:
    bench.gate.admit = lambda exchange: exchange.take_over()
    client = bench.connect()
    client.send(post(b"abc", b"/live", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    assert reason(client.written) == "head.upgrade"


async def test_other_upgrades_are_ignored(bench: Any) -> None:
    client = bench.connect()
    client.send(get(lines=b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"))
    assert b"pgrade" not in client.call.head


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
