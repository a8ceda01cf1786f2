"""The segments of folders, for whoever looks often: a year of hourly segments is too much to list twice a second."""

from __future__ import annotations

import time
from pathlib import Path

from gateway.journal.write.segments import Segment, segments

UNSETTLED_NS = 2_000_000_000  # a folder that changed so lately may change again without its time telling


class Listings:
    """A folder is listed again when it changed."""

    def __init__(self) -> None:
        self._listed: dict[Path, tuple[int, list[Segment]]] = {}  # by folder: when it changed, and what is in it

    def segments(self, folder: Path) -> list[Segment]:
        """In the order of writing; empty where there is no folder."""
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        known = self._listed.get(folder)
        if known is not None and known[0] == changed:
            return known[1]
        found = segments(folder)
        if time.time_ns() - changed > UNSETTLED_NS:
            self._listed[folder] = (changed, found)
        return found
