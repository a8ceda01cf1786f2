"""The page of two runs held against each other."""

from __future__ import annotations

from pathlib import Path

from loadtest.judging.comparison import Comparison, Row
from loadtest.judging.sentence import Sentence, number
from loadtest.report.page import Page, Section, Table, Tile

CHANGES = {
    "better": Sentence("better", "变好"),
    "worse": Sentence("worse", "变差"),
    "same": Sentence("the same", "相同"),
    "not measured": Sentence("not measured", "未测得"),
}
TILES = 4


def page(before: Path, after: Path, suite: str, found: Comparison) -> Page:
    """``before`` and ``after``: the folders of the runs."""
    head = (Sentence("figure", "指标"), before.name, after.name, Sentence("unit", "单位"), Sentence("change", "变化"))
    rows = [(row.name, number(row.before), number(row.after), row.unit, CHANGES[row.change]) for row in found.rows]
    return Page(
        Sentence(f"Load test: two runs of {suite}", f"负载测试：{suite} 的两次测试对比"),
        "worse" if found.worse else "better",
        found.told,
        [_tile(row) for row in found.rows[:TILES]],
        [Section(Sentence("Figures", "指标"), [*found.notes, METHOD], tables=[Table(head, rows)])],
    )  # fmt: skip


METHOD = Sentence(
    "A difference counts where it is larger than what the seconds of both runs vary by themselves (three standard "
    "errors) and than 5 % of the first run's figure; of what a run has only once, 10 %; of shares, where the "
    "counts differ by more than three standard deviations.",
    "差异超过两次测试各秒自身波动（三倍标准误）且超过第一次数值的 5% 才算数；每次测试只有一个值的指标以 10% 为界；"
    "比例类指标以计数相差三倍标准差为界。",
)


def _tile(row: Row) -> Tile:
    state = {"better": "kept", "worse": "missed"}.get(row.change, "plain")
    unit = "" if row.unit == "/s" else row.unit
    value = f"{number(row.before)} → {number(row.after)} {unit}".rstrip()
    return Tile(row.name, Sentence(value, value), CHANGES[row.change], state)
