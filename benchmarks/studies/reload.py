"""A list reloaded under load: what fails, how long nobody is answered, how much memory it takes.

The load is an open one, far from saturation, so that each stall shows alone: as the latency of what was due meanwhile
(``max_us``) and as the longest time between two answers (``longest_gap_us``). The same load without a reload stands
beside it, and ``late_max_us`` tells how far the load itself was behind: compiling takes the load's processor too.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.load import awake, load
from benchmarks.load.faults import WrongAnswer
from benchmarks.measuring import bench
from benchmarks.measuring.measure import Bench
from benchmarks.measuring.points import Row, Run, started
from benchmarks.systems.tidegate import Tidegate
from rig import process, words

RATE = 1_000.0  # messages a second
SHOWN = ("p50_us", "p999_us", "max_us", "longest_gap_us", "late_max_us")


def measure(run: Run) -> list[Row]:
    """One row for each size of the list."""
    rows = []
    with bench.opened() as place:
        for count in (20_000,) if run.quick else (20_000, 1_000_000):
            run.tell(f"reload of {count:,} words")
            listed = words.write(place.setting.scratch / "curve.txt", count)
            with started(place.setting._replace(words=listed)) as gateway:
                rows.append({"words": count, **_row(place.bench, gateway, listed, run.seconds)})
    return rows


def _row(place: Bench, gateway: Tidegate, listed: Path, seconds: float) -> Row:
    (worker,) = gateway.gateway_pids()
    _load(place, gateway, 1.0)  # connections, pools and caches
    calm = _load(place, gateway, seconds)
    alone = _reload(gateway, listed, 0.0)
    memory = process.resident_bytes([worker])
    process.forget_peak(worker)
    with ThreadPoolExecutor(1) as pool:
        reloading = pool.submit(_reload, gateway, listed, 1.0)
        during = _load(place, gateway, seconds + 1 + 2 * alone)
        took = reloading.result()
    return {
        "reload_seconds": took,
        "messages": during["answered"],
        "failed": 0,  # else WrongAnswer was raised
        **{f"calm_{name}": calm[name] for name in SHOWN},
        **{f"during_{name}": during[name] for name in SHOWN},
        "memory": memory,
        "memory_peak": process.peak_bytes(worker),
        "memory_after": process.resident_bytes([worker]),
    }


def _load(place: Bench, gateway: Tidegate, seconds: float) -> Row:
    # A load that gives way to everything would give way to the compiler.
    with awake.kept():
        told = load.openload(gateway.port, rate=RATE, seconds=seconds, cpus=place.cpus, seed=place.seed(), give_way=())
    if told["wrong"] or told["lost"] or told["unanswered"]:
        raise WrongAnswer(f"around a reload: {told}\n{gateway.log()}")
    return told


def _reload(gateway: Tidegate, listed: Path, after: float) -> float:
    """Change the list, reload, and say how long that took in seconds."""
    time.sleep(after)
    with listed.open("a", encoding="utf-8") as out:
        out.write(f"新词{time.time_ns()}\n")
    began = time.monotonic()
    answer = gateway.reload()
    if not answer.get("ok"):
        raise WrongAnswer(f"the reload was refused: {answer}")
    return time.monotonic() - began
