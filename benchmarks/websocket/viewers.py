"""People who watch: sessions that say nothing and get what the platform tells everybody.

A process of its own, pinned: ``python -m benchmarks.websocket.viewers --port P --platform Q``. Its first step is to
open its sessions, at ``--rate`` a second where that is given. Its second: for ``--seconds`` it makes the platform
announce one message after the other, each when the last viewer has the one before; without ``--seconds`` it waits for
one message that somebody else has announced. Every viewer must get exactly that, byte for byte.
"""

from __future__ import annotations

import argparse
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.load import command
from benchmarks.load.outcome import GRACE, settle
from benchmarks.load.quantiles import of_sorted
from benchmarks.websocket.chat import ANNOUNCE, Frame, answered, group, handshake, said
from benchmarks.websocket.opening import Opened, open_all

FIRST = said("大家好，直播马上开始")
"""What is announced once to viewers who wait."""

WITHIN = 60.0  # seconds that one message may take to all who wait


class Viewers:
    """Sessions, and what they got. ``wrong``: what was got instead, with how often; ``missing``: viewers without it."""

    def __init__(self, sessions: Sequence[socket.socket]) -> None:
        self._epoll = select.epoll()
        self._sockets = {peer.fileno(): peer for peer in sessions}
        self._partial: dict[int, bytes] = {}
        self.wrong: dict[str, int] = {}
        self.missing = 0
        for descriptor in self._sockets:
            self._epoll.register(descriptor, select.EPOLLIN)

    def await_all(self, expected: bytes, within: float) -> float:
        """Until every viewer has ``expected``; when the last one had it (``perf_counter``)."""
        sockets, poll, clock, partial = self._sockets, self._epoll.poll, time.perf_counter, self._partial
        left = len(sockets)
        last = clock()
        until = last + within
        while left and (now := clock()) < until:
            for descriptor, _ in poll(until - now):
                data = sockets[descriptor].recv(65536)
                if (data == expected and not partial) or self._odd(descriptor, data, expected):
                    left -= 1
                last = clock()
        self.missing += left
        return last

    def _odd(self, descriptor: int, data: bytes, expected: bytes) -> bool:
        """Anything but the expected frame alone: a piece of it, a ping, or what must not be."""
        data = self._partial.pop(descriptor, b"") + data
        if data == expected:
            return True
        if data and expected.startswith(data):
            self._partial[descriptor] = data
            return False
        try:
            payloads, due = answered(data)
        except ValueError as error:
            payloads, due = [], b""
            data = str(error).encode()
        if due:
            self._sockets[descriptor].sendall(due)
            if not payloads:
                return False
        if len(payloads) == 1 and expected.endswith(payloads[0]):
            return True
        what = repr(data[:200]) if data else "closed"
        self.wrong[what] = self.wrong.get(what, 0) + 1
        self._epoll.unregister(descriptor)
        return False


def announcer(port: int) -> socket.socket:
    """A connection to the platform itself: what is sent there, everybody gets."""
    (peer,) = open_all(port, [handshake(ANNOUNCE, "host")]).peers
    peer.setblocking(True)
    return peer


def announce(viewers: Viewers, platform: int, seconds: float) -> dict[str, Any]:
    """One message after the other for ``seconds``."""
    host = announcer(platform)
    frames: list[Frame] = [said(f"第{number:04d}条弹幕，大家都能看到，前方高能") for number in range(64)]
    took: list[float] = []
    settle()
    began = last = time.perf_counter()
    while last - began < seconds and not viewers.wrong and not viewers.missing:
        frame = frames[len(took) % len(frames)]
        sent = time.perf_counter()
        host.sendall(frame.sent)
        last = viewers.await_all(frame.back, GRACE)
        took.append(last - sent)
    took.sort()
    return {
        "seconds": last - began,
        "broadcasts": len(took),
        "p50_us": round(of_sorted(took, 0.5) * 1e6),
        "p99_us": round(of_sorted(took, 0.99) * 1e6),
        "wrong": viewers.wrong,
        "missing": viewers.missing,
    }


def opening(opened: Opened) -> dict[str, Any]:
    """What the handshakes took."""
    ordered = sorted(opened.seconds)
    return {
        "sessions": len(opened.peers),
        "began": opened.began,
        "ended": opened.ended,
        **{
            name: round(of_sorted(ordered, share) * 1e6)
            for name, share in (("p50_us", 0.5), ("p99_us", 0.99), ("max_us", 1.0))
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--platform", type=int, default=0, help="the platform's own port, for whoever announces")
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first session: who and where it is")
    parser.add_argument("--rate", type=float, default=0.0, help="handshakes a second; 0: as fast as they go")
    parser.add_argument("--seconds", type=float, default=0.0, help="to announce for; 0: wait for one message")
    options = parser.parse_args()
    command.raise_limit()
    requests = [group(number) for number in range(options.first, options.first + options.sessions)]

    sessions: list[socket.socket] = []

    def open_sessions() -> dict[str, Any]:
        opened = open_all(options.port, requests, rate=options.rate, first=options.first)
        sessions.extend(opened.peers)
        return opening(opened)

    def hear() -> dict[str, Any]:
        viewers = Viewers(sessions)
        if options.seconds:
            return announce(viewers, options.platform, options.seconds)
        last = viewers.await_all(FIRST.back, WITHIN)
        return {"last": last, "wrong": viewers.wrong, "missing": viewers.missing}

    command.obey({"sessions": options.sessions}, open_sessions, hear)


if __name__ == "__main__":
    main()
