"""One point of a curve: the measured gateway started anew, and a bare nginx measured beside it in every round.

A machine that slows down shows in both; ``to_nginx`` is their ratio round by round.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from benchmarks.load.quantiles import Spread
from benchmarks.systems.nginx import Nginx
from benchmarks.systems.system import Setting, System
from benchmarks.systems.tidegate import Tidegate
from rig import process

Tell = Callable[[str], None]
Row = dict[str, Any]


class Run(NamedTuple):
    """What every curve is given. ``quick`` leaves out the points that take minutes."""

    rounds: int
    seconds: float
    quick: bool
    tell: Tell


@contextmanager
def started(setting: Setting) -> Iterator[Tidegate]:
    """A gateway with a data folder of its own, both gone afterwards."""
    folder = setting.scratch / "point"
    folder.mkdir()
    gateway = Tidegate()
    try:
        gateway.start(setting._replace(scratch=folder))
        yield gateway
    finally:
        gateway.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def beside(setting: Setting) -> Iterator[Nginx]:
    """The bare nginx for comparison."""
    nginx = Nginx()
    try:
        nginx.start(setting)
        yield nginx
    finally:
        nginx.stop()


Measure = Callable[[System], Row]


def point(run: Run, gateway: System, nginx: System, measure: Measure) -> Row:
    """``rounds`` measurements of both, in turn."""
    measure(gateway)  # warms caches and pools; the first is always slower
    ours, theirs = [], []
    for _ in range(run.rounds):
        ours.append(measure(gateway))
        theirs.append(measure(nginx))
    row: Row = {
        "gateway_us": Spread.of([one["us"]["gateway"] for one in ours])._asdict(),
        "state_us": Spread.of([one["us"]["state"] for one in ours])._asdict(),
        "nginx_us": Spread.of([one["us"]["gateway"] for one in theirs])._asdict(),
        "to_nginx": Spread.of(
            [a["us"]["gateway"] / b["us"]["gateway"] for a, b in zip(ours, theirs, strict=True)]
        )._asdict(),
        "memory": process.resident_bytes(gateway.gateway_pids()),
    }
    for line in ("per_second", "p50_us", "p99_us", "check_p50_us", "check_p99_us", "rest_busy"):
        if line in ours[0]:
            row[line] = Spread.of([one[line] for one in ours])._asdict()
    if "p99_us" in theirs[0]:
        row["nginx_p99_us"] = Spread.of([one["p99_us"] for one in theirs])._asdict()
    return row
