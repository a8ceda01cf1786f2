"""The four figures of a run that one looks for first."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.judging.figures import Figures
from loadtest.judging.judgement import NAMES, bound, measured
from loadtest.judging.objectives import Objective
from loadtest.judging.sentence import Sentence, number
from loadtest.measuring.tally import DELIVERED
from loadtest.report.page import Tile


def tiles(figures: Figures, objectives: Sequence[Objective], *, void: bool = False) -> list[Tile]:
    """The four figures that one looks for first. Of a ``void`` run none is kept and none missed."""
    of = {one.name: one for one in objectives}
    other = sum(figures.errors.values()) - figures.unavailable
    refused = [(count, verdict) for verdict, count in figures.verdicts.items() if verdict not in DELIVERED]
    most = max(refused)[1] if refused else "–"
    waits = [of["answer p99"], of["check p99"], of["added p99"]]
    wrong = of["wrong verdicts"]
    made = [
        Tile(
            Sentence("Judged · delivered /s", "每秒判定 · 送达"),
            Sentence(*[f"{number(figures.rate)} · {number(figures.delivered_rate)}"] * 2),
            Sentence(f"{figures.messages:,} messages in {figures.seconds:.0f} s",
                     f"{figures.seconds:.0f} 秒内共 {figures.messages:,} 条消息"),
            _worst_of([of["messages"]]),
        ),
        Tile(
            Sentence("Answer p99", NAMES["answer p99"].zh),
            measured(waits[0]),
            _joined([_missed(one) for one in waits if _known(one)]),
            _worst_of(waits),
        ),
        Tile(
            Sentence("Errors", "错误"),
            measured(of["error rate"]),
            _joined([Sentence(f"{figures.unavailable} × 503, {other} others",
                              f"503 共 {figures.unavailable} 次，其他 {other} 次"),
                     _missed(of["error rate"]),
                     Sentence(f"{wrong.measured:.0f} wrong verdicts", f"错误判定 {wrong.measured:.0f} 条")]),
            _worst_of([of["error rate"], wrong]),
        ),
        Tile(
            Sentence("Refused", "拒绝"),
            Sentence(f"{number(figures.refused_share * 100)} %", f"{number(figures.refused_share * 100)}%"),
            Sentence(f"of the messages judged; most often {most}", f"占已判定消息；最常见原因 {most}"),
        ),
    ]  # fmt: skip
    return [tile._replace(state="plain") for tile in made] if void else made


def _known(one: Objective) -> bool:
    """Whether there is a figure to show."""
    return one.state != "not measured"


def _missed(one: Objective) -> Sentence:
    """A time or share beside its bound, where that was missed; of the tile's own figure only that."""
    if one.name in ("answer p99", "error rate"):
        return Sentence(f"{bound(one).en}", f"{bound(one).zh}")
    name, found, asked = NAMES[one.name], measured(one), bound(one)
    if one.state == "missed":
        return Sentence(f"{name.en} {found.en}: missed, {asked.en}", f"{name.zh} {found.zh}：未达标，{asked.zh}")
    return Sentence(f"{name.en} {found.en}", f"{name.zh} {found.zh}")


def _joined(told: Sequence[Sentence]) -> Sentence:
    return Sentence("; ".join(one.en for one in told), "；".join(one.zh for one in told))


def _worst_of(objectives: Sequence[Objective]) -> str:
    """Missed where one is; kept where all that were measured are; plain where none was."""
    states = {one.state for one in objectives}
    return "missed" if "missed" in states else "kept" if "kept" in states else "plain"
