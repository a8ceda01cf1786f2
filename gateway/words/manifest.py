"""What a compilation put into a folder: one line a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gateway.words.errors import Fault
from gateway.words.shrinking import ListDiff


class Built(NamedTuple):
    """One list. ``file`` is relative to the folder; ``reused`` where an artifact of this digest was there before.
    ``in_file``: the words that the operator's file denies by itself."""

    name: str
    file: str
    kind: str
    digest: str
    entries: int
    size: int
    reused: bool
    notices: tuple[Fault, ...] = ()
    in_file: int = 0
    change: ListDiff = ListDiff("", 0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        notices = [notice._asdict() for notice in self.notices]
        return {**self._asdict(), "notices": notices, "change": self.change.as_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Built:
        """The list that ``as_dict`` told of."""
        notices = tuple(Fault(**notice) for notice in data["notices"])
        return cls(**{**data, "notices": notices, "change": ListDiff(**data["change"])})


class Manifest(NamedTuple):
    """All lists of a compilation, in the order in which they were asked for. ``tables`` is the folding's digest."""

    tables: str
    lists: tuple[Built, ...]

    def path(self, folder: Path, name: str) -> Path:
        """Where the artifact of a list lies. Raises ``KeyError``."""
        for built in self.lists:
            if built.name == name:
                return folder / built.file
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"tables": self.tables, "lists": [built.as_dict() for built in self.lists]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Manifest:
        """The manifest that ``as_dict`` told of."""
        lists: Iterable[dict[str, Any]] = data["lists"]
        return cls(data["tables"], tuple(map(Built.from_dict, lists)))
