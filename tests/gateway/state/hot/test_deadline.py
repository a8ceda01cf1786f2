"""A deadline counts what the server had: a process that is late itself declares nobody late."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters.model.message import Message
from filters.model.rule import Asks
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.hot import server_link
from gateway.state.hot.flight import CommandFlight
from gateway.state.hot.server_link import ServerLink
from gateway.state.model.settings import Address, Credentials, StateSettings

DEADLINE = 0.02
Make = Callable[..., Message]


class Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop(asyncio.AbstractEventLoop):
    """A loop whose turns a test makes. ``now`` is what the link's clock says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.soon: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.later: list[tuple[float, int, Timer, Callable[..., Any]]] = []
        self._numbers = itertools.count()

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        self.soon.append((callback, args))

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        timer = Timer()
        heapq.heappush(self.later, (self.now + delay, next(self._numbers), timer, callback))
        return timer

    def turn(self, passes: float) -> None:
        """Time passes; then what is due runs, timers first and before any socket is read."""
        self.now += passes
        while self.later and self.later[0][0] <= self.now:
            _, _, timer, callback = heapq.heappop(self.later)
            if not timer.cancelled:
                callback()
        soon, self.soon = self.soon, []
        for callback, args in soon:
            callback(*args)


@contextmanager
def linked() -> Iterator[tuple[ServerLink, Loop]]:
    """A link that is up, on a loop and a clock of the test's."""

    async def nowhere() -> Address:
        raise OSError

    loop = Loop()
    link = ServerLink(nowhere, Credentials(), StateSettings(deadline=DEADLINE), (), lambda *_: None, lambda: None)
    link._loop = loop
    link.up = True
    link._heard = loop.now
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server_link.time, "monotonic", lambda: loop.now)
        yield link, loop


def sent(link: ServerLink, loop: Loop, told: list[str]) -> CommandFlight:
    flight = CommandFlight(None, told.append)
    link.enter(flight, loop.now)
    return flight


def test_a_server_that_says_nothing_is_late_in_time() -> None:
    with linked() as (link, loop):
        told: list[str] = []
        sent(link, loop, told)
        began = loop.now
        while not told and loop.now < began + 1:
            loop.turn(0.001)
        assert told == ["state.deadline"]
        assert DEADLINE <= loop.now - began <= DEADLINE + 0.005
        assert link.misses == 1


@pytest.mark.parametrize("still", [0.03, 0.5, 30.0])
def test_a_process_that_stood_still_declares_nobody_late(still: float) -> None:
    """It was stopped between writing (or what it took for that) and reading: the server has had a quarter at most."""
    with linked() as (link, loop):
        told: list[str] = []
        sent(link, loop, told)
        loop.turn(still)
        began = loop.now
        while not told and loop.now < began + 1:
            loop.turn(0.001)
        assert loop.now - began >= DEADLINE * 3 / 4 - 0.001


def test_a_process_that_is_always_late_still_declares() -> None:
    """Turns of 50 ms: bounded by so many turns as there are looks."""
    with linked() as (link, loop):
        told: list[str] = []
        sent(link, loop, told)
        for _ in range(8):
            loop.turn(0.05)
        assert told == ["state.deadline"]


@given(st.lists(st.sampled_from([0.0005, 0.001, 0.004, 0.006, 0.05, 3.0]), min_size=1, max_size=200))
@example([0.0005, *[0.006] * 4, 0.0005, 3.0, 0.0005, *[0.006] * 3, 0.0005, 0.0005, 0.004, 0.0005])
def test_no_look_counts_for_more_than_a_quarter(turns: list[float]) -> None:
    """Whatever the loop does: nobody is late before the server had its time, in turns that were prompt."""
    with linked() as (link, loop):
        told: list[str] = []
        flights: list[tuple[CommandFlight, float]] = []
        prompt = 0.0
        for number, passes in enumerate(turns):
            if number % 7 == 0:
                flights.append((sent(link, loop, told), prompt))
            loop.turn(passes)
            prompt += min(passes, DEADLINE / 4 + 0.006)
            if not link.up:
                break  # silent for so long that the connection is given up, and all with it
            for flight, before in flights:
                if flight.missed:
                    assert prompt - before >= DEADLINE * 3 / 4
        for _ in range(200):
            loop.turn(0.001)
        assert len(told) == len(flights)
        assert all(flight.missed for flight, _ in flights)


async def test_on_a_real_loop_that_stands_still(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    """Each turn takes longer than the deadline, before and after what is asked is written."""
    asker = await connect(own_server, deadline=0.02)
    for _ in range(5):
        asked = asyncio.ensure_future(asker.ask(Asks(account=True), message(), message("bob")))
        for _ in range(3):
            asyncio.get_running_loop().call_soon(time.sleep, 0.03)
            await asyncio.sleep(0)
        assert not any(facts.missing for facts in await asked)
    assert asker.client.misses == 0
