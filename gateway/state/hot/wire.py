"""Bytes of the two formats that the hot path writes itself: RESP bulk strings and, for the script, MessagePack.

Replies are read by hiredis. Commands off the hot path are packed by ``hiredis.pack_command``.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

Packable: TypeAlias = "int | list[Packable]"


def bulk(value: bytes) -> bytes:
    """One argument of a command (RESP, bulk string)."""
    return b"$%d\r\n%b\r\n" % (len(value), value)


def bulk_text(value: str) -> bytes:
    """One argument of a command, from text; a lone surrogate, which no valid body holds, does not break the stream."""
    return bulk(value.encode("utf-8", "surrogatepass"))


def msgpack(value: Packable) -> bytes:
    """Lists and non-negative integers in MessagePack. Integers over 32 bits go as doubles, exact below 2**53, because
    Lua has no other number."""
    if isinstance(value, int):
        if value < 0x80:
            return value.to_bytes(1, "big")
        if value < 1 << 32:
            return struct.pack(">BI", 0xCE, value)
        return struct.pack(">Bd", 0xCB, value)
    head = struct.pack(">B", 0x90 | len(value)) if len(value) < 16 else struct.pack(">BH", 0xDC, len(value))
    return head + b"".join(map(msgpack, value))
