"""Ports of this machine that nobody listens on now, and that no outgoing connection is given.

A port that the kernel chooses may be the source of somebody's connection a moment later, and then it cannot be listened
on. So they are drawn from below the range that it chooses from; where there is nothing below, it is asked.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

FIRST: Final = 10_000
ROOM: Final = 4_000  # ports that there must be below the kernel's own range
RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")

_drawn = random.SystemRandom()  # several processes draw at the same time


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def free_ports(number: int) -> list[int]:
    """So many different ones."""
    held = [_held() for _ in range(number)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def _held() -> socket.socket:
    try:
        last = int(RANGE.read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux
        last = 0
    for _ in range(100 if last >= FIRST + ROOM else 0):
        try:
            return socket.create_server(("127.0.0.1", _drawn.randrange(FIRST, last)))
        except OSError:
            continue
    return socket.create_server(("127.0.0.1", 0))
