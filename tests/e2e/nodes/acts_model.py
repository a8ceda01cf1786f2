"""What a control database must hold after acts, one after the other: rows in memory, and no I/O.

An act is what somebody asked for (``Asked``); the model says which row it changes, from what to what, and whether it
can be done there at all. Columns that the gateway draws itself (ids, times) are taken from what it says of the act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

KEYS = {
    "accounts": ("sender",),
    "blocks": ("scope", "value"),
    "people": ("name",),
    "rooms": ("room",),
    "switches": ("kind", "scope", "value"),
    "tokens": ("name",),
    "urgent_words": ("word",),
    "words": ("list", "line"),
}
FOR_GOOD = ("people", "tokens")  # no act on them is undone: a token that was shown once is not shown again

Row = dict[str, Any]
Place = tuple[str, tuple[Any, ...]]


class Asked(NamedTuple):
    """``kind`` of the gateway's acts; ``place`` of the row, where one is named; ``wanted``: columns that it has to have
    then, None where it has to be gone. ``number``: of the row to remove, or the act to undo."""

    kind: str
    place: Place | None = None
    wanted: Mapping[str, Any] | None = None
    number: int = 0


class Impossible(Exception):
    """The gateway did what it had to refuse, or changed what it should not have."""


class ActsModel:
    """``rows``: what is in force, by place."""

    def __init__(self) -> None:
        self.rows: dict[Place, Row] = {}
        self._done: dict[int, tuple[Place, Row | None, Row | None]] = {}
        self._undone: set[int] = set()

    def of(self, table: str) -> list[Row]:
        """The rows of one table."""
        return [row for (name, _), row in self.rows.items() if name == table]

    def known(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Begin with these."""
        for table, found in rows.items():
            self.rows |= {place_of(table, row): row for row in found}

    def step(self, act: int, asked: Asked, changes: Sequence[Mapping[str, Any]]) -> None:
        """One act that was done, with what it says that it changed. Raises ``Impossible``."""
        told = [change for change in changes if change["table"] in KEYS]
        if not told:
            if not self._changes_nothing(asked):
                raise Impossible(f"act {act}, {asked}: it changed nothing")
            return
        if len(told) > 1:
            raise Impossible(f"act {act}, {asked}: it changed {len(told)} rows")
        (change,) = told
        before, after = change["before"], change["after"]
        place = place_of(change["table"], after or before)
        if self.rows.get(place) != before:
            raise Impossible(f"act {act}, {asked}: from {before}, where there was {self.rows.get(place)}")
        self._look(act, asked, place, before, after)
        self._done[act] = place, before, after
        if after is None:
            del self.rows[place]
        else:
            self.rows[place] = after

    def _look(self, act: int, asked: Asked, place: Place, before: Row | None, after: Row | None) -> None:
        if asked.kind == "act.undo":
            if asked.number in self._undone or asked.number not in self._done:
                raise Impossible(f"act {act}: undid act {asked.number}")
            was_at, was, became = self._done[asked.number]
            if (place, before, after) != (was_at, became, was) or place[0] in FOR_GOOD:
                raise Impossible(f"act {act}: undid act {asked.number} as something else: {before} to {after}")
            self._undone.add(asked.number)
            return
        if asked.place is not None and asked.place != place:
            raise Impossible(f"act {act}, {asked}: it changed {place}")
        if asked.number and (before is None or before["id"] != asked.number):
            raise Impossible(f"act {act}, {asked}: it changed {before}")
        if asked.wanted is None:
            if before is None or after is not None:
                raise Impossible(f"act {act}, {asked}: from {before} to {after}")
            return
        if after is None or any(after[name] != value for name, value in asked.wanted.items()):
            raise Impossible(f"act {act}, {asked}: it became {after}")
        if before is not None and place[0] in ("switches", "urgent_words", "tokens", "people", "words"):
            raise Impossible(f"act {act}, {asked}: it was there")

    def _changes_nothing(self, asked: Asked) -> bool:
        """A room that is opened and is open; what does not go to rows."""
        if asked.kind == "room.put":
            return asked.wanted is None and asked.place not in self.rows
        return asked.kind == "state.rebuild"


def place_of(table: str, row: Mapping[str, Any]) -> Place:
    return table, tuple(row[name] for name in KEYS[table])
