"""How late a timer of this machine wakes a process that does nothing else: what no latency here can stay below.

A process of its own on each processor, all at once: ``python -m benchmarks.hiccups --seconds S``. (Gil Tene's jHiccup
asks the same beside a running JVM.) On a shared machine the answer changes from minute to minute, so it is measured in
every round, just before the latencies.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from benchmarks import process
from benchmarks.outcome import microseconds

PERIOD = 0.001  # seconds from one waking to the next


def measured(seconds: float = 0.5) -> dict[str, int]:
    """``p50_us``, ``p99_us`` and ``max_us``, each of the processor where it was worst."""
    argv = [sys.executable, "-m", "benchmarks.hiccups", "--seconds", f"{seconds:g}"]
    cpus = sorted(os.sched_getaffinity(0))
    running = [process.start(argv, str(one), stdout=subprocess.PIPE, cwd=process.ROOT) for one in cpus]
    told = [json.loads(one.communicate()[0]) for one in running]
    return {line: max(one[line] for one in told) for line in told[0]}


def late(seconds: float) -> list[float]:
    """How much too late each waking came, in seconds."""
    found = []
    clock = time.perf_counter
    due = clock() + PERIOD
    for _ in range(round(seconds / PERIOD)):
        time.sleep(max(0.0, due - clock()))
        now = clock()
        found.append(max(0.0, now - due))
        due = max(due, now) + PERIOD
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5)
    ordered = sorted(late(parser.parse_args().seconds))
    shares = {"p50_us": 0.5, "p99_us": 0.99, "max_us": 1.0}
    print(json.dumps({line: microseconds(ordered, share) for line, share in shares.items()}))


if __name__ == "__main__":
    main()
