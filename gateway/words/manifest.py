"""What a compilation put into a folder: one line a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gateway.words.errors import Fault


class Built(NamedTuple):
    """One list. ``file`` is relative to the folder; ``reused`` where an artifact of this digest was there before."""

    name: str
    file: str
    kind: str
    digest: str
    entries: int
    size: int
    reused: bool
    notices: tuple[Fault, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**self._asdict(), "notices": [notice._asdict() for notice in self.notices]}


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
        return cls(
            data["tables"],
            tuple(Built(**{**each, "notices": tuple(Fault(**notice) for notice in each["notices"])}) for each in lists),
        )
