"""Sums over workers, living and dead."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gateway.common.metrics import METRICS, SECONDS, WorkerMetrics
from gateway.control.node.collector import exposition
from gateway.control.workers.totals import Buckets, Totals


def told(metrics: WorkerMetrics) -> Any:
    return orjson.loads(orjson.dumps(metrics.told()))  # as it comes over the socket


def samples(totals: Totals) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(exposition(totals, {}).decode()):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_two_workers_add_up_in_prometheus_text() -> None:
    totals = Totals()
    for worker in range(2):
        metrics = WorkerMetrics()
        metrics.messages.add(("comments", "reject", "keyword.match"), worker + 1)
        metrics.check_seconds.observe(0.0004)
        metrics.check_seconds.observe(500)
        metrics.upstream_seconds.of("platform").observe(0.02)
        metrics.gauge("tidegate_connections", lambda: 10)
        metrics.gauge("tidegate_journal_lag_seconds", lambda worker=worker: float(worker))
        metrics.gauge("tidegate_certificate_expiry_seconds", lambda worker=worker: 7.0 + worker)
        totals.take(f"worker-{worker}", told(metrics))
    found = samples(totals)
    labels = (("reason", "keyword.match"), ("route", "comments"), ("verdict", "reject"))
    assert found["tidegate_messages_total", labels] == 3
    assert found["tidegate_check_seconds_bucket", (("le", "0.0003"),)] == 0
    assert found["tidegate_check_seconds_bucket", (("le", "0.0005"),)] == 2
    assert found["tidegate_check_seconds_bucket", (("le", "+Inf"),)] == 4
    assert found["tidegate_check_seconds_count", ()] == 4
    assert found["tidegate_upstream_seconds_count", (("upstream", "platform"),)] == 2
    assert found["tidegate_connections", ()] == 20
    assert found["tidegate_journal_lag_seconds", ()] == 1
    assert found["tidegate_certificate_expiry_seconds", ()] == 7


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans()), max_size=40))
def test_counters_never_go_backwards(steps: list[tuple[int, int, bool]]) -> None:
    """Workers count, tell and are replaced in any order."""
    totals = Totals()
    live = [WorkerMetrics() for _ in range(3)]
    last = 0.0
    key = ("r", "pass", "")
    for worker, count, dies in steps:
        live[worker].messages.add(key, count)
        live[worker].check_seconds.observe(0.001)
        totals.take(f"worker-{worker}", told(live[worker]))
        if dies:
            live[worker] = WorkerMetrics()
            live[worker].started += f"-{len(steps)}-{id(live[worker])}"
        series = {metric.name: found for metric, found in totals.series()}
        now = series["tidegate_messages_total"].get(key, 0)
        assert isinstance(now, float | int)
        assert now >= last
        last = now
    assert last == sum(count for _, count, _ in steps)


def test_a_place_that_is_gone_keeps_its_counts() -> None:
    totals = Totals()
    metrics = WorkerMetrics()
    metrics.messages.add(("r", "pass", ""))
    totals.take("worker-1", told(metrics))
    totals.keep_only({"worker-0"})
    assert totals.live == {}
    assert dict(totals.series())[METRICS["tidegate_messages_total"]] == {("r", "pass", ""): 1}


def test_other_bounds_after_a_reload_lose_no_observation() -> None:
    totals = Totals()
    old, new = WorkerMetrics(), WorkerMetrics((0.001, 0.01))
    new.started += "x"
    for seconds in (1e-5, 0.0009, 0.002, 99.0):
        old.check_seconds.observe(seconds)
    totals.take("worker-0", told(old))
    totals.take("worker-0", told(new))
    merged = dict(totals.series())[METRICS["tidegate_check_seconds"]][()]
    assert isinstance(merged, Buckets)
    assert merged.bounds == (0.001, 0.01)
    assert merged.counts == [2, 1, 1]
    assert len(SECONDS) > 2


def test_what_cannot_be_read_is_left_out() -> None:
    totals = Totals()
    for answer in (
        {},
        {"started": "a", "pid": 1, "metrics": {"tidegate_messages_total": {"series": [[["too", "few"], 1]]}}},
        {"started": "a", "pid": 1, "metrics": {"tidegate_check_seconds": {"bounds": [1], "series": [[[], [1], 0]]}}},
        {"started": "a", "pid": 1, "metrics": {"tidegate_connections": {"series": [[[], "many"]]}}},
        {"error": "unknown_command"},
    ):
        totals.take("worker-0", answer)
    assert totals.live == {}
    totals.take("worker-0", {"started": "a", "pid": 1, "metrics": {"tidegate_of_the_future": {"series": 1}}})
    assert totals.live["worker-0"].metrics == {}
