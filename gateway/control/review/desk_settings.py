"""How the desk works, as the configuration in force has it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.config.values.opening_hours import OpeningHours


@dataclass(frozen=True)
class DeskSettings:
    """``claim``, ``undo``, ``service`` in seconds: how long somebody has a case, how long a decision can be taken back,
    within how much of the opening ``hours`` somebody looks at a case. ``grounds``: the first is digit 1. ``second``:
    categories of which no one person decides alone. ``grave``: those whose texts are hidden until somebody asks.
    ``sample``: the share of decided cases that somebody else decides once more, unseen."""

    claim: float = 600.0
    undo: float = 10.0
    service: float = 1800.0
    grounds: tuple[str, ...] = ()
    second: frozenset[str] = frozenset()
    hours: OpeningHours = field(default_factory=OpeningHours)
    grave: frozenset[str] = frozenset()
    sample: float = 0.0
