"""What lies between a node and what it depends on: bytes carried from here to there, until somebody cuts it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

CHUNK = 65536
Address = int | Path | socket.socket
Far = int | Path | Callable[[], Awaitable[socket.socket]]


class Line:
    """Carries connections from ``at`` to ``to``: each a port of this machine, a Unix socket, or what listens, or
    connects, elsewhere.

    ``cut``: connections end, new ones are refused, as where a machine is gone. ``hold``: nothing is carried and nothing
    ends, as where a network drops what it is given; what was sent meanwhile arrives when it is ``mended``, late.
    """

    def __init__(self, at: Address, to: Far) -> None:
        self.at = at
        self._to = to
        self._open = asyncio.Event()
        self._cut = False
        self._carried: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Returns when it listens."""
        self._open.set()
        if isinstance(self.at, Path):
            self._server = await asyncio.start_unix_server(self._carry, self.at)
        elif isinstance(self.at, socket.socket):
            self._server = await asyncio.start_server(self._carry, sock=self.at)
        else:
            self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.at)

    async def stop(self) -> None:
        """Nothing is carried any more."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def cut(self) -> None:
        """All connections end; each new one does at once."""
        self._cut = True
        for task in self._carried:
            task.cancel()

    def hold(self) -> None:
        """What is sent waits."""
        self._open.clear()

    def mend(self) -> None:
        """As before; what waited goes on."""
        self._cut = False
        self._open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carried.add(task)
        try:
            if not self._cut:
                await self._between(reader, writer)
        except (OSError, asyncio.CancelledError):  # cut, or the far end is not there
            pass
        finally:
            self._carried.discard(task)
            writer.transport.abort()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        if isinstance(self._to, Path):
            there, back = await asyncio.open_unix_connection(self._to)
        elif callable(self._to):
            there, back = await asyncio.open_connection(sock=await self._to())
        else:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        pumps = [asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))]
        try:
            # Who has closed its half has said all, and hears the rest: so both are waited for.
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            back.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
