"""The files of the index: which there are, which may not be made any more, and how large they are together.

<index>/<node>/<day>.sqlite3
<index>/<node>/<day>.gone          the first segment of this day was pruned: nothing of it is indexed any more
<index>/<node>/<day>.too-much      it, or one after it, had to go for want of room (index.max_size)
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final, Literal

from gateway.index.store import day_file
from gateway.index.store.day_file import SUFFIXES

Day = tuple[str, str]
"""A node's folder in the journal, and a date."""

SUFFIX: Final = ".sqlite3"
_NAME: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
Mark = Literal["gone", "too-much"]
_MARKS: Final[tuple[Mark, ...]] = ("gone", "too-much")


class DayFiles:
    """In the folder ``root``. ``changing``: held by whoever makes, opens or removes a file: SQLite opens what belongs
    to one by its name, a moment later, and must not find another's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changing = Lock()

    def make(self) -> None:
        """The folder, for its owner only. Raises ``OSError``."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, day: Day) -> Path:
        """Where the file of a day is, or would be."""
        return self.root / day[0] / f"{day[1]}{SUFFIX}"

    def days(self) -> list[Day]:
        """Those that have a file, the newest first."""
        return sorted(self._named(SUFFIX), key=lambda day: (day[1], day[0]), reverse=True)

    def marked(self) -> dict[Day, Mark]:
        """Days that get no file any more."""
        return {day: mark for mark in reversed(_MARKS) for day in self._named(f".{mark}")}

    def drop(self, day: Day, mark: Mark | None = None) -> None:
        """Throw the file of a day away; with a mark it is not made again."""
        if mark is not None:
            self._mark(day, mark).touch(mode=0o600)
        with self.changing:
            day_file.remove(self.path(day))

    def unmark(self, day: Day) -> None:
        for mark in _MARKS:
            self._mark(day, mark).unlink(missing_ok=True)
        with suppress(OSError):
            (self.root / day[0]).rmdir()  # the last one of a node that is gone

    def size(self, day: Day) -> int:
        """Bytes of a file and of what belongs to it."""
        total = 0
        path = self.path(day)
        for suffix in SUFFIXES:
            with suppress(FileNotFoundError):
                total += path.with_name(path.name + suffix).stat().st_size
        return total

    def free(self) -> int:
        """Bytes free on its disk. Raises ``OSError``."""
        return shutil.disk_usage(self.root).free

    def _mark(self, day: Day, mark: Mark) -> Path:
        return self.root / day[0] / f"{day[1]}.{mark}"

    def _named(self, suffix: str) -> list[Day]:
        found = self.root.glob(f"*/*{suffix}")
        return [
            (path.parent.name, name) for path in found if _NAME.fullmatch(name := path.name.removesuffix(suffix))
        ]  # fmt: skip


def thrown_away(files: DayFiles, dates: Collection[str] = ()) -> int:
    """Throw away what was made of these dates, all of it where none is named, so that it is made again; how many files
    there were."""
    found = [day for day in files.days() if not dates or day[1] in dates]
    for day in found:
        files.drop(day)
    for day in files.marked():
        if not dates or day[1] in dates:
            files.unmark(day)
    return len(found)
