"""Every request is told to the access log once, however it ends; and what is no request, too."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.http.upstream.failure import UpstreamError
from tests.gateway.http.server.requests import OK, STREAMED, chunked, get, post

Told = list[tuple[Any, ...]]


@pytest.fixture
def told(bench: Any) -> Told:
    """Status, reason, end, bytes."""
    lines: Told = []
    bench.server.on_answered = lambda exchange, ended: lines.append(
        (exchange.status, exchange.reason, ended, exchange.sent)
    )
    bench.server.on_refused = lambda status, reason, sent: lines.append((status, reason, "refused", sent))
    return lines


async def test_what_is_answered_is_told_whole(bench: Any, told: Told) -> None:
    client = bench.connect()
    client.send(post(b"ab") + get())
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"ok")
    assert len(told) == 1, "not before the end"
    client.call.sink.on_end()
    assert told == [(200, "", "whole", 2)] * 2


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        (post(b"a" * 2000), 413, "body.too_large"),
        (chunked(b"a", path=b"/j/a").replace(b"1\r\na", b"z\r\na"), 400, "body.chunk_size"),
        (post(b"a", path=b"/j//a"), 400, "path.empty_segment"),
    ],
)
async def test_a_refusal_says_why(bench: Any, told: Told, text: bytes, status: int, reason: str) -> None:
    client = bench.connect()
    client.send(text)
    assert [line[:3] for line in told] == [(status, reason, "whole")]
    client.transport.close()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        (b"nonsense\r\n\r\n", 400, "head.request_line"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 20000, 431, "head.too_large"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501, "head.method"),
    ],
)
async def test_what_is_no_request_is_told_by_its_answer(
    bench: Any, told: Told, text: bytes, status: int, reason: str
) -> None:
    client = bench.connect()
    client.send(text)
    client.transport.close()
    assert told == [(status, reason, "refused", len(client.written.partition(b"\r\n\r\n")[2]))]


async def test_a_head_that_does_not_end_is_told(bench: Any, told: Told) -> None:
    client = bench.connect()
    client.send(b"GET / HT")
    bench.advance(60)
    assert [line[:3] for line in told] == [(408, "head.timeout", "refused")]


async def test_a_connection_that_asks_for_nothing_is_not_told(bench: Any, told: Told) -> None:
    bench.connect().transport.close()
    client = bench.connect()
    client.send(b"GET / HT")
    client.transport.close()
    assert told == []


@pytest.mark.parametrize("text", [get(), post(b"a", path=b"/elsewhere"), chunked(b"a", path=b"/j/a")[:-5]])
async def test_a_client_that_leaves_before_its_answer_is_told_once(bench: Any, told: Told, text: bytes) -> None:
    client = bench.connect()
    client.send(text)
    client.transport.close()
    assert [line[:3] for line in told] == [(None, "", "left")]


async def test_a_client_that_leaves_amid_its_answer_is_told_once(bench: Any, told: Told) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"half")
    client.transport.close()
    assert told == [(200, "", "left", 4)]


async def test_an_answer_that_breaks_off_is_told_cut(bench: Any, told: Told) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"o")
    client.call.sink.on_error(UpstreamError("upstream.broken", sent=True))
    assert client.transport.closed == "abort"
    assert told == [(200, "", "cut", 1)]
