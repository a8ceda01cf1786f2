"""What one judged socket may keep waiting, and what that costs."""

from __future__ import annotations

import tracemalloc

import orjson

from gateway.websocket.frames import masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import TEXT

KEY = b"\x11\x22\x33\x44"


def said(content, size=0):
    return masked_frame(TEXT, orjson.dumps({"type": "message", "content": content, "pad": "x" * size}), key=KEY)


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


async def test_a_verdict_costs_the_same_however_much_is_held(bench):
    client = bench.open(bench.route(habits=Habits(max_checking=1)))
    client.send(said("m") * 20_000)
    bench.judge(1)
    tracemalloc.start()
    bench.judge(1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000  # a copy of what is held takes 160,000
