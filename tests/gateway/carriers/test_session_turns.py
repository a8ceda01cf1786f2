"""Judged sockets take turns: many frames in one read, many sockets of one address, floods of what says nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.common.units import Rate
from gateway.http.server.settings import ServerSettings
from gateway.websocket.frames import close_payload, frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from tests.gateway.carriers.conftest import Bench

KEY = b"\x11\x22\x33\x44"
RELAYED = masked_frame(TEXT, b'{"type":"ping"}', key=KEY)
PINGED = masked_frame(PING, b"?", key=KEY)
FRAGMENTS = b"".join(
    masked_frame(opcode, payload, key=KEY, final=final)
    for opcode, payload, final in [(TEXT, b'{"type"', False), *[(CONTINUATION, b" ", False)] * 40,
                                   (CONTINUATION, b':"ping"}', True)]
)  # fmt: skip
SHARE = 16
ENDLESS = Habits(max_controls=Rate(1 << 30, 1.0), max_malformed=Rate(1 << 30, 1.0), mute_after=None)


def said(content: str) -> bytes:
    return masked_frame(TEXT, orjson.dumps({"type": "message", "content": content}), key=KEY)


def narrow(bench: Bench, frames: int = SHARE, size: int = 1 << 30) -> None:
    """Each address has its share, as if others were at work."""
    bench.turns.configure(ServerSettings(turn_frames=frames, turn_requests=frames, turn_bytes=size))
    bench.turns.share = 1.0
    bench.turns._shared_until = 1 << 30
    bench.turns.number += 1


async def drained(bench: Bench, count: int = 10_000) -> None:
    for _ in range(count):
        while bench.state.waiting:
            bench.judge(1)
        if not bench.turns._ring:
            return
        await asyncio.sleep(0)
    raise AssertionError("somebody waits for ever")


@pytest.mark.parametrize("sent", [RELAYED, PINGED])
async def test_frames_of_one_read_are_taken_by_and_by(bench: Any, sent: bytes) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    client.send(sent * 100)
    first = client.upstream.written
    assert len(first) <= 2 * SHARE * len(sent)
    assert not client.transport.reading
    other = bench.open(bench.route(habits=ENDLESS))
    other.link.account = bench.turns.account("198.51.100.7")
    other.send(sent)
    assert other.reached() == sent
    await drained(bench)
    assert client.reached() == sent * 100
    assert client.transport.reading


async def test_the_sockets_of_one_address_share_its_turn(bench: Any) -> None:
    narrow(bench)
    clients = [bench.open(bench.route(habits=ENDLESS)) for _ in range(100)]
    for client in clients:
        client.send(RELAYED)
    assert sum(bool(client.upstream.written) for client in clients) <= SHARE
    await drained(bench)
    assert all(client.reached() == RELAYED for client in clients)


async def test_fragments_count_as_frames(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    client.send(FRAGMENTS)
    assert not client.upstream.written
    await drained(bench)
    assert client.reached() == FRAGMENTS


async def test_a_relayed_socket_is_read_by_its_turn(bench: Any) -> None:
    narrow(bench, size=4096)
    client = bench.tunnel()
    client.send(b"x" * 10_000)
    assert not client.transport.reading
    assert client.reached() == b"x" * 10_000
    await drained(bench)
    assert client.transport.reading


async def test_what_a_client_sent_who_is_gone_is_judged(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    client.send(RELAYED * 100 + said("the last word"))
    client.transport.lose()
    assert not client.upstream.eof_written
    await drained(bench)
    assert client.reached().startswith(RELAYED * 100)
    assert len(bench.verdicts()) == 1
    assert client.upstream.eof_written


async def test_a_close_frame_behind_what_waits_is_relayed(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    goodbye = masked_frame(CLOSE, close_payload(1000), key=KEY)
    client.send(RELAYED * 100 + goodbye + RELAYED)
    await drained(bench)
    assert client.reached() == RELAYED * 100 + goodbye


async def test_an_ended_socket_takes_nothing_but_the_clients_goodbye(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    client.send(RELAYED * 100 + masked_frame(CLOSE, close_payload(1000), key=KEY))
    client.link.end("socket.stopping")
    client.reached()
    await drained(bench)
    assert RELAYED not in client.reached()
    assert client.link._client_closed == 1000


@pytest.mark.parametrize(
    ("flood", "reason"),
    [(PINGED, "socket.too_many_controls"), (masked_frame(TEXT, b"{", key=KEY), "socket.too_many_malformed")],
)
async def test_floods_end_the_socket(bench: Any, flood: bytes, reason: str) -> None:
    habits = Habits(max_controls=Rate(20, 10.0), max_malformed=Rate(20, 10.0), mute_after=None)
    client = bench.open(bench.route(habits=habits))
    client.send(flood * 20)
    assert not client.link.closing
    bench.advance(10.5)
    client.send(flood * 20)
    assert not client.link.closing
    client.send(flood)
    assert client.link.ended_as == reason
    assert (CLOSE, close_payload(1008, reason)) in client.got()


EVENTS = st.lists(
    st.sampled_from(
        [RELAYED, PINGED, FRAGMENTS, said("one"), said("spam"), said("idiot"), masked_frame(TEXT, b"{", key=KEY)]
    ),
    max_size=30,
)
LAST = st.sampled_from(
    [b"", b"\x81", masked_frame(CLOSE, close_payload(1000), key=KEY) + RELAYED, b"\xff\xff" + RELAYED,
     masked_frame(BINARY, b"x", key=KEY, final=False)]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(EVENTS, LAST, st.lists(st.integers(1, 300), max_size=8), st.integers(1, 20), st.booleans())
def test_stopped_anywhere_a_socket_does_the_same(
    events: list[bytes], last: bytes, cuts: list[int], share: int, gone: bool
) -> None:
    text = b"".join(events) + last

    async def done(frames: int) -> tuple[Any, ...]:
        bench = Bench(asyncio.get_running_loop())
        narrow(bench, frames)
        client = bench.open(bench.route(habits=ENDLESS))
        try:
            at = 0
            for cut in (*cuts, len(text)):
                if client.transport.reading:
                    client.send(text[at : at + cut])
                    at += cut
                await drained(bench)
            if gone and client.transport.protocol is not None:
                client.transport.lose()
            await drained(bench)
        finally:
            bench.sweep.unwatch(bench.sockets._look)
        up = [event[:2] for event in client._up.feed(client.reached())]  # masked anew where something changed
        data = [event for event in up if event[0] < CLOSE]  # control frames wait for nobody
        controls = [event for event in up if event[0] >= CLOSE]
        told = sorted(map(repr, client.got()))  # what cannot be read is told at once, what is judged later
        return data, controls, told, bench.verdicts(), client.upstream.eof_written

    few, many = asyncio.run(done(share)), asyncio.run(done(1 << 20))
    assert few == many


FROM_UPSTREAM = st.lists(
    st.sampled_from([frame(TEXT, b"hello"), frame(PING, b""), frame(BINARY, b"x" * 5000), frame(TEXT, b"a", final=False)
                     + frame(CONTINUATION, b"b"), frame(PONG, b"tidegate")]),
    max_size=30,
)  # fmt: skip


async def test_masses_of_small_frames_of_an_upstream_leave_by_and_by(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    sent = frame(TEXT, b"") * 20_000
    client.arrives(sent)
    assert 0 < len(client.transport.written) < len(sent) // 2
    assert not client.upstream.reading
    await drained(bench)
    assert client.transport.written == sent
    assert client.upstream.reading


async def test_what_an_upstream_said_before_it_went_is_passed_on(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=ENDLESS))
    sent = frame(TEXT, b"") * 20_000 + frame(CLOSE, close_payload(1000))
    client.arrives(sent)
    client.upstream.lose()
    assert client.transport.written == sent
    await drained(bench)


async def test_a_slow_client_is_not_overrun_by_its_turn(bench: Any) -> None:
    narrow(bench)
    client = bench.open(bench.route(habits=Habits(max_buffered=4096)))
    client.transport.stalled = True
    client.arrives(frame(TEXT, b"") * 20_000)
    await drained(bench)
    assert not client.upstream.reading
    client.transport.flush()
    await drained(bench)
    assert client.upstream.reading


async def test_a_tunnels_close_frame_behind_masses_of_frames_is_found(bench: Any) -> None:
    narrow(bench)
    client = bench.tunnel()
    client.send(PINGED * 5000 + masked_frame(CLOSE, close_payload(1000), key=KEY))
    assert not client.link._client_closed
    assert not client.transport.reading
    await drained(bench)
    assert client.link._client_closed == 1000


@settings(max_examples=40, deadline=None)
@given(FROM_UPSTREAM, st.lists(st.integers(1, 9000), max_size=6), st.booleans())
def test_stopped_anywhere_a_relay_passes_on_the_same(frames: list[bytes], cuts: list[int], wide: bool) -> None:
    text = b"".join(frames)

    async def passed(share: int) -> bytes:
        bench = Bench(asyncio.get_running_loop())
        narrow(bench, share, 4096 if share == 1 else 1 << 30)
        client = bench.open(bench.route(habits=ENDLESS))
        try:
            at = 0
            for cut in (*cuts, len(text)):
                client.arrives(text[at : at + cut])
                at += cut
                if wide:
                    await drained(bench)
            await drained(bench)
        finally:
            bench.sweep.unwatch(bench.sockets._look)
        return bytes(client.transport.written)

    assert asyncio.run(passed(1)).replace(frame(PONG, b"tidegate"), b"") == text.replace(frame(PONG, b"tidegate"), b"")


@pytest.mark.parametrize("judged", [True, False])
async def test_sockets_that_can_all_be_read_at_once_are_held_back(bench: Any, judged: bool) -> None:
    narrow(bench, 1 << 20, 80 * 1024)  # a share pays for 80 reads
    route = bench.route(habits=ENDLESS)
    clients = [bench.open(route) if judged else bench.tunnel() for _ in range(200)]
    bench.turns.number += 1
    sent = [client for client in clients if client.transport.reading and client.send(RELAYED)]
    assert len(sent) == 81  # the first begins the turn
    assert bench.turns.held >= 198  # the first two of a tunnel stopped by themselves
    assert not any(client.transport.reading for client in clients)
    await drained(bench)
    assert all(client.transport.reading for client in clients)
    assert [bytes(client.upstream.written) for client in sent] == [RELAYED] * 81
    for client in clients:
        client.transport.abort()
    assert not bench.turns.account("192.0.2.1").members
