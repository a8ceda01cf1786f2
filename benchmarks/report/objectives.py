"""What the figures have to show, each read from a record: met, missed, or not measured in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from benchmarks.studies.peers import BASE, EXPERT, OURS, PLAIN
from benchmarks.websocket.run import IDLE

Record = dict[str, Any]

MANY_SESSIONS = 9_000
"""What counts as 10,000 on one worker: each takes two descriptors, and a common bound is 20,000."""


class Objective(NamedTuple):
    """``value`` reads the figure from a record (LookupError where it is not in it); it must not exceed ``most``.

    ``aim`` is what is hoped for, None where the bound is all there is. ``others`` are the same figures of those that
    were measured beside us: an absolute bound also tells what the machine was capable of in that run.
    """

    name: str
    unit: str
    most: float
    aim: float | None
    value: Callable[[Record], float]
    others: tuple[tuple[str, Callable[[Record], float]], ...] = ()


class Answer(NamedTuple):
    """One objective on one record; ``value`` is None where it was not measured. ``others``: by name, what they had."""

    objective: Objective
    value: float | None
    others: dict[str, float]

    @property
    def told(self) -> str:
        """``met``, ``missed`` or ``not measured``."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.objective.most else "missed"


def _summary(record: Record, system: str, line: str, scale: float = 1.0) -> float:
    return float(record["peers"]["systems"][system]["summary"][line]["median"]) * scale


def _ratio(name: str) -> Callable[[Record], float]:
    return lambda record: float(record["peers"]["ratios"][name]["median"])


def _beside(line: str) -> Callable[[Record], float]:
    """Ours as a share of the expert's."""
    return lambda record: _summary(record, OURS, line) / _summary(record, EXPERT, line)


def _ours(line: str, scale: float = 1.0) -> Callable[[Record], float]:
    return lambda record: _summary(record, OURS, line, scale)


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


def _frames(part: str, ratio: str) -> Callable[[Record], float]:
    return lambda record: float(record["websocket"][part]["ratios"][ratio]["median"])


def _idle(line: str, scale: float = 1.0) -> Callable[[Record], float]:
    """Of the sessions that say nothing, where there were 10,000 of them."""

    def value(record: Record) -> float:
        row = record["websocket"]["idle"]
        if row["sessions"] < IDLE:
            raise LookupError("too few sessions")
        return float(row[line]) * scale

    return value


def _frame_us(record: Record) -> float:
    return 1e6 / float(record["websocket"]["judged"]["systems"][OURS]["summary"]["per_second"]["median"])


def _growth_of_sessions(record: Record) -> float:
    rows = record["websocket"]["sessions"]
    first, last = rows[0], rows[-1]
    if first["sessions"] > 10 or last["sessions"] < MANY_SESSIONS:
        raise LookupError("too few sessions")
    return float(last["gateway_us"]["median"] / first["gateway_us"]["median"] - 1) * 100


def _theirs(line: str, idle: str, scale: float) -> tuple[tuple[str, Callable[[Record], float]], ...]:
    """The machine itself, which only wakes a timer; the proxy that checks nothing and the expert's, each at the same
    share of its own saturation."""
    theirs = tuple((name, partial(_summary, system=name, line=line, scale=scale)) for name in (BASE, EXPERT))
    return (("a timer", _ours(idle, scale)), *theirs)


OBJECTIVES = (
    Objective("CPU per message, beside bare nginx", "×", 2.2, 1.7, _ratio(f"{OURS} / {BASE}")),
    Objective("CPU per message, beside nginx + Lua with the same checks", "×", 0.95, 0.7, _ratio(f"{OURS} / {EXPERT}")),
    Objective("CPU per message, beside the plain aiohttp gateway", "×", 0.2, None, _ratio(f"{OURS} / {PLAIN}")),
    Objective("state server's CPU per message, beside nginx + Lua's", "×", 1.0, None, _beside("state_us")),
    Objective(
        "time per message at saturation on one core, beside nginx + Lua's", "×", 1.0, None,
        lambda record: 1 / _beside("per_second")(record),
    ),
    Objective("check time p99 at 70 % of saturation", "ms", 1.0, None, _ours("check_p99_us", 1e-3),
              _theirs("high_p99_us", "idle_p99_us", 1e-3)),
    Objective("p50 added to the direct way at 30 %", "ms", 0.3, None, _ours("added_p50_us", 1e-3),
              _theirs("added_p50_us", "idle_p50_us", 1e-3)),
    Objective("growth of cost, 1,000 to 1,000,000 words", "%", 10, None,
              _growth("words", "words", 1_000, 1_000_000, "to_nginx")),
    Objective("growth of cost, 10 to 10,000 connections", "%", 25, None,
              _growth("connections", "connections", 10, 10_000),
              ((BASE, _growth("connections", "connections", 10, 10_000, "nginx_us")),)),
    Objective("growth of cost, one worker to two", "%", 10, None, _growth("workers", "workers", 1, 2),
              ((BASE, _growth("workers", "workers", 1, 2, "nginx_us")),)),
    Objective("messages failed while 1,000,000 words are reloaded", "", 0, None, _reload("failed", 1)),
    Objective("longest silence while 1,000,000 words are reloaded", "ms", 50, None,
              _reload("during_longest_gap_us", 1e-3),
              (("without a reload", _reload("calm_longest_gap_us", 1e-3)),)),
    Objective("CPU per judged frame, beside the aiohttp relay", "×", 0.33, None,
              _frames("judged", f"{OURS} / {PLAIN}")),
    Objective("time per judged frame at saturation on one core", "µs", 50, None, _frame_us),
    Objective("CPU per frame of a broadcast, beside nginx", "×", 2.0, None, _frames("broadcast", f"{OURS} / {BASE}")),
    Objective("growth of cost, 10 to 10,000 judged sessions", "%", 25, None, _growth_of_sessions),
    Objective("memory of each of 10,000 idle sessions", "kB", 20, None, _idle("bytes_each", 1e-3)),
    Objective("idle sessions that a broadcast does not reach", "", 0, None, _idle("missing")),
    Objective("time per handshake, 1,000 a second offered", "ms", 1.02, None,
              lambda record: 1e3 / _idle("opened_per_second")(record)),
)  # fmt: skip


def answers(record: Record) -> list[Answer]:
    """Every objective on a record."""
    told = []
    for objective in OBJECTIVES:
        value = _read(objective.value, record)
        others = {name: seen for name, read in objective.others if (seen := _read(read, record)) is not None}
        told.append(Answer(objective, value, others))
    return told


def _read(value: Callable[[Record], float], record: Record) -> float | None:
    try:
        return value(record)
    except LookupError:
        return None
