"""The WebSocket platform of the benchmark: echoes what one says, and tells everybody what is announced.

A process of its own, pinned: ``python -m benchmarks.websocket.chatserver --port P``. It must be cheaper than what is
measured in front of it, so it trusts its clients: whole frames, masked, of up to 65,535 bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import hashlib
import sys
from pathlib import Path

import uvloop

from benchmarks.load.command import raise_limit
from benchmarks.websocket.chat import ANNOUNCE
from gateway.websocket.frames import frame, mask
from gateway.websocket.opcodes import CLOSE, PING, PONG, TEXT
from rig import process
from rig.ports import free_port
from rig.process import ROOT

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_ANSWERS = {TEXT: TEXT, PING: PONG, CLOSE: CLOSE}


class Peer(asyncio.Protocol):
    """One connection; ``everybody`` holds all that listen."""

    __slots__ = ("_announces", "_data", "_everybody", "_open", "_transport")

    _transport: asyncio.Transport

    def __init__(self, everybody: set[asyncio.Transport]) -> None:
        self._everybody = everybody
        self._data = b""
        self._open = False
        self._announces = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's are no subclass of the library's

    def connection_lost(self, exc: Exception | None) -> None:
        self._everybody.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
            self._data = b""
        at = 0 if self._open else self._handshake(data)
        size = len(data)
        while size - at >= 6:
            length = data[at + 1] & 0x7F
            body = at + 6
            if length == 126:
                length = int.from_bytes(data[at + 2 : at + 4], "big")
                body = at + 8
            end = body + length
            if end > size:
                break
            self._received(data[at] & 0x0F, mask(data[body:end], data[body - 4 : body]))
            at = end
        if at < size:
            self._data = data[at:]

    def _handshake(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return 0
        head = data[:end]
        lines = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        place = head.lower().find(b"\r\nsec-websocket-key:")
        if b"upgrade" not in lines or place < 0:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self._transport.close()
            return len(data)
        key = head[place + 20 :].split(b"\r\n", 1)[0].strip()
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        self._open = True
        self._announces = head.split(b" ", 2)[1] == ANNOUNCE.encode()
        if not self._announces:
            self._everybody.add(self._transport)
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        return end

    def _received(self, opcode: int, payload: bytes) -> None:
        if opcode not in _ANSWERS:
            return
        data = frame(_ANSWERS[opcode], payload)
        if opcode == TEXT and self._announces:
            for transport in self._everybody:
                transport.write(data)
            return
        self._transport.write(data)
        if opcode == CLOSE:
            self._transport.close()


async def serve(port: int) -> None:
    """Until cancelled."""
    everybody: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Peer(everybody), "127.0.0.1", port, backlog=4096)
    gc.freeze()
    gc.disable()  # nothing here is part of a cycle, and a pause would be the gateway's in the figures
    await server.serve_forever()


class ChatServer:
    """Starts the platform above."""

    def __init__(self, scratch: Path, cpus: str) -> None:
        self.port = free_port()
        argv = [sys.executable, "-m", "benchmarks.websocket.chatserver", "--port", str(self.port)]
        with (scratch / "chatserver.log").open("wb") as log:
            self._process = process.start(argv, cpus, stderr=log, cwd=ROOT)
        process.wait_for_port(self.port, self._process, scratch / "chatserver.log")

    def pids(self) -> list[int]:
        return process.children(self._process.pid)

    def stop(self) -> None:
        process.stop(self._process)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    raise_limit()
    uvloop.run(serve(options.port))


if __name__ == "__main__":
    main()
