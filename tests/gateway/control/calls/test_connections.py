"""Whoever holds connections and brings nothing keeps nobody out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from gateway.control.api.api import application
from gateway.control.calls.connections import serve
from gateway.control.features import ENDPOINTS

MOST = 16
HALF_HEAD = b"GET /v1/me HTTP/1.1\r\nHost: here\r\nX-Slow: "
HALF_BODY = b"PUT /v1/accounts/a HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer %b\r\nContent-Length: 90\r\n\r\n{"
WITHIN = 10.0


class Address:
    """An address of control. ``/slow`` answers once ``go`` is set; ``slow``: how often it was asked."""

    def __init__(self, api: Any, stack: AsyncExitStack) -> None:
        self.api = api
        self.go, self.slow_began = asyncio.Event(), asyncio.Event()
        self.slow = 0
        self._stack = stack

    async def open(self, idle: float) -> None:
        app = application(self.api.plant.services, self.api.plant.people, ENDPOINTS, version="0")
        app.router.add_get("/slow", self._slow)
        runner = web.AppRunner(app)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        await serve(runner, listener, MOST, idle)

    async def _slow(self, _request: web.Request) -> web.Response:
        self.slow += 1
        self.slow_began.set()
        await self.go.wait()
        return web.Response(text="done")

    async def send(self, data: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.callback(writer.close)
        writer.write(data)
        await writer.drain()
        return reader

    async def ask(self, path: str) -> bytes:
        fields = f"Host: here\r\nAuthorization: Bearer {self.api.token}\r\nConnection: close"
        reader = await self.send(f"GET {path} HTTP/1.1\r\n{fields}\r\n\r\n".encode())
        return await asyncio.wait_for(reader.read(), WITHIN)


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), WITHIN) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
async def address(api: Any) -> AsyncIterator[Address]:
    async with AsyncExitStack() as stack:
        yield Address(api, stack)


@pytest.mark.parametrize("half", [HALF_HEAD, HALF_BODY, b""])
async def test_what_has_rested_longest_makes_room(address: Address, half: bytes) -> None:
    await address.open(3600.0)
    sent = half % address.api.token.encode() if b"%b" in half else half
    held = [await address.send(sent) for _ in range(MOST + 4)]
    for one in held[:4]:
        assert await closed(one)
    assert (await address.ask("/v1/me")).startswith(b"HTTP/1.1 200 ")
    assert await closed(held[4])


async def test_what_rests_too_long_is_closed_and_what_works_is_not(address: Address) -> None:
    await address.open(0.05)
    working = asyncio.create_task(address.ask("/slow"))
    await asyncio.wait_for(address.slow_began.wait(), WITHIN)
    for _ in range(3):
        assert await closed(await address.send(HALF_HEAD))
    assert not working.done()
    address.go.set()
    assert (await working).endswith(b"done")


async def test_a_connection_that_was_answered_rests_again(address: Address) -> None:
    await address.open(0.05)
    reader = await address.send(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
    told = await asyncio.wait_for(reader.read(), WITHIN)  # until it is closed
    assert told.count(b"HTTP/1.1") == 1


async def test_where_all_work_whoever_comes_goes(address: Address) -> None:
    await address.open(3600.0)
    working = [asyncio.create_task(address.ask("/slow")) for _ in range(MOST)]
    async with asyncio.timeout(WITHIN):
        while address.slow < MOST:
            await address.slow_began.wait()
            address.slow_began.clear()
    assert await closed(await address.send(HALF_HEAD))
    address.go.set()
    assert all(told.endswith(b"done") for told in await asyncio.gather(*working))
