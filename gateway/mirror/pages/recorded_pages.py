"""Pages that are recorded and not made yet: our own of an earlier life, and those of other nodes.

Of two records of one page the one of the node with the lowest number counts. Every node has the records of all, sooner
or later, and so every node has the same pages, whoever made them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.journal.write.ids import PROJECTOR
from gateway.journal.write.segments import LIFE

_FOLDER = re.compile(rf"node-(\d+)/{PROJECTOR}(?:{re.escape(LIFE)}\d+)?")


def maker(folder: str) -> int | None:
    """The number of the node whose page records a journal folder holds; None where it holds others."""
    found = _FOLDER.fullmatch(folder)
    return int(found[1]) if found is not None else None


class RecordedPage(NamedTuple):
    """``maker``: the node that recorded it. ``heard``: when that was read, in the mirror's milliseconds."""

    maker: int
    heard: int
    record: Mapping[str, Any]


class RecordedPages:
    """``own``: the number of this node."""

    def __init__(self, own: int) -> None:
        self.own = own
        self._rooms: dict[str, dict[int, RecordedPage]] = {}
        self._since: dict[str, str] = {}  # of folders with records that are not made: where the first of them is

    def __bool__(self) -> bool:
        return bool(self._rooms)

    def __contains__(self, room: str) -> bool:
        return room in self._rooms

    @property
    def own_left(self) -> bool:
        """Whether any of ours is not made."""
        return any(page.maker == self.own for pages in self._rooms.values() for page in pages.values())

    def rooms(self) -> Iterator[str]:
        """Rooms with any, some of which may be made meanwhile."""
        yield from list(self._rooms)

    def hear(self, page: RecordedPage, folder: str = "", before: str = ":0") -> None:
        """A record was read; ``before``: where reading had come in ``folder`` until then."""
        pages = self._rooms.setdefault(page.record["room"], {})
        known = pages.get(page.record["number"])
        if known is None or page.maker <= known.maker:
            pages[page.record["number"]] = page
        if folder:
            self._since.setdefault(folder, before)

    def next(self, room: str, number: int) -> RecordedPage | None:
        """The record of a room's page."""
        return self._rooms.get(room, {}).get(number)

    def made(self, room: str, number: int) -> None:
        """A room's open page has this number now: what is recorded of those before is made. Ours of pages behind it
        were written before the end of an earlier life; those of others wait for the one between."""
        pages = self._rooms.pop(room, {})
        left = {at: page for at, page in pages.items() if at >= number and (page.maker != self.own or number in pages)}
        if left:
            self._rooms[room] = left
        if not self._rooms:
            self._since.clear()

    def positions(self, read: Mapping[str, str]) -> dict[str, str]:
        """Where a later life has to read on, so that it learns what is not made now."""
        return {**read, **{folder: before for folder, before in self._since.items() if folder in read}}
