"""Metrics in Prometheus' text: what the workers counted, and what control knows itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway.common.metric_tables.metric import Metric
from gateway.common.metrics import METRICS
from gateway.control.workers.totals import COLLECTED, Buckets, Series, Totals, add

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ControlCollector(Collector):
    """One scrape. ``own`` holds the series of control's own metrics by name."""

    def __init__(self, totals: Totals, own: Mapping[str, Series]) -> None:
        self._totals = totals
        self._own = own

    def collect(self) -> Iterator[Family]:
        for metric, series in self._totals.series():
            if metric.name in self._own:  # control counts it as well
                add(series, self._own[metric.name])
            yield family(metric, series)
        for name, series in self._own.items():
            if METRICS[name] not in COLLECTED:
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
