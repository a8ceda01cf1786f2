"""Many handshakes at once, from one thread: at a fixed rate, or as fast as a bounded number under way goes.

Clients come from several loopback addresses, because one address has only so many ports. The time of a handshake
counts from when it was due.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.load.faults import Refused

UNDER_WAY = 64  # handshakes at once, where no rate is given
PER_ADDRESS = 8_000
GIVE_UP = 20.0  # seconds without any handshake that ends
NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT: a port is chosen when the other end is known, so that they may be used twice


class Opened(NamedTuple):
    """``peers``: connected sockets, in the order asked for. ``seconds``: of each handshake, in the order they ended;
    ``began``, ``ended``: when the first one was due and the last one done (``perf_counter``)."""

    peers: list[socket.socket]
    seconds: list[float]
    began: float
    ended: float


def open_all(port: int, requests: Sequence[bytes], *, rate: float = 0.0, first: int = 0) -> Opened:
    """Open a session with each request, ``rate`` a second. ``first``: as many have other processes opened.

    Raises ``Refused`` for the first one that is not opened.
    """
    peers: list[socket.socket] = []
    try:
        with select.epoll() as epoll:
            return _opened(epoll, port, requests, rate, first, peers)
    except Refused:
        for peer in peers:
            peer.close()
        raise


def _opened(
    epoll: select.epoll, port: int, requests: Sequence[bytes], rate: float, first: int, peers: list[socket.socket]
) -> Opened:
    places: dict[int, int] = {}
    due: list[float] = []
    heads: dict[int, bytes] = {}
    took: list[float] = []
    clock = time.perf_counter
    began = last = clock()
    total = len(requests)
    while len(took) < total:
        now = clock()
        while len(peers) < total and _is_due(len(peers), len(took), now - began, rate):
            place = len(peers)
            peer = socket.socket()
            peers.append(peer)
            _connect(peer, port, first + place)
            places[peer.fileno()] = place
            due.append(began + place / rate if rate else now)
            epoll.register(peer.fileno(), select.EPOLLOUT)
        wait = max(0.0, began + len(peers) / rate - now) if rate and len(peers) < total else GIVE_UP
        for descriptor, event in epoll.poll(wait):
            place = places[descriptor]
            if event & select.EPOLLOUT:
                _send(peers[place], requests[place])
                epoll.modify(descriptor, select.EPOLLIN)
                continue
            if (head := _received(peers[place], heads.pop(descriptor, b""))) is not None:
                heads[descriptor] = head
                continue
            epoll.unregister(descriptor)
            last = clock()
            took.append(last - due[place])
        if clock() - max(last, due[-1]) > GIVE_UP:
            raise Refused(f"{total - len(took)} of {total} handshakes are not answered")
    return Opened(peers, took, began, last)


def _is_due(begun: int, ended: int, passed: float, rate: float) -> bool:
    return begun <= passed * rate if rate else begun - ended < UNDER_WAY


def _connect(peer: socket.socket, port: int, place: int) -> None:
    peer.setblocking(False)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.setsockopt(socket.IPPROTO_IP, NO_PORT, 1)
    peer.bind((f"127.0.0.{2 + place // PER_ADDRESS}", 0))
    code = peer.connect_ex(("127.0.0.1", port))
    if code not in (0, errno.EINPROGRESS):
        raise Refused(errno.errorcode.get(code, "connect"))


def _send(peer: socket.socket, request: bytes) -> None:
    try:
        peer.sendall(request)
    except OSError as error:
        raise Refused(errno.errorcode.get(error.errno or 0, "error")) from None


def _received(peer: socket.socket, head: bytes) -> bytes | None:
    """What came of an answer's head so far; None once it is a whole 101."""
    try:
        data = peer.recv(4096)
    except OSError as error:
        raise Refused(errno.errorcode.get(error.errno or 0, "error")) from None
    head += data
    if not data:
        raise Refused(f"closed behind {head[:200]!r}")
    if not head.endswith(b"\r\n\r\n"):
        return head
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Refused(repr(head[:200]))
    return None
