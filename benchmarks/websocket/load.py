"""The open-model load of frames: who is due speaks, whatever the answers do, and latency counts from when it was due.

What ``benchmarks.load.openload`` is for requests, in Python, because each answer is compared with the frame it answers.
A timer of the kernel (timerfd_create(2)) wakes it when the next frame is due; ``late`` says how far behind the schedule
it was by its own fault, with a session free.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from benchmarks.load.outcome import GRACE, Outcome, arrivals, settle

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


class Load(Outcome, ABC, Generic[Sent]):
    """The schedule, and what came of it. Times are ``perf_counter`` seconds. ``Sent``: one request, as it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        self._timer = Timer()
        self._epoll.register(self._timer.fd, select.EPOLLIN | select.EPOLLET)
        self._sockets: dict[int, socket.socket] = {}
        self._due: dict[int, float] = {}
        self._partial: dict[int, bytes] = {}
        self._free: deque[int] = deque()  # in turn, so that every connection carries its share

    def add(self, peer: socket.socket) -> None:
        """One connection more, ready for a request."""
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        descriptor = peer.fileno()
        self._sockets[descriptor] = peer
        self._free.append(descriptor)
        self._epoll.register(descriptor, select.EPOLLIN)

    def run(self, rate: float, seconds: float, seed: int, requests: Iterator[Sent]) -> None:
        """Offer ``rate`` requests a second for ``seconds``."""
        offsets = arrivals(rate, seconds, seed)
        built = list(islice(requests, len(offsets)))
        self.scheduled = len(offsets)
        settle()
        began = time.perf_counter() + 0.01
        self._offer([began + offset for offset in offsets], built)

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
            self.count_wrong(found)
        return True

    @abstractmethod
    def _bytes(self, descriptor: int, request: Sent) -> bytes:
        """What goes out on a connection."""

    @abstractmethod
    def _judged(self, descriptor: int, data: bytes) -> str | None:
        """Nothing where ``data`` is the answer that it should be, what it is instead, None where it is not whole."""

    def _close(self, descriptor: int, why: str) -> None:
        if descriptor in self._due and descriptor not in self._free:
            self.count_wrong(why)
        self.lost += 1
        self._epoll.unregister(descriptor)
        self._sockets.pop(descriptor).close()
        if descriptor in self._free:
            self._free.remove(descriptor)
