"""What can go wrong with a journal's files, besides what the system calls it."""

from __future__ import annotations

from filters.model.errors import TidegateError


class Locked(TidegateError, OSError):
    """Another living process owns the folder."""


class Misplaced(TidegateError, OSError):
    """A segment is not any more where it was made, or not what was written: what is appended to it would be lost.
    ``why``: ``removed``, ``replaced``, ``truncated`` or ``read-only``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class SyncFailed(TidegateError, OSError):
    """An fsync failed: what it should have made durable may be lost although it can still be read."""


class JournalUnavailable(TidegateError):
    """The record was not written. ``reason``: ``journal.unavailable``, ``journal.queue`` or ``journal.closed``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
