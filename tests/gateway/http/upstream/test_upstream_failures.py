"""Calls to servers that misbehave: what is told, and what is sent again."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.http.upstream.connection import HUSHED
from gateway.http.upstream.failure import REASONS
from gateway.http.upstream.settings import EjectionSettings
from gateway.http.upstream.upstream import REPORT_EVERY
from tests.gateway.http.calls import GET, OK, POST, SEEN_OK, hang, until

# -- servers that fail


async def test_refused(make_upstream, ask, closed_address):
    sink = await ask(make_upstream(closed_address), POST, b"hello", False)
    assert (sink.error.reason, sink.error.status, sink.error.sent) == ("upstream.refused", 502, False)
    assert sink.error.server == closed_address


async def test_a_missing_unix_socket_is_refused(make_upstream, ask, tmp_path):
    sink = await ask(make_upstream(f"unix:{tmp_path}/none.sock"))
    assert sink.error.reason == "upstream.refused"


async def test_refused_by_one_goes_to_the_next(make_upstream, make_server, ask, closed_address):
    server = await make_server()
    upstream = make_upstream(closed_address, server.address)
    for _ in range(4):
        assert (
            await ask(upstream, POST, b"hello", False)
        ).events == SEEN_OK  # nothing was sent: not idempotent is fine
    assert upstream.failures[closed_address, "upstream.refused"] == 2


async def test_refused_by_all_is_tried_once_each(make_upstream, ask, tmp_path):
    upstream = make_upstream(f"unix:{tmp_path}/1", f"unix:{tmp_path}/2", f"unix:{tmp_path}/3")
    sink = await ask(upstream)
    assert sink.error.reason == "upstream.refused"
    assert sorted(upstream.failures.values()) == [1, 1, 1]


async def test_connect_time_out(make_upstream, make_sink, clock):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        try:
            for _ in range(4):  # a queue of 0 holds one or two; what comes after gets no answer
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
                fillers.append(filler)
            upstream = make_upstream(f"http://127.0.0.1:{port}", connect_timeout=3.0)
            sink = make_sink()
            upstream.start(POST, b"hello", sink, idempotent=False)
            await asyncio.sleep(0)
            clock.advance(2.9)
            assert not sink.over.is_set()
            clock.advance(0.5)
            async with asyncio.timeout(5):
                await sink.over.wait()
        finally:
            for filler in fillers:
                filler.close()
    assert (sink.error.reason, sink.error.status, sink.error.sent) == ("upstream.connect_timeout", 504, False)
    assert not upstream.pools[0].attempts


async def test_a_server_that_accepts_and_says_nothing(make_upstream, make_server, make_sink, clock):
    server = await make_server(hang)
    upstream = make_upstream(server.address, answer_timeout=3.0)
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: call.sent)
    clock.advance(3.3)
    assert (sink.error.reason, sink.error.sent) == ("upstream.timeout", True)
    assert server.accepted == 1  # not repeated


@pytest.mark.parametrize(
    ("bytes_sent", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "upstream.garbage"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", "upstream.closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Len", "upstream.closed"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000, "upstream.garbage"),
    ],
)
async def test_what_began_to_answer_is_not_repeated(make_upstream, make_server, ask, bytes_sent, reason):
    async def misbehave(peer):
        await peer.request()
        peer.send(bytes_sent)
        if reason == "upstream.garbage":
            await peer.gone()

    server = await make_server(misbehave)
    sink = await ask(make_upstream(server.address))
    assert sink.error.reason == reason
    assert server.accepted == 1


def test_every_reason_is_a_gateway_status():
    assert {row.status for row in REASONS.values()} == {502, 503, 504}
    assert all(reason.startswith("upstream.") for reason in REASONS)


# -- repeating


async def answer_once(peer):
    """Answer, and close as soon as the next request comes."""
    await peer.request()
    peer.send(OK)
    await peer.request()


async def close_unanswered(peer):
    await peer.request()


async def test_closed_when_reused_is_repeated_once_on_a_fresh_connection_when_idempotent(
    make_upstream, make_server, ask
):
    server = await make_server(answer_once)
    upstream = make_upstream(server.address, ejection=EjectionSettings(failures=1))
    await ask(upstream)
    assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 2
    assert not upstream.failures  # closing a kept connection is no fault


async def test_closed_when_reused_is_never_repeated_when_not_idempotent(make_upstream, make_server, ask):
    server = await make_server(answer_once)
    upstream = make_upstream(server.address)
    await ask(upstream)
    sink = await ask(upstream, POST, b"hello", False)
    assert (sink.error.reason, sink.error.sent, sink.error.detail) == ("upstream.closed", True, "reused")
    assert server.accepted == 1


async def test_closed_unanswered_is_repeated_no_more_than_retries(make_upstream, make_server, ask):
    server = await make_server(close_unanswered)
    sink = await ask(make_upstream(server.address, retries=2))
    assert sink.error.reason == "upstream.closed"
    assert server.accepted == 3


async def test_a_streamed_request_cannot_be_repeated(make_upstream, make_server, make_sink):
    server = await make_server(close_unanswered)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(POST, None, sink, idempotent=True)
    call.write(b"hello")
    call.end()
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.error.reason == "upstream.closed"
    assert server.accepted == 1


async def test_a_connection_idle_for_a_while_is_asked_before_it_is_used(make_upstream, make_server, ask, clock):
    """The server has closed, the loop has not noticed yet, and the request must not be lost."""
    answered = asyncio.Event()
    close_now = asyncio.Event()

    async def close_when_told(peer):
        await peer.request()
        peer.send(OK)
        answered.set()
        await close_now.wait()

    server = await make_server(close_when_told)
    upstream = make_upstream(server.address)
    await ask(upstream)
    clock.advance(2)
    connection = upstream.pools[0].idle[0]
    assert connection.still_good()
    # Close from outside of the loop's sight: the kernel knows of it, the transport does not.
    fd = connection._transport.get_extra_info("socket").fileno()
    with socket.socket(fileno=socket.dup(fd)) as same:
        same.shutdown(socket.SHUT_RD)
    assert not connection._transport.is_closing()
    assert not connection.still_good()
    assert (await ask(upstream, POST, b"hello", False)).events == SEEN_OK
    assert server.accepted == 2
    close_now.set()


async def test_why_calls_fail_is_told_at_once_and_then_now_and_then(make_upstream, make_server, ask, clock):
    async def strange(peer):
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n")

    server = await make_server(strange)
    told = []
    upstream = make_upstream(server.address, report=lambda *what: told.append(what))
    await ask(upstream)
    clock.advance(0.1)
    assert told == [(server.address, "upstream.garbage", "head.folded_line", 1)]
    for _ in range(5):
        await ask(upstream)
    clock.advance(REPORT_EVERY - 1)
    assert len(told) == 1
    clock.advance(1.1)
    assert told[1:] == [(server.address, "upstream.garbage", "head.folded_line", 5)]
    clock.advance(100)
    assert len(told) == 2


async def test_a_call_that_nobody_waits_for_ends_soon_and_is_nobodys_failure(
    make_upstream, make_server, make_sink, clock
):
    async def trickle(peer):
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n{")
        await peer.gone()

    server = await make_server(trickle)
    told = []
    upstream = make_upstream(server.address, report=lambda *what: told.append(what))
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: sink.body)
    call.hurry(1.0)
    clock.advance(1.2)
    assert sink.over.is_set()
    assert not upstream.pools[0].connections
    clock.advance(20)
    assert told == []
    assert upstream.pools[0].health.failures == 0


async def test_an_answer_that_perhaps_nobody_reads_may_not_be_silent_for_long(
    make_upstream, make_server, make_sink, clock
):
    hold = asyncio.Event()

    async def trickle(peer):
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n{")
        await hold.wait()
        peer.send(b"}")
        await peer.gone()

    server = await make_server(trickle)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: sink.body)
    call.hush()
    clock.advance(HUSHED - 1)
    hold.set()
    await until(lambda: sink.body == b"{}")
    clock.advance(HUSHED - 1)
    assert not sink.over.is_set()
    clock.advance(1.3)
    assert sink.error.reason == "upstream.timeout"
    assert upstream.pools[0].health.failures == 0
    assert not upstream.pools[0].connections
