"""Message ids: UUIDv7 (RFC 9562, section 5.7) that also say which node and worker gave them.

    tttttttt-tttt-7ccc-NNNN-wwrrrrrrrrrr
    48 bits t: milliseconds since the epoch        12 bits c: counter within the millisecond
    NNNN: the variant (two bits, 10) and 14 bits of node        8 bits w: worker        40 bits r: random

Monotonic within a generator whatever the clock does (RFC 9562, section 6.2, method 1): while the clock stands or has
been set back, the last millisecond is kept and the counter rises; a full counter moves on to the next millisecond.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, NamedTuple

NODES: Final = 1 << 14
WORKERS: Final = 1 << 8
PROJECTOR: Final = 254  # writers of a node that are no workers; workers count from 0 (``server.workers`` ends below)
CONTROL: Final = 255
IMPORTER: Final = 255  # of node 0 and its own folder, ``imports``: what was published before there was a gateway
_COUNTERS: Final = 1 << 12
NODE_AT: Final = 19  # where the node's digits stand in an id
NODE_DIGITS: Final = 4
_RANDOM_BYTES: Final = 4000  # one system call for 800 ids; ten hex digits each
_RANDOM_DIGITS: Final = 2 * _RANDOM_BYTES
_HEX12: Final = tuple(f"{number:03x}" for number in range(_COUNTERS))


class IdParts(NamedTuple):
    """What an id says of itself. ``time_ms``: milliseconds since the epoch."""

    time_ms: int
    counter: int
    node: int
    worker: int


def node_digits(node: int) -> str:
    """A node's digits in its ids, from ``NODE_AT`` on."""
    return f"{0x8000 | node:04x}"


class Ids:
    """A generator of ids for one worker of one node. Not thread-safe: one event loop owns it.

    ``clock`` gives nanoseconds since the epoch.
    """

    __slots__ = ("_clock", "_counter", "_drawn", "_head", "_random", "_tail", "_until", "node", "worker")

    def __init__(self, node: int, worker: int, clock: Callable[[], int] = time.time_ns) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node {node} is outside 0 to {NODES - 1}")
        if not 0 <= worker < WORKERS:
            raise ValueError(f"worker {worker} is outside 0 to {WORKERS - 1}")
        self._tail = f"-{node_digits(node)}-{worker:02x}"
        self.node = node
        self.worker = worker
        self._clock = clock
        self._until = 0  # nanoseconds: where the millisecond of _head ends
        self._head = ""
        self._counter = 0
        self._random = ""
        self._drawn = _RANDOM_DIGITS

    def __call__(self) -> str:
        """The next id, greater than every one before it."""
        now = self._clock()
        if now >= self._until:
            self._move_to(now // 1_000_000)
            counter = 0
        else:
            counter = self._counter + 1
            if counter == _COUNTERS:
                self._move_to(self._until // 1_000_000)
                counter = 0
            else:
                self._counter = counter
        start = self._drawn
        if start == _RANDOM_DIGITS:
            self._random = os.urandom(_RANDOM_BYTES).hex()
            start = 0
        self._drawn = end = start + 10
        return f"{self._head}{_HEX12[counter]}{self._tail}{self._random[start:end]}"

    def not_before(self, time_ms: int) -> None:
        """Keep ids above those of an earlier process, though the clock was set back between the two."""
        if time_ms * 1_000_000 >= self._until - 1_000_000:
            self._move_to(time_ms + 1)

    def sibling(self) -> Ids:
        """Another generator for the same worker, for another thread; its ids differ in their random part."""
        return Ids(self.node, self.worker, self._clock)

    def _move_to(self, time_ms: int) -> None:
        digits = time_ms.to_bytes(6, "big").hex()
        self._head = f"{digits[:8]}-{digits[8:]}-7"
        self._until = (time_ms + 1) * 1_000_000
        self._counter = 0


def parse(text: str) -> IdParts:
    """Read an id back. ValueError where it is not a UUIDv7 in its canonical form (RFC 9562, section 4)."""
    digits = text.replace("-", "")
    shape = len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-" and len(digits) == 32
    if not shape or set(digits) - set("0123456789abcdef"):
        raise ValueError("an id is 32 lower-case hexadecimal digits in groups of 8, 4, 4, 4 and 12")
    if text[14] != "7" or text[19] not in "89ab":
        raise ValueError("an id is a UUID of version 7 and variant 10")
    return IdParts(int(digits[:12], 16), int(text[15:18], 16), int(text[19:23], 16) & 0x3FFF, int(text[24:26], 16))
