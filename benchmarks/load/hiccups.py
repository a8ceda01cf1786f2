"""What this machine itself takes: how late a timer wakes a process that does nothing else, and for how much of the time
one that never sleeps stands still all the same. No latency here can stay below either.

A process of its own on each processor, all at once: ``python -m benchmarks.load.hiccups --seconds S``. (Gil Tene's
jHiccup asks the first beside a running JVM; the second is what a host gives to others without saying so.) On a shared
machine the answers change from minute to minute, so they are measured in every round, just before the latencies.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from benchmarks.load.outcome import microseconds
from rig import process

PERIOD = 0.001  # seconds from one waking to the next
PAUSE = 0.0002  # seconds: less than that is an interrupt, or another process's turn


def measured(seconds: float = 0.5) -> dict[str, float]:
    """``p50_us``, ``p99_us`` and ``max_us`` of the timers, ``paused``: the share of the time in pauses; each of the
    processor where it was worst. Takes twice ``seconds``."""
    argv = [sys.executable, "-m", "benchmarks.load.hiccups", "--seconds", f"{seconds:g}"]
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


def paused(seconds: float) -> float:
    """The share of the time that a process which never sleeps spends in pauses of more than ``PAUSE``."""
    clock = time.perf_counter
    lost = 0.0
    began = last = clock()
    while last - began < seconds:
        now = clock()
        if now - last > PAUSE:
            lost += now - last
        last = now
    return lost / (last - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5)
    seconds = parser.parse_args().seconds
    ordered = sorted(late(seconds))
    shares = {"p50_us": 0.5, "p99_us": 0.99, "max_us": 1.0}
    told = {line: microseconds(ordered, share) for line, share in shares.items()}
    print(json.dumps({**told, "paused": paused(seconds)}))


if __name__ == "__main__":
    main()
