"""What goes over the sockets of the benchmark, as bytes: handshakes, a person's frames and what must come back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from gateway.websocket.frames import FrameParser, frame, masked_frame
from gateway.websocket.opcodes import PING, PONG, TEXT
from rig.comments import PEOPLE, ROOMS, WORDS

ECHO = "/groups/{room}"  # what one says comes back to oneself
ANNOUNCE = "/announce"  # what is said here everybody on the other path gets

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"
    "Cookie: sid=4f1d2c; theme=dark\r\nX-User-Id: {sender}\r\n\r\n"
)


class Frame(NamedTuple):
    """``sent``: masked, as a client sends it. ``back``: the same payload as a server sends it."""

    sent: bytes
    back: bytes


def handshake(path: str, sender: str) -> bytes:
    """A client's opening request."""
    return _HANDSHAKE.format(path=path, sender=sender).encode()


def group(number: int) -> bytes:
    """The opening request of the ``number``-th session: one of the people, in a room drawn with a skew."""
    room = int(ROOMS ** random.Random(number).random())
    return handshake(ECHO.format(room=room), f"u{number % PEOPLE + 1}")


def said(text: str) -> Frame:
    """One group message; ``text`` holds nothing that JSON escapes."""
    payload = b'{"type":"message","content":"%b"}' % text.encode()
    return Frame(masked_frame(TEXT, payload), frame(TEXT, payload))


def messages(seed: int) -> Iterator[Frame]:
    """Messages without end, of the same words as the comments over HTTP; each text is new, so that none repeats."""
    draw = random.Random(seed)
    count = seed * 1_000_003
    while True:
        count += 1
        yield said("".join(draw.choices(WORDS, k=9)) + str(count))


def answered(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole messages among ``data`` from a server, and the pongs that are due for its pings. ValueError where it broke
    the protocol, closed, or where ``data`` ends amid a frame."""
    parser = FrameParser(masked=False)
    payloads: list[bytes] = []
    due = b""
    for event in parser.feed(data):
        opcode = getattr(event, "opcode", None)
        if opcode == PING:
            due += masked_frame(PONG, event.payload)  # type: ignore[union-attr]
        elif opcode == PONG:
            continue
        elif opcode == TEXT:
            payloads.append(event.payload)  # type: ignore[union-attr]
        else:
            raise ValueError(f"the server ended the socket: {event}")
    if parser.amid:
        raise ValueError("amid a frame")
    return payloads, due
