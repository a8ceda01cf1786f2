"""What one judged socket may keep waiting: messages, bytes, notices; and that nothing of it is lost or overtaken."""

from __future__ import annotations

import tracemalloc

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.carriers.relay import MAX_WAITING
from gateway.common.units import Rate
from gateway.websocket.frames import frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import BINARY, CONTINUATION, PING, PONG, TEXT

KEY = b"\x11\x22\x33\x44"


def said(content, size=0):
    return masked_frame(TEXT, orjson.dumps({"type": "message", "content": content, "pad": "x" * size}), key=KEY)


def relayed(content, size=0):
    return masked_frame(TEXT, orjson.dumps({"type": "ping", "content": content, "pad": "x" * size}), key=KEY)


def fill(client, frames):
    """Send frames until the client is not read any more; those that were sent."""
    sent = []
    for one in frames:
        if not client.transport.reading:
            break
        sent.append(client.send(one))
    return sent


def only_upstream_answers(bench, client, seconds):
    """Let time pass in which only the upstream answers pings."""
    for _ in range(seconds // 10):
        bench.advance(10)
        client.arrives(frame(PONG, b"tidegate"))


async def test_at_most_so_many_messages_are_judged_at_once(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=3)))
    client.send(b"".join(said(f"m{number}") for number in range(10)))
    assert len(bench.state.waiting) == 3
    assert not client.transport.reading
    bench.judge(1)
    assert len(bench.state.waiting) == 3
    while bench.state.waiting:
        assert len(bench.state.waiting) <= 3
        bench.judge(1)
    assert client.contents() == [f"m{number}" for number in range(10)]
    assert client.transport.reading


async def test_the_bytes_that_wait_behind_a_message_are_bounded(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=8192)))
    first = client.say("being judged")
    sent = fill(client, (relayed(number, 1000) for number in range(100)))
    assert not client.transport.reading
    assert 8192 <= len(b"".join(sent)) < 8192 + 3000  # the bound, and the frame that found it reached
    behind = client.ping(b"behind it") + client.send(relayed("last"))
    assert client.reached() == b""  # what is not read any more has nothing that overtakes it
    bench.judge()
    assert client.reached() == first + b"".join(sent) + behind
    assert client.transport.reading


async def test_what_is_judged_counts_with_its_bytes_too(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=8192)))
    sent = fill(client, (said("x" * 1000) for _ in range(100)))
    assert len(bench.state.waiting) == len(sent) - 1 == 8
    bench.judge(1)
    assert client.transport.reading
    bench.judge()
    assert client.reached() == b"".join(sent)


async def test_the_frames_that_wait_behind_a_message_are_bounded_however_small(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=4)))
    first = client.say("being judged")
    sent = fill(client, (relayed(number) for number in range(100)))
    assert len(sent) == 4  # three of them wait, and one was read to find that out
    bench.judge()
    assert client.reached() == first + b"".join(sent)
    assert client.transport.reading


async def test_messages_that_have_their_verdict_and_wait_for_their_turn_are_bounded(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=4)))
    first = client.say("whose facts are late")
    late = bench.state.waiting.pop(0)
    sent = []
    for number in range(100):
        if not client.transport.reading:
            break
        sent.append(client.say(f"m{number}"))
        bench.judge()
    assert len(sent) == 4
    assert client.reached() == b""
    bench.state.waiting.insert(0, late)
    while bench.state.waiting:
        bench.judge()
    assert client.reached() == first + b"".join(sent)
    assert client.transport.reading


async def test_one_message_larger_than_the_bound_is_no_dead_end(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=4096)))
    sent = client.say("large", pad="x" * 10_000) + client.say("next")
    bench.judge()
    bench.judge()
    assert client.reached() == sent
    assert client.transport.reading


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_waits_is_bounded_and_keeps_its_order(bench, data):
    bench.state.waiting.clear()
    client = bench.open(bench.route(habits=Habits(max_checking=3, max_buffered=4096, mute_after=None)))
    kinds = st.sampled_from(["fine", "spam", "ping"])
    bursts = data.draw(st.lists(st.lists(st.tuples(kinds, st.sampled_from([0, 1500])), max_size=8), max_size=8))
    wanted = []
    for turn, burst in enumerate(bursts):
        frames = b""
        for number, (text, size) in enumerate(burst):
            content = f"{text} {turn}.{number}"
            frames += relayed(content, size) if text == "ping" else said(content, size)
            wanted += [] if text == "spam" else [content]
        client.send(frames)
        assert len(client.link._slots or ()) <= 3
        assert client.link._waiting < 4096 + 1600
        for place in data.draw(st.lists(st.integers(0, 9), max_size=3)):
            if waiting := bench.state.waiting:
                waiting.insert(0, waiting.pop(place % len(waiting)))
                bench.judge(1)
    while bench.state.waiting:
        bench.judge(1)
    assert client.contents() == wanted
    assert client.transport.reading
    assert client.link._waiting == 0


async def test_a_verdict_costs_the_same_however_much_is_held(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=1)))
    client.send(said("m") * 20_000)
    bench.judge(1)
    tracemalloc.start()
    bench.judge(1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000  # a copy of what is held takes 160,000


async def test_a_client_that_reads_nothing_is_not_read_once_notices_pile_up(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=4096, mute_after=None)))
    client.transport.stalled = True
    client.arrives(frame(BINARY, b"x" * 5000))
    assert not client.upstream.reading
    for number in range(40):
        if not client.transport.reading:
            break
        client.say(f"spam {number}")
        bench.judge()
    assert number == 16
    client.transport.flush()
    assert client.transport.reading
    assert client.upstream.reading
    assert len(client.told()) == 16


async def test_a_client_that_is_not_read_while_its_messages_wait_is_not_silent(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=1)))
    client.send(said("one") + said("two"))
    only_upstream_answers(bench, client, 60)  # the journal's disk is stuck
    assert not client.transport.reading
    assert not client.link.closing
    bench.judge(1)
    bench.judge(1)
    assert client.transport.reading
    only_upstream_answers(bench, client, 20)
    assert not client.link.closing  # its time began anew when it was read again
    only_upstream_answers(bench, client, 20)
    bench.advance(12)
    assert client.link.ended_as == "socket.client_silent"


async def test_a_client_that_is_not_read_because_of_its_notices_is_not_silent(bench):
    client = bench.open(bench.route(habits=Habits(mute_after=None)))
    client.arrives(frame(TEXT, b"amid a message", final=False))
    fill(client, (masked_frame(TEXT, b"{", key=KEY) for _ in range(40)))
    only_upstream_answers(bench, client, 60)
    assert not client.transport.reading
    assert not client.link.closing
    client.arrives(frame(CONTINUATION, b"its end"))
    assert client.transport.reading


@pytest.mark.parametrize("judged", [False, True])
async def test_what_one_read_brings_makes_no_more_notices_wait_than_the_bound(bench, judged):
    client = bench.open(
        bench.route(habits=Habits(max_buffered=4096, mute_after=None, max_checking=1, max_malformed=Rate(1000, 1.0)))
    )
    client.transport.stalled = True
    client.arrives(frame(BINARY, b"x" * 5000))
    client.send((said("spam") if judged else masked_frame(TEXT, b"{", key=KEY)) * 500 + client.ping(b"behind"))
    while bench.state.waiting:
        bench.judge(1)
    assert len(client.link.relay._waiting) <= MAX_WAITING + 1
    assert not client.transport.reading
    client.transport.flush()
    while bench.state.waiting:
        bench.judge(1)
    assert len(client.told()) == 500
    assert client.contents()[-1] == PING
    assert client.transport.reading


async def test_what_was_held_is_judged_also_when_its_sender_has_gone(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=1)))
    sent = client.send(said("one") + said("two") + relayed("three") + said("four"))
    client.transport.lose(ConnectionResetError())
    while bench.state.waiting:
        assert not client.upstream.eof_written
        bench.judge(1)
    assert client.reached() == sent
    assert client.upstream.eof_written
    assert bench.verdicts() == ["pass"] * 3


async def test_what_was_held_fails_when_both_have_gone(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=1)))
    client.send(said("one") + said("spam") + said("three"))
    client.transport.lose(ConnectionResetError())
    client.upstream.lose()
    while bench.state.waiting:
        bench.judge(1)
    assert client.reached() == b""
    assert bench.verdicts() == ["pass", "reject", "pass"]
    assert bench.outcomes() == {"id-1": "failed", "id-3": "failed"}


async def test_a_client_that_left_is_owed_no_notice_before_what_it_sent_is_judged(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=4096, mute_after=None)))
    client.transport.stalled = True
    client.arrives(frame(BINARY, b"x" * 5000))
    client.send(masked_frame(TEXT, b"{", key=KEY) * 20 + said("last words"))
    assert not bench.state.waiting
    client.transport.lose(ConnectionResetError())
    bench.judge()
    assert client.contents() == ["last words"]
    assert client.upstream.eof_written
