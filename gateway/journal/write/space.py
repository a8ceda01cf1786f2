"""How much room the disk has left: said early, so that nobody learns it from a failed write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple

from gateway.journal.write.settings import JournalSettings

Level = Literal["ok", "warn", "low", "unread"]


class Space(NamedTuple):
    """``free``: bytes that an ordinary user may still write. ``level`` ``low`` means not ready; ``unread``: the file
    system did not answer."""

    free: int
    level: Level


UNREAD = Space(0, "unread")


def look(folder: Path, settings: JournalSettings) -> Space:
    """Ask the file system. Blocks; never raises."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return UNREAD
    free = told.f_bavail * told.f_frsize
    if free < settings.full_disk:
        return Space(free, "low")
    return Space(free, "warn" if free < settings.low_disk else "ok")
