"""Ports of this machine that nobody listens on now."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def free_ports(number: int) -> list[int]:
    """So many different ones."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(made.getsockname()[1]) for made in sockets]
    for made in sockets:
        made.close()
    return ports
