"""Purges: told, repeated, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from gateway.mirror.projector import purge
from gateway.mirror.projector.platform_client import PlatformClient
from gateway.mirror.projector.purge import TRIES, Purger
from rig.ports import free_port

Network = tuple[str, list[tuple[str, str]], list[int]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(purge, "LONGEST_PAUSE", 0.001)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """A content network's address, what it was told, and the statuses it will answer with (then 200)."""
    told: list[tuple[str, str]] = []
    statuses: list[int] = []

    async def take(request: web.Request) -> web.Response:
        told.append((request.rel_url.query["path"], request.headers.get("Authorization", "")))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.add_routes([web.post("/purge", take)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/purge?path={{path}}", told, statuses
    await runner.cleanup()


Eventually = Callable[[Callable[[], object], float], Awaitable[object]]


async def test_told_once_each_with_the_token(network: Network) -> None:
    address, told, _ = network
    results: list[str] = []
    async with PlatformClient() as client:
        purger = Purger(address, "secret", results.append, client.post)
        for path in ("/mirror/r1/1.html", "/mirror/r1/", "/mirror/r1/1.html", "/mirror/=E5/"):
            purger.add(path)
        purger.start()
        await asyncio.wait_for(purger.idle(), 5)
        await purger.stop()
    assert told == [(path, "Bearer secret") for path in ("/mirror/r1/1.html", "/mirror/r1/", "/mirror/=E5/")]
    assert results == ["purged"] * 3


async def test_tried_again_and_given_up(network: Network) -> None:
    address, told, statuses = network
    statuses += [500, 503, 200, 404, *[500] * TRIES]
    results: list[str] = []
    async with PlatformClient() as client:
        purger = Purger(address, "", results.append, client.post)
        for path in ("/a", "/b", "/c"):
            purger.add(path)
        purger.start()
        await asyncio.wait_for(purger.idle(), 5)
        await purger.stop()
    assert [path for path, _ in told] == ["/a"] * 3 + ["/b"] + ["/c"] * TRIES
    assert results == ["purged", "purged", "failed"]


async def test_a_dead_network_is_given_up() -> None:
    results: list[str] = []
    async with PlatformClient() as client:
        purger = Purger(f"http://127.0.0.1:{free_port()}/{{path}}", "", results.append, client.post)
        purger.add("/a")
        purger.start()
        await asyncio.wait_for(purger.idle(), 5)
        await purger.stop()
    assert results == ["failed"]


async def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "MAX_WAITING", 2)
    results: list[str] = []

    def post(address: str, fields: dict[str, str], within: float) -> asyncio.Task[int]:
        raise AssertionError("never started")

    purger = Purger("http://x/{path}", "", results.append, post)
    for number in range(4):
        purger.add(f"/{number}")
    assert results == ["dropped", "dropped"]
