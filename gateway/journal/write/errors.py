"""What can go wrong with a journal's files, besides what the system calls it."""


class Locked(OSError):
    """Another living process owns the folder."""


class SyncFailed(OSError):
    """An fsync failed: what it should have made durable may be lost although it can still be read."""
