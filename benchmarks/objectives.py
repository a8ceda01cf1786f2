"""What the figures have to show, each read from a record: met, missed, or not measured in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.peers import BASE, EXPERT, OURS, PLAIN

Record = dict[str, Any]


class Objective(NamedTuple):
    """``value`` reads the figure from a record (LookupError where it is not in it); it must not exceed ``most``.

    ``aim`` is what is hoped for, None where the bound is all there is.
    """

    name: str
    unit: str
    most: float
    aim: float | None
    value: Callable[[Record], float]


class Answer(NamedTuple):
    """One objective on one record; ``value`` is None where it was not measured."""

    objective: Objective
    value: float | None

    @property
    def told(self) -> str:
        """``met``, ``missed`` or ``not measured``."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.objective.most else "missed"


def _summary(record: Record, system: str, line: str) -> float:
    return float(record["peers"]["systems"][system]["summary"][line]["median"])


def _ratio(name: str) -> Callable[[Record], float]:
    return lambda record: float(record["peers"]["ratios"][name]["median"])


def _beside(line: str) -> Callable[[Record], float]:
    """Ours as a share of the expert's."""
    return lambda record: _summary(record, OURS, line) / _summary(record, EXPERT, line)


def _ours(line: str, scale: float = 1.0) -> Callable[[Record], float]:
    return lambda record: _summary(record, OURS, line) * scale


def _growth(curve: str, x: str, first: int, last: int, line: str = "gateway_us") -> Callable[[Record], float]:
    """How much the last point of a curve exceeds the first, in per cent."""

    def value(record: Record) -> float:
        at = {row[x]: row[line]["median"] for row in record["growth"][curve]}
        return float(at[last] / at[first] - 1) * 100

    return value


def _reload(line: str, scale: float) -> Callable[[Record], float]:
    def value(record: Record) -> float:
        at = {row["words"]: row for row in record["growth"]["reload"]}
        return float(at[1_000_000][line]) * scale

    return value


OBJECTIVES = (
    Objective("CPU per message, beside bare nginx", "×", 2.2, 1.7, _ratio(f"{OURS} / {BASE}")),
    Objective("CPU per message, beside nginx + Lua with the same checks", "×", 0.95, 0.7, _ratio(f"{OURS} / {EXPERT}")),
    Objective("CPU per message, beside the plain aiohttp gateway", "×", 0.2, None, _ratio(f"{OURS} / {PLAIN}")),
    Objective("state server's CPU per message, beside nginx + Lua's", "×", 1.0, None, _beside("state_us")),
    Objective(
        "time per message at saturation on one core, beside nginx + Lua's", "×", 1.0, None,
        lambda record: 1 / _beside("per_second")(record),
    ),
    Objective("check time p99 at 70 % of saturation", "ms", 1.0, None, _ours("check_p99_us", 1e-3)),
    Objective("p50 added to the direct way at 30 %", "ms", 0.3, None, _ours("added_p50_us", 1e-3)),
    Objective("growth of cost, 1,000 to 1,000,000 words", "%", 10, None,
              _growth("words", "words", 1_000, 1_000_000, "to_nginx")),
    Objective("growth of cost, 10 to 10,000 connections", "%", 25, None,
              _growth("connections", "connections", 10, 10_000)),
    Objective("growth of cost, one worker to two", "%", 10, None, _growth("workers", "workers", 1, 2)),
    Objective("messages failed while 1,000,000 words are reloaded", "", 0, None, _reload("failed", 1)),
    Objective("longest silence while 1,000,000 words are reloaded", "ms", 50, None,
              _reload("during_longest_gap_us", 1e-3)),
)  # fmt: skip


def answers(record: Record) -> list[Answer]:
    """Every objective on a record."""
    told = []
    for objective in OBJECTIVES:
        value: float | None
        try:
            value = objective.value(record)
        except LookupError:
            value = None
        told.append(Answer(objective, value))
    return told
