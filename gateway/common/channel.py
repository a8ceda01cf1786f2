"""The control channel of one process: JSON lines over a unix socket, one answer for each command.

Its laws:

* a line is at most ``MAX_LINE`` bytes, in either direction; a longer one is answered with an error and hung up on;
* a command is an object with a ``command``; the answer is an object, ``{"error": CODE}`` where it failed;
* a handler that fails never breaks the channel: the peer learns the exception's class and nothing that it carried;
* commands of one connection are answered in order; the socket is for its owner only (mode 0600).

Each worker serves one (``<run_dir>/worker-N.sock``), and so does the supervisor; control calls them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import structlog

from filters.model.errors import TidegateError

log = structlog.get_logger()

MAX_LINE = 16 * 1024 * 1024  # bytes; a snapshot with all its bounded blocks, rooms and ranges stays below it
MAX_CONNECTIONS = 64

Command = dict[str, Any]
Answer = Mapping[str, Any]
Handler = Callable[[Command], Answer | Awaitable[Answer]]


class ChannelError(TidegateError):
    """A call without an answer. ``cause``: absent, refused, timeout, closed, garbage or too_large."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Channel:
    """A served channel; ``close`` stops listening, hangs up and removes the socket."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self.path = path
        self._handlers = dict(handlers)
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket left behind by a dead process is taken over; ``OSError`` where that is impossible."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, path=str(self.path), limit=MAX_LINE)
        self.path.chmod(0o600)

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for peer in self._peers:
            peer.cancel()
        await asyncio.gather(*self._peers, return_exceptions=True)
        self._server = None
        self.path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._peers) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        peer = asyncio.create_task(self._converse(reader, writer), name="channel peer")
        self._peers.add(peer)
        peer.add_done_callback(self._peers.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                try:
                    line = await reader.readuntil(b"\n")
                except asyncio.LimitOverrunError:
                    writer.write(b'{"error":"too_large"}\n')
                    await writer.drain()
                    return
                answer = orjson.dumps(await self._answer(line)) + b"\n"
                writer.write(answer if len(answer) <= MAX_LINE else b'{"error":"too_large"}\n')
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the peer is gone; nobody is left to tell
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> Answer:
        try:
            command = orjson.loads(line)
        except orjson.JSONDecodeError:
            return {"error": "garbage"}
        if not isinstance(command, dict):
            return {"error": "garbage"}
        handler = self._handlers.get(str(command.get("command", "")))
        if handler is None:
            return {"error": "unknown_command"}
        try:
            result = handler(command)
            return await result if inspect.isawaitable(result) else result
        except Exception as error:  # a handler's fault is an answer like any other
            log.error("channel.handler_failed", command=command["command"], exc_info=True)
            return {"error": f"failed: {type(error).__name__}"}


async def serve(path: Path, handlers: Mapping[str, Handler]) -> Channel:
    """Serve ``handlers``, by command name, on a unix socket at ``path``."""
    channel = Channel(path, handlers)
    await channel.start()
    return channel


async def call(path: Path, command: Command, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109 - one deadline for all
    """Send one command and return its answer; ``ChannelError`` when there is none within ``timeout`` seconds."""
    line = orjson.dumps(command) + b"\n"
    if len(line) > MAX_LINE:
        raise ChannelError("too_large")
    try:
        async with asyncio.timeout(timeout):
            answer = await _exchange(path, line)
    except TimeoutError as error:
        raise ChannelError("timeout") from error
    except FileNotFoundError as error:
        raise ChannelError("absent") from error
    except ConnectionRefusedError as error:
        raise ChannelError("refused") from error
    except (asyncio.IncompleteReadError, OSError) as error:
        raise ChannelError("closed") from error
    except asyncio.LimitOverrunError as error:
        raise ChannelError("too_large") from error
    try:
        decoded = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise ChannelError("garbage") from error
    if not isinstance(decoded, dict):
        raise ChannelError("garbage")
    return decoded


async def _exchange(path: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path), limit=MAX_LINE)
    try:
        writer.write(line)
        await writer.drain()
        return await reader.readuntil(b"\n")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
