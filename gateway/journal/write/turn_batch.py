"""Records that leave together, and who waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from gateway.journal.write.errors import JournalUnavailable

Then = Callable[[], object]
Failed = Callable[[JournalUnavailable], object]


class Waiter(Protocol):
    """Who waits for a record: it hears of exactly one of the two, once."""

    def on_written(self) -> None:
        """The record is in the operating system, or on disk where ``fsync`` says so."""

    def on_unwritten(self, error: JournalUnavailable) -> None:
        """The record could not be written."""


class Called:
    """A waiter made of two functions."""

    __slots__ = ("failed", "then")

    def __init__(self, then: Then | None, failed: Failed | None) -> None:
        self.then = then
        self.failed = failed

    def on_written(self) -> None:
        if self.then is not None:
            self.then()

    def on_unwritten(self, error: JournalUnavailable) -> None:
        if self.failed is not None:
            self.failed(error)


class Settled(NamedTuple):
    """An outcome, which is insisted on. ``fields``: see ``encoding.fields``."""

    message_id: str
    fields: bytes


class TurnBatch:
    """Records that leave together. ``fields``: of each record, in order; ``passed``: ids whose outcome they make
    awaited; ``insisted``: those among the records that wait in memory where they cannot be written; ``settled``: ids
    whose outcome the others tell."""

    __slots__ = ("fields", "insisted", "passed", "seconds", "settled", "since", "size", "waiters", "written")

    def __init__(self) -> None:
        self.fields: list[bytes] = []
        self.passed: list[str] = []
        self.insisted: list[Settled] = []
        self.settled: list[str] = []
        self.waiters: list[Waiter] = []
        self.size = 0
        self.since = 0.0
        self.seconds = 0.0
        self.written = 0
