"""The text of /metrics: what Prometheus reads of it, and the rules by which its own linter goes."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.common.metrics import METRICS, SECONDS, WorkerMetrics
from gateway.control.node.collector import exposition
from gateway.control.workers.totals import COLLECTED, Totals
from gateway.journal.write.counters import APPEND_BOUNDS

# Those of ``promtool check metrics``: github.com/prometheus/client_golang, prometheus/testutil/promlint/validations.
ABBREVIATED = re.compile(r"_(s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(_|$)")
NOT_BASE_UNITS = re.compile(
    r"_(milli|micro|nano|kilo|mega|giga|tera|kibi|mebi|gibi)?(minutes?|hours?|days?|weeks?|bits?|grams?|kelvin|fahrenheit)(_|$)"
    r"|_(milli|micro|nano|kilo|mega|giga|tera)(seconds?|bytes?|meters?)(_|$)"
)
TYPE_IN_NAME = re.compile(r"(^|_)(counter|gauge|histogram|summary|untyped|info_metric)(_|$)")
CAMEL = re.compile(r"[a-z][A-Z]")


def problems(text: str) -> list[str]:
    """What the linter would say of an exposition."""
    found: list[str] = []
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    found += [f"{name}: told twice" for name in set(names) if names.count(name) > 1]
    for name, kind in kinds.items():
        if not helps.get(name):
            found.append(f"{name}: no help text")
        if (kind == "counter") != name.endswith("_total"):
            found.append(f"{name}: counters, and nothing else, end in _total")
        if kind != "histogram" and name.endswith(("_bucket", "_count", "_sum")):
            found.append(f"{name}: ends as a part of a histogram does")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or CAMEL.search(name):
            found.append(f"{name}: not in snake case")
        if ABBREVIATED.search(name) or NOT_BASE_UNITS.search(name) or TYPE_IN_NAME.search(name):
            found.append(f"{name}: a unit that is not the base unit, or a type")
    for name, labels in re.findall(r"^([a-z]\w*)\{(.*)\} \S+$", text, re.MULTILINE):
        keys = re.findall(r'(\w+)="', re.sub(r"\\.", "", labels))
        found += [f"{name}: label {key}" for key in keys if CAMEL.search(key) or key == "quantile"]
        if "le" in keys and not name.endswith("_bucket"):
            found.append(f"{name}: le is a histogram's")
    series = re.findall(r"^([a-z]\w*(?:\{.*\})?) \S+$", text, re.MULTILINE)
    found += [f"{one}: told twice" for one in set(series) if series.count(one) > 1]
    return found


def whole() -> bytes:
    """An exposition in which every metric has a series."""
    worker = WorkerMetrics()
    totals = Totals()
    told: dict[str, Any] = worker.told()
    for metric in COLLECTED:
        key = ["x"] * len(metric.labels)
        if metric.kind == "histogram":
            bounds = metric.bounds if metric.name != "tidegate_journal_append_seconds" else APPEND_BOUNDS
            told["metrics"][metric.name] = {"bounds": bounds, "series": [[key, [1] * (len(bounds) + 1), 2.5]]}
        else:
            told["metrics"][metric.name] = {"series": [[key, 3]]}
    totals.take("worker-0", told)
    own = {name: {("x",) * len(metric.labels): 1.0} for name, metric in METRICS.items() if metric not in COLLECTED}
    return exposition(totals, own)  # type: ignore[arg-type]


def test_the_linter_has_nothing_to_say() -> None:
    text = whole().decode()
    assert problems(text) == []
    assert set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)) == set(METRICS)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("# HELP a_b x\n# TYPE a_b counter\na_b 1\n", "_total"),
        ("# HELP a_total x\n# TYPE a_total gauge\na_total 1\n", "_total"),
        ("# TYPE a_b gauge\na_b 1\n", "help"),
        ("# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n", "unit"),
        ("# HELP a_milliseconds x\n# TYPE a_milliseconds gauge\na_milliseconds 1\n", "unit"),
        ("# HELP a_gauge x\n# TYPE a_gauge gauge\na_gauge 1\n", "type"),
        ("# HELP a_count x\n# TYPE a_count gauge\na_count 1\n", "part"),
        ('# HELP a x\n# TYPE a gauge\na{le="1"} 1\n', "le is"),
        ("# HELP a x\n# TYPE a gauge\na 1\na 2\n", "twice"),
    ],
)
def test_the_linter_sees_what_is_wrong(line: str, word: str) -> None:
    assert [one for one in problems(line) if word in one], problems(line)


def test_buckets_say_exactly_what_they_count() -> None:
    """``le`` is the bound itself, to the last digit, and not what a float makes of a sum; each bucket holds the ones
    below it, and the last one all."""
    families = {one.name: one for one in text_string_to_metric_families(whole().decode())}
    for name, metric in METRICS.items():
        if metric.kind != "histogram":
            continue
        bounds = metric.bounds if name != "tidegate_journal_append_seconds" else APPEND_BOUNDS
        buckets = [one for one in families[name].samples if one.name == f"{name}_bucket"]
        assert [float(one.labels["le"]) for one in buckets] == [*bounds, float("inf")]
        for one, bound in zip(buckets, bounds, strict=False):
            assert Decimal(one.labels["le"]) == Decimal(repr(bound))
            assert len(Decimal(one.labels["le"]).normalize().as_tuple().digits) <= 3, (
                "nobody means more digits than these"
            )
        assert [one.value for one in buckets] == list(range(1, len(bounds) + 2))
        (count,) = [one.value for one in families[name].samples if one.name == f"{name}_count"]
        assert count == len(bounds) + 1


def test_a_value_on_a_bound_is_in_its_bucket() -> None:
    for bound in SECONDS:
        worker = WorkerMetrics()
        worker.check_seconds.observe(bound)
        totals = Totals()
        totals.take("worker-0", worker.told())
        text = exposition(totals, {}).decode()
        held = re.findall(r'^tidegate_check_seconds_bucket\{le="([^"]+)"\} 1.0$', text, re.MULTILINE)
        assert float(held[0]) == bound


def test_what_control_counts_too_is_added_and_told_once() -> None:
    totals = Totals()
    name = "tidegate_access_lines_dropped_total"
    totals.take("worker-0", {"started": "1", "pid": 1, "metrics": {name: {"series": [[[], 5]]}}})
    text = exposition(totals, {name: {(): 2}}).decode()
    assert re.findall(rf"^{name} (\S+)$", text, re.MULTILINE) == ["7.0"]
    assert text.count(f"# TYPE {name} ") == 1
    again = exposition(totals, {name: {(): 2}}).decode()
    assert again == text  # nothing is kept from one to the next
