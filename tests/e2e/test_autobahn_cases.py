"""The cases of the Autobahn|Testsuite without compression, written from RFC 6455, through the gate to an echo server.

Each runs twice: on a route whose text messages are judged, and on one that is only relayed. The bytes are made here and
not by the gateway's own code. Limits (9.*) are moderate in size.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.e2e.node import request
from tests.e2e.socketlab import SocketLab, socket_lab

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = MASK) -> bytes:
    """A client's frame, or one that breaks the rules."""
    size = len(payload)
    bit = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + size.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ key for byte, key in zip(payload, itertools.cycle(mask), strict=False))


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


class Case(NamedTuple):
    """``sent`` in writes of their own. ``seen``: data and pong frames before the close. ``code``: of the close frame
    that ends it; None where our own 1000 does, after everything was seen; -1 where the close frame has no code.
    ``early``: how many of ``seen`` may be missing, because a failure may overtake them. ``judged``: what a judged route
    answers instead of an echo: the reason of a refusal, or None for no difference. ``only``: the one kind of route it
    is for.
    """

    sent: tuple[bytes, ...]
    seen: tuple[tuple[int, bytes], ...] = ()
    code: int | None = None
    early: int = 0
    judged: str | None = None
    only: str = ""


CASES: dict[str, Case] = {}


def case(name: str, *sent: bytes, **more: Any) -> None:
    assert name not in CASES
    CASES[name] = Case(sent, **more)


def chopped(data: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def fragments(opcode: int, payload: bytes, size: int) -> bytes:
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    last = len(parts) - 1
    return b"".join(frame(opcode if not at else CONT, part, fin=at == last) for at, part in enumerate(parts))


# 1: framing
for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
    text = b"*" * size
    case(f"1.1.{number}", frame(TEXT, text), seen=((TEXT, text),))
    case(f"1.2.{number}", frame(BINARY, b"\xfe" * size), seen=((BINARY, b"\xfe" * size),), judged="frame.type")
case("1.1.8", *chopped(frame(TEXT, b"*" * 65536), 997), seen=((TEXT, b"*" * 65536),))
case("1.2.8", *chopped(frame(BINARY, b"\xfe" * 65536), 997), seen=((BINARY, b"\xfe" * 65536),), only="raw")

# 2: pings and pongs
case("2.1", frame(PING), seen=((PONG, b""),))
case("2.2", frame(PING, b"Hello, world!"), seen=((PONG, b"Hello, world!"),))
case("2.3", frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), seen=((PONG, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),))
case("2.4", frame(PING, b"\xfe" * 125), seen=((PONG, b"\xfe" * 125),))
case("2.5", frame(PING, b"\xfe" * 126), code=1002)
case("2.6", *chopped(frame(PING, b"\xfe" * 125), 1), seen=((PONG, b"\xfe" * 125),))
case("2.7", frame(PONG), seen=())
case("2.8", frame(PONG, b"unsolicited"), seen=())
case("2.9", frame(PONG, b"unsolicited"), frame(PING, b"mine"), seen=((PONG, b"mine"),))
TEN = tuple(b"payload-%d" % number for number in range(10))
case("2.10", *(frame(PING, one) for one in TEN), seen=tuple((PONG, one) for one in TEN))
case("2.11", *chopped(b"".join(frame(PING, one) for one in TEN), 1), seen=tuple((PONG, one) for one in TEN))

# 3: reserved bits
case("3.1", frame(TEXT, b"small", rsv=1), code=1002)
HELLO = (TEXT, b"Hello, world!")
case("3.2", frame(TEXT, HELLO[1]), frame(TEXT, b"x", rsv=2), frame(PING), seen=(HELLO,), code=1002, early=1)
case("3.3", frame(TEXT, HELLO[1]), frame(TEXT, b"x", rsv=3), frame(PING), seen=(HELLO,), code=1002, early=1)
case(
    "3.4",
    *chopped(frame(TEXT, HELLO[1]) + frame(TEXT, b"x", rsv=4) + frame(PING), 1),
    seen=(HELLO,),
    code=1002,
    early=1,
)
case("3.5", frame(BINARY, b"\x00\xff", rsv=5), code=1002)
case("3.6", frame(PING, b"x", rsv=6), code=1002)
case("3.7", frame(CLOSE, rsv=7), code=1002)

# 4: reserved opcodes
for number, opcode in enumerate((3, 4, 5, 6, 7), 1):
    before: tuple[bytes, ...] = (frame(TEXT, HELLO[1]),) if number > 2 else ()
    seen = (HELLO,) if before else ()
    case(f"4.1.{number}", *before, frame(opcode, b"x"), frame(PING), seen=seen, code=1002, early=len(seen))
for number, opcode in enumerate((11, 12, 13, 14, 15), 1):
    before = (frame(TEXT, HELLO[1]),) if number > 2 else ()
    seen = (HELLO,) if before else ()
    case(f"4.2.{number}", *before, frame(opcode, b"x"), frame(PING), seen=seen, code=1002, early=len(seen))

# 5: fragmentation
ONE, TWO = b"fragment1", b"fragment2"
WHOLE = (TEXT, ONE + TWO)
FIRST, LAST = frame(TEXT, ONE, fin=False), frame(CONT, TWO)
case("5.1", frame(PING, ONE, fin=False), frame(CONT, TWO), code=1002)
case("5.2", frame(PONG, ONE, fin=False), frame(CONT, TWO), code=1002)
case("5.3", FIRST, LAST, seen=(WHOLE,))
case("5.4", FIRST + LAST, seen=(WHOLE,))
case("5.5", *chopped(FIRST + LAST, 1), seen=(WHOLE,))
PINGED = ((PONG, b"ping"), WHOLE)
case("5.6", FIRST, frame(PING, b"ping"), LAST, seen=PINGED)
case("5.7", FIRST + frame(PING, b"ping") + LAST, seen=PINGED)
case("5.8", *chopped(FIRST + frame(PING, b"ping") + LAST, 1), seen=PINGED)
case("5.9", frame(CONT, b"nothing"), frame(TEXT, b"x"), code=1002)
case("5.10", frame(CONT, b"nothing") + frame(TEXT, b"x"), code=1002)
case("5.11", *chopped(frame(CONT, b"nothing") + frame(TEXT, b"x"), 1), code=1002)
case("5.12", frame(CONT, b"nothing", fin=False), frame(TEXT, b"x"), code=1002)
case("5.13", frame(CONT, b"nothing", fin=False) + frame(TEXT, b"x"), code=1002)
case("5.14", *chopped(frame(CONT, b"nothing", fin=False) + frame(TEXT, b"x"), 1), code=1002)
case("5.15", FIRST, LAST, frame(CONT, b"x", fin=False), frame(TEXT, b"y"), seen=(WHOLE,), code=1002, early=1)
case("5.16", frame(CONT, b"a", fin=False), frame(TEXT, b"b", fin=False), frame(CONT, b"c"), code=1002)
case("5.17", frame(CONT, b"a"), frame(TEXT, b"b", fin=False), frame(CONT, b"c"), code=1002)
case("5.18", frame(TEXT, b"a", fin=False), frame(TEXT, b"b"), code=1002)
FIVE = (
    FIRST,
    frame(CONT, TWO, fin=False),
    frame(PING, b"p1"),
    frame(CONT, b"3", fin=False),
    frame(CONT, b"4", fin=False),
    frame(PING, b"p2"),
    frame(CONT, b"5"),
)
ALL = ((PONG, b"p1"), (PONG, b"p2"), (TEXT, ONE + TWO + b"345"))
case("5.19", *FIVE, seen=ALL)
case("5.20", b"".join(FIVE), seen=ALL)

# 6: UTF-8
GOOD = "Hello-µ@ßöäüàá-UTF-8!!"
case("6.1.1", frame(TEXT, b""), seen=((TEXT, b""),))
case("6.1.2", frame(TEXT, fin=False), frame(CONT, fin=False), frame(CONT), seen=((TEXT, b""),))
case("6.1.3", frame(TEXT, fin=False), frame(CONT, b"middle", fin=False), frame(CONT), seen=((TEXT, b"middle"),))
GOOD_BYTES = GOOD.encode()
case("6.2.1", frame(TEXT, GOOD_BYTES), seen=((TEXT, GOOD_BYTES),))
case("6.2.2", frame(TEXT, GOOD_BYTES[:12], fin=False), frame(CONT, GOOD_BYTES[12:]), seen=((TEXT, GOOD_BYTES),))
case("6.2.3", fragments(TEXT, GOOD_BYTES, 1), seen=((TEXT, GOOD_BYTES),))
KOSME = "κόσμε".encode()
case("6.2.4", fragments(TEXT, KOSME, 1), seen=((TEXT, KOSME),))
BAD = KOSME + b"\xed\xa0\x80" + b"edited"
case("6.3.1", frame(TEXT, BAD), code=1007)
case("6.3.2", fragments(TEXT, BAD, 1), code=1007)
case("6.4.1", frame(TEXT, KOSME, fin=False), frame(CONT, b"\xf4\x90\x80\x80", fin=False), frame(CONT), code=1007)
case("6.4.2", frame(TEXT, KOSME + b"\xf4", fin=False), frame(CONT, b"\x90", fin=False), frame(CONT), code=1007)
case("6.4.3", *chopped(frame(TEXT, KOSME + b"\xf4\x90\x80\x80edited"), 15), code=1007)
case("6.4.4", *chopped(frame(TEXT, KOSME + b"\xf4\x90\x80\x80edited"), 1), code=1007)
VALID = {
    "6.5.1": KOSME, "6.6.2": "κ".encode(), "6.6.5": "κό".encode(), "6.6.7": "κόσ".encode(), "6.6.9": "κόσμ".encode(),
    "6.6.11": KOSME, "6.7.2": "\x80".encode(), "6.7.3": "\u0800".encode(), "6.7.4": "\U00010000".encode(),
    "6.9.1": b"\x7f", "6.9.2": "\u07ff".encode(), "6.9.3": "\uffff".encode(), "6.9.4": "\U0010ffff".encode(),
    "6.11.1": b"\xed\x9f\xbf", "6.11.2": b"\xee\x80\x80", "6.11.3": b"\xef\xbf\xbd", "6.11.4": b"\xf4\x8f\xbf\xbf",
    "6.22.1": b"\xef\xbf\xbe", "6.22.2": b"\xef\xbf\xbf", "6.22.3": b"\xf0\x9f\xbf\xbe", "6.22.4": b"\xf0\x9f\xbf\xbf",
    "6.22.33": b"\xf4\x8f\xbf\xbe", "6.22.34": b"\xf4\x8f\xbf\xbf", "6.23.1": b"\xef\xbf\xb9",
    "6.23.7": b"\xef\xbf\xbf",
}  # fmt: skip
for name, valid in VALID.items():
    case(name, frame(TEXT, valid), seen=((TEXT, valid),))
case("6.7.1", frame(TEXT, b"\x00"), seen=((TEXT, b"\x00"),), judged="body.nul")
INVALID = {
    "6.6.1": b"\xce", "6.6.3": b"\xce\xba\xe1", "6.6.4": b"\xce\xba\xe1\xbd", "6.6.6": b"\xce\xba\xe1\xbd\xb9\xcf",
    "6.6.8": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce", "6.6.10": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce",
    "6.8.1": b"\xf8\x88\x80\x80\x80", "6.8.2": b"\xfc\x84\x80\x80\x80\x80", "6.10.1": b"\xf7\xbf\xbf\xbf",
    "6.10.2": b"\xfb\xbf\xbf\xbf\xbf", "6.10.3": b"\xfd\xbf\xbf\xbf\xbf\xbf", "6.11.5": b"\xf4\x90\x80\x80",
    "6.12.1": b"\x80", "6.12.2": b"\xbf", "6.12.3": b"\x80\xbf", "6.12.8": b"\x80\xbf" * 3 + b"\x80",
    "6.13.1": b"\xc0 \xc1 \xc2 ", "6.13.2": b"\xe0 \xe1 ", "6.13.3": b"\xf0 \xf1 ", "6.13.4": b"\xf8 \xf9 ",
    "6.14.1": b"\xc0", "6.14.2": b"\xe0\x80", "6.14.3": b"\xf0\x80\x80", "6.14.6": b"\xdf", "6.14.7": b"\xef\xbf",
    "6.14.8": b"\xf7\xbf\xbf", "6.15.1": b"\xc0\xe0\x80\xf0\x80\x80", "6.16.1": b"\xfe", "6.16.2": b"\xff",
    "6.16.3": b"\xfe\xfe\xff\xff", "6.17.1": b"\xc0\xaf", "6.17.2": b"\xe0\x80\xaf", "6.17.3": b"\xf0\x80\x80\xaf",
    "6.18.1": b"\xc1\xbf", "6.18.2": b"\xe0\x9f\xbf", "6.18.3": b"\xf0\x8f\xbf\xbf", "6.19.1": b"\xc0\x80",
    "6.19.2": b"\xe0\x80\x80", "6.20.1": b"\xed\xa0\x80", "6.20.2": b"\xed\xad\xbf", "6.20.4": b"\xed\xaf\xbf",
    "6.20.5": b"\xed\xb0\x80", "6.20.7": b"\xed\xbf\xbf", "6.21.1": b"\xed\xa0\x80\xed\xb0\x80",
    "6.21.8": b"\xed\xaf\xbf\xed\xbf\xbf",
}  # fmt: skip
for name, invalid in INVALID.items():
    case(name, frame(TEXT, invalid), code=1007)

# 7: closing
case("7.1.1", frame(TEXT, HELLO[1]), seen=(HELLO,))
case("7.1.2", close() + close(), code=1000)
case("7.1.3", close() + frame(PING), code=1000)
case("7.1.4", close() + frame(TEXT, HELLO[1]), code=1000)
# The echo server itself calls this one an error of the client's.
case("7.1.5", frame(TEXT, ONE, fin=False) + close() + frame(CONT, TWO), code=1000, only="text")
case("7.1.6", frame(TEXT, b"BAsd7&jh23" * 25600) + frame(TEXT, HELLO[1]) + close() + frame(PING),
     seen=((TEXT, b"BAsd7&jh23" * 25600), HELLO), code=1000, early=2)  # fmt: skip
case("7.3.1", close(None), code=-1)
case("7.3.2", frame(CLOSE, b"a"), code=1002)
case("7.3.3", close(1000), code=1000)
case("7.3.4", close(1000, b"Hello World!"), code=1000)
case("7.3.5", close(1000, b"*" * 123), code=1000)
case("7.3.6", close(1000, b"*" * 124), code=1002)
case("7.5.1", close(1000, BAD), code=1007)
for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
    case(f"7.7.{number}", close(code), code=code)
for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
    case(f"7.9.{number}", close(code), code=1002)
case("7.13.1", close(5000), code=1002)
case("7.13.2", close(65535), code=1002)

# 9 and 10: sizes
for number, size in enumerate((65536, 262144), 1):
    large = b"*" * size
    case(f"9.1.{number}", frame(TEXT, large), seen=((TEXT, large),))
    case(f"9.2.{number}", frame(BINARY, large), seen=((BINARY, large),), only="raw")
for number, size in enumerate((64, 256, 1024, 4096, 16384, 65536, 262144), 1):
    case(f"9.3.{number}", fragments(TEXT, b"*" * 262144, size), seen=((TEXT, b"*" * 262144),))
for number, size in enumerate((64, 1024, 16384), 1):
    case(f"9.5.{number}", *chopped(frame(TEXT, b"*" * 65536), size), seen=((TEXT, b"*" * 65536),))
SMALL = tuple(b"%04d" % number for number in range(1000))
case("9.7", b"".join(frame(TEXT, one) for one in SMALL), seen=tuple((TEXT, one) for one in SMALL))
case("10.1.1", fragments(TEXT, b"*" * 65536, 1300), seen=((TEXT, b"*" * 65536),))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SocketLab]:
    async with socket_lab(tmp_path_factory.mktemp("autobahn")) as made:
        yield made


_names = itertools.count(1)


class Wire:
    """A client of raw bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """What the server sends: whole messages and control frames, until it ends the connection."""
        opcode, parts = -1, b""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, second = await self.reader.readexactly(2)
                assert not first & 0x70, "a reserved bit"
                assert not second & 0x80, "a server's frame is not masked"
                size = second
                if size > 125:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
                payload = await self.reader.readexactly(size)
                if first & 0x0F >= CLOSE:
                    assert first & 0x80
                    yield first & 0x0F, payload
                    continue
                if first & 0x0F:
                    assert opcode < 0
                    opcode = first & 0x0F
                parts += payload
                if first & 0x80:
                    yield opcode, parts
                    opcode, parts = -1, b""

    def end(self) -> None:
        self.writer.transport.abort()


async def dial(gate: SocketLab, path: str) -> Wire:
    reader, writer = await gate.node.connect()
    fields = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "X-User-Id": "alice",
    }  # fmt: skip
    writer.write(request("GET", path, None, fields))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    assert head.startswith(b"HTTP/1.1 101 "), head
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    return Wire(reader, writer)


async def run(wire: Wire, told: Case, kind: str) -> list[tuple[int, bytes]]:
    """Everything seen; our own close is sent once all that was awaited has come."""

    async def send(writes: Iterable[bytes]) -> None:
        with contextlib.suppress(ConnectionError):
            for number, data in enumerate(writes):
                wire.writer.write(data)
                if number < 40:
                    await asyncio.sleep(0)
            await wire.writer.drain()

    wanted = 1 if kind == "text" and told.judged else len(told.seen)
    sending = asyncio.ensure_future(send(told.sent))
    seen: list[tuple[int, bytes]] = []
    if told.code is None and not wanted:
        await sending
        wire.writer.write(close())
    async for one in wire.frames():
        seen.append(one)
        if told.code is None and len(seen) == wanted:
            await sending
            wire.writer.write(close())
        if one[0] == CLOSE and told.code is not None:
            with contextlib.suppress(ConnectionError):
                wire.writer.write(close(1000))
    await sending
    return seen


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, told in CASES.items() for kind in ("text", "raw") if told.only in ("", None, kind)],
)
async def test_case(gate: SocketLab, name: str, kind: str) -> None:
    told = CASES[name]
    wire = await dial(gate, f"/text/c{next(_names)}" if kind == "text" else f"/raw?{next(_names)}")
    try:
        async with asyncio.timeout(20):
            seen = await run(wire, told, kind)
    finally:
        wire.end()
    assert seen, "ended without a close frame"
    *before, (opcode, payload) = seen
    assert opcode == CLOSE
    assert len([one for one, _ in seen if one == CLOSE]) == 1
    code = int.from_bytes(payload[:2], "big") if payload else -1
    assert code == (1000 if told.code is None else told.code)
    payload[2:].decode()
    if kind == "text" and told.judged:
        ((_, notice),) = before
        assert json.loads(notice)["reason"] == told.judged
    else:
        assert len(before) >= len(told.seen) - told.early
        assert before == list(told.seen[: len(before)])


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"x", mask=None), 1002),
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big"), 1009),
        (frame(TEXT, b"x" * 300, mask=None), 1002),
        (fragments(TEXT, b"x" * 20000, 1), 1008),
    ],
    ids=["unmasked", "a terabyte announced", "longer and unmasked", "endless fragments"],
)
async def test_what_only_the_gate_refuses(gate: SocketLab, sent: bytes, code: int) -> None:
    """Bounds, and masks, before the upstream sees any of it."""
    path = f"/text/c{next(_names)}"
    wire = await dial(gate, path)
    try:
        async with asyncio.timeout(20):
            seen = await run(wire, Case((sent,), code=code), "text")
    finally:
        wire.end()
    assert [int.from_bytes(payload[:2], "big") for opcode, payload in seen if opcode == CLOSE] == [code]
