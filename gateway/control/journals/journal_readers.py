"""Who reads this node's journal, and how many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from gateway.control.acts.refusal import ControlError
from gateway.replicas.copying.fetched import SegmentPlace, encoded
from gateway.replicas.copying.offering import Offering

EVERY = 0.1  # seconds between two looks for something new
MAX_AT_ONCE = 64  # calls that read or wait
MAX_KNOWN = 4096  # readers that are remembered


class JournalReaders:
    """``offering`` is what is read, in threads."""

    def __init__(self, offering: Offering, now: Callable[[], float] = time.monotonic) -> None:
        self.node = offering.node
        self._offering = offering
        self._now = now
        self._known: set[tuple[str, int]] = set()
        self._at_once = 0

    def is_new(self, token: str, node: int) -> bool:
        """Whether this reader has not read since control started."""
        return (token, node) not in self._known

    def known(self, token: str, node: int) -> None:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known.add((token, node))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises ControlError where too many do."""
        if self._at_once >= MAX_AT_ONCE:
            raise ControlError(503, "control.busy", "Too many read the journal at once; ask again.")
        self._at_once += 1
        try:
            yield
        finally:
            self._at_once -= 1

    async def fetch(self, wanted: Mapping[str, Sequence[SegmentPlace]], most: int, wait: float) -> bytes:
        """The answer's body, once there is something, or after ``wait`` seconds."""
        until = self._now() + wait
        while True:
            found = await asyncio.to_thread(self._offering.collect, wanted, most)
            if found.pieces or found.differing or self._now() >= until:
                return encoded(found)
            await asyncio.sleep(EVERY)
