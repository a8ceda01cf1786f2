"""The page of one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from loadtest.judging.estimate import FILL, Estimate
from loadtest.judging.figures import Figures, is_unavailable
from loadtest.judging.judgement import NAMES, Judgement, bound, measured
from loadtest.judging.objectives import WHY_NOT, Objective, Objectives
from loadtest.judging.saturation import Saturation
from loadtest.judging.sentence import Sentence, number
from loadtest.measuring.probe import MACHINE
from loadtest.measuring.tally import REFUSED
from loadtest.report.charts import Curve
from loadtest.report.page import Cell, Page, Plot, Section, Table
from loadtest.report.run_plots import BLUE, GREY, PLANNED, plots
from loadtest.report.tiles import tiles
from loadtest.report.words import (
    COST,
    GROUPS,
    LABELS,
    METHOD,
    OFFERED,
    STATES,
    WHY_NOT_ZH,
)  # fmt: skip


class Told(NamedTuple):
    """All that is known of a run. ``title``: what was asked for, by name; ``machine``: it ran on.

    ``offered``: messages a second that all ``users`` send together, by plan.
    """

    title: Mapping[str, Any]
    machine: Mapping[str, Any]
    figures: Figures
    asked: Objectives
    objectives: Sequence[Objective]
    judgement: Judgement
    saturation: Saturation | None
    estimate: Estimate | None
    offered: float
    users: int


def page(told: Told) -> Page:
    """What a run's page says."""
    suite = told.title["suite"]
    return Page(
        Sentence(f"Load test: {suite}", f"负载测试：{suite}"),
        told.judgement.state,
        told.judgement.told,
        tiles(told.figures, told.objectives, void=told.judgement.state == "void"),
        [
            Section(Sentence("Objectives", "目标"), tables=[_objectives(told.objectives)]),
            Section(
                Sentence("Over time", "随时间变化"),
                plots=plots(told.figures, told.asked, told.offered / max(1, told.users)),
            ),
            *([_saturation(told.saturation)] if told.saturation is not None else []),
            Section(Sentence("Times", "耗时"), tables=[_times(told.figures)], said=_beside(told.figures)),
            Section(Sentence("Verdicts and errors", "判定与错误"), tables=_answers(told.figures)),
            cost(told.figures, told.estimate),
            about(told.title, told.machine),
        ],
    )


def _objectives(objectives: Sequence[Objective]) -> Table:
    rows = []
    for one in objectives:
        found: Sentence = measured(one)
        if one.state == "not measured":
            found = Sentence(WHY_NOT[one.name], WHY_NOT_ZH[one.name])
        rows.append((NAMES[one.name], STATES[one.state], found, bound(one)))
    return Table((LABELS["objective"], LABELS["state"], LABELS["measured"], LABELS["asked"]), rows)


def _times(figures: Figures) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (Sentence(each.name, each.name.replace(REFUSED, "（拒绝）")), f"{each.answers:,}",
         *(number(value * 1000) for value in each[2:]))
        for each in figures.times
    ]  # fmt: skip
    return Table((LABELS["request"], LABELS["answers"], "p50 ms", "p95 ms", "p99 ms", "p99.9 ms"), rows)


def _beside(figures: Figures) -> list[Sentence]:
    said = [
        Sentence(
            f"Checks: p50 {number(figures.check_p50_ms)} ms, p99 {number(figures.check_p99_ms)} ms; "
            f"{number(figures.check_within * 100)} % within 1 ms. Added by the gateway: p50 "
            f"{number(figures.added_p50_ms)} ms, p99 {number(figures.added_p99_ms)} ms (straight at the platform: p99 "
            f"{number(figures.direct_p99_ms)} ms). Messages left at most {number(figures.late_p99_ms)} ms late (p99); "
            f"the load's own clock woke at most {number(figures.lag_p99_ms)} ms late (p99).",
            f"判定耗时 p50 为 {number(figures.check_p50_ms)} 毫秒，p99 为 {number(figures.check_p99_ms)} 毫秒，"
            f"{number(figures.check_within * 100)}% 在 1 毫秒内。"
            f"网关附加时延 p50 为 {number(figures.added_p50_ms)} 毫秒，p99 为 {number(figures.added_p99_ms)} 毫秒"
            f"（直连平台 p99 为 {number(figures.direct_p99_ms)} 毫秒）。"
            f"消息发出最多迟 {number(figures.late_p99_ms)} 毫秒（p99），"
            f"负载自身时钟最多迟 {number(figures.lag_p99_ms)} 毫秒（p99）。",
        )
    ]
    if not math.isnan(figures.seen_p99_ms):
        seen = number(figures.seen_p99_ms)
        said.append(
            Sentence(f"Others saw a message within {seen} ms (p99).", f"其他人在 {seen} 毫秒内看到消息（p99）。")
        )
    return said


def _answers(figures: Figures) -> list[Table]:
    tables = [
        Table((LABELS["verdict"], LABELS["messages"]), [(name, f"{n:,}") for name, n in figures.verdicts.items()])
    ]
    faults: list[tuple[Sentence, str, str]] = [
        (LABELS["unavailable" if is_unavailable(kind) else "broken"], kind, f"{count:,}")
        for kind, count in sorted(figures.errors.items(), key=lambda item: -item[1])
    ]
    faults += [
        (NAMES["wrong verdicts"], told.removeprefix("wrong verdict: "), f"{n:,}") for told, n in figures.wrong.items()
    ]
    if faults:
        tables.append(Table((LABELS["fault"], LABELS["told"], LABELS["count"]), faults))
    return tables


def cost(figures: Figures, estimate: Estimate | None) -> Section:
    """CPU time of a message, by who spent it."""
    title = Sentence("Cost", "开销")
    if not figures.cpu_us:
        return Section(title, [COST["unknown"]])
    rows = [
        (GROUPS.get(group, Sentence(group, group)), f"{each:.1f}", f"{figures.busy.get(group, math.nan):.0%}")
        for group, each in figures.cpu_us.items()
    ]
    busy, per_core = f"{figures.busy.get(MACHINE, math.nan):.0%}", number(figures.per_core)
    said = [Sentence(
        f"All processors of the machine: {busy} in the busiest second. {per_core} messages/s a core of the gateway.",
        f"整机处理器最忙一秒占用 {busy}。网关每核每秒 {per_core} 条消息。",
    )]  # fmt: skip
    if estimate is not None:
        rate, limit = number(estimate.rate), COST["by state"] if estimate.by_state else Sentence("", "")
        said.append(Sentence(
            f"A machine of {estimate.cores} such cores, {FILL:.0%} busy with gateway and state alone, would carry "
            f"about {rate} messages/s{limit.en}: an estimate, not a measurement.",
            f"{estimate.cores} 个同样核心的机器，仅由网关和状态服务占用 {FILL:.0%} 时，约可承载每秒 {rate} 条"
            f"{limit.zh}：这是估算，不是实测。",
        ))  # fmt: skip
    return Section(title, said, tables=[Table((COST["processes"], COST["each"], COST["busiest"]), rows)])


def _saturation(found: Saturation) -> Section:
    rows = [
        (step.number, step.users, number(step.offered), number(step.answered), number(step.p99 * 1000),
         LABELS["yes" if step.kept_up else "no"])
        for step in found.steps
    ]  # fmt: skip
    highest = number(found.highest)
    if found.reached:
        limit = GROUPS.get(found.limit, Sentence("no group of processes", "没有哪一组进程"))
        said = Sentence(f"Saturated at {highest} messages/s; at its limit was: {limit.en}.",
                        f"在每秒 {highest} 条时饱和；到达极限的是：{limit.zh}。")  # fmt: skip
        if found.limit in ("load", "platform", MACHINE):
            said = Sentence(f"{said.en} So this is not the gateway's own saturation point, which lies higher.",
                            f"{said.zh}因此这不是网关自身的饱和点，网关的饱和点更高。")  # fmt: skip
    else:
        said = Sentence(f"Not reached: every step kept up, the last with {highest} messages/s.",
                        f"未饱和：每一级都跟上了负载，最后一级为每秒 {highest} 条。")  # fmt: skip
    offered = [(step.offered, step.offered) for step in found.steps]
    answered = [(step.offered, step.answered) for step in found.steps]
    table = Table(
        (LABELS["step"], LABELS["users"], LABELS["offered"], LABELS["answered"], "p99 ms", LABELS["kept up"]), rows
    )
    plot = Plot("saturation", Sentence("Messages judged a second", "每秒判定消息数"), LABELS["over offered"],
                [Curve(OFFERED, "line", tuple(offered), GREY, PLANNED),
                 Curve(LABELS["judged"], "line", tuple(answered), BLUE)], table)  # fmt: skip
    return Section(Sentence("Saturation", "饱和"), [said], [plot])


def about(title: Mapping[str, Any], machine: Mapping[str, Any]) -> Section:
    """What was asked for, on what machine, and how it was measured."""
    asked = [(LABELS.get(name, name.replace("_", " ")), str(value)) for name, value in title.items()]
    return Section(
        Sentence("Asked for, machine, method", "测试条件、机器与方法"), [METHOD],
        tables=[Table((LABELS["asked"], LABELS["value"]), asked),
                Table((LABELS["machine"], LABELS["value"]), _flat(machine))],
    )  # fmt: skip


def _flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {each}" for key, each in value.items())
        told.append((name.replace("_", " "), f"{value:.2f}" if isinstance(value, float) else str(value)))
    return told
