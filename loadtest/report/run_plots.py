"""The plots of a run: what its seconds were like, and what was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from loadtest.judging.figures import Figures, Moment, is_unavailable
from loadtest.judging.judgement import NAMES
from loadtest.judging.objectives import Objectives
from loadtest.judging.sentence import Sentence, number
from loadtest.report.charts import Curve
from loadtest.report.page import Plot, Table
from loadtest.report.words import LABELS, OFFERED, OTHER_VERDICTS, SECONDS, VERDICTS

T = TypeVar("T")
MOST_POINTS = 300  # of a curve; more seconds than that are drawn together
BLUE, GREEN, ORANGE, PURPLE, RED, GREY = "#0b5cad", "#0b6b3a", "#b3540c", "#7a3e9d", "#c2185b", "#5b6470"
AREAS = ("#7fb08f", "#5f7fb5", "#d99a5b", "#b9727f", "#9b83b8", "#c7b457", "#6fa9b5", "#a3a3a3")
ASKED_FOR = "6 4"  # dashes of an objective
PLANNED = "2 3"


def binned(moments: Sequence[T]) -> list[Sequence[T]]:
    """Neighbouring seconds together, so that there are at most ``MOST_POINTS``."""
    wide = max(1, math.ceil(len(moments) / MOST_POINTS))
    return [moments[begin : begin + wide] for begin in range(0, len(moments), wide)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _worst(values: Sequence[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def plots(figures: Figures, asked: Objectives, per_user: float) -> list[Plot]:
    """Of a run; ``per_user``: messages a second that each person sends by plan."""
    there = [place for place, moment in enumerate(figures.moments) if moment.users]
    if not there:
        return []
    moments = figures.moments[: there[-1] + 1]  # behind it nobody was there any more
    began = moments[0].at - 1.0
    bins = binned(moments)
    at = [round(each[-1].at - began, 1) for each in bins]
    drawn = [_rates([per_user * each for each in there_in(moments)], bins, at), _latency(figures, asked, bins, at)]
    if figures.checks:
        drawn.append(_checks(figures, asked, began))
    return [*drawn, _verdicts(bins, at), _errors(asked, bins, at)]


def _plot(
    name: str,
    title: Sentence,
    at: Sequence[float],
    curves: Sequence[Curve],
    lines: Sequence[Curve] = (),
    log: bool = False,
) -> Plot:
    """``curves`` have a point at each of ``at``; ``lines``: what was asked for."""
    rows = [(number(x), *(number(curve.points[place][1]) for curve in curves)) for place, x in enumerate(at)]
    return Plot(name, title, SECONDS, [*curves, *lines], Table((SECONDS, *(curve.name for curve in curves)), rows), log)


def there_in(moments: Sequence[Moment]) -> list[float]:
    """Users of each second in the mean: a moment knows those of its end only."""
    before = [moments[0].users, *(moment.users for moment in moments)]
    return [(one + other) / 2 for one, other in pairwise(before)]


def _rates(planned: Sequence[float], bins: Sequence[Sequence[Moment]], at: Sequence[float]) -> Plot:
    curves = [
        Curve(OFFERED, "line", _points(at, [_mean(each) for each in binned(planned)]), GREY, PLANNED),
        Curve(LABELS["judged"], "line", _points(at, [_mean([m.rate for m in each]) for each in bins]), BLUE),
        Curve(LABELS["delivered"], "line", _points(at, [_mean([m.delivered for m in each]) for each in bins]), GREEN),
    ]
    return _plot("rate", Sentence("Messages a second", "每秒消息数"), at, curves)


def _latency(figures: Figures, asked: Objectives, bins: Sequence[Sequence[Moment]], at: Sequence[float]) -> Plot:
    curves = [
        Curve(Sentence(name, name), "line",
              _points(at, [_worst([getattr(m, name) for m in each]) * 1000 for each in bins]), colour)
        for name, colour in (("p50", GREEN), ("p95", ORANGE), ("p99", BLUE))
    ]  # fmt: skip
    lines = [_asked(asked.answer_p99_ms, "answer p99", RED)]
    if not math.isnan(figures.direct_p99_ms):
        most = figures.direct_p99_ms + asked.added_p99_ms
        lines.append(_bound(most, PURPLE, Sentence(
            f"p99 of the platform alone + {asked.added_p99_ms:g} ms = {number(most)} ms",
            f"直连平台 p99 + {asked.added_p99_ms:g} 毫秒 = {number(most)} 毫秒",
        )))  # fmt: skip
    title = Sentence("Time to the answer of delivered messages, ms", "送达消息的答复时间（毫秒）")
    return _plot("latency", title, at, curves, lines, log=True)


def _checks(figures: Figures, asked: Objectives, began: float) -> Plot:
    checks = figures.checks
    wide = max(1, math.ceil(len(checks) / MOST_POINTS))
    bins = [checks[begin : begin + wide] for begin in range(0, len(checks), wide)]
    at = [round(each[-1][0] - began, 1) for each in bins]
    curve = Curve(
        NAMES["check p99"], "line", _points(at, [_worst([p99 for _, p99 in each]) * 1000 for each in bins]), BLUE
    )
    title = Sentence("Time of the check, p99, ms", "判定耗时 p99（毫秒）")
    return _plot("check", title, at, [curve], [_asked(asked.check_p99_ms, "check p99", RED)], log=True)


def _verdicts(bins: Sequence[Sequence[Moment]], at: Sequence[float]) -> Plot:
    known = {group_of(verdict) for each in bins for moment in each for verdict in moment.verdicts}
    groups = sorted(known, key=[*VERDICTS, OTHER_VERDICTS].index)
    curves = []
    for group in groups:
        rates = [_mean([sum(rate for verdict, rate in m.verdicts.items() if group_of(verdict) == group) for m in each])
                 for each in bins]  # fmt: skip
        colour = AREAS[[*VERDICTS, OTHER_VERDICTS].index(group)]
        curves.append(Curve(VERDICTS.get(group, LABELS["other"]), "area", _points(at, rates), colour))
    return _plot("verdicts", Sentence("Verdicts a second (a 503 is none)", "每秒判定（503 不是判定）"), at, curves)


def group_of(verdict: str) -> str:
    """What a verdict is drawn as: its reason's first part."""
    first = verdict.partition(".")[0]
    return first if first in VERDICTS else OTHER_VERDICTS


def _errors(asked: Objectives, bins: Sequence[Sequence[Moment]], at: Sequence[float]) -> Plot:
    """As a share of each second's answers, so that the objective can stand in it."""

    def share(each: Sequence[Moment], unavailable: bool) -> float:
        faults = sum(n for m in each for kind, n in m.errors.items() if is_unavailable(kind) is unavailable)
        everything = sum(m.rate + sum(m.errors.values()) for m in each)
        return 100 * faults / everything if everything else 0.0

    curves = [
        Curve(LABELS["unavailable"], "area", _points(at, [share(each, True) for each in bins]), AREAS[2]),
        Curve(LABELS["broken"], "area", _points(at, [share(each, False) for each in bins]), AREAS[3]),
    ]
    most = asked.error_share * 100
    line = _bound(most, RED, Sentence(f"at most {most:g} %", f"至多 {most:g}%"))
    return _plot("errors", Sentence("Answers without a verdict, %", "没有判定的答复（%）"), at, curves, [line])


def _points(at: Sequence[float], values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    return tuple(zip(at, values, strict=True))


def _asked(most: float, name: str, colour: str) -> Curve:
    told = NAMES[name]
    return _bound(most, colour, Sentence(f"{told.en} at most {most:g} ms", f"{told.zh} 至多 {most:g} 毫秒"))


def _bound(most: float, colour: str, told: Sentence) -> Curve:
    """What the whole run must keep: single seconds may lie above it."""
    name = Sentence(f"objective of the whole run: {told.en}", f"全程目标：{told.zh}")
    return Curve(name, "bound", ((0.0, most),), colour, ASKED_FOR)
