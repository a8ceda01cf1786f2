"""Connections that are handed over to another protocol."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.http.server.requests import get, post, reason


async def test_a_connection_is_handed_over(bench: Any) -> None:
    taken: list[Any] = []
    bench.gate.admit = lambda exchange: taken.append(exchange.take_over())
    client = bench.connect()
    client.send(get(b"/live", b"Connection: Upgrade\r\nUpgrade: websocket\r\n") + b"\x81\x00")
    assert (taken[0].transport, taken[0].early) == (client.transport, b"\x81\x00")
    assert client.exchange.head.upgrade == b"websocket"
    assert bench.server.turns.account("1.2.3.4").held == 1
    taken[0].release()
    taken[0].release()
    assert bench.server.turns.account("1.2.3.4").held == 0
    bench.advance(100)
    assert not client.transport.closed


async def test_an_upgrade_with_a_body_is_refused(bench: Any) -> None:
    bench.gate.admit = lambda exchange: exchange.take_over()
    client = bench.connect()
    client.send(post(b"abc", b"/live", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    assert reason(client.written) == "head.upgrade"


@pytest.mark.parametrize("offer", [b"h2c", b"WebSocket", b"TLS/1.2, websocket"])
async def test_an_upgrade_of_what_is_relayed_is_ignored(bench: Any, offer: bytes) -> None:
    client = bench.connect()
    lines = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AA\r\n" % offer
    client.send(get(lines=lines))
    assert b"pgrade" not in client.call.head
    assert b"HTTP2-Settings" not in client.call.head


@pytest.mark.parametrize("offer", [b"h2c", b"TLS/1.2", b"websocket", b"h2c, websocket"])
async def test_an_offer_to_switch_is_ignored_where_the_request_is_judged(bench: Any, offer: bytes) -> None:
    """RFC 9110 section 7.8. Java's client and curl offer h2c with each request, Apache's TLS."""
    bench.gate.judge = lambda exchange, body: exchange.forward(bench.upstream, body)
    client = bench.connect()
    client.send(
        post(b"hello", lines=b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AA\r\n" % offer)
    )
    assert bench.gate.bodies == [b"hello"]
    assert b"pgrade" not in client.call.head
    assert b"ettings" not in client.call.head
    assert client.call.head.startswith(b"POST /j/a HTTP/1.1\r\n")
