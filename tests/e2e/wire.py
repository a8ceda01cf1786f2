"""One raw connection to a node: bytes out as they are given, answers in as they come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator

from tests.e2e.node import Answer, Node, read_answer

WITHIN = 30.0  # seconds: no answer of these tests may take longer


class Wire:
    """``writer`` is for whoever wants to be slow, or rude."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Write, and wait until the kernel has it."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, *, head_only: bool = False) -> Answer:
        """The next final answer."""
        return await asyncio.wait_for(read_answer(self.reader, head_only=head_only), WITHIN)

    async def rest(self) -> bytes:
        """All bytes until the node closes; a reset counts as a close."""
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(), WITHIN)
        return b""

    def reset(self) -> None:
        """Close with a RST, as a client that has crashed."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def wire(node: Node, source: str = "127.0.0.1") -> AsyncIterator[Wire]:
    """A connection to the node's public side, from the address ``source``; closed behind the block."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", node.port, local_addr=(source, 0),
        ssl=node.tls, server_hostname="localhost" if node.tls is not None else None,
    )  # fmt: skip
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # or what came behind our closing
            await writer.wait_closed()


async def once(node: Node, data: bytes, source: str = "127.0.0.1") -> Answer:
    """The answer to these bytes, on a connection of their own."""
    async with wire(node, source) as connection:
        await connection.send(data)
        return await connection.answer()
