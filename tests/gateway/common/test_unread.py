"""What the other end has taken, told by the kernel, or by the transport where the kernel does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest_asyncio

from gateway.common.unread import unread


async def _all(reader: socket.socket, size: int) -> None:
    loop = asyncio.get_running_loop()
    while size:
        size -= len(await loop.sock_recv(reader, size))


@pytest_asyncio.fixture
async def ends() -> AsyncIterator[tuple[asyncio.Transport, socket.socket]]:
    """A transport of the loop, and the plain socket at its other end."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname())
        near, _ = listener.accept()
    far.setblocking(False)
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, near)
    yield transport, far  # type: ignore[misc]
    transport.abort()
    far.close()


async def test_it_falls_by_what_is_taken(ends: tuple[asyncio.Transport, socket.socket]) -> None:
    transport, far = ends
    before = unread(transport)
    transport.write(b"x" * 10_000)
    await _all(far, 10_000)
    async with asyncio.timeout(10):
        while before - unread(transport) < 10_000:  # the acknowledgement is on its way
            await asyncio.sleep(0)
    assert before - unread(transport) == 10_000


async def test_without_tcp_it_is_what_the_transport_holds() -> None:
    near, far = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, near)
    transport.write(b"x" * 10_000_000)  # type: ignore[attr-defined]
    assert unread(transport) == transport.get_write_buffer_size() > 0  # type: ignore[arg-type, attr-defined]
    transport.abort()
    far.close()
