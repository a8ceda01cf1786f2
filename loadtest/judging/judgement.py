"""The one sentence at the top of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from loadtest.judging.figures import Figures
from loadtest.judging.objectives import Objective
from loadtest.judging.sentence import Sentence, number
from loadtest.judging.void import Reason

NAMES = {
    "check p99": Sentence("check p99", "判定耗时 p99"),
    "added p99": Sentence("added p99", "网关附加时延 p99"),
    "answer p99": Sentence("answer p99", "答复时间 p99"),
    "error rate": Sentence("error rate", "错误率"),
    "wrong verdicts": Sentence("wrong verdicts", "错误判定数"),
    "messages": Sentence("messages", "消息数"),
}
"""Objectives, as people read them."""

UNITS = {"ms": Sentence("\u00a0ms", "\u00a0毫秒"), "%": Sentence("\u00a0%", "%"), "": Sentence("", "")}


class Judgement(NamedTuple):
    """``state``: kept, where no objective was missed; missed; void, where nothing can be said."""

    state: Literal["kept", "missed", "void"]
    told: Sentence


def judge(figures: Figures, objectives: Sequence[Objective], void: Sequence[Reason]) -> Judgement:
    """The sentence about a run."""
    if void:
        return Judgement("void", nothing(void))
    missed = [one for one in objectives if one.state == "missed"]
    unmeasured = [one for one in objectives if one.state == "not measured"]
    count = len(objectives) - len(unmeasured)
    if missed:
        told = Sentence(
            f"Missed {len(missed)} of {count} objectives: " + ", ".join(_by_how_much(one).en for one in missed),
            f"{count} 项目标中有 {len(missed)} 项未达到：" + "，".join(_by_how_much(one).zh for one in missed),
        )
    else:
        told = Sentence(
            f"Kept {'all ' if count > 1 else ''}{count} objectives: {number(figures.rate)} messages/s judged, "
            f"{number(figures.delivered_rate)} messages/s delivered, answers within {number(figures.answer_p99_ms)} ms "
            f"(p99)",
            f"{count} 项目标全部达到：每秒判定 {number(figures.rate)} 条、送达 {number(figures.delivered_rate)} 条，"
            f"答复时间 p99 为 {number(figures.answer_p99_ms)} 毫秒",
        )
    if unmeasured:
        told = Sentence(
            f"{told.en}; not measured: {', '.join(NAMES[one.name].en for one in unmeasured)}",
            f"{told.zh}；未测得：{'、'.join(NAMES[one.name].zh for one in unmeasured)}",
        )
    return Judgement("missed" if missed else "kept", Sentence(told.en + ".", told.zh + "。"))


def nothing(void: Sequence[Reason]) -> Sentence:
    """That a run is void, and why."""
    return Sentence(
        f"Void: {'; '.join(reason.told.en for reason in void)}. Nothing here tells of the gateway: run it again on a "
        f"machine that is left alone, or with less load.",
        f"无效：{'；'.join(reason.told.zh for reason in void)}。本次结果不能说明网关的表现："
        f"请在不受干扰的机器上重测，或降低负载。",
    )


def bound(one: Objective) -> Sentence:
    """What was asked of an objective."""
    unit = UNITS[one.unit]
    en, zh = ("at least", "至少") if one.at_least else ("at most", "至多")
    return Sentence(f"{en} {one.bound:g}{unit.en}", f"{zh} {one.bound:g}{unit.zh}")


def measured(one: Objective) -> Sentence:
    """What was found for it."""
    unit = UNITS[one.unit]
    return Sentence(number(one.measured) + unit.en, number(one.measured) + unit.zh)


def _by_how_much(one: Objective) -> Sentence:
    name, found, asked = NAMES[one.name], measured(one), bound(one)
    return Sentence(f"{name.en} ({found.en}, {asked.en})", f"{name.zh}（{found.zh}，{asked.zh}）")
