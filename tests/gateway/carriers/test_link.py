"""How a socket ends: who closes, with which code, in which order; and what silence and slowness cost."""

from __future__ import annotations

import asyncio
import gc

import pytest

from gateway.carriers.link import CLOSE_WAIT
from gateway.websocket import endings
from gateway.websocket.frames import close_payload, frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

QUIET = {"ping_interval": 0.0, "idle_timeout": 10_000.0}
OURS = b"tidegate"


def ended(bench, client) -> bool:
    """Nothing of the link is left anywhere."""
    return client.link not in bench.sockets.links and sorted(client.released) == ["client", "upstream"]


# close frames


async def test_a_client_closes(bench, close_of):
    client = bench.open()
    close = client.close(4001)
    assert client.reached() == close
    client.arrives(frame(CLOSE, close_payload(4001, "bye")))
    assert client.got() == [close_of(4001, "bye")]
    assert client.transport.closed == "close"
    client.upstream.close()
    assert ended(bench, client)
    assert not bench.metrics.socket_ends.values  # the gateway ended nothing


async def test_an_upstream_closes(bench, close_of):
    client = bench.open()
    client.arrives(frame(CLOSE, close_payload(4002, "enough")))
    assert client.got() == [close_of(4002, "enough")]
    assert client.transport.closed == ""
    answer = client.close(4002)
    assert client.reached() == answer
    assert client.transport.closed == "close"
    client.upstream.close()
    assert ended(bench, client)


async def test_an_upstream_that_closes_and_goes_leaves_the_client_time_to_answer(bench):
    client = bench.open()
    client.arrives(frame(CLOSE, close_payload(1000)))
    client.upstream.close()
    assert client.transport.closed == ""
    client.close(1000)
    assert ended(bench, client)


async def test_a_client_that_never_answers_a_close_is_cut(bench):
    client = bench.open(bench.route(habits=Habits(**QUIET)))
    client.arrives(frame(CLOSE, close_payload(1000)))
    bench.advance(CLOSE_WAIT)
    assert client.transport.closed == "abort"
    assert client.upstream.closed == "abort"
    assert ended(bench, client)


async def test_messages_behind_the_upstreams_close_fail(bench):
    client = bench.open()
    client.say("too late")
    client.arrives(frame(CLOSE, close_payload(1000)))
    bench.judge()
    assert client.reached() == b""
    assert bench.outcomes() == {"id-1": "failed"}
    assert bench.journal.records[-1]["reason"] == "upstream.closed"


async def test_an_upstream_that_drops_its_connection_on_a_close_is_answered_for(bench, close_of):
    client = bench.open()
    client.close(4003)
    client.upstream.lose()
    assert client.got() == [close_of(4003)]
    assert ended(bench, client)


async def test_an_upstream_that_is_lost_is_told_with_1014(bench, close_of):
    client = bench.open()
    client.say("on its way")
    client.upstream.lose()
    assert client.got() == []
    bench.judge()
    assert client.got() == [close_of(1014, "socket.upstream_closed")]
    assert bench.outcomes() == {"id-1": "failed"}
    client.close(1014)
    assert ended(bench, client)
    assert bench.metrics.socket_ends.values == {("chat", "socket.upstream_closed"): 1}


async def test_a_frame_that_was_cut_off_is_never_ended_by_a_frame_of_ours(bench):
    client = bench.open(bench.route(habits=Habits(**QUIET)))
    half = frame(TEXT, b"0123456789")[:6]
    client.arrives(half)
    client.upstream.lose()
    assert client.transport.written == half
    bench.advance(CLOSE_WAIT)
    assert client.transport.written == half
    assert ended(bench, client)


# protocol errors


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (b"\x81\x02hi", 1002, "websocket.mask"),
        (b"\xf1\x80\0\0\0\0", 1002, "websocket.reserved"),
        (masked_frame(TEXT, b"\xff"), 1007, "websocket.utf8"),
        (masked_frame(TEXT, b"x" * 2000)[:8], 1009, "websocket.too_large"),
        (masked_frame(TEXT, b"{", final=False) + masked_frame(CONTINUATION, b" ", final=False) * 8, 1008,
         "websocket.too_many_fragments"),
    ],
    ids=["mask", "reserved", "utf8", "too_large", "too_many"],  # frames are masked anew in each process
)  # fmt: skip
async def test_a_broken_frame_ends_the_socket_behind_what_came_before(bench, close_of, sent, code, reason):
    client = bench.open(bench.route(habits=Habits(max_frame=1000, max_message=1500, max_fragments=8)))
    first = client.say("well formed")
    client.send(sent + masked_frame(TEXT, b"never looked at"))
    assert client.got() == []
    bench.judge()
    assert client.reached().startswith(first)
    assert client.got() == [close_of(code, reason)]
    assert client.transport.eof_written
    assert client.link.eof_received() is False
    client.transport.lose()
    client.upstream.close()
    assert ended(bench, client)
    assert bench.metrics.socket_ends.values == {("chat", reason): 1}


async def test_messages_over_several_frames_have_a_bound_of_their_own(bench, close_of):
    client = bench.open(bench.route(habits=Habits(max_frame=1000, max_message=1500)))
    client.send(masked_frame(TEXT, b" " * 900, final=False) + masked_frame(CONTINUATION, b" " * 900))
    assert client.got() == [close_of(1009, "websocket.too_large")]


async def test_an_upstream_that_sends_no_frames_is_told_with_1014(bench, close_of):
    client = bench.open()
    good = frame(TEXT, b"[1]")
    client.arrives(good + b"\xff\xff\xff")
    assert client.transport.written.startswith(good)
    assert client.got() == [[1], close_of(1014, "socket.upstream_garbage")]
    (sent,) = client._up.feed(client.reached())
    assert (sent.opcode, sent.close_code) == (CLOSE, 1001)


# going without a word


async def test_what_a_client_sent_before_it_went_is_delivered(bench):
    client = bench.open()
    sent = client.say("goodbye")
    client.transport.lose()
    assert not client.upstream.eof_written
    bench.judge()
    assert client.reached() == sent
    assert bench.outcomes() == {"id-1": "delivered"}
    assert client.upstream.eof_written
    client.arrives(frame(TEXT, b"for nobody"))
    client.upstream.close()
    assert ended(bench, client)


async def test_a_half_closed_client_still_reads(bench):
    client = bench.open()
    client.say("last")
    assert client.link.eof_received() is True
    bench.judge()
    assert client.upstream.eof_written
    client.arrives(frame(TEXT, b"[1]"))
    assert client.got() == [[1]]
    client.upstream.lose()
    assert client.transport.closed == "close"
    assert ended(bench, client)


async def test_an_upstream_that_ignores_the_end_is_cut(bench):
    client = bench.open(bench.route(habits=Habits(**QUIET)))
    client.transport.lose()
    bench.advance(CLOSE_WAIT)
    assert client.upstream.closed == "abort"
    assert ended(bench, client)


# silence


async def test_silent_sides_are_pinged_and_answer(bench):
    client = bench.open(bench.route(habits=Habits(ping_interval=30, ping_timeout=20, idle_timeout=600)))
    bench.advance(31)
    assert client.got() == [(PING, OURS)]
    (ping,) = client._up.feed(client.reached())
    assert (ping.opcode, ping.payload) == (PING, OURS)
    client.pong(OURS)
    client.arrives(frame(PONG, OURS))
    assert client.reached() == b""
    assert client.got() == []  # neither pong goes further
    bench.advance(21)
    assert client.link in bench.sockets.links
    assert not client.link.closing


async def test_a_client_that_answers_no_ping_is_closed(bench, close_of):
    client = bench.open(bench.route(habits=Habits(ping_interval=30, ping_timeout=20)))
    bench.advance(31)
    client.got()
    client.arrives(frame(PONG, OURS))
    bench.advance(21)
    assert client.got() == [close_of(1001, "socket.client_silent")]
    bench.advance(CLOSE_WAIT)
    assert ended(bench, client)


async def test_an_upstream_that_answers_no_ping_is_told_with_1014(bench, close_of):
    client = bench.open(bench.route(habits=Habits(ping_interval=30, ping_timeout=20)))
    bench.advance(31)
    client.got()
    client.pong(OURS)
    bench.advance(21)
    assert client.got() == [close_of(1014, "socket.upstream_silent")]


async def test_any_byte_is_an_answer(bench):
    client = bench.open(bench.route(habits=Habits(ping_interval=30, ping_timeout=20, idle_timeout=600)))
    bench.advance(31)
    client.send(masked_frame(TEXT, b"{}")[:3])
    client.arrives(frame(TEXT, b"[1]"))
    bench.advance(21)
    assert not client.link.closing


async def test_silence_in_both_directions_closes_and_our_pings_are_no_talk(bench, close_of):
    client = bench.open(bench.route(habits=Habits(ping_interval=30, ping_timeout=20, idle_timeout=100)))
    for _ in range(3):
        bench.advance(30)
        client.pong(OURS)
        client.arrives(frame(PONG, OURS))
    assert not client.link.closing
    bench.advance(20)
    assert client.got()[-1] == close_of(1001, "socket.idle")


async def test_what_the_upstream_says_keeps_a_watcher(bench):
    client = bench.open(bench.route(habits=Habits(ping_interval=0, idle_timeout=100)))
    for _ in range(5):
        bench.advance(60)
        client.arrives(frame(TEXT, b"[1]"))
    assert not client.link.closing


# slowness


async def test_a_slow_client_stops_the_upstream_and_is_closed_in_the_end(bench, close_of):
    client = bench.open(bench.route(habits=Habits(max_buffered=8192, slow_timeout=10, **QUIET)))
    client.transport.stalled = True
    client.arrives(frame(BINARY, b"x" * 5000))
    assert client.upstream.reading
    client.arrives(frame(BINARY, b"x" * 5000))
    assert not client.upstream.reading
    bench.advance(5)
    client.transport.flush()
    assert client.upstream.reading
    client.transport.stalled = True
    client.arrives(frame(BINARY, b"x" * 10000))
    bench.advance(8)
    assert not client.link.closing
    bench.advance(3)
    assert client.got()[-1] == close_of(1013, "socket.client_slow")
    bench.advance(CLOSE_WAIT)
    assert client.transport.closed == "abort"
    assert ended(bench, client)


async def test_a_slow_upstream_stops_the_client_and_is_given_up_in_the_end(bench, close_of):
    client = bench.open(bench.route(habits=Habits(max_buffered=4096, slow_timeout=10, mute_after=None, **QUIET)))
    client.upstream.stalled = True
    for number in range(200):
        if not client.transport.reading:
            break
        client.say(f"message {number} " + "x" * 100)
        bench.judge()
    assert number < 60
    bench.advance(11)
    assert client.got() == [close_of(1013, "socket.upstream_slow")]
    bench.advance(CLOSE_WAIT)
    assert client.upstream.closed == "abort"
    assert ended(bench, client)


async def test_a_flood_of_pings_is_held_back_by_a_slow_upstream(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=4096)))
    client.upstream.stalled = True
    for _ in range(1000):
        if not client.transport.reading:
            break
        client.ping(b"x" * 125)
    assert not client.transport.reading
    assert client.upstream.buffered < 8192


# stopping


async def test_a_stop_closes_with_1012_behind_what_is_being_judged(bench, close_of):
    busy, idle = bench.open(), bench.open()
    sent = busy.say("judge me")
    drained = asyncio.ensure_future(bench.sockets.drain(60))
    await asyncio.sleep(0)
    assert idle.got() == [close_of(1012, "socket.stopping")]
    assert busy.got() == []
    bench.judge()
    assert busy.reached().startswith(sent)
    assert busy.got() == [close_of(1012, "socket.stopping")]
    for client in (busy, idle):
        client.close(1012)
        assert client.transport.closed == "close"
        client.upstream.close()
    assert await drained is True
    bench.sweep.watch(bench.sockets._look)


async def test_a_stop_cuts_what_does_not_end(bench):
    client = bench.open()
    assert await bench.sockets.drain(0.01) is False
    assert ended(bench, client)
    bench.sweep.watch(bench.sockets._look)


# what is left behind


async def test_a_socket_that_has_ended_leaves_nothing_to_the_collector(bench):
    route = bench.route()
    gc.collect()
    gc.disable()
    try:
        client = bench.open(route)
        for text in ("fine", "spam", "you idiot"):
            client.say(text)
        bench.judge()
        client.got()
        client.close()
        client.arrives(frame(CLOSE, close_payload(1000)))
        client.upstream.close()
        assert ended(bench, client)
        del client
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_verdicts_that_come_when_everybody_has_gone_hurt_nobody(bench):
    client = bench.open()
    client.say("one")
    client.say("spam")
    client.send(b"\xff\xff")
    client.transport.lose()
    client.upstream.lose()
    assert ended(bench, client)
    bench.judge()
    assert bench.outcomes() == {"id-1": "failed"}


# sockets that nobody judges


async def test_a_tunnel_relays_bytes_both_ways(bench):
    client = bench.tunnel(extensions=True)
    sent = client.send(b"\xc1\x83....abc", step=2)  # a compressed frame: nobody's business
    assert client.reached() == sent
    down = client.arrives(b"\xc1\x03abc", step=1)
    assert client.transport.written == down


async def test_a_tunnel_closes_as_its_ends_do(bench):
    client = bench.tunnel()
    close = client.close(4001)
    assert client.reached() == close
    client.arrives(frame(CLOSE, close_payload(4001)))
    client.upstream.close()
    assert client.transport.closed == "close"
    assert ended(bench, client)


async def test_a_tunnel_is_ended_by_the_clients_own_close(bench, close_of):
    client = bench.tunnel()
    client.link.end(endings.STOPPING)
    assert client.got() == [close_of(1012, "socket.stopping")]
    answer = client.close(1012)
    assert client.reached() == answer
    client.upstream.close()
    assert ended(bench, client)


async def test_a_half_closed_tunnel_stays_open_the_other_way(bench):
    client = bench.tunnel()
    assert client.link.eof_received() is True
    assert client.upstream.eof_written
    client.arrives(frame(TEXT, b"[1]"))
    assert client.got() == [[1]]
    client.upstream.lose()
    assert ended(bench, client)


async def test_silent_tunnels_end(bench, close_of):
    client = bench.tunnel(Habits(ping_interval=30, ping_timeout=20))
    bench.advance(31)
    assert client.got() == [(PING, OURS)]
    assert client.reached() == b""
    bench.advance(21)
    assert client.got() == [close_of(1001, "socket.client_silent")]


# what is told of a socket in the end


def told(bench) -> list[tuple[str, int | None, int, int, int, int]]:
    """What an access log would be told: name, messages and bytes both ways, close code."""
    seen: list[tuple[str, int | None, int, int, int, int]] = []
    bench.sockets.on_ended = lambda link: seen.append(
        (link.name, link.frames_up, link.relay.frames, link.bytes_up, link.bytes_down, link.close_code)
    )
    return seen


async def test_a_judged_socket_is_told_of_once_with_what_went_through(bench):
    seen = told(bench)
    client = bench.open()
    up = client.say("hello") + client.ping()
    bench.judge()
    down = client.arrives(frame(TEXT, b"one") + frame(TEXT, b"tw", final=False) + frame(CONTINUATION, b"o"))
    up += client.close(4001)
    assert seen == []
    down += client.arrives(frame(CLOSE, close_payload(4001)))
    client.upstream.close()
    assert seen == [("chat", 3, 3, len(up), len(down), 4001)]


async def test_frames_that_nobody_reads_are_not_counted_up(bench):
    seen = told(bench)
    client = bench.tunnel()
    up = client.send(masked_frame(TEXT, b"hello"))
    down = client.arrives(frame(TEXT, b"hello") + frame(CLOSE, close_payload(1000)))
    client.transport.lose()
    client.upstream.lose()
    assert seen == [("open", None, 2, len(up), len(down), 1000)]


@pytest.mark.parametrize("how", ["cut", "ours"])
async def test_an_end_that_nobody_announced_is_1006_and_ours_has_our_code(bench, how):
    seen = told(bench)
    client = bench.open()
    if how == "ours":
        client.link.end(endings.STOPPING)
    client.transport.lose()
    client.upstream.lose()
    assert [one[-1] for one in seen] == [1012 if how == "ours" else 1006]


# a tunnel closes in the order of RFC 6455 section 7.1.1, and at once


async def test_a_tunnel_whose_upstream_is_lost_is_gone_when_the_client_has_answered(bench, close_of):
    client = bench.tunnel()
    client.say("hello")
    client.upstream.lose(ConnectionResetError())
    assert client.got() == [close_of(1014, endings.UPSTREAM_CLOSED)]
    assert client.transport.closed == ""
    client.close(1014)
    assert client.transport.closed == "close"
    assert ended(bench, client)


@pytest.mark.parametrize("step", [0, 1])
async def test_a_tunnel_that_the_client_closes(bench, close_of, step):
    client = bench.tunnel()
    client.say("hello")
    client.send(masked_frame(CLOSE, close_payload(4001)), step)
    assert client.transport.closed == ""
    client.arrives(frame(CLOSE, close_payload(4001)))
    assert client.got() == [close_of(4001)]
    assert client.transport.closed == "close"
    client.upstream.close()
    assert ended(bench, client)


@pytest.mark.parametrize("goes", [True, False])
async def test_a_tunnel_that_the_upstream_closes_waits_for_the_clients_answer(bench, close_of, goes):
    client = bench.tunnel()
    client.arrives(frame(CLOSE, close_payload(4002)))
    if goes:
        client.upstream.close()
    assert client.got() == [close_of(4002)]
    assert client.transport.closed == ""
    answer = client.close(4002)
    assert client.transport.closed == "close"
    if not goes:
        assert client.reached() == answer
        client.upstream.close()
    assert ended(bench, client)


async def test_a_tunnel_whose_upstream_goes_on_the_clients_close_is_answered_for(bench, close_of):
    client = bench.tunnel()
    client.close(4003)
    client.upstream.close()
    assert client.got() == [close_of(4003)]
    assert client.transport.closed == "close"
    assert ended(bench, client)


async def test_a_close_code_that_must_not_be_sent_is_not_answered_with(bench, close_of):
    client = bench.tunnel()
    client.send(masked_frame(CLOSE, (999).to_bytes(2, "big")))
    client.upstream.close()
    assert client.got() == [(CLOSE, b"")]
    assert ended(bench, client)
