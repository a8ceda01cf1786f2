"""WebSocket texts: the same frames through the gate to Node's ``ws`` and Python's ``websockets``, and what each reads.

A case is what a client sends on one socket, fragments and all; behind it comes one more message, by which the end of
its answers is known. Every text that a platform reads must stand in the journal.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import orjson

from tools.differential.corpus import BAD, GOOD, json_bodies
from tools.differential.gate import Gate

PLATFORMS: Final = ("node", "starlette")
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
WITHIN: Final = 5.0  # seconds for one socket
TOGETHER: Final = 8
KEY: Final = b"\x11\x22\x33\x44"
END: Final = b'{"content": "the end"}'


class Frames(NamedTuple):
    """What one socket sends, and what is tried by it."""

    name: str
    data: bytes


class SocketReading(NamedTuple):
    """What a platform read of one socket, and what was judged of its sender."""

    platform: str
    sent: Frames
    read: tuple[str, ...]
    judged: tuple[str, ...]

    @property
    def wrong(self) -> bool:
        """Whether the platform reads what was not judged."""
        return any(text not in self.judged for text in self.read if text)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, key: bytes | None = KEY, wide: int = 0
) -> bytes:
    """A frame of a client (RFC 6455 section 5.2). ``wide``: bytes of an extended length, also where none is needed."""
    first = (fin << 7) | (rsv << 4) | opcode
    size = len(payload)
    masked = 0 if key is None else 0x80
    if wide == 8 or size > 0xFFFF:
        head = struct.pack(">BBQ", first, masked | 127, size)
    elif wide == 2 or size > 125:
        head = struct.pack(">BBH", first, masked | 126, size)
    else:
        head = struct.pack(">BB", first, masked | size)
    if key is None:
        return head + payload
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def split(payload: bytes, *places: int, opcode: int = TEXT, between: bytes = b"") -> bytes:
    """``payload`` in fragments, cut at ``places``; ``between``: whole frames that come between two of them."""
    cuts = [0, *places, len(payload)]
    pieces = [payload[start:end] for start, end in pairwise(cuts)]
    last = len(pieces) - 1
    return between.join(
        frame(0 if number else opcode, piece, fin=number == last) for number, piece in enumerate(pieces)
    )


def cases() -> Iterator[Frames]:
    """All that is written down here, and every JSON text of the corpus."""
    good, bad = f'{{"content": "{GOOD}"}}'.encode(), f'{{"content": "{BAD}"}}'.encode()
    for number, body in enumerate(json_bodies("json")):
        yield Frames(f"json {number}", frame(TEXT, body))
        yield Frames(f"json {number}, binary", frame(BINARY, body))
        if len(body) > 2:
            yield Frames(f"json {number}, in two", split(body, len(body) // 2))
    for text in ("你好", "café", "😀", "e\u0301", "\ufeff", "\u0000", "\u2028"):
        body = f'{{"content": "{text}"}}'.encode()
        for at in range(len(body) + 1):
            yield Frames(f"{text!r} cut at {at}", split(body, at))
        yield Frames(f"{text!r} byte by byte", split(body, *range(1, len(body))))
        yield Frames(f"{text!r} with a ping between", split(body, len(body) - 4, between=frame(PING, b"x")))
    for wrong in (b"\xe4\xbd", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xed\xa0\xbd\xed\xb8\x80"):
        body = b'{"content": "' + wrong + b'BAD"}'
        yield Frames(f"{wrong!r}", frame(TEXT, body))
        for at in range(13, 14 + len(wrong)):
            yield Frames(f"{wrong!r} cut at {at}", split(body, at))
    for name, data in {
        "two documents": frame(TEXT, good + bad),
        "two lines": frame(TEXT, good + b"\n" + bad),
        "empty": frame(TEXT),
        "empty fragments": split(good, 0, 0, 5, 5),
        "empty last fragment": split(good, len(good)),
        "a message within a message": frame(TEXT, good[:5], fin=False) + frame(TEXT, bad) + frame(0, good[5:]),
        "a binary one within": frame(TEXT, good[:5], fin=False) + frame(BINARY, bad) + frame(0, good[5:]),
        "continuation of nothing": frame(0, bad),
        "continuation behind the end": frame(TEXT, good) + frame(0, bad),
        "unfinished": frame(TEXT, bad, fin=False),
        "close within": frame(TEXT, good[:5], fin=False) + frame(CLOSE, b"\x03\xe8") + frame(0, good[5:]),
        "message behind close": frame(CLOSE, b"\x03\xe8") + frame(TEXT, bad),
        "close with one byte": frame(CLOSE, b"\x03") + frame(TEXT, bad),
        "close with a wrong code": frame(CLOSE, b"\x03\xed") + frame(TEXT, bad),
        "pings that are messages": frame(PING, bad) + frame(PONG, bad) + frame(TEXT, good),
        "ping in fragments": frame(PING, bad[:5], fin=False) + frame(0, bad[5:]),
        "long ping": frame(PING, bad * 20) + frame(TEXT, good),
        "no mask": frame(TEXT, bad, key=None),
        "a mask of zeros": frame(TEXT, bad, key=bytes(4)),
        "masked twice": frame(TEXT, frame(TEXT, bad)),
        "length in two bytes": frame(TEXT, bad, wide=2),
        "length in eight bytes": frame(TEXT, bad, wide=8),
        "length beyond 63 bits": b"\x81\xff\x80" + bytes(7) + b"\x11\x22\x33\x44" + bad,
        "length that never comes": struct.pack(">BBQ", 0x81, 0xFF, 1 << 40) + b"\x11\x22\x33\x44" + bad,
        "huge": frame(TEXT, b'{"content": "' + b"a" * 70_000 + b'"}'),
        "100 fragments": split(good.ljust(120), *range(1, 100)),
        "bom in its own fragment": split(b"\xef\xbb\xbf" + bad, 3),
        "utf-16": frame(TEXT, bad.decode().encode("utf-16-le")),
        "gzip": frame(BINARY, b"\x1f\x8b\x08\x00" + bad),
        "array": frame(TEXT, b"[" + good + b"," + bad + b"]"),
        "ndjson in fragments": split(good + b"\n" + bad, len(good)),
        "pretty": frame(TEXT, b'{\r\n\t"content" :\r\n\t"BAD"\r\n}'),
    }.items():
        yield Frames(name, data)
    for rsv in range(1, 8):
        yield Frames(f"rsv {rsv}", frame(TEXT, bad, rsv=rsv))
        yield Frames(f"rsv {rsv} in a continuation", frame(TEXT, bad[:5], fin=False) + frame(0, bad[5:], rsv=rsv))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Frames(f"opcode {opcode}", frame(opcode, bad))
        yield Frames(f"opcode {opcode} within", frame(TEXT, good[:5], fin=False) + frame(opcode) + frame(0, good[5:]))


async def ask(gate: Gate, names: Sequence[str]) -> list[SocketReading]:
    """Send every case to every platform of ``names`` that has sockets; then read what was judged."""
    known = list(cases())
    places = [name for name in PLATFORMS if name in names]
    queue = iter([(name, number) for number in range(len(known)) for name in places])
    read: list[tuple[str, int, tuple[str, ...]]] = []

    async def work() -> None:
        for name, number in queue:
            read.append((name, number, await _one(gate.port, name, f"s{number}-{name}", known[number].data)))

    await asyncio.gather(*(work() for _ in range(TOGETHER)))
    judged: dict[str, list[str]] = {}
    for record in gate.judged().values():
        judged.setdefault(record.sender, []).extend(record.texts)
    return [
        SocketReading(name, known[number], texts, tuple(judged.get(f"s{number}-{name}", ())))
        for name, number, texts in read
    ]


async def _one(port: int, name: str, sender: str, data: bytes) -> tuple[str, ...]:
    """The texts that the platform read of ``data``."""
    found: list[str] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /live/1 HTTP/1.1\r\nHost: {name}.example\r\nX-User-Id: {sender}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    try:
        async with asyncio.timeout(WITHIN):
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"{name}: no socket: {head[:80]!r}")
            writer.write(data + frame(TEXT, END))
            while True:
                opcode, payload = await _frame(reader)
                if opcode == CLOSE:
                    break
                told = orjson.loads(payload) if opcode == TEXT else {}
                if "@binary" in told:
                    texts = told.get("json", [])
                    if texts == ["the end"]:
                        break
                    found += texts
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        pass  # what was read until then is what was read
    finally:
        writer.close()
    return tuple(found)


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(size)
