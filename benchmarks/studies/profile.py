"""Where a gateway's processor time goes, by the object its code is in: ours, the interpreter's, the kernel's.

``perf`` (Debian: linux-perf) samples the processor's clock; shares of samples times the CPU time of a message. What no
object stands out in is many small things, and says that there is no single one left to mend.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring.bench import Place
from benchmarks.measuring.measure import Bench, closed, opened
from benchmarks.measuring.points import Run, beside, started
from benchmarks.systems.system import System

FREQUENCY = 997  # samples a second: more would cost what they measure; a prime, so that no beat is in step with it
LOW = 0.1
"""The share of saturation at which waking costs most."""
LEAST = 0.5  # per cent of the samples that an object needs to be named

_line = re.compile(r"^\s*([0-9.]+)%\s+(\S.*?)\s*$", re.MULTILINE)

Row = dict[str, Any]


def run(place: Place, chosen: Run) -> list[Row]:
    """One row for each system and load: ``system``, ``load``, ``us`` a message, ``objects`` (µs by name). Nothing where
    ``perf`` is absent or may not watch."""
    rows: list[Row] = []
    if shutil.which("perf") is None:
        chosen.tell("no profile: perf is absent (apt-get install linux-perf)")
        return rows
    with beside(place.setting) as nginx, started(place.setting) as gateway:
        for system in (gateway, nginx):
            most = closed(place.bench, system, seconds=chosen.seconds)["per_second"]
            for load, measure in (("saturated", _closed), (f"{LOW:.0%}", _opened(most * LOW))):
                chosen.tell(f"profile of {system.name}, {load}")
                watched = Watched(system, place.setting.scratch / "perf.data")
                us = measure(place.bench, system, chosen.seconds)
                shares = watched.shares()
                if not shares:
                    chosen.tell("no profile: perf may not watch here")
                    return rows
                objects = {name: share * us / 100 for name, share in shares.items()}
                rows.append({"system": system.name, "load": load, "us": us, "objects": objects})
    return rows


def _closed(bench: Bench, system: System, seconds: float) -> float:
    return float(closed(bench, system, seconds=seconds)["us"]["gateway"])


def _opened(rate: float) -> Callable[[Bench, System, float], float]:
    def measure(bench: Bench, system: System, seconds: float) -> float:
        return float(opened(bench, system, rate=rate, seconds=seconds)["us"]["gateway"])

    return measure


class Watched:
    """A gateway's processes under ``perf record``, from now on until its shares are asked for."""

    def __init__(self, system: System, data: Path) -> None:
        self._data = data
        pids = ",".join(map(str, system.gateway_pids()))
        argv = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "-p", pids, "-o", str(data)]
        self._perf = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def shares(self) -> dict[str, float]:
        """Per cent of the samples by object; empty where perf could not watch."""
        self._perf.send_signal(signal.SIGINT)  # its way to be told to end and write
        self._perf.wait()
        argv = ["perf", "report", "-i", str(self._data), "--stdio", "--sort", "dso"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return parsed(done.stdout)


def parsed(report: str) -> dict[str, float]:
    """Shares from ``perf report --sort dso``, in per cent, by the object's short name; the small ones together."""
    found: dict[str, float] = {}
    for share, name in _line.findall(report):
        short = "kernel" if name.startswith("[kernel") else name.strip("[]").partition(".cpython")[0]
        if float(share) < LEAST:
            short = "others"
        found[short] = found.get(short, 0.0) + float(share)
    return found
