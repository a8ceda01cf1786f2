"""What an operator may set of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.common.defaults import default_size, default_time

Fsync = Literal["always", "everysec", "no"]


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Bounds of one worker's journal. Bytes and seconds. ``[journal]`` has the same names and takes its defaults.

    ``fsync``, as Redis names it: ``always`` before anything is answered, ``everysec`` once a second (a power cut may
    cost the last second; a crash of the process costs nothing), ``no`` whenever the system likes.
    ``segment_size`` also bounds what a start has to read. Below ``low_disk`` bytes of disk the journal warns; below
    ``full_disk`` it is no longer ready, so that traffic goes elsewhere before the disk is full.
    """

    fsync: Fsync = "everysec"
    segment_size: int = default_size("64MiB")
    segment_age: float = default_time("1h")
    max_waiting: int = default_size("16MiB")
    slow_write: float = default_time("2ms")
    low_disk: int = default_size("2GiB")
    full_disk: int = default_size("512MiB")

    def __post_init__(self) -> None:
        if self.fsync not in ("always", "everysec", "no"):
            raise ValueError(f"fsync is always, everysec or no, not {self.fsync!r}")
        if self.full_disk > self.low_disk:
            raise ValueError("full_disk is above low_disk: the journal would stop before it warns")
