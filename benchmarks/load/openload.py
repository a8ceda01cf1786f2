"""Open-model load: requests leave on a schedule, whatever the answers do, and latency counts from the schedule.

So a stall of the gateway shows as the latency of every request that was due meanwhile, instead of as fewer requests
(coordinated omission, which closed-loop tools such as wrk have by design). Run as a process of its own, pinned:
``python -m benchmarks.load.openload --port P --rate R --seconds S``; prints one JSON object.

It shares its processor with the upstream and the state server, so it must be cheap: every request is built before the
first one leaves, and the loop that sends them is C (``openload.c``). ``late`` says how far behind the schedule it was
by its own fault, with a connection free.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import socket
import time
from array import array
from collections.abc import Iterator
from ctypes import byref
from itertools import accumulate, islice
from typing import Any

from benchmarks.load import command, native
from benchmarks.load.outcome import GRACE, Outcome, arrivals, settle
from rig.comments import CREATED, Comments

BEGINS = b"HTTP/1.1 201"
A_ADDRESS = 64  # connections from one client address


class Requests(Outcome):
    """Comments over HTTP, each answered with 201."""

    def __init__(self, rest: float = 0.0) -> None:
        """``rest``: seconds that a connection is left alone after a 503 (see ``openload.c``)."""
        super().__init__()
        self._rest = rest
        self._offer = native.offer()
        self._sockets: list[socket.socket] = []

    def connect(self, port: int, connections: int) -> None:
        """Open that many connections."""
        for _ in range(connections):
            # From several addresses: what one of them may have is another study's matter.
            source = f"127.0.1.{1 + len(self._sockets) // A_ADDRESS}"
            peer = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.setblocking(False)
            self._sockets.append(peer)

    def build(self, rate: float, seconds: float, seed: int, requests: Iterator[bytes]) -> None:
        """Draw the schedule and build what is sent on it."""
        self._offsets = arrivals(rate, seconds, seed)
        self.scheduled = len(self._offsets)
        built = list(islice(requests, self.scheduled))
        self._bytes = b"".join(built)
        self._ends = array("l", accumulate(map(len, built)))
        settle()

    def offer(self) -> None:
        """Send what was built when it is due, and wait for the answers. Raises OSError."""
        descriptors = array("i", [peer.fileno() for peer in self._sockets])
        latencies, late = (array("d", bytes(8 * self.scheduled)) for _ in range(2))
        counted = native.Counted(_at(latencies), _at(late))
        began = time.perf_counter() + 0.01  # on Linux the monotonic clock
        due = array("d", [began + offset for offset in self._offsets])
        plan = native.Plan(self.scheduled, _at(due), _at(self._ends), self._bytes, BEGINS, CREATED, GRACE, self._rest)
        failed = self._offer(len(descriptors), _at(descriptors), byref(plan), byref(counted))
        if failed:
            raise OSError(failed, os.strerror(failed))
        self.latencies = latencies[: counted.answered]
        self.late = late[: counted.in_time]
        self.lost = counted.lost
        self.unsent = counted.unsent
        self.longest_gap = counted.longest_gap
        self.wrong = {f"{status:03}": count for status, count in enumerate(counted.wrong) if count}
        for number, count in enumerate(counted.errors):
            if count:
                self.wrong[errno.errorcode.get(number, "closed")] = count


def _at(values: array[Any]) -> int:
    return values.buffer_info()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--characters", type=int, default=0, help="length of a text; 0 for the usual one")
    parser.add_argument("--rest", type=float, default=0.0, help="seconds of a connection after a 503")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paced", action="store_true", help="begin and end at a line on stdin")
    options = parser.parse_args()
    load = Requests(options.rest)
    load.connect(options.port, options.connections)
    comments = Comments(options.seed, options.characters)
    load.build(options.rate, options.seconds, options.seed, iter(comments.next, b""))

    def offer() -> dict[str, Any]:
        began = time.perf_counter()
        load.offer()
        return {"offered": options.rate, "seconds": round(time.perf_counter() - began, 3), **load.told()}

    if options.paced:
        command.obey({"connections": options.connections}, offer)
    else:
        print(json.dumps(offer()))


if __name__ == "__main__":
    main()
