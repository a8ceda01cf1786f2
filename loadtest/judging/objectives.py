"""What a run must keep, and whether it did."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from loadtest.judging.figures import Figures
from loadtest.judging.sentence import number

State = Literal["kept", "missed", "not measured"]


class Objectives(NamedTuple):
    """Times in milliseconds. ``error_share``: of all answers. ``lag_p99_ms``: of the load; beyond it a run is void."""

    check_p99_ms: float = 1.0
    added_p99_ms: float = 3.0
    answer_p99_ms: float = 100.0
    error_share: float = 0.001
    lag_p99_ms: float = 50.0


class Objective(NamedTuple):
    """``measured`` (NaN where it was not) and ``bound`` in ``unit``: ``ms``, ``%``, or empty for a count."""

    name: str
    state: State
    measured: float
    bound: float
    unit: str
    at_least: bool = False
    of: int = 0

    @property
    def told(self) -> str:
        """What was measured and what was asked, for a terminal."""
        if self.state == "not measured":
            return WHY_NOT[self.name]
        unit = f" {self.unit}" if self.unit else ""
        among = f" of {self.of}" if self.of else ""
        return f"{number(self.measured)}{unit}{among}, at {'least' if self.at_least else 'most'} {self.bound:g}{unit}"


WHY_NOT = {
    "check p99": "tidegate_check_seconds was not read (--control), or counted nothing",
    "added p99": "nothing to compare: messages were not delivered both ways, or the load stood still at the platform",
    "answer p99": "nothing was delivered",
    "error rate": "no answer at all",
}
"""Why an objective is not measured."""


def weigh(figures: Figures, asked: Objectives) -> list[Objective]:
    """Every objective, in a fixed order."""
    return [
        _within("check p99", figures.check_p99_ms, asked.check_p99_ms, "ms"),
        _within("added p99", figures.added_p99_ms, asked.added_p99_ms, "ms"),
        _within("answer p99", figures.answer_p99_ms, asked.answer_p99_ms, "ms"),
        _within("error rate", figures.error_share * 100, asked.error_share * 100, "%"),
        _within("wrong verdicts", sum(figures.wrong.values()), 0, "")._replace(of=figures.messages),
        # A run that carried nothing keeps every bound above.
        Objective("messages", "kept" if figures.messages else "missed", figures.messages, 1, "", at_least=True),
    ]


def _within(name: str, measured: float, most: float, unit: str) -> Objective:
    state: State = "not measured" if math.isnan(measured) else "kept" if measured <= most else "missed"
    return Objective(name, state, measured, most, unit)
