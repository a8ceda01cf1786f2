"""How many messages wait, as far as one worker knows: what control has told, and what itself has parked since.

Control counts the rows of the database, which all nodes share, and tells each worker (command ``waiting``):

    {"version": n, "whole": bool, "total": n, "senders": {"route\\nsender": n}, "rooms": {room: n}}

Counts are absolute, 0 for nobody any more. A file of this worker's spool is gone once control has its rows: what lies
in files that are there is counted here, and what was in one that is gone until control tells once more, because what
it told before may not have them yet. So the bounds hold for what comes through one worker, and between workers they are
late by what control has not told yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from gateway.parking.settings import ReviewSettings

UNTOLD: Final = -1
LOOKED_AT: Final = 64  # files of the spool at each telling, the oldest first: control takes them over in that order


class WaitingPlace(NamedTuple):
    """Who waits, and where, as counts are keyed."""

    sender: str
    room: str


def place(route: str, sender: str, room: str) -> WaitingPlace:
    """Of a message."""
    return WaitingPlace(f"{route}\n{sender}", room)


class KnownWaiting:
    """``version``: of what control told last; UNTOLD before the first. ``there``: whether a file of the spool is."""

    __slots__ = (
        "_gone", "_here", "_here_rooms", "_here_senders", "_parked", "_rooms", "_senders", "_there", "_total",
        "version",
    )  # fmt: skip

    def __init__(self, there: Callable[[str], bool]) -> None:
        self.version = UNTOLD
        self._there = there
        self._senders: dict[str, int] = {}
        self._rooms: dict[str, int] = {}
        self._total = 0
        self._here = 0
        self._here_senders: Counter[str] = Counter()
        self._here_rooms: Counter[str] = Counter()
        self._parked: dict[str, list[WaitingPlace]] = {}  # by file, the oldest first; control has not told of them
        self._gone: list[str] = []  # of those files, which were not there any more when control told last

    def full(self, one: WaitingPlace, settings: ReviewSettings, leaving: int = 0) -> str:
        """Which bound leaves no room for one more: ``sender``, ``room``, ``all``, or empty where there is room.
        ``leaving``: how many of the sender's go as it comes."""
        waiting = self._senders.get(one.sender, 0) + self._here_senders[one.sender] - leaving
        if waiting >= settings.waiting_per_sender:
            return "sender"
        if self._rooms.get(one.room, 0) + self._here_rooms[one.room] >= settings.waiting_per_room:
            return "room"
        return "all" if self.total >= settings.waiting else ""

    @property
    def total(self) -> int:
        """All that wait."""
        return self._total + self._here

    def begin(self, one: WaitingPlace) -> None:
        """One more is about to be parked."""
        self._here += 1
        self._here_senders[one.sender] += 1
        self._here_rooms[one.room] += 1

    def parked(self, file: str, one: WaitingPlace) -> None:
        """It is, in this file."""
        self._parked.setdefault(file, []).append(one)

    def gone(self, one: WaitingPlace) -> None:
        """It could not be parked, or control counts it from now on."""
        self._here -= 1
        for counts, key in ((self._here_senders, one.sender), (self._here_rooms, one.room)):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]

    def told(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take what control tells; the answer names the version that is known now. One that does not follow it is
        refused, and wanted as a whole."""
        version, whole = int(command["version"]), bool(command["whole"])
        if not whole and version != self.version + 1:
            return {"error": "version", "version": self.version}
        senders, rooms = _counts(command["senders"]), _counts(command["rooms"])
        self._total = int(command["total"])
        self.version = version
        if whole:
            self._senders, self._rooms = {}, {}
        for known, news in ((self._senders, senders), (self._rooms, rooms)):
            for key, count in news.items():
                if count > 0:
                    known[key] = count
                else:
                    known.pop(key, None)
        for file in self._gone:
            for one in self._parked.pop(file):
                self.gone(one)
        self._gone = [file for file in islice(self._parked, LOOKED_AT) if not self._there(file)]
        return {"ok": True, "version": version}


def _counts(told: Mapping[str, Any]) -> dict[str, int]:
    return {str(key): int(count) for key, count in told.items()}
