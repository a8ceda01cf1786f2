"""What an operator may set of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fsync = Literal["always", "everysec", "no"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds of one worker's journal. Bytes and seconds.

    ``fsync``, as Redis names it: ``always`` before anything is answered, ``everysec`` once a second (a power cut may
    cost the last second; a crash of the process costs nothing), ``no`` whenever the system likes.
    ``segment_bytes`` also bounds what a start has to read. Below ``warn_free`` bytes of disk the journal warns; below
    ``least_free`` it is no longer ready, so that traffic goes elsewhere before the disk is full.
    """

    fsync: Fsync = "everysec"
    segment_bytes: int = 64 * 1024 * 1024
    segment_age: float = 3600.0
    queue_bytes: int = 16 * 1024 * 1024
    slow_write: float = 0.002
    warn_free: int = 2 * 1024**3
    least_free: int = 512 * 1024**2

    def __post_init__(self) -> None:
        if self.fsync not in ("always", "everysec", "no"):
            raise ValueError(f"fsync is always, everysec or no, not {self.fsync!r}")
        if self.least_free > self.warn_free:
            raise ValueError("least_free is above warn_free: the journal would stop before it warns")
