"""Log-outs told by one worker and heard by another: at once, in masses, over an outage, and never quietly missed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.state.cold import embedded, logout_feed
from gateway.state.cold import topology as topologies
from gateway.state.cold.logout_feed import LogOutFeed
from gateway.state.model.keys import Keys


def digest(number: int) -> bytes:
    return number.to_bytes(16, "big")


class Ear:
    def __init__(self, server: Any) -> None:
        self.heard: list[bytes] = []
        self.missed = 0
        self.feed = LogOutFeed(lambda: connect(server), Keys("t"), self.heard.extend, self._miss)

    def _miss(self) -> None:
        self.missed += 1


async def connect(server: Any) -> Any:
    address, credentials = embedded.access(server.folder)
    return topologies.redis(address, credentials)


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
async def two(server: Any) -> AsyncIterator[tuple[Ear, Ear]]:
    async for ears in listening(server):
        yield ears


async def listening(server: Any) -> AsyncIterator[tuple[Ear, Ear]]:
    client = await connect(server)
    await client.delete(Keys("t").log_outs)
    await client.aclose()
    ears = Ear(server), Ear(server)
    for ear in ears:
        ear.feed.start()
    await until(lambda: all(ear.feed.heard(time.monotonic()) for ear in ears))
    try:
        yield ears
    finally:
        for ear in ears:
            await ear.feed.close()


async def test_told_within_a_second(two: tuple[Ear, Ear]) -> None:
    one, other = two
    began = time.monotonic()
    one.feed.tell([digest(1), digest(2)])
    await until(lambda: other.heard == [digest(1), digest(2)])
    assert time.monotonic() - began < 1.0
    await until(lambda: len(one.heard) == 2)
    assert one.feed.heard(began)
    assert not one.feed.heard(0.0), "of what was before it listened it knows nothing"


async def test_masses(two: tuple[Ear, Ear], server: Any) -> None:
    one, other = two
    for number in range(10_000):
        one.feed.tell([digest(number)])
    await until(lambda: len(other.heard) == 10_000)
    client = await connect(server)
    assert await client.xlen(Keys("t").log_outs) <= 12
    await client.aclose()
    assert other.missed == 0


async def test_too_many_to_name(two: tuple[Ear, Ear], monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody takes them: everybody is asked for anew, and nothing grows."""
    one, other = two
    monkeypatch.setattr(logout_feed, "MAX_PENDING", 100)
    one.feed.tell(digest(number) for number in range(1000))
    assert len(one.feed._pending) <= 100
    await until(lambda: other.missed == 1)


async def test_the_end_tells_what_is_pending(server: Any) -> None:
    async for _one, other in listening(server):
        leaving = Ear(server)
        leaving.feed.tell([digest(9)])
        await leaving.feed.close()
        await until(lambda ear=other: ear.heard == [digest(9)])


async def test_an_outage(own_server: Any) -> None:
    async for one, other in listening(own_server):
        one.feed.tell([digest(1)])
        await until(lambda ear=other: ear.heard == [digest(1)])
        began = time.monotonic()
        await asyncio.to_thread(own_server.stop)
        await until(lambda ear=other, since=began: not ear.feed.heard(since))
        other.feed.look(0)
        one.feed.tell([digest(2)])
        await own_server.start_aside()
        # Told once state is back; and what was there before may be gone, which is said.
        await until(lambda ear=other: digest(2) in ear.heard or ear.missed > 0)
        await until(lambda ear=other: ear.feed.heard(time.monotonic()))
        other.feed.look(0)
        assert not other.feed.heard(began), "whoever was named before that may have left meanwhile"


async def test_a_stream_that_was_cut(two: tuple[Ear, Ear], server: Any) -> None:
    one, other = two
    one.feed.tell([digest(1)])
    await until(lambda: other.heard == [digest(1)])
    await other.feed.close()
    client = await connect(server)
    await client.delete(Keys("t").log_outs)
    await client.aclose()
    other.feed.start()
    await until(lambda: other.missed == 1)
    one.feed.tell([digest(3)])
    await until(lambda: digest(3) in other.heard)
