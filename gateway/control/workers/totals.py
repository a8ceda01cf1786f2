"""Counters of all workers together, and of projector and replicator, which never go backwards when one of them dies.

Each answer to ``counters`` is ``{"started": ID, "pid": N, "metrics": {name: series}}``, where ``started`` differs for
each process. When it changes, what the predecessor told last is moved to the totals of the dead. Gauges are of those
alone that answered the last call: how much a dead process has open is nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import structlog

from gateway.common.metric_tables.metric import Metric
from gateway.common.metric_tables.replicator_metrics import OF_REPLICATOR
from gateway.common.metrics import METRICS, OF_PROJECTOR, OF_WORKERS

log = structlog.get_logger()

COLLECTED = (*OF_WORKERS, *OF_PROJECTOR, *OF_REPLICATOR)
Key = tuple[str, ...]


class Buckets(NamedTuple):
    """A histogram: ``counts`` per bucket, not cumulated, one more than ``bounds``; ``total`` the sum observed."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float


Value = float | Buckets
Series = dict[Key, Value]


class ProcessReport(NamedTuple):
    """What one process told last."""

    started: str
    pid: int
    metrics: dict[str, Series]


class Totals:
    """``take`` each answer; ``series`` gives the sums."""

    def __init__(self) -> None:
        self.live: dict[str, ProcessReport] = {}
        self._unreadable: set[str] = set()
        self._dead: dict[str, Series] = {metric.name: {} for metric in COLLECTED}

    def take(self, process: str, answer: Mapping[str, Any]) -> None:
        """Remember an answer; one that cannot be read is left out, and said once."""
        try:
            told = _read(answer)
        except (KeyError, TypeError, ValueError) as error:
            if process not in self._unreadable:
                log.error("totals.unreadable", of=process, kind=type(error).__name__)
                self._unreadable.add(process)
            return
        self._unreadable.discard(process)
        before = self.live.get(process)
        if before is not None and before.started != told.started:
            self._bury(before)
        self.live[process] = told

    def silent(self, process: str) -> None:
        """It did not answer: its counters stand, its gauges do not."""
        told = self.live.get(process)
        if told is not None:
            kept = {name: series for name, series in told.metrics.items() if METRICS[name].kind != "gauge"}
            self.live[process] = told._replace(metrics=kept)

    def keep_only(self, processes: set[str]) -> None:
        """Bury those whose place is gone: fewer workers than before."""
        for name in self.live.keys() - processes:
            self._bury(self.live.pop(name))

    def _bury(self, told: ProcessReport) -> None:
        for name, series in told.metrics.items():
            if METRICS[name].kind != "gauge":
                add(self._dead[name], series)

    def series(self) -> Iterator[tuple[Metric, Series]]:
        """Every metric of the table and its series, over the living and the dead."""
        for metric in COLLECTED:
            merged: Series = {}
            add(merged, self._dead[metric.name])
            for told in self.live.values():
                more = told.metrics.get(metric.name, {})
                if metric.over_workers != "sum":
                    chosen = max if metric.over_workers == "max" else min
                    for key, value in more.items():
                        merged[key] = chosen(merged.get(key, value), value)
                else:
                    add(merged, more)
            yield metric, merged


def add(to: Series, more: Series) -> None:
    """Add ``more`` to ``to``, series by series."""
    for key, value in more.items():
        held = to.get(key)
        if held is None:
            to[key] = Buckets(value.bounds, list(value.counts), value.total) if isinstance(value, Buckets) else value
        elif isinstance(value, Buckets) and isinstance(held, Buckets):
            to[key] = _sum(held, value)
        elif not isinstance(value, Buckets) and not isinstance(held, Buckets):
            to[key] = held + value


def _sum(held: Buckets, more: Buckets) -> Buckets:
    total = held.total + more.total
    if held.bounds == more.bounds:
        return Buckets(held.bounds, [a + b for a, b in zip(held.counts, more.counts, strict=True)], total)
    # Bounds were changed by a reload: what fell below an old bound surely fell below the next new one.
    counts = list(more.counts)
    for bound, count in zip((*held.bounds, float("inf")), held.counts, strict=True):
        counts[bisect_left(more.bounds, bound)] += count
    return Buckets(more.bounds, counts, total)


def _read(answer: Mapping[str, Any]) -> ProcessReport:
    metrics: dict[str, Series] = {}
    for name, told in answer["metrics"].items():
        metric = METRICS.get(name)
        if metric is None:
            continue  # told by a newer program, during an upgrade
        series: Series = {}
        for entry in told["series"]:
            key = tuple(str(value) for value in entry[0])
            if len(key) != len(metric.labels):
                raise ValueError(name)
            if metric.kind == "histogram":
                bounds = tuple(float(bound) for bound in told["bounds"])
                counts = [int(count) for count in entry[1]]
                if len(counts) != len(bounds) + 1:
                    raise ValueError(name)
                series[key] = Buckets(bounds, counts, float(entry[2]))
            else:
                series[key] = float(entry[1])
        metrics[name] = series
    return ProcessReport(str(answer["started"]), int(answer["pid"]), metrics)
