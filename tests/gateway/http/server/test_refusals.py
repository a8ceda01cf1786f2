"""Requests that are refused, and what may follow them on the connection."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.http.server.exchange import Exchange
from gateway.http.server.problem import Problem
from gateway.http.server.settings import LINGER_BOUND
from gateway.http.server.shapes import AnswerShape, AnswerShapes
from gateway.http.wire.errors import REASONS
from gateway.logs.logs import place
from tests.gateway.http.server.requests import chunked, get, post, reason

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
    bench.advance(6)
    assert client.transport.closed


async def test_an_answer_is_not_overtaken_by_what_came_behind_a_last_request(bench: Any) -> None:
    """Closing with bytes unread sends a reset, which throws the answer away (RFC 9112 section 9.6)."""
    client = bench.connect()
    client.send(post(b"a", lines=b"Connection: close\r\n") + b"and more")
    assert client.statuses == [200]
    assert client.transport.eof_written
    assert not client.transport.closed


async def test_lingering_is_bounded(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"", lines=b"").replace(b"Content-Length: 0", b"Content-Length: 100000000"))
    assert client.statuses == [413]
    for _ in range(LINGER_BOUND >> 20):
        client.send(b"a" * (1 << 20))
    assert not client.transport.closed
    client.send(b"a")
    assert client.transport.closed == "abort"


async def test_a_refusal_with_nothing_left_to_read_keeps_the_connection(bench: Any) -> None:
    client = bench.connect()
    client.send(post(b"a", path=b"/j//a") + post(b"b"))
    assert client.statuses == [400, 200]
    assert not client.transport.closed


async def test_refusals_in_the_platforms_shape(bench: Any) -> None:
    def judge(exchange: Exchange, body: bytes) -> None:
        exchange.shapes = AnswerShapes(AnswerShape(200, {"code": 1, "msg": "{title}", "id": "{id}"}))
        status = 403 if body == b"a" else 503
        exchange.refuse(Problem(status, "keyword.match", "No", message_id="m1"))

    bench.gate.judge = judge
    client = bench.connect()
    client.send(post(b"a"))
    assert client.statuses == [200]
    assert client.take().endswith(b'{"code":1,"msg":"No","id":"m1"}')
    client.send(post(b"b"))
    assert client.statuses == [503]  # a failure of ours is told as one, in the shape that clients know
    assert client.take().endswith(b'{"code":1,"msg":"No","id":"m1"}')


async def test_a_gate_that_breaks_is_a_500_without_a_word_of_the_message(bench: Any) -> None:
    def judge(exchange: Exchange, body: bytes) -> None:
        raise ValueError(body.decode())

    bench.gate.judge = judge
    client = bench.connect()
    with capture_logs(processors=[place]) as told:
        client.send(post(b"secret"))
        client.send(chunked(b"secret"))
    assert client.statuses == [500, 500]
    assert b"secret" not in client.written
    assert [(line["event"], line["error"]) for line in told] == [("request.failed", "builtins.ValueError")] * 2
    assert all(line["frames"][-1].endswith(" judge") for line in told)
    assert "secret" not in str(told)
