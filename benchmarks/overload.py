"""``python -m benchmarks.overload``: what is left of a gateway that is offered more than it can do.

One worker, comments on 4,000 connections of some sixty addresses, at a rate that does not care about the answers, from
a load that does not stand back: a connection that was answered 503 is left alone for a second, as it was told, and the
schedule goes on with the others. First the peak: the most that is answered in a second at rising rates. Then 0.7, 1,
1.3 and 2 times that. Told is the goodput (answered with 201) and its part of the peak, p99 of what was answered, what
was refused, what one refusal cost of the worker's processor, and the most memory. Wanted: at 1.3 times 90 % of the
peak, at twice 75 %; p99 at most three times that at 0.7; memory flat. Writes a record.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from benchmarks.load import awake, load
from benchmarks.measuring import bench
from benchmarks.measuring.measure import Bench
from benchmarks.measuring.points import Row, started
from benchmarks.report import record
from benchmarks.systems.tidegate import Tidegate
from rig import process

FIRST = 1000.0  # comments a second
STEP = 1.25
PARTS = {0.7: 0.0, 1.0: 0.0, 1.3: 0.9, 2.0: 0.75}
"""Times the peak that are offered, and which part of the peak has to be answered."""
LATER = 3.0  # times p99 at 0.7 of the peak
PEAK = 1.0
GROWN = 1.5  # times the memory at the peak
REST = 1.0  # seconds, as Retry-After says


def offered(place: Bench, gateway: Tidegate, rate: float, seconds: float, connections: int) -> Row:
    """What came of one rate."""
    (worker,) = gateway.gateway_pids()
    process.forget_peak(worker)
    before = process.cpu_seconds([worker])
    with awake.kept():
        told = load.openload(
            gateway.port, rate=rate, seconds=seconds, cpus=place.cpus, seed=place.seed(), connections=connections,
            give_way=(), rest=REST,
        )  # fmt: skip
    refused = sum(told["wrong"].values())
    return {
        "offered": round(rate),
        "goodput": round(told["answered"] / max(seconds, told["seconds"])),
        "p50_us": told["p50_us"],
        "p99_us": told["p99_us"],
        "refused": told["wrong"],
        "refused_a_second": round(refused / seconds),
        "unsent": told["unsent"],
        "lost": told["lost"],
        "late_p99_us": told["late_p99_us"],
        "busy": round((process.cpu_seconds([worker]) - before) / seconds, 3),
        "memory_peak": process.peak_bytes(worker),
    }


def measure(seconds: float, connections: int, bound: str) -> list[Row]:
    """The rows that led to the peak, and those at parts of it. ``bound``: ``server.max_queueing``."""
    rows: list[Row] = []
    with bench.opened() as place, started(place.setting._replace(server=f'max_queueing = "{bound}"')) as gateway:
        offered(place.bench, gateway, FIRST, min(2.0, seconds), 64)  # pools and caches
        peak, rate, memory = 0.0, FIRST, 0
        # Beyond the peak goodput falls or stays; a slice that stood still is no peak: two in a row have to say so.
        beyond = 0
        while beyond < 2:
            row = offered(place.bench, gateway, rate, min(seconds, 10.0), connections)
            _tell(rows, {"part": None, **row})
            beyond = beyond + 1 if row["goodput"] <= peak * 1.02 else 0
            if row["goodput"] > peak:
                peak, memory = row["goodput"], row["memory_peak"]
            rate *= STEP
        calm = 0
        for part, wanted in PARTS.items():
            row = offered(place.bench, gateway, peak * part, seconds, connections)
            calm = calm or row["p99_us"] or 0
            good = (
                row["goodput"] >= wanted * peak
                and (row["p99_us"] or 0) <= LATER * calm
                and row["memory_peak"] <= GROWN * memory
            )
            told: dict[str, Any] = {"part": part, "of_peak": round(row["goodput"] / peak, 3), "as_wanted": good}
            if part > 1 and row["refused_a_second"]:
                # Beside what the same goodput costs where nobody is refused.
                whole = next(one["busy"] / one["goodput"] for one in rows if one["part"] == PEAK)
                told["us_a_refusal"] = round((row["busy"] - row["goodput"] * whole) / row["refused_a_second"] * 1e6, 1)
            _tell(rows, {**told, **row})
    return rows


def _tell(rows: list[Row], row: Row) -> None:
    rows.append(row)
    print(json.dumps(row), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each rate")
    parser.add_argument("--connections", type=int, default=4000)
    parser.add_argument("--max-queueing", default="20ms", help="server.max_queueing; 0s: nobody is refused for it")
    asked = parser.parse_args()
    kept: dict[str, Any] = record.begin(vars(asked))
    kept["command"] = ["python", "-m", "benchmarks.overload"]
    rows = measure(asked.seconds, asked.connections, asked.max_queueing)
    kept["overload"] = {"rows": rows}
    print(f"recorded in {record.write(kept)}")
    return 0 if all(row.get("as_wanted", True) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
