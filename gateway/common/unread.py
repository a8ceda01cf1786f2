"""How far the other end is with reading what was written to it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

_ACKNOWLEDGED: Final = struct.Struct("@Q")
_AT: Final = 120
"""Where ``tcpi_bytes_acked`` stands in ``struct tcp_info`` (linux/tcp.h, since Linux 4.1)."""


def unread(transport: asyncio.WriteTransport) -> int:
    """A number of bytes that falls by each byte that the other end takes; only its changes mean anything.

    The transport's own buffer, less what the kernel knows to be acknowledged. The buffer alone would tell little: the
    kernel holds megabytes for a slow reader and asks for more a third of them at a time, and what is ciphered already
    is not in that buffer.
    """
    held = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        try:
            told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _AT + _ACKNOWLEDGED.size)
        except OSError:  # closed meanwhile
            told = b""
        if len(told) == _AT + _ACKNOWLEDGED.size:
            acknowledged: int = _ACKNOWLEDGED.unpack_from(told, _AT)[0]
            return held - acknowledged
    return held
