"""What the machine and the gateway say of themselves, once a second, beside the load."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loadtest.target.admin import Admin, AdminError
from rig import process

EVERY = 1.0
MACHINE = "machine"  # the group of all processors, whatever keeps them busy
Sample = dict[str, Any]


def messages_in(metrics: str) -> float:
    """Judged messages since the workers started."""
    return sum(value for name, value in _series(metrics) if name.startswith("tidegate_messages_total"))


def checks_in(metrics: str) -> dict[str, float]:
    """The check time's cumulated buckets: observations up to each bound, in seconds as text."""
    found = {}
    for name, value in _series(metrics):
        if name.startswith("tidegate_check_seconds_bucket{"):
            found[name.partition('le="')[2].partition('"')[0]] = value
    return found


def busy_seconds(stat: str) -> tuple[float, int]:
    """Seconds that all processors together did not idle (proc(5): stolen ones too), and how many there are."""
    lines = [line.split() for line in stat.splitlines() if line.startswith("cpu")]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, lines[0][1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK"), len(lines) - 1


def stolen_seconds(stat: str) -> float:
    """Seconds that the host gave to others while a processor of ours wanted to run (proc(5))."""
    return int(stat.split(maxsplit=9)[8]) / os.sysconf("SC_CLK_TCK")


def _series(metrics: str) -> list[tuple[str, float]]:
    lines = (line.rpartition(" ") for line in metrics.splitlines() if line and not line.startswith("#"))
    return [(name, float(value)) for name, _, value in lines]


class Probe:
    """Samples until ``stop``: ``at`` (epoch seconds), ``cpu`` seconds and seconds ``waited`` (ready to run, without a
    processor) by group, ``messages``, ``checks``, ``stolen`` (seconds of all processors together).

    What cannot be read (no admin address, a process that ended) is left out of a sample.
    """

    def __init__(self, groups: Callable[[], Mapping[str, list[int]]], admin: Admin | None) -> None:
        self._groups = groups
        self._admin = admin
        self._spent: dict[str, dict[int, tuple[float, float]]] = {}  # of those that ended, too
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Sample] = []

    def start(self) -> Probe:
        self._thread.start()
        return self

    def stop(self) -> list[Sample]:
        """The samples, the last one taken now."""
        self._over.set()
        self._thread.join()
        return self.samples

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            self.samples.append(self._sample())
            due += EVERY
            if self._over.wait(max(0.0, due - time.monotonic())):
                self.samples.append(self._sample())
                return

    def _sample(self) -> Sample:
        sample: Sample = {"at": time.time(), "cpu": {}, "waited": {}, "processes": {}}
        for group, pids in self._groups().items():
            spent = self._spent.setdefault(group, {})
            for pid in pids:
                with contextlib.suppress(OSError):  # it has just ended: what it spent until the last sample is known
                    spent[pid] = process.cpu_seconds([pid]), process.waited_seconds([pid])
            if spent:
                sample["cpu"][group], sample["waited"][group] = map(sum, zip(*spent.values(), strict=True))
                sample["processes"][group] = max(1, len(pids))
        stat = Path("/proc/stat").read_text("ascii")
        sample["cpu"][MACHINE], sample["processes"][MACHINE] = busy_seconds(stat)
        sample["stolen"] = stolen_seconds(stat)
        if self._admin is not None:
            try:
                metrics = self._admin.metrics()
            except AdminError:
                return sample
            sample["messages"] = messages_in(metrics)
            sample["checks"] = checks_in(metrics)
        return sample
