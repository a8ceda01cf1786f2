"""What the replicator counts, told like a worker's counters (command ``counters``)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from gateway.common.metrics import METRICS, Counts

Gauges = Mapping[str, Mapping[tuple[str, ...], float]]


class ReplicaMetrics:
    """The cells. ``gauges`` are asked only when control asks."""

    def __init__(self, gauges: Callable[[], Gauges]) -> None:
        self.started = f"{os.getpid()}-{time.time_ns()}"
        self.bytes = Counts(METRICS["tidegate_replica_bytes_total"])
        self.failures = Counts(METRICS["tidegate_replica_failures_total"])
        self.findings = Counts(METRICS["tidegate_replica_findings_total"])
        self._gauges = gauges

    def begin(self, peer: str) -> None:
        """From nought, so that the first of each is seen to be one more."""
        self.bytes.add((peer,), 0)
        for kind in ("flaw", "hole", "aside"):
            self.findings.add((peer, kind), 0)

    def told(self) -> dict[str, Any]:
        """``{"started", "pid", "metrics": {name: {"series": …}}}``."""
        metrics = {count.metric.name: count.told() for count in (self.bytes, self.failures, self.findings)}
        for name, series in self._gauges().items():
            metrics[name] = {"series": [[list(key), value] for key, value in series.items()]}
        return {"started": self.started, "pid": os.getpid(), "metrics": metrics}
