"""What can go wrong with a journal's files, besides what the system calls it."""

from __future__ import annotations

from filters.model.errors import TidegateError


class Locked(TidegateError, OSError):
    """Another living process owns the folder."""


class SyncFailed(TidegateError, OSError):
    """An fsync failed: what it should have made durable may be lost although it can still be read."""
