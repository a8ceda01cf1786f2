"""Open-model load: requests leave on a schedule, whatever the answers do, and latency counts from the schedule.

So a stall of the gateway shows as the latency of every request that was due meanwhile, instead of as fewer requests
(coordinated omission, which closed-loop tools such as wrk have by design). Run as a process of its own, pinned:
``python -m benchmarks.openload --port P --rate R --seconds S``; prints one JSON object.

It shares its processor with the upstream and the state server, so it must be cheap: every request is built before the
first one leaves, and a loop over epoll does the rest. A timer of the kernel (timerfd_create(2)) wakes it when the next
request is due; ``late`` says how far behind the schedule it was by its own fault, with a connection free.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import gc
import json
import os
import random
import select
import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from benchmarks import command
from benchmarks.comments import CREATED, Comments
from benchmarks.quantiles import of_sorted

GRACE = 5.0  # seconds that the last answers may take
_NONBLOCK = os.O_NONBLOCK
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME


class Timer:
    """An absolute timer on CLOCK_MONOTONIC, which ``time.perf_counter`` reads on Linux; edge-triggered in epoll."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._settime = libc.timerfd_settime
        self._spec = (ctypes.c_long * 4)()  # struct itimerspec: interval, then value, each in seconds and nanoseconds
        self._address = ctypes.addressof(self._spec)
        self._settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

    def wake_at(self, when: float) -> None:
        """Fire once at this reading of ``time.perf_counter``."""
        seconds = int(when)
        self._spec[2] = seconds
        self._spec[3] = int((when - seconds) * 1e9)
        self._settime(self.fd, _ABSOLUTE, self._address, None)


Sent = TypeVar("Sent")


class Load(ABC, Generic[Sent]):
    """The schedule, and what came of it. Times are ``perf_counter`` seconds. ``Sent``: one request, as it is kept."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._timer = Timer()
        self._epoll.register(self._timer.fd, select.EPOLLIN | select.EPOLLET)
        self.latencies: list[float] = []
        self.late: list[float] = []
        self.wrong: dict[str, int] = {}
        self.lost = 0
        self.scheduled = 0
        self.longest_gap = 0.0
        self._sockets: dict[int, socket.socket] = {}
        self._due: dict[int, float] = {}
        self._partial: dict[int, bytes] = {}
        self._free: deque[int] = deque()  # in turn, so that every connection carries its share
        self._offsets: list[float] = []  # seconds from the start, of each request
        self._built: list[Sent] = []

    def add(self, peer: socket.socket) -> None:
        """One connection more, ready for a request."""
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        descriptor = peer.fileno()
        self._sockets[descriptor] = peer
        self._free.append(descriptor)
        self._epoll.register(descriptor, select.EPOLLIN)

    def run(self, rate: float, seconds: float, seed: int, requests: Iterator[Sent]) -> None:
        """Offer ``rate`` requests a second, as a Poisson process: arrivals of people who do not know of each other."""
        self.build(rate, seconds, seed, requests)
        self.offer()

    def build(self, rate: float, seconds: float, seed: int, requests: Iterator[Sent]) -> None:
        """Draw the schedule and build what is sent on it."""
        draw = random.Random(seed)
        offsets = []
        offset = draw.expovariate(rate)
        while offset < seconds:
            offsets.append(offset)
            offset += draw.expovariate(rate)
        self._offsets = offsets
        self._built = list(islice(requests, len(offsets)))
        self.scheduled = len(offsets)
        settle()

    def offer(self) -> None:
        """Send what was built when it is due, and wait for the answers."""
        began = time.perf_counter() + 0.01
        self._offer([began + offset for offset in self._offsets], self._built)

    def _offer(self, schedule: Sequence[float], requests: Sequence[Sent]) -> None:
        clock, poll, free, timer = time.perf_counter, self._epoll.poll, self._free, self._timer.fd
        waiting: deque[int] = deque()
        index, total = 0, len(schedule)
        give_up = schedule[-1] + GRACE if schedule else 0.0
        last = schedule[0] if schedule else 0.0
        while index < total or waiting or len(free) < len(self._sockets):
            now = clock()
            while index < total and schedule[index] <= now:
                if free:
                    self._send(free.popleft(), schedule[index], requests[index])
                    self.late.append(now - schedule[index])
                else:
                    waiting.append(index)
                index += 1
            if index < total:
                self._timer.wake_at(schedule[index])
            elif now > give_up:
                break
            for descriptor, _ in poll(GRACE):
                if descriptor != timer and self._receive(descriptor):
                    answered = clock()
                    self.longest_gap = max(self.longest_gap, answered - last)
                    last = answered
                    if waiting:
                        chosen = waiting.popleft()
                        self._send(descriptor, schedule[chosen], requests[chosen])
                    else:
                        free.append(descriptor)
            if not self._sockets:
                break

    def _send(self, descriptor: int, due: float, request: Sent) -> None:
        self._due[descriptor] = due
        try:
            # Far below a socket buffer: it never blocks half-way.
            self._sockets[descriptor].sendall(self._bytes(descriptor, request))
        except OSError as error:
            self._close(descriptor, errno.errorcode.get(error.errno or 0, "error"))

    def _receive(self, descriptor: int) -> bool:
        """Read what came; True when the answer is whole."""
        try:
            data = self._sockets[descriptor].recv(65536)
        except OSError as error:
            self._close(descriptor, errno.errorcode.get(error.errno or 0, "error"))
            return False
        if not data:
            self._close(descriptor, "closed")
            return False
        if self._partial:
            data = self._partial.pop(descriptor, b"") + data
        found = self._judged(descriptor, data)
        if found is None:
            self._partial[descriptor] = data
            return False
        self.latencies.append(time.perf_counter() - self._due[descriptor])
        if found:
            self._wrong(found)
        return True

    @abstractmethod
    def _bytes(self, descriptor: int, request: Sent) -> bytes:
        """What goes out on a connection."""

    @abstractmethod
    def _judged(self, descriptor: int, data: bytes) -> str | None:
        """Nothing where ``data`` is the answer that it should be, what it is instead, None where it is not whole."""

    def _close(self, descriptor: int, why: str) -> None:
        if descriptor in self._due and descriptor not in self._free:
            self._wrong(why)
        self.lost += 1
        self._epoll.unregister(descriptor)
        self._sockets.pop(descriptor).close()
        if descriptor in self._free:
            self._free.remove(descriptor)

    def _wrong(self, what: str) -> None:
        self.wrong[what] = self.wrong.get(what, 0) + 1


def settle() -> None:
    """Everything is built: from here on no collector of cycles runs."""
    gc.collect()
    gc.freeze()
    gc.disable()


class Requests(Load[bytes]):
    """Comments over HTTP, each answered with 201."""

    def connect(self, port: int, connections: int) -> None:
        """Open that many connections."""
        for _ in range(connections):
            self.add(socket.create_connection(("127.0.0.1", port)))

    def _bytes(self, descriptor: int, request: bytes) -> bytes:
        return request

    def _judged(self, descriptor: int, data: bytes) -> str | None:
        if data.startswith(b"HTTP/1.1 201") and data.endswith(CREATED):
            return ""
        return data[9:12].decode("ascii", "replace") if whole(data) else None


def whole(data: bytes) -> bool:
    """Whether an answer framed by Content-Length is complete."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--characters", type=int, default=0, help="length of a text; 0 for the usual one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paced", action="store_true", help="begin and end at a line on stdin")
    options = parser.parse_args()
    load = Requests()
    load.connect(options.port, options.connections)
    comments = Comments(options.seed, options.characters)
    load.build(options.rate, options.seconds, options.seed, iter(comments.next, b""))

    def offer() -> dict[str, Any]:
        began = time.perf_counter()
        load.offer()
        return {"offered": options.rate, "seconds": round(time.perf_counter() - began, 3), **told(load)}

    if options.paced:
        command.obey({"connections": options.connections}, offer)
    else:
        print(json.dumps(offer()))


def told(load: Load[Any]) -> dict[str, Any]:
    """What came of a load, times in microseconds; None where nothing was timed."""
    ordered, late = sorted(load.latencies), sorted(load.late)
    return {
        "answered": len(ordered),
        "wrong": load.wrong,
        "lost": load.lost,
        "unanswered": load.scheduled - len(ordered),
        "p50_us": _us(ordered, 0.5),
        "p99_us": _us(ordered, 0.99),
        "p999_us": _us(ordered, 0.999),
        "max_us": _us(ordered, 1.0),
        "late_p99_us": _us(late, 0.99),
        "late_max_us": _us(late, 1.0),
        "longest_gap_us": round(load.longest_gap * 1e6),
    }


def _us(ordered: Sequence[float], share: float) -> int | None:
    return round(of_sorted(ordered, share) * 1e6) if ordered else None


if __name__ == "__main__":
    main()
