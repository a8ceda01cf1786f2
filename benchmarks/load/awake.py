"""Processors kept awake while latencies are measured: ``python -m benchmarks.load.awake``, one on each.

On a virtual machine a processor that has gone to sleep is given to others, and whoever is woken on it waits until the
host takes it back: milliseconds, where a machine of one's own takes microseconds. (For a whole machine it is the
kernel's ``idle=poll``, and tuned's ``latency-performance`` profile does much the same.) These run while nobody else
wants to (``SCHED_IDLE``), and give way in between as well: a load that stands back does so before everybody but them.
In between only: whoever does nothing but give way holds the lock that each waking on his processor needs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.load.command import STAND_BACK
from rig import process

SPIN = 20e-6  # seconds until it gives way
ROUND = 5_000  # times it gives way between two looks whether its parent is still there


@contextmanager
def kept() -> Iterator[None]:
    """Keep all processors of this process awake."""
    argv = [*STAND_BACK, sys.executable, "-m", "benchmarks.load.awake"]
    keepers = [process.start(argv, str(one), cwd=process.ROOT) for one in sorted(os.sched_getaffinity(0))]
    try:
        yield
    finally:
        for keeper in keepers:
            process.stop(keeper)


def main() -> None:
    clock = time.perf_counter
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(ROUND):
            until = clock() + SPIN
            while clock() < until:
                pass
            os.sched_yield()


if __name__ == "__main__":
    main()
