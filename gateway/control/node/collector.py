"""Metrics in Prometheus' text: what the workers counted, and what control knows itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway.common.metrics import METRICS, Metric
from gateway.control.workers.totals import Buckets, Series, Totals

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PAGE = os.sysconf("SC_PAGE_SIZE")


class ControlCollector(Collector):
    """One scrape. ``own`` holds the series of control's own metrics by name."""

    def __init__(self, totals: Totals, own: Mapping[str, Series]) -> None:
        self._totals = totals
        self._own = own

    def collect(self) -> Iterator[Family]:
        for metric, series in self._totals.series():
            yield family(metric, series)
        for name, series in self._own.items():
            yield family(METRICS[name], series)


def family(metric: Metric, series: Series) -> Family:
    """One metric in prometheus-client's terms."""
    made: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
    if metric.kind == "histogram":
        made = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        for key, value in series.items():
            if isinstance(value, Buckets):
                made.add_metric(key, list(_cumulated(value)), value.total)
        return made
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    made = kind(metric.name, metric.meaning, labels=metric.labels)
    for key, value in series.items():
        if not isinstance(value, Buckets):
            made.add_metric(key, value)
    return made


def _cumulated(buckets: Buckets) -> Iterable[tuple[str, float]]:
    seen = 0
    for bound, count in zip((*buckets.bounds, float("inf")), buckets.counts, strict=True):
        seen += count
        yield str(floatToGoString(bound)), seen  # type: ignore[no-untyped-call]


def exposition(totals: Totals, own: Mapping[str, Series]) -> bytes:
    """The text of /metrics."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ControlCollector(totals, own))
    return generate_latest(registry)


def resident(pid: int) -> int | None:
    """Resident memory of a process in bytes, None where it is gone (proc(5), statm)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * PAGE
