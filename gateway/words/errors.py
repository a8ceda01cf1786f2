"""What can go wrong with list files, as data: each list, line, problem and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from filters.model.errors import TidegateError


class Fault(NamedTuple):
    """``line`` counts from 1; 0 is the file as a whole."""

    list: str
    path: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.what}; {self.remedy}"


class WordListError(TidegateError):
    """Every fault of every list; nothing was put in place of the last good artifacts."""

    def __init__(self, faults: Sequence[Fault], more: int = 0) -> None:
        self.faults = tuple(faults)
        self.more = more
        told = [str(fault) for fault in self.faults]
        super().__init__("\n".join([*told, f"and {more} more"] if more else told))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"faults": [fault._asdict() for fault in self.faults], "more": self.more}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> WordListError:
        """The error that ``as_dict`` told of."""
        return cls([Fault(**fault) for fault in data["faults"]], data["more"])
