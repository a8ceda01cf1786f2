"""What a run must keep, and whether it did."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from loadtest.report.figures import Figures


class Objectives(NamedTuple):
    """``check_p99_ms`` and ``added_p99_ms``: milliseconds. ``error_share``: of all answers."""

    check_p99_ms: float = 1.0
    added_p99_ms: float = 3.0
    error_share: float = 0.001


class Objective(NamedTuple):
    """``state``: kept, missed, or not measured with the reason in ``told``."""

    name: str
    state: Literal["kept", "missed", "not measured"]
    told: str


def weigh(figures: Figures, asked: Objectives) -> list[Objective]:
    """Every objective, in a fixed order."""
    return [
        _within(
            "check p99", figures.check_p99_ms, asked.check_p99_ms, "ms",
            "tidegate_check_seconds was not read (--control), or counted nothing",
        ),
        _within(
            "added p99", figures.added_p99_ms, asked.added_p99_ms, "ms",
            "nothing to compare: messages were not delivered both ways",
        ),
        _within("error rate", figures.error_share * 100, asked.error_share * 100, "%", "no answer at all"),
        _wrong(figures),
        _any(figures),
    ]  # fmt: skip


def _within(name: str, measured: float, most: float, unit: str, why: str) -> Objective:
    if math.isnan(measured):
        return Objective(name, "not measured", why)
    kept: Literal["kept", "missed"] = "kept" if measured <= most else "missed"
    return Objective(name, kept, f"{measured:.3g} {unit}, at most {most:g} {unit}")


def _wrong(figures: Figures) -> Objective:
    count = sum(figures.wrong.values())
    return Objective("wrong verdicts", "missed" if count else "kept", f"{count} of {figures.messages}, at most 0")


def _any(figures: Figures) -> Objective:
    # A run that carried nothing keeps every bound above.
    return Objective("messages", "kept" if figures.messages else "missed", f"{figures.messages}, at least 1")
