"""The page of a search for the knee."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from loadtest.judging.knee import Knee, Search
from loadtest.judging.sentence import Sentence, number
from loadtest.report.charts import Curve
from loadtest.report.page import Page, Plot, Section, Table, Tile
from loadtest.report.run_page import about
from loadtest.report.run_plots import ASKED_FOR, BLUE, GREEN, GREY, PLANNED, PURPLE, RED
from loadtest.report.words import GROUPS, LABELS, OFFERED

NONE = Sentence("–", "–")
RATE = Sentence("rate/s", "每秒速率")
FAILS_AT = Sentence("Fails at", "失守于")
WAITS = Sentence("Time to the answer of delivered messages, p99, ms", "送达消息的答复时间 p99（毫秒）")
GOODPUT = Sentence("right verdicts", "正确判定")


def page(title: Mapping[str, Any], machine: Mapping[str, Any], asked: Search, found: Knee, state: str) -> Page:
    """``title``: what was asked for; ``state``: kept, missed or void."""
    return Page(
        Sentence(f"Load test: the knee of {title['suite']}", f"负载测试：{title['suite']} 的拐点"),
        state,
        found.told,
        _tiles(asked, found),
        [
            Section(Sentence("Steps", "各级"), plots=_plots(asked, found), tables=[_table(found)]),
            about(title, machine),
        ],
    )


def _tiles(asked: Search, found: Knee) -> list[Tile]:
    at = {step.rate: step for step in found.steps}
    good, bad = at.get(found.rate), at.get(found.fails_at)
    nothing = Sentence("nothing was carried", "没有任何一级能承载")
    tiles = [
        Tile(Sentence("Knee", "拐点"), _rate(found.rate),
             Sentence(f"known to {asked.precision:.0%}; {len(found.steps)} steps",
                      f"精度 {asked.precision:.0%}，共 {len(found.steps)} 级"), "plain" if good is None else "kept"),
        Tile(Sentence("Answer p99 at the knee", "拐点处答复时间 p99"),
             _ms(good.measured.answer_p99_ms) if good is not None else NONE,
             Sentence(f"at most {asked.answer_p99_ms:g} ms", f"至多 {asked.answer_p99_ms:g} 毫秒")),
    ]  # fmt: skip
    if bad is not None:
        why = Sentence(", ".join(one.en for one in bad.why), "，".join(one.zh for one in bad.why))
        tiles.append(Tile(FAILS_AT, _rate(bad.rate), why, "missed"))
    else:
        tiles.append(Tile(FAILS_AT, NONE, Sentence("no step failed", "没有失守的级")))
    last = max(found.steps, key=lambda step: step.rate, default=None)
    if found.collapse is not None:
        held = found.collapse
        tiles.append(Tile(
            Sentence("Collapse", "崩溃"), _rate(held.rate),
            Sentence(f"{number(held.measured.goodput)}/s right verdicts left",
                     f"仅剩每秒 {number(held.measured.goodput)} 条正确判定"),
            "missed",
        ))  # fmt: skip
    elif last is not None and good is not None:
        tiles.append(Tile(
            Sentence("Collapse", "崩溃"), Sentence("none", "无"),
            Sentence(f"at {number(last.rate)}/s: {number(last.measured.goodput)}/s right verdicts",
                     f"每秒 {number(last.rate)} 条时：{number(last.measured.goodput)} 条正确判定"), "kept",
        ))  # fmt: skip
    else:
        tiles.append(Tile(Sentence("Collapse", "崩溃"), NONE, nothing))
    return tiles


def _rate(value: float) -> Sentence:
    return Sentence(f"{number(value)} /s", f"{number(value)} 条/秒")


def _ms(value: float) -> Sentence:
    return Sentence(f"{number(value)} ms", f"{number(value)} 毫秒")


def _plots(asked: Search, found: Knee) -> list[Plot]:
    steps = sorted(found.steps, key=lambda step: step.rate)
    if not steps:
        return []

    def points(*values: float) -> tuple[tuple[float, float], ...]:
        return tuple(zip((step.rate for step in steps), values, strict=True))

    marks = []
    if not math.isnan(found.rate):
        name = Sentence(f"the knee, {number(found.rate)}/s", f"拐点，每秒 {number(found.rate)} 条")
        marks.append(Curve(name, "mark", ((found.rate, 0.0),), PURPLE, ASKED_FOR))
    curves = [
        Curve(OFFERED, "line", points(*(step.measured.offered for step in steps)), GREY, PLANNED),
        Curve(GOODPUT, "line", points(*(step.measured.goodput for step in steps)), BLUE),
        Curve(LABELS["delivered"], "line", points(*(step.measured.delivered for step in steps)), GREEN),
    ]
    waits = Curve(
        Sentence("answer p99", "答复时间 p99"), "line", points(*(step.measured.answer_p99_ms for step in steps)), BLUE
    )
    bound = Curve(Sentence(f"bound: {asked.answer_p99_ms:g} ms", f"上限：{asked.answer_p99_ms:g} 毫秒"), "bound",
                  ((0.0, asked.answer_p99_ms),), RED, ASKED_FOR)  # fmt: skip
    across = LABELS["over offered"]
    return [
        Plot("goodput", Sentence("Messages a second", "每秒消息数"), across, [*curves, *marks], _table(found)),
        Plot("knee-latency", WAITS, across, [waits, bound, *marks],
             Table((RATE, waits.name), [(number(x), number(y)) for x, y in waits.points]), log=True),
    ]  # fmt: skip


def _table(found: Knee) -> Table:
    """In the order in which they were tried."""
    rows = []
    for place, step in enumerate(found.steps, 1):
        told = step.measured
        why = Sentence(", ".join(one.en for one in step.why), "，".join(one.zh for one in step.why))
        rows.append((
            place, number(step.rate), number(told.goodput), number(told.delivered), number(told.answer_p99_ms),
            f"{number(told.error_share * 100)} %", LABELS["yes" if step.good else "no"], why,
            GROUPS.get(told.limit, NONE),
        ))  # fmt: skip
    head = (LABELS["step"], RATE, GOODPUT, LABELS["delivered"], "p99 ms", Sentence("errors", "错误率"),
            Sentence("carried", "能承载"), Sentence("why not", "原因"),
            Sentence("at its limit", "到达极限"))  # fmt: skip
    return Table(head, rows)
