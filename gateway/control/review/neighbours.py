"""What the desk needs of what its cases are about, as it needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from gateway.control.acts.acts import Unit
from gateway.control.cases.rows import Case


class CaseText(NamedTuple):
    """What somebody wrote. ``masked``: as it may appear, where a rule masks, else None; ``findings``: as the judged
    record has them; ``missing``: why there is no text, a word, empty where there is."""

    texts: tuple[str, ...] = ()
    masked: tuple[str, ...] | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    missing: str = ""


class CaseTexts(Protocol):
    """Reads what cases are about. Who asks has put on record that they read it."""

    async def read(self, rows: Sequence[Case]) -> dict[int, CaseText]:
        """By case."""


class Effect(Protocol):
    """What a decision means for what a case is about. Called within an act in the name of whoever decided."""

    def __call__(self, unit: Unit, case: Case, now: int) -> None:
        """Make it so; ``now`` in µs since the epoch. Raises ``ControlError`` where that cannot be any more, before it
        has changed anything."""
