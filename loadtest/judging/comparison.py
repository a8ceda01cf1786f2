"""Two runs held against each other: what differs by more than chance, and whether the second is worse.

Only what was asked in the same words can be compared. A difference counts where it is larger than what the seconds of
each run vary by themselves (three standard errors), and than ``LEAST`` of the first run's figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, Literal, NamedTuple

from loadtest.judging import figures
from loadtest.judging.sentence import Sentence, number
from loadtest.measuring.load import Run

LEAST = 0.05  # of the first run's figure
LEAST_OF_ONE = 0.1  # of a figure that a run has only once, so that nobody knows what it varies by
ERRORS = 3.0  # standard errors
STEPS_APART = 0.1  # of the knee: what a search knows it to

Change = Literal["better", "worse", "same", "not measured"]
SAME = ("suite", "shape", "users", "rate", "seconds")
"""What both runs must have been asked, of ``asked`` in their results."""

QUANTILES = {
    "check_p99_ms": Sentence("check p99", "判定耗时 p99"),
    "added_p99_ms": Sentence("added p99", "网关附加时延 p99"),
}
COSTS = {
    "gateway": Sentence("CPU of the gateway a message", "网关每条消息 CPU 时间"),
    "state": Sentence("CPU of the state server a message", "状态服务每条消息 CPU 时间"),
}


class NotComparable(Exception):
    """The two cannot be held against each other. ``void``: because one of them is void."""

    def __init__(self, told: Sentence, *, void: bool = False) -> None:
        super().__init__(told.en)
        self.told = told
        self.void = void


class Row(NamedTuple):
    """``before`` and ``after`` in ``unit``; ``more``: whether more is better."""

    name: Sentence
    before: float
    after: float
    unit: str
    change: Change


class Comparison(NamedTuple):
    """``notes``: what else is different, such as the machine. ``told``: the sentence."""

    rows: tuple[Row, ...]
    worse: bool
    told: Sentence
    notes: tuple[Sentence, ...]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Two results as ``folder.read`` gives them. Raises ``NotComparable``."""
    _mind(before, after)
    rows = _knees(before, after) if before["kind"] == "knee" else _runs(before, after)
    return Comparison(tuple(rows), any(row.change == "worse" for row in rows), _told(rows), _notes(before, after))


def _mind(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for place, place_zh, result in (("first", "第一", before), ("second", "第二", after)):
        if result["state"] == "void":
            said = result["sentence"]
            raise NotComparable(
                Sentence(f"the {place} run: {said['en']}", f"{place_zh}次测试：{said['zh']}"), void=True
            )
    if before["kind"] != after["kind"]:
        raise NotComparable(Sentence(
            "one is a search for the knee, the other a single run", "一个是拐点搜索，另一个是单次测试",
        ))  # fmt: skip
    for name in SAME:
        one, other = before["asked"].get(name), after["asked"].get(name)
        if one != other:
            raise NotComparable(Sentence(
                f"they were asked for different things: {name} {one} and {other}",
                f"两次测试的条件不同：{name} 分别为 {one} 和 {other}",
            ))  # fmt: skip


def _runs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    one, other = _moments(before), _moments(after)
    rows = [
        _varying(Sentence("judged a second", "每秒判定"), "/s", _pairs(one, other, "rate"), more=True),
        _varying(Sentence("delivered a second", "每秒送达"), "/s", _pairs(one, other, "delivered"), more=True),
        _varying(Sentence("answer p50", "答复时间 p50"), "ms", _pairs(one, other, "p50", 1000.0)),
        _varying(Sentence("answer p99", "答复时间 p99"), "ms", _pairs(one, other, "p99", 1000.0)),
    ]
    told = [result["figures"] for result in (before, after)]
    for name, key in QUANTILES.items():
        rows.append(_single(key, "ms", told[0].get(name), told[1].get(name)))
    for name, key in COSTS.items():
        rows.append(_single(key, "µs", told[0]["cpu_us"].get(name), told[1]["cpu_us"].get(name)))
    rows.append(_counted(Sentence("errors", "错误率"), _errors(told[0]), _errors(told[1]), ERRORS))
    rows.append(_counted(Sentence("wrong verdicts", "错误判定"), _wrong(told[0]), _wrong(told[1]), 0.0))
    return rows


def _moments(result: Mapping[str, Any]) -> list[figures.Moment]:
    """The steady seconds of a run."""
    run = Run(result["gateway"]["seconds"], result["gateway"]["samples"])
    window = figures.settled(run)
    return [moment for moment in figures.moments_of(run.seconds) if moment.users and window.holds(moment.at)]


def _pairs(
    one: Sequence[figures.Moment], other: Sequence[figures.Moment], name: str, factor: float = 1.0
) -> list[tuple[float, float]]:
    """The same second of both: the same people were to be there then."""
    told = [(factor * getattr(a, name), factor * getattr(b, name)) for a, b in zip(one, other, strict=False)]
    return [pair for pair in told if not any(map(math.isnan, pair))]


def _varying(name: Sentence, unit: str, pairs: Sequence[tuple[float, float]], *, more: bool = False) -> Row:
    if len(pairs) < 2:
        return Row(name, math.nan, math.nan, unit, "not measured")
    before, after = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
    error = stdev(b - a for a, b in pairs) / math.sqrt(len(pairs))
    return Row(name, before, after, unit, _change(before, after, max(ERRORS * error, LEAST * abs(before)), more=more))


def _single(name: Sentence, unit: str, before: float | None, after: float | None) -> Row:
    """Of a figure that is known for a whole run only."""
    if before is None or after is None:
        return Row(name, _or_nan(before), _or_nan(after), unit, "not measured")
    return Row(name, before, after, unit, _change(before, after, LEAST_OF_ONE * abs(before), more=False))


def _counted(name: Sentence, before: tuple[int, int], after: tuple[int, int], errors: float) -> Row:
    """Shares in %, of counts (of how many) that vary as Poisson's do; ``errors``: standard errors that are chance."""
    (one, all_one), (other, all_other) = before, after
    share, later = one / max(1, all_one), other / max(1, all_other)
    error = math.sqrt(one / max(1, all_one) ** 2 + other / max(1, all_other) ** 2)
    return Row(name, 100 * share, 100 * later, "%", _change(share, later, errors * error, more=False))


def _errors(told: Mapping[str, Any]) -> tuple[int, int]:
    count = sum(told["errors"].values())
    return count, told["messages"] + count


def _wrong(told: Mapping[str, Any]) -> tuple[int, int]:
    return sum(told["wrong"].values()), told["messages"]


def _knees(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    one, other = (_or_nan(result["knee"]["rate"]) for result in (before, after))
    apart = max(STEPS_APART, before["search"]["precision"], after["search"]["precision"])
    change = _change(0.0 if math.isnan(one) else one, 0.0 if math.isnan(other) else other,
                     0.0 if math.isnan(one) else apart * one, more=True)  # fmt: skip
    reached = [result["knee"]["outcome"] != "not reached" for result in (before, after)]
    if (change == "worse" and not reached[1]) or (change == "better" and not reached[0]):
        change = "not measured"  # the lower one is only as far as the search went
    rows = [Row(Sentence("knee", "拐点"), one, other, "/s", change)]
    fell, falls = (0.0 if result["knee"]["collapse"] is None else 1.0 for result in (before, after))
    name = Sentence("collapses (0 no, 1 yes)", "崩溃（0 否，1 是）")
    rows.append(Row(name, fell, falls, "", _change(fell, falls, 0.0, more=False)))
    return rows


def _change(before: float, after: float, least: float, *, more: bool) -> Change:
    if abs(after - before) <= least:
        return "same"
    return "better" if (after > before) is more else "worse"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _told(rows: Sequence[Row]) -> Sentence:
    worse = [row for row in rows if row.change == "worse"]
    better = [row for row in rows if row.change == "better"]
    if not worse and not better:
        return Sentence("The second run is no better and no worse: nothing differs by more than chance.",
                        "第二次测试既不更好也不更差：各项差异都在随机波动之内。")  # fmt: skip
    en, zh = [], []
    if worse:
        en.append("worse: " + ", ".join(_by(row).en for row in worse))
        zh.append("变差的有" + "、".join(_by(row).zh for row in worse))
    if better:
        en.append("better: " + ", ".join(_by(row).en for row in better))
        zh.append("变好的有" + "、".join(_by(row).zh for row in better))
    return Sentence(f"In the second run {'; '.join(en)}.", f"第二次测试中，{'；'.join(zh)}。")


def _by(row: Row) -> Sentence:
    unit = f" {row.unit}" if row.unit not in ("", "/s") else row.unit
    change = f"{number(row.before)} → {number(row.after)}{unit}"
    return Sentence(f"{row.name.en} ({change})", f"{row.name.zh}（{change}）")


def _notes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Sentence, ...]:
    notes = []
    for name, zh in (("cpu", "处理器"), ("cores", "核心数"), ("python", "Python 版本"), ("gateway", "网关的构建方式")):
        one, other = before["machine"].get(name), after["machine"].get(name)
        if one != other:
            notes.append(Sentence(f"Not the same machine or build: {name} {one} and {other}.",
                                  f"机器或构建不同：{zh}分别为 {one} 和 {other}。"))  # fmt: skip
    for name, zh in (("target", "被测对象"), ("processes", "负载进程数")):
        one, other = before["asked"].get(name), after["asked"].get(name)
        if one != other:
            notes.append(Sentence(f"Not the same {name}: {one} and {other}.", f"{zh}不同：{one} 和 {other}。"))
    return tuple(notes)
