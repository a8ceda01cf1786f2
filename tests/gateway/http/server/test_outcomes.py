"""What becomes of a request that goes on to the upstream, and what its client and the gate are told."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.http.server.exchange import LEFT_WITHIN, Exchange
from gateway.http.upstream.failure import UpstreamError
from gateway.http.wire.head import parse_response
from tests.gateway.http.server.requests import OK, STREAMED, get, post, reason


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


JSON = parse_response(b"HTTP/1.1 201 Created\r\nContent-Type: application/json")
EVENTS = parse_response(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8")


def forwarded(bench: Any) -> Any:
    """A client whose judged request was sent on."""
    bench.gate.judge = lambda exchange, body: exchange.forward(bench.upstream, body)
    client = bench.connect()
    client.send(post(b"x"))
    return client


@pytest.mark.parametrize("leaves", ["before the head", "behind it"])
async def test_an_endless_answer_ends_with_its_client(bench: Any, leaves: str) -> None:
    client = forwarded(bench)
    if leaves == "before the head":
        client.transport.close()
        assert not client.call.aborted  # what became of the message is not known yet
    client.call.sink.on_head(EVENTS, True)
    client.transport.close()
    assert client.call.aborted
    assert bench.gate.outcomes == [(200, b"", None)]


async def test_an_answer_whose_client_has_left_has_a_moment_to_tell_the_rest(bench: Any) -> None:
    client = forwarded(bench)
    client.call.sink.on_head(JSON, True)
    client.transport.close()
    assert (client.call.aborted, client.call.hurried) == (False, LEFT_WITHIN)
    client.call.sink.on_data(b'{"id":7}')
    client.call.sink.on_end()
    assert bench.gate.outcomes == [(201, b'{"id":7}', None)]


async def test_an_answer_whose_client_has_left_is_read_no_further_than_it_is_kept(bench: Any) -> None:
    client = forwarded(bench)
    client.call.sink.on_head(JSON, True)
    client.call.sink.on_data(b"a" * 60_000)
    client.transport.close()
    assert not client.call.aborted
    client.call.sink.on_data(b"a" * 60_000)
    assert client.call.aborted
    assert [(status, len(prefix), error) for status, prefix, error in bench.gate.outcomes] == [(201, 65536, None)]


async def test_a_relayed_call_ends_with_its_client_at_once(bench: Any) -> None:
    client = bench.connect()
    client.send(get())
    client.transport.close()
    assert client.call.aborted
    assert bench.gate.outcomes == []


@pytest.mark.parametrize("judged", [True, False])
async def test_who_sends_no_more_amid_an_endless_answer_has_left(bench: Any, judged: bool) -> None:
    """A close looks like this until something is written, and a stream of events may be silent for long."""
    client = forwarded(bench) if judged else bench.connect()
    if not judged:
        client.send(get())
    client.call.sink.on_head(EVENTS, True)
    assert client.protocol.eof_received() is False  # so the transport closes
    client.transport.close()
    assert client.call.aborted


async def test_who_sends_no_more_before_an_answer_gets_it_and_amid_one_as_long_as_it_flows(bench: Any) -> None:
    client = bench.connect()
    client.send(get())
    assert client.protocol.eof_received() is True
    assert not client.call.hushed
    client = bench.connect()
    client.send(get())
    client.call.sink.on_head(JSON, True)
    assert client.protocol.eof_received() is True
    assert (client.call.hushed, client.call.aborted) == (True, False)
    client.call.sink.on_data(b"{}")
    client.call.sink.on_end()
    assert client.written.endswith(b"2\r\n{}\r\n0\r\n\r\n")
    assert client.transport.closed
