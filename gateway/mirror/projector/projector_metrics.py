"""What the projector counts, told like a worker's counters (command ``counters``)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from gateway.common.metrics import METRICS, Counts


class ProjectorMetrics:
    """The cells. ``gauges`` are asked only when control asks."""

    def __init__(self) -> None:
        self.started = f"{os.getpid()}-{time.time_ns()}"
        self.bullets = self._counts("bullets")
        self.pages = self._counts("pages")
        self.failures = self._counts("failures")
        self.flaws = self._counts("flaws")
        self.twice = self._counts("twice")
        self.rebuilds = self._counts("rebuilds")
        self.purges = self._counts("purges")
        self.probes = self._counts("probes")
        self.gauges: dict[str, Callable[[], float]] = {}

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Let ``read`` tell a gauge of ``OF_PROJECTOR``."""
        if METRICS[name].kind != "gauge":
            raise ValueError(f"{name} is not a gauge")
        self.gauges[name] = read

    def told(self) -> dict[str, Any]:
        """``{"started", "pid", "metrics": {name: {"series": …}}}``."""
        counts = (
            self.bullets, self.pages, self.failures, self.flaws, self.twice, self.rebuilds, self.purges, self.probes,
        )  # fmt: skip
        metrics = {count.metric.name: count.told() for count in counts}
        metrics |= {name: {"series": [[[], read()]]} for name, read in self.gauges.items()}
        return {"started": self.started, "pid": os.getpid(), "metrics": metrics}

    @staticmethod
    def _counts(name: str) -> Counts:
        counts = Counts(METRICS[f"tidegate_mirror_{name}_total"])
        if not counts.metric.labels:
            counts.add(n=0)
        return counts
