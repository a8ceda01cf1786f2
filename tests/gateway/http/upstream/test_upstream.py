"""Calls to upstreams over loopback: connections kept and bounded, bodies streamed, reloads and stops."""

from __future__ import annotations

import asyncio

import pytest

from gateway.http.upstream.settings import UpstreamServerSettings, UpstreamSettings
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.address import parse_address
from tests.gateway.http.calls import CHUNKED, GET, OK, POST, SEEN_OK, hang, until

# -- the plain way


async def test_the_loop_is_uvloop(make_upstream):
    assert isinstance(make_upstream(), Upstream)
    assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")


async def test_connections_are_kept(make_upstream, make_server, ask):
    server = await make_server()
    upstream = make_upstream(server.address)
    for _ in range(3):
        assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 1


async def test_a_unix_socket(make_upstream, make_server, ask, tmp_path):
    server = await make_server(path=str(tmp_path / "platform.sock"))
    assert (await ask(make_upstream(server.address))).events == SEEN_OK


async def test_a_large_body_arrives_whole(make_upstream, make_server, ask):
    body = bytes(range(256)) * 8192  # 2 MiB, more than any socket buffer

    async def echo(peer):
        _, received = await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
        await peer.gone()

    server = await make_server(echo)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    sink = await ask(make_upstream(server.address), head, body)
    assert sink.body == body


async def test_a_streamed_request_waits_for_its_connection_and_for_the_server(make_upstream, make_server, make_sink):
    go = asyncio.Event()
    received = bytearray()

    async def read_late(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await go.wait()
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received.extend(await peer.reader.read(65536))
        peer.send(OK)
        await peer.gone()

    server = await make_server(read_late)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(CHUNKED, None, sink, idempotent=False, chunked=True)
    piece = b"x" * 65536
    sent = 0
    async with asyncio.timeout(5):
        assert call.write(piece) is False  # there is no connection yet
        sent += 1
        await sink.drained.wait()
        sink.drained.clear()
        while call.write(piece):
            sent += 1
        sent += 1
        assert sent < 200  # back-pressure came
        assert not sink.drained.is_set()
        go.set()
        await sink.drained.wait()
        call.end()
        await sink.over.wait()
    assert bytes(received) == b"10000\r\n%b\r\n" % piece * sent + b"0\r\n\r\n"
    assert sink.events[-3:] == SEEN_OK


async def test_a_streamed_request_that_ends_before_its_connection_is_there(make_upstream, make_server, make_sink):
    server = await make_server()
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(POST, None, sink, idempotent=False)
    call.write(b"hello")
    call.end()
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.events == SEEN_OK
    assert len(upstream.pools[0].idle) == 1
    with pytest.raises(RuntimeError):
        call.end()


async def test_an_answer_before_the_request_is_complete_ends_the_connection(make_upstream, make_server, make_sink):
    async def refuse_early(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    server = await make_server(refuse_early)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(CHUNKED, None, sink, idempotent=False, chunked=True)
    call.write(b"begin")
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.events[-2:] == [("head", 413, False), ("end",)]
    assert call.write(b"more")  # dropped: the client's rest is nobody's
    call.end()
    assert not upstream.pools[0].connections


# -- bounds


async def test_a_call_waits_for_a_connection_in_order(make_upstream, make_server, make_sink):
    gates = [asyncio.Event() for _ in range(4)]

    async def answer_when_told(peer):
        for gate in gates:
            await peer.request()
            await gate.wait()
            peer.send(OK)
        await peer.gone()

    server = await make_server(answer_when_told)
    upstream = make_upstream(server.address, max_connections=1, max_waiting=2)
    sinks = [make_sink() for _ in range(4)]
    calls = [upstream.start(GET, b"", sink, idempotent=True) for sink in sinks]
    async with asyncio.timeout(5):
        await sinks[3].over.wait()
        assert (sinks[3].error.reason, sinks[3].error.detail) == ("upstream.busy", "queue")
        assert (sinks[3].error.status, sinks[3].error.sent) == (503, False)
        calls[1].abort()
        for index in (0, 2):
            assert not sinks[index].over.is_set()
            gates[index // 2].set()
            await sinks[index].over.wait()
    assert sinks[0].events == sinks[2].events == SEEN_OK
    assert sinks[1].events == []
    assert server.accepted == 1


async def test_a_queue_stands_when_the_first_has_waited_longer_than_a_burst(
    make_upstream, make_server, make_sink, clock
):
    server = await make_server(hang)
    upstream = make_upstream(server.address, max_connections=1, wait_timeout=2.0)
    upstream.start(GET, b"", make_sink(), idempotent=True)
    assert not upstream.stands(0.02)  # one that is slow to answer is no queue
    clock.advance(1.0)
    assert not upstream.stands(0.02)
    upstream.start(GET, b"", make_sink(), idempotent=True)
    clock.advance(0.2)
    assert not upstream.stands(0.02)
    clock.advance(0.4)
    assert upstream.stands(0.02)
    assert not upstream.stands(1.0)
    assert not upstream.stands(0.0)  # no bound
    clock.advance(2.0)
    assert not upstream.stands(0.02)  # it was told that the upstream is busy, and nobody waits


async def test_the_wait_for_a_connection_ends(make_upstream, make_server, make_sink, clock):
    server = await make_server(hang)
    upstream = make_upstream(server.address, max_connections=1, wait_timeout=2.0)
    first, second = make_sink(), make_sink()
    upstream.start(GET, b"", first, idempotent=True)
    upstream.start(GET, b"", second, idempotent=True)
    clock.advance(1.9)
    assert not second.over.is_set()
    clock.advance(0.4)
    assert (second.error.reason, second.error.detail) == ("upstream.busy", "wait")
    assert not upstream.waiting


async def test_an_abort_frees_the_place(make_upstream, make_server, make_sink):
    server = await make_server(hang, hang)
    upstream = make_upstream(server.address, max_connections=1)
    first = upstream.start(GET, b"", make_sink(), idempotent=True)
    second = upstream.start(GET, b"", make_sink(), idempotent=True)
    await until(lambda: first.sent)
    first.abort()
    first.abort()
    await until(lambda: second.sent)
    assert len(upstream.pools[0].connections) == 1


async def test_a_connection_whose_call_left_is_kept_for_the_next(make_upstream, make_server, make_sink, ask):
    server = await make_server()
    upstream = make_upstream(server.address)
    upstream.start(GET, b"", make_sink(), idempotent=True).abort()
    await until(lambda: upstream.pools[0].idle)
    assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 1


async def test_upgraded_connections_are_bounded(make_upstream, make_sink):
    upstream = make_upstream(max_upgraded=0)
    sink = make_sink()
    upstream.upgrade(GET, sink)
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.error.reason == "upstream.busy"


# -- reload and stop


def settings_of(*addresses, **more):
    servers = tuple(UpstreamServerSettings(parse_address(address)) for address in addresses)
    return UpstreamSettings("platform", servers, **more)


async def test_a_reload_keeps_the_servers_that_stay_and_closes_nothing_in_progress(
    make_upstream, make_server, make_sink, ask
):
    go = asyncio.Event()

    async def slow(peer):
        await peer.request()
        await go.wait()
        peer.send(OK)
        await peer.gone()

    leaving, staying, coming = await make_server(slow), await make_server(), await make_server()
    upstream = make_upstream(leaving.address, staying.address)
    in_progress = make_sink()
    call = upstream.start(GET, b"", in_progress, idempotent=True)
    await until(lambda: call.sent)
    assert (await ask(upstream)).events == SEEN_OK
    kept = upstream.pools[1]
    kept.health.failures = 3
    upstream.apply(settings_of(staying.address, coming.address))
    assert upstream.pools[0] is kept
    assert (len(kept.idle), kept.health.failures) == (1, 3)
    for _ in range(4):
        assert (await ask(upstream)).events == SEEN_OK
    assert (leaving.accepted, staying.accepted, coming.accepted) == (1, 1, 1)
    go.set()
    async with asyncio.timeout(5):
        await in_progress.over.wait()
    assert in_progress.events == SEEN_OK
    assert call.upstream is upstream
    await until(lambda: not leaving.tasks)  # its connection was closed then


async def test_a_removed_server_still_has_its_time_outs(make_upstream, make_server, make_sink, clock):
    leaving, staying = await make_server(hang), await make_server()
    upstream = make_upstream(leaving.address, answer_timeout=3.0)
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: call.sent)
    upstream.apply(settings_of(staying.address))
    clock.advance(3.5)
    assert sink.error.reason == "upstream.timeout"
    assert upstream._retiring == ()


async def test_a_retired_upstream_ends_what_was_begun_and_then_rests(make_upstream, make_server, make_sink, ask, clock):
    from gateway.http.upstream.settings import CheckSettings

    go = asyncio.Event()
    checks = []

    async def slow(peer):
        while True:
            head, _ = await peer.request()
            if b"/up" in head:
                checks.append(head)
            else:
                await go.wait()
            peer.send(OK)

    server = await make_server(slow)
    check = CheckSettings("/up", interval=5.0)
    upstream = make_upstream(server.address, max_connections=1, wait_timeout=60.0, check=check)
    clock.advance(0.1)
    await until(lambda: checks and upstream._probes[0]._call is None)
    sinks = [make_sink(), make_sink()]
    written, waiting = [upstream.start(POST, b"hello", sink, idempotent=False) for sink in sinks]
    await until(lambda: written.sent)
    upstream.retire()
    clock.advance(6.0)
    assert (upstream.resting, waiting.sent, len(checks)) == (False, False, 1)
    go.set()
    for sink in sinks:
        async with asyncio.timeout(5):
            await sink.over.wait()
        assert sink.events == SEEN_OK
    clock.advance(0.2)
    assert (upstream.resting, upstream.sweep._watchers) == (True, [])
    await until(lambda: not server.tasks)  # and nothing is kept open
    # What was judged for it by the generation before may come later than the reload.
    assert (await ask(upstream, POST, b"hello", idempotent=False)).events == SEEN_OK
    assert not upstream.resting
    clock.advance(0.2)
    assert (upstream.resting, len(checks)) == (True, 1)
    await until(lambda: not server.tasks)


async def test_a_retired_upstream_can_still_be_stopped(make_upstream, make_server, make_sink, clock):
    server = await make_server(hang)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(POST, b"hello", sink, idempotent=False)
    await until(lambda: call.sent)
    upstream.retire()
    clock.advance(0.2)
    upstream.close()
    assert (sink.error.reason, sink.error.sent) == ("upstream.stopped", True)
    resting = make_upstream(server.address)
    resting.retire()
    clock.advance(0.2)
    assert resting.resting
    resting.close()


async def test_a_retired_upstream_still_has_its_time_outs(make_upstream, make_server, make_sink, clock):
    server = await make_server(hang)
    upstream = make_upstream(server.address, answer_timeout=3.0)
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: call.sent)
    upstream.retire()
    clock.advance(3.5)
    assert sink.error.reason == "upstream.timeout"


async def test_close_ends_everything(make_upstream, make_server, make_sink):
    server = await make_server(hang)
    upstream = make_upstream(server.address, max_connections=1)
    sinks = [make_sink(), make_sink()]
    first, _ = [upstream.start(GET, b"", sink, idempotent=True) for sink in sinks]
    await until(lambda: first.sent)
    upstream.close()
    assert [sink.error.reason for sink in sinks] == ["upstream.stopped", "upstream.stopped"]
    assert [sink.error.sent for sink in sinks] == [True, False]
    late = make_sink()
    upstream.start(GET, b"", late, idempotent=True)
    async with asyncio.timeout(5):
        await late.over.wait()
    assert late.error.reason == "upstream.stopped"
