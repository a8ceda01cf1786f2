"""The table of metrics, its cells, and its documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.common.metrics import (
    MAX_SERIES,
    METRICS,
    OF_CONTROL,
    OF_WORKERS,
    OTHER,
    SECONDS,
    Counts,
    Histogram,
    WorkerMetrics,
    from_zero,
)

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "metrics.md"
PERSONAL = {"sender", "room", "ip", "device", "registrant", "text", "message", "id"}


def test_documented_is_what_exists() -> None:
    rows = re.findall(
        r"^\| `(tidegate_\w+)` \| (\w+) \| ([^|]*) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE
    )
    documented = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == {name: (metric.kind, metric.labels) for name, metric in METRICS.items()}


def test_names_and_labels_follow_the_rules() -> None:
    for metric in METRICS.values():
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert (metric.kind == "histogram") == bool(metric.bounds)
        assert list(metric.bounds) == sorted(set(metric.bounds))
        assert not PERSONAL & set(metric.labels)


def test_every_metric_of_workers_has_a_cell() -> None:
    metrics = WorkerMetrics()
    gauges = [metric.name for metric in OF_WORKERS if metric.kind == "gauge"]
    for name in gauges:
        metrics.gauge(name, lambda: 1.0)
    # Counted by the journal's writer, by the access log, by the server's turns, where traces are kept and what waits.
    elsewhere = {
        metric.name for metric in OF_WORKERS if metric.name.startswith("tidegate_journal_") and metric.kind != "gauge"
    }
    elsewhere |= {"tidegate_access_lines_dropped_total", "tidegate_turn_waits_total", "tidegate_turn_holds_total"}
    elsewhere |= {"tidegate_traces_lost_total", "tidegate_delayed_total"}
    told = metrics.told({name: {"series": []} for name in elsewhere})["metrics"]
    assert set(told) == {metric.name for metric in OF_WORKERS}
    assert set(metrics.told()["metrics"]) == set(told) - elsewhere
    with pytest.raises(ValueError, match="not a gauge"):
        metrics.gauge("tidegate_messages_total", lambda: 1.0)


def test_every_metric_of_control_is_named_where_it_is_counted() -> None:
    """A row that nothing names outside the table would be documented and never told."""
    table = ROOT / "gateway" / "common" / "metrics.py"
    others = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py") if path != table)
    assert [metric.name for metric in OF_CONTROL if f'"{metric.name}"' not in others] == []


def test_what_an_alarm_asks_for_is_told_before_it_happens() -> None:
    told = from_zero(("",), ("gateway.failure", "server.full"), {"server.full": 2, "head.host": 1})
    assert told == {"series": [[["", "gateway.failure"], 0], [["", "server.full"], 2], [["", "head.host"], 1]]}


@given(st.lists(st.floats(0, 100)))
def test_a_histogram_puts_each_value_under_the_first_bound_that_holds_it(values: list[float]) -> None:
    histogram = Histogram(SECONDS)
    for value in values:
        histogram.observe(value)
    for place, bound in enumerate(SECONDS):
        assert sum(histogram.counts[: place + 1]) == sum(value <= bound for value in values)
    assert sum(histogram.counts) == len(values)
    assert histogram.total == pytest.approx(sum(values))


def test_label_values_are_bounded() -> None:
    counts = Counts(METRICS["tidegate_degraded_total"])
    for number in range(MAX_SERIES + 10):
        counts.add((f"cause-{number}",))
    assert len(counts.values) == MAX_SERIES + 1
    assert counts.values[OTHER,] == 10
    with pytest.raises(ValueError, match="takes the labels"):
        counts.add(("one", "two"))
