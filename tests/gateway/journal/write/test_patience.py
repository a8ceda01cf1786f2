"""Outcomes wait a little for a judged record, and never longer: with a loop, a clock and a disk that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.journal.write import upkeep, writer
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import outcome
from gateway.journal.write.settings import JournalSettings

FAST, SLOW = 0.0001, 0.01  # seconds of a write; ``slow_write`` lies between them


class Timer:
    def __init__(self, at: float, call: Callable[[], object]) -> None:
        self.at = at
        self.call = call

    def cancel(self) -> None:
        self.call = lambda: None


class Loop:
    """What the writer asks of an event loop; time passes in ``advance`` only."""

    def __init__(self) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], object]] = []
        self.timers: list[Timer] = []

    def call_soon(self, call: Callable[[], object]) -> None:
        self.soon.append(call)

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        timer = Timer(self.now + delay, call)
        self.timers.append(timer)
        return timer

    def turn(self) -> None:
        """One turn: what was called for by now."""
        soon, self.soon = self.soon, []
        for call in soon:
            call()

    def advance(self, seconds: float) -> None:
        """Let time pass, and what has become due run."""
        self.now += seconds
        due = sorted((timer for timer in self.timers if timer.at <= self.now), key=lambda timer: timer.at)
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.call()
        self.turn()


class Held:
    """In the thread's place: a job is under way from ``submit`` to ``land``."""

    def __init__(self, loop: object, name: str) -> None:
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any, OSError | None], None]]] = []

    def submit(self, job: Callable[[], Any], done: Callable[[Any, OSError | None], None]) -> None:
        self.jobs.append((job, done))

    def land(self) -> None:
        job, done = self.jobs.pop(0)
        done(job(), None)

    def close(self) -> None:
        while self.jobs:
            self.land()


class Desk:
    """A writer that moves to the thread after one slow write and back after one fast one."""

    def __init__(self, root: Path, loop: Loop) -> None:
        self.loop = loop
        self.ids = Ids(1, 0)
        settings = JournalSettings(fsync="no", low_disk=0, full_disk=0)
        of = cast(asyncio.AbstractEventLoop, loop)
        self.journal = writer.Writer(root, "n1", 0, ids=self.ids, settings=settings, loop=of)
        self.journal.start()

    @property
    def thread(self) -> Held:
        return cast(Held, self.journal._offload)

    def judged(self) -> str:
        message = self.ids()
        self.journal.append({"kind": "judged", "id": message, "time": 1, "verdict": "pass"})
        self.loop.turn()
        return message

    def settle(self, message: str) -> None:
        self.journal.insist(outcome(message, "delivered", status=201))


@pytest.fixture
def cost() -> list[float]:
    """Seconds that each write takes, in its one item."""
    return [FAST]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cost: list[float]) -> Iterator[Desk]:
    clock = [0.0]

    def now() -> float:
        clock[0] += cost[0]  # asked before and after a write
        return clock[0]

    monkeypatch.setattr(writer, "perf_counter", now)
    monkeypatch.setattr(writer, "SLOW_WRITES", 1)
    monkeypatch.setattr(writer, "CALM_WRITES", 1)
    monkeypatch.setattr(writer, "Offload", Held)
    monkeypatch.setattr(upkeep, "Offload", Held)
    made = Desk(tmp_path, Loop())
    yield made
    made.journal.close()


def to_the_thread(desk: Desk, cost: list[float]) -> str:
    """A slow write moves the writer to its thread; the message's id."""
    cost[0] = SLOW
    message = desk.judged()
    cost[0] = FAST
    assert desk.journal.threaded
    return message


def test_an_outcome_goes_with_the_next_judged_record(desk: Desk) -> None:
    first = desk.judged()
    desk.settle(first)
    desk.loop.turn()
    assert (desk.journal.counters.batches, desk.journal.awaiting()) == (1, 1)
    desk.judged()
    assert (desk.journal.counters.batches, desk.journal.counters.records) == (2, 3)
    desk.loop.advance(writer.PATIENCE)
    assert desk.journal.counters.batches == 2


def test_an_outcome_that_nothing_follows_is_written_by_its_timer(desk: Desk) -> None:
    desk.settle(desk.judged())
    desk.loop.advance(writer.PATIENCE / 2)
    assert desk.journal.awaiting() == 1
    desk.loop.advance(writer.PATIENCE / 2)
    assert desk.journal.awaiting() == 0


def test_the_timer_that_finds_the_thread_writing(desk: Desk, cost: list[float]) -> None:
    """What came meanwhile leaves when that write has landed, in the thread."""
    first = to_the_thread(desk, cost)
    cost[0] = SLOW
    desk.judged()
    desk.settle(first)
    desk.loop.advance(writer.PATIENCE)
    assert len(desk.thread.jobs) == 1
    desk.thread.land()
    assert (desk.journal.threaded, len(desk.thread.jobs)) == (True, 1)
    desk.thread.land()
    assert desk.journal.counters.records == 3


def test_the_timer_that_finds_the_threads_last_write(desk: Desk, cost: list[float]) -> None:
    """That write landed well and brings the writer back into the loop: the timer is spent, and no message follows."""
    first = to_the_thread(desk, cost)
    desk.judged()
    desk.settle(first)
    desk.loop.advance(writer.PATIENCE)
    assert desk.journal.counters.records == 1
    desk.thread.land()
    assert not desk.journal.threaded
    assert desk.journal.counters.records == 3


def test_a_timer_that_still_runs_is_waited_for(desk: Desk, cost: list[float]) -> None:
    first = to_the_thread(desk, cost)
    desk.judged()
    desk.settle(first)
    desk.thread.land()
    assert not desk.journal.threaded
    assert desk.journal.counters.records == 2
    desk.loop.advance(writer.PATIENCE)
    assert desk.journal.counters.records == 3
