"""Clients that never stop while a node changes beneath them, and note each request that was sent and not answered.

A connection that the other end closes between two requests is no failure: HTTP allows it at any time (RFC 9112 section
9.5), and a client sees it before it writes. One that is closed or reset behind a request is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import websockets

WITHIN = 30.0  # seconds for an answer


@dataclass
class Seen:
    """What the clients have seen. ``failed``: in words; ``closed``: connections that ended between two requests, or
    behind an answer that said so; ``refused``: what other answers than 2xx said, by reason code;
    ``ended``: WebSockets by close code; ``slowest``: seconds of one answer."""

    answered: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    closed: int = 0
    echoed: int = 0
    ended: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    longest: float = 0.0  # seconds of one echo


@dataclass(frozen=True)
class Gate:
    """Where a client goes. ``announced``: a PROXY header that its connection begins with, from ``source``."""

    port: int
    tls: ssl.SSLContext | None = None
    announced: bytes = b""
    source: str = "127.0.0.1"


async def commenting(gate: Gate, seen: Seen, stop: asyncio.Event, sender: str, *, pause: float = 0.0) -> None:
    """One client that writes comments on connections that it keeps."""
    number = 0
    while not stop.is_set():
        try:
            reader, writer = await _connected(gate)
        except OSError as error:
            seen.failed.append(f"connecting: {type(error).__name__}: {error}")
            await asyncio.sleep(0.05)
            continue
        try:
            while not stop.is_set():
                await asyncio.sleep(pause)
                if reader.at_eof():
                    seen.closed += 1
                    break
                number += 1
                if not await _comment(reader, writer, seen, f"{sender} says {number}", sender):
                    break
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()


async def _connected(gate: Gate) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gate.port, local_addr=(gate.source, 0), ssl=gate.tls if not gate.announced else None,
        server_hostname="localhost" if gate.tls is not None and not gate.announced else None,
    )  # fmt: skip
    if gate.announced:
        writer.write(gate.announced)
        if gate.tls is not None:
            await writer.start_tls(gate.tls, server_hostname="localhost")
    return reader, writer


async def _comment(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen, content: str, sender: str
) -> bool:
    """Whether another may follow on this connection."""
    body = json.dumps({"content": content}).encode()
    head = (
        f"POST /api/articles/1/comments HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {sender}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    began = time.monotonic()
    try:
        writer.write(head.encode() + body)
        async with asyncio.timeout(WITHIN):
            told = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(told.partition("content-length:")[2].partition("\r\n")[0])
            said = await reader.readexactly(length)
    except (OSError, asyncio.IncompleteReadError, ssl.SSLError) as error:
        seen.failed.append(f"comment: {type(error).__name__}: {error}")
        return False
    seen.slowest = max(seen.slowest, time.monotonic() - began)
    status = int(told.split()[1])
    seen.answered[status] += 1
    if status >= 300:
        seen.refused[_reason(said)] += 1
    if "connection: close" not in told:
        return True
    seen.closed += 1
    try:
        async with asyncio.timeout(WITHIN):
            if await reader.read():
                seen.failed.append("comment: more came behind the last answer")
    except (OSError, ssl.SSLError) as error:
        seen.failed.append(f"closing: {type(error).__name__}: {error}")
    return False


def _reason(body: bytes) -> str:
    """The reason code of a problem document; how it begins, where it is none of ours."""
    with contextlib.suppress(ValueError, AttributeError):
        told = json.loads(body).get("reason")
        if told:
            return str(told)
    return body[:60].decode("utf-8", "replace")


async def chatting(
    gate: Gate, path: str, seen: Seen, stop: asyncio.Event, sender: str, *, pause: float = 0.05, again: bool = True
) -> None:
    """One WebSocket on which each message is echoed. ``again``: open another where it is closed."""
    while not stop.is_set():
        scheme = "wss" if gate.tls is not None else "ws"
        try:
            client = await websockets.connect(
                f"{scheme}://localhost:{gate.port}{path}", host="127.0.0.1", ssl=gate.tls, proxy=None, compression=None,
                additional_headers={"X-User-Id": sender}, ping_interval=None, open_timeout=WITHIN,
            )  # fmt: skip
        except Exception as error:
            seen.failed.append(f"handshake: {type(error).__name__}: {error}")
            await asyncio.sleep(0.05)
            continue
        await _echoes(client, seen, stop, sender, pause)
        if not again:
            return


async def _echoes(client: Any, seen: Seen, stop: asyncio.Event, sender: str, pause: float) -> None:
    number = 0
    async with client:
        while not stop.is_set():
            number += 1
            sent = f'{{"type": "message", "content": "{sender} says {number}"}}'
            began = time.monotonic()
            try:
                await client.send(sent)
                async with asyncio.timeout(WITHIN):
                    if json.loads(await client.recv()) != json.loads(sent):
                        seen.failed.append("echo: another message")
            except TimeoutError:
                seen.failed.append("echo: none in time")
                return
            except websockets.ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd is not None else 1006
                seen.ended[code] += 1
                if code == 1006:
                    seen.failed.append("socket: cut off")
                return
            seen.longest = max(seen.longest, time.monotonic() - began)
            seen.echoed += 1
            await asyncio.sleep(pause)
