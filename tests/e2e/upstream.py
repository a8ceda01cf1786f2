"""A platform under the test's control: answers as it is told, and remembers what reached it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

Behave = Callable[["Received", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Received:
    """One request as it reached the platform. Field names in lower case."""

    def __init__(self, line: str, headers: dict[str, str], body: bytes) -> None:
        self.line = line
        self.headers = headers
        self.body = body

    @property
    def message_id(self) -> str:
        """The gateway's id of the message."""
        return self.headers.get("tidegate-message-id", "")


async def created(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The usual answer."""
    writer.write(b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"id":1}')
    await writer.drain()


class Upstream:
    """``behave`` may be changed between two requests."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.behave: Behave = created
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.rstrip("\r\n").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                request = Received(line, headers, body)
                self.received.append(request)
                await self.behave(request, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the gate has hung up
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def serve(port: int = 0, upstream: Upstream | None = None) -> AsyncIterator[Upstream]:
    """An upstream, or that one, that listens until the block ends."""
    upstream = upstream or Upstream()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(upstream._serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
