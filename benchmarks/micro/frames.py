"""Reading one masked frame of a client, with every rule checked, beside a loop over its bytes that checks none."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from benchmarks.micro.case import Case
from benchmarks.micro.samples import TEXT
from gateway.websocket.frames import FrameParser, masked_frame
from gateway.websocket.opcodes import TEXT as TEXT_FRAME


def cases() -> Iterator[Case]:
    payload = b'{"type":"danmaku","content":"%b"}' % TEXT.encode()
    sent = masked_frame(TEXT_FRAME, payload)
    parser = FrameParser(masked=True)

    def ours() -> object:
        return parser.feed(sent)

    def plain() -> bytes:
        size, start = sent[1] & 0x7F, 2
        if size == 126:
            (size,) = struct.unpack(">H", sent[2:4])
            start = 4
        key = sent[start : start + 4]
        return bytes(byte ^ key[place & 3] for place, byte in enumerate(sent[start + 4 : start + 4 + size]))

    yield Case("frames", f"a masked frame of {len(payload)} bytes", ours, "a loop over its bytes", plain)
