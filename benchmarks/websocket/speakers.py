"""People who speak: every frame is judged, and its answer compared with what it has to be, byte for byte.

A process of its own, pinned: ``python -m benchmarks.websocket.speakers --port P --seconds S``. Without ``--rate`` the
load is closed: whoever is answered speaks again. With it, it is an open one, as ``benchmarks.load.openload`` has it. A
frame is one write, and a session has one frame under way: nothing is coalesced.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

from benchmarks.load import command
from benchmarks.load.faults import Refused
from benchmarks.load.outcome import GRACE, settle
from benchmarks.websocket.chat import Frame, answered, group, messages
from benchmarks.websocket.load import Load
from benchmarks.websocket.opening import open_all

FASTEST = 30_000  # frames a second that are built for a closed load: more than one processor of anything here judges


class Speakers(Load[Frame]):
    """Sessions, and what came of their frames."""

    def __init__(self, port: int, sessions: int) -> None:
        super().__init__()
        self.took = 0.0  # seconds until the last answer
        self._back: dict[int, bytes] = {}
        for peer in open_all(port, [group(number) for number in range(sessions)]).peers:
            self.add(peer)

    def closed(self, seconds: float, frames: Sequence[Frame]) -> None:
        """Speak for ``seconds``, each session as soon as it was answered."""
        free, poll, clock = self._free, self._epoll.poll, time.perf_counter
        upcoming = iter(frames)
        began = last = clock()
        until = began + seconds
        for frame in islice(upcoming, len(free)):
            self._send(free.popleft(), began, frame)
        while len(free) < len(self._sockets):
            for descriptor, _ in poll(GRACE):
                if not self._receive(descriptor):
                    continue
                last = clock()
                following = next(upcoming, None) if last < until else None
                if following is None:
                    free.append(descriptor)
                else:
                    self._send(descriptor, last, following)
            if clock() > until + GRACE:
                break
        self.scheduled = len(self.latencies) + len(self._sockets) - len(free)
        self.took = last - began

    def _bytes(self, descriptor: int, request: Frame) -> bytes:
        sent, self._back[descriptor] = request
        return sent

    def _judged(self, descriptor: int, data: bytes) -> str | None:
        if data == self._back[descriptor]:
            return ""
        try:
            payloads, due = answered(data)
        except ValueError as error:
            return None if str(error) == "amid a frame" else str(error)
        if due:
            self._sockets[descriptor].sendall(due)
        if not payloads:  # a ping alone
            return None
        return "" if self._back[descriptor].endswith(payloads[0]) and len(payloads) == 1 else repr(payloads[0][:300])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=0.0, help="frames a second; 0: as fast as they are answered")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command.raise_limit()
    try:
        speakers = Speakers(options.port, options.sessions)
    except Refused as error:
        command.obey({"failed": str(error)})
        return
    frames = list(islice(messages(options.seed), int(options.seconds * (2 * options.rate or FASTEST))))
    settle()

    def speak() -> dict[str, Any]:
        if options.rate:
            began = time.perf_counter()
            speakers.run(options.rate, options.seconds, options.seed, iter(frames))
            speakers.took = time.perf_counter() - began
        else:
            speakers.closed(options.seconds, frames)
        return {"seconds": speakers.took, **speakers.told()}

    command.obey({"sessions": options.sessions}, speak)


if __name__ == "__main__":
    main()
