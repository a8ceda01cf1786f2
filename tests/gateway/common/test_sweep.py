"""The one timer: deadlines are never met early, and a stall of ours is not charged to the peer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.common.sweep import TICK, Sweep


class Loop:
    """Remembers timers; runs none."""

    def __init__(self):
        self.timers = []

    def call_later(self, delay, callback):
        self.timers.append((delay, callback))

        return SimpleNamespace(cancel=self.timers.clear)


@given(
    waits=st.lists(st.floats(0.001, 0.25), min_size=1, max_size=60),
    seconds=st.floats(0.0, 5.0),
    moment=st.floats(0.0, 0.09),
)
def test_never_early(waits, seconds, moment):
    time = [0.0]
    sweep = Sweep(Loop(), lambda: time[0])
    # The deadline is set some time after the last tick, when ``now`` is already old.
    time[0] += moment
    begun, deadline = time[0], sweep.after(seconds)
    for wait in waits:
        time[0] += wait
        sweep.tick()
        if sweep.now >= deadline:
            assert time[0] - begun >= seconds - 1e-9
            break


def test_a_stall_counts_two_ticks():
    time = [0.0]
    sweep = Sweep(Loop(), lambda: time[0])
    time[0] = 30.0
    sweep.tick()
    assert sweep.now == pytest.approx(2 * TICK)
    time[0] += TICK
    sweep.tick()
    assert sweep.now == pytest.approx(3 * TICK)


def test_one_timer_while_anybody_watches():
    loop = Loop()
    sweep = Sweep(loop, lambda: 0.0)
    seen = []
    first, second = (lambda now: seen.append(1)), (lambda now: seen.append(2))
    sweep.watch(first)
    sweep.watch(second)
    assert len(loop.timers) == 1
    loop.timers.pop()[1]()
    assert (seen, len(loop.timers)) == ([1, 2], 1)
    sweep.unwatch(first)
    assert len(loop.timers) == 1
    sweep.unwatch(second)
    assert loop.timers == []


async def test_it_ticks_by_itself():
    sweep = Sweep(asyncio.get_running_loop())
    ticked = asyncio.Event()
    look = lambda now: ticked.set()  # noqa: E731
    sweep.watch(look)
    async with asyncio.timeout(5):
        await ticked.wait()
    sweep.unwatch(look)
