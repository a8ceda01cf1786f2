"""What the projector counts, told like a worker's counters (command ``counters``)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

from gateway.metrics import Counts, Metric

OF_PROJECTOR: Final = (
    Metric("tidegate_mirror_bullets_total", "counter", "Bullets that came onto a page of the static version."),
    Metric("tidegate_mirror_pages_total", "counter", "Pages of the static version that became complete."),
    Metric(
        "tidegate_mirror_failures_total",
        "counter",
        "Turns of the projector that failed and were tried again, by cause.",
        ("cause",),
    ),
    Metric("tidegate_mirror_flaws_total", "counter", "Journal lines that the projector could not read."),
    Metric(
        "tidegate_mirror_twice_total",
        "counter",
        "Ids that two different bullets had, or that a page lacks; see verify.",
    ),
    Metric("tidegate_mirror_rebuilds_total", "counter", "Times the projector made its folder anew."),
    Metric("tidegate_mirror_purges_total", "counter", "Purges told to the content network, by result.", ("result",)),
    Metric(
        "tidegate_mirror_probes_total",
        "counter",
        "Probes of danmaku pages: is the list itself in them? By route and result.",
        ("route", "result"),
    ),
    Metric(
        "tidegate_mirror_lag_seconds",
        "gauge",
        "Age of the watermark: everything recorded before it is on its page.",
        over_workers="max",
    ),
    Metric("tidegate_mirror_waiting", "gauge", "Bullets whose outcome is not known yet."),
    Metric("tidegate_mirror_rooms", "gauge", "Rooms that the projector holds in memory."),
)
_METRICS = {metric.name: metric for metric in OF_PROJECTOR}


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
        if _METRICS[name].kind != "gauge":
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
        counts = Counts(_METRICS[f"tidegate_mirror_{name}_total"])
        if not counts.metric.labels:
            counts.add(n=0)
        return counts
