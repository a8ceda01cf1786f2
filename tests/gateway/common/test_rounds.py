"""One round after the other, whatever becomes of each, until a stop that does not wait for any."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.common.rounds import Rounds
from gateway.logs.logs import place


class Pauses:
    """Stands for ``asyncio.sleep``: a pause lasts until the test lets it end."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.begun.put_nowait(seconds)
        await self.over.acquire()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    made = Pauses()
    monkeypatch.setattr("gateway.common.rounds.asyncio.sleep", made.sleep)
    return made


async def test_the_first_round_at_once_and_the_next_one_pause_later(pauses: Pauses) -> None:
    looks: list[int] = []

    async def look() -> None:
        looks.append(len(looks))

    rounds = Rounds("shelf.dusting", look, 30.0)
    rounds.start()
    for done in (1, 2, 3):
        async with asyncio.timeout(5):
            assert await pauses.begun.get() == 30.0
        assert len(looks) == done
        pauses.over.release()
    await rounds.stop()


async def test_a_round_that_fails_is_told_without_what_it_read_and_the_next_one_comes(pauses: Pauses) -> None:
    looks: list[str] = []

    async def look() -> None:
        looks.append("again")
        if len(looks) == 1:
            raise ValueError("alice wrote: call me")

    rounds = Rounds("shelf.dusting", look, 30.0)
    with capture_logs(processors=[place]) as told:
        rounds.start()
        for _ in range(2):
            async with asyncio.timeout(5):
                await pauses.begun.get()
            pauses.over.release()
        await rounds.stop()
    assert len(looks) >= 2
    assert [(line["event"], line["log_level"], line["error"]) for line in told] == [
        ("round.failed", "error", "builtins.ValueError")
    ]
    assert "alice" not in str(told)


async def test_a_stop_gives_up_the_round_under_way_even_where_the_first_cancellation_is_lost() -> None:
    begun, cancelled = asyncio.Event(), 0

    async def look() -> None:
        nonlocal cancelled
        begun.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled += 1
                if cancelled == 2:
                    raise

    rounds = Rounds("shelf.dusting", look, 30.0)
    rounds.start()
    async with asyncio.timeout(5):
        await begun.wait()
        await rounds.stop()
    assert cancelled == 2


async def test_what_was_never_started_stops() -> None:
    async def look() -> None:
        raise AssertionError

    await Rounds("shelf.dusting", look, 30.0).stop()


async def test_a_kick_ends_the_pause(pauses: Pauses) -> None:
    looks: list[int] = []

    async def look() -> None:
        looks.append(len(looks))

    rounds = Rounds("shelf.dusting", look, 30.0)
    rounds.start()
    await pauses.begun.get()
    rounds.kick()
    await pauses.begun.get()
    assert looks == [0, 1]
    await rounds.stop()
