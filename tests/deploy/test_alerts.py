"""Alerts and recorded series: what they ask for exists, each alert has its section of the runbook and its cases."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.common.metrics import METRICS
from gateway.judging import reason_codes
from tools.watch import expressions
from tools.watch.expressions import ALERTS, RECORDING, ROOT, Rule, rules

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
EVENTS = set(re.findall(r"^\| `([\w.]+)` \|", (ROOT / "docs" / "logs.md").read_text(encoding="utf-8"), re.MULTILINE))
COMMANDS = {
    name.strip()
    for name in re.findall(
        r"^### `tidegate ([a-z ]+)", (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8"), re.MULTILINE
    )
}
SETTINGS = {
    f"{table}.{key}"
    for table, rows in re.findall(
        r"^### `\[+(\w+)[^`]*`\n(.*?)(?=^### |\Z)",
        (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    for key in re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)
}
PARTS = ["Means", "People see", "Look first", "Do"]
ALL = rules(ALERTS)
RECORDED = rules(RECORDING)
OF_PROMETHEUS = {"up": ("job", "instance")}


def labels(name: str) -> set[str]:
    """Those that a series may have; KeyError where there is no such series."""
    if name in OF_PROMETHEUS:
        return set(OF_PROMETHEUS[name])
    for one in RECORDED:
        if one.name == name:
            return expressions.grouped_by(one.expression) - {"le"}
    metric = METRICS.get(name)
    if metric is None or metric.kind == "histogram":
        metric = METRICS[re.sub("_(bucket|sum|count)$", "", name)]
        assert metric.kind == "histogram", name
        assert name != metric.name, "a histogram has no series of its own name"
        return {*metric.labels, "instance", "job", *(("le",) if name.endswith("_bucket") else ())}
    return {*metric.labels, "instance", "job"}


def asks_for_what_exists(expression: str) -> None:
    """Every series of an expression is told by someone, and so is every label that it is chosen or grouped by."""
    asked = list(expressions.selectors(expression))
    assert asked, expression
    known: set[str] = set()
    for selector in asked:
        there = labels(selector.name)
        assert set(selector.labels) <= there, (selector, there)
        known |= there
    assert expressions.grouped_by(expression) <= known, expression


@pytest.mark.parametrize("rule", [*ALL, *RECORDED], ids=lambda rule: rule.name)
def test_what_is_asked_for_exists(rule: Rule) -> None:
    asks_for_what_exists(rule.expression)


@pytest.mark.parametrize(
    "wrong",
    [
        "tidegate_nothing > 0",
        "tidegate_check_seconds > 0",
        "tidegate_messages_total_bucket > 0",
        'rate(tidegate_messages_total{verb="pass"}[5m])',
        "sum by (room) (tidegate_messages_total)",
        "instance:tidegate_nothing:rate5m > 0",
        'tidegate_workers{le="1"}',
    ],
)
def test_what_does_not_exist_is_seen(wrong: str) -> None:
    with pytest.raises((KeyError, AssertionError)):
        asks_for_what_exists(wrong)


def test_questions_for_a_well_node_leave_nothing_out() -> None:
    assert expressions.told('a_b:c{x="a>b"} > 1 unless d_e:f == 2 and f_g:h offset 1h <= 3') == (
        'a_b:c{x="a>b"} > bool 1 and d_e:f == bool 2 and f_g:h offset 5s <= bool 3'
    )


def test_alerts_are_whole() -> None:
    names = [one.name for one in ALL]
    assert len(names) == len(set(names))
    for one in ALL:
        assert one.severity in {"critical", "warning"}, one.name
        assert set(one.annotations) == {"summary", "summary_zh", "runbook"}, one.name
        assert one.annotations["runbook"] == f"docs/runbook.md#{one.name.lower()}"
        assert re.search("[一-鿿]", one.annotations["summary_zh"]), one.name
        filled = [sorted(re.findall(r"\{\{.*?\}\}", one.annotations[key])) for key in ("summary", "summary_zh")]
        assert filled[0] == filled[1], one.name


def sections() -> dict[str, str]:
    found = re.split(r"^## (\w+)\n", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_each_alert_has_its_section_and_each_section_its_alert() -> None:
    assert list(sections()) == [one.name for one in ALL]
    for name, text in sections().items():
        assert re.findall(r"^\*\*([\w ]+)\.\*\* \S", text, re.MULTILINE) == PARTS, name
    inner = set(re.findall(r"\]\(#(\w+)\)", RUNBOOK))
    assert inner <= {name.lower() for name in sections()}


def test_what_the_runbook_names_exists() -> None:
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", RUNBOOK))
    reasons = {row[0] for chapter in reason_codes.chapters() for row in chapter.rows}
    assert named - EVENTS - reasons - SETTINGS == set()
    for metric in re.findall(r"\btidegate_[a-z_]+", RUNBOOK):
        labels(metric if METRICS.get(metric, METRICS["tidegate_workers"]).kind != "histogram" else f"{metric}_bucket")
    for command in re.findall(r"`tidegate ([a-z][^`]*)`", RUNBOOK):
        words = command.split()
        assert any(" ".join(words[:n]) in COMMANDS for n in (1, 2, 3)), command
    for expression in re.findall(r"`((?:sum|topk|count)\b[^`]*)`", RUNBOOK):
        asks_for_what_exists(expression)


def cases() -> dict[str, list[set[str]]]:
    """By case: the sets of alerts that fire at its times."""
    path: Path = ALERTS.with_name("alerts.test.yml")
    found: dict[str, list[set[str]]] = defaultdict(list)
    for one in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
        times: list[Any] = one["promql_expr_test"]
        assert {time["expr"] for time in times} == {'count by (alertname) (ALERTS{alertstate="firing"})'}
        found[one["name"]] += [
            {re.fullmatch(r'\{alertname="(\w+)"\}', sample["labels"])[1] for sample in time["exp_samples"]}  # type: ignore[index]
            for time in times
        ]
    return found


def test_each_alert_has_a_case_in_which_it_fires_and_a_moment_in_which_it_does_not() -> None:
    """``promtool test rules`` runs them: ``make watch-check``."""
    made = cases()
    assert set(made) == {one.name for one in ALL}
    for name, times in made.items():
        assert any(name in firing for firing in times), name
        assert any(name not in firing for firing in times), name
