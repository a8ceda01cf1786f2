"""Requests for an upstream, the plain answer to them, and how to wait for what is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SEEN_OK = [("head", 200, True), ("data", b"ok"), ("end",)]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something that is on its way has happened."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def hang(peer: Any) -> None:
    """A server's script: accept, and say nothing."""
    await peer.gone()
