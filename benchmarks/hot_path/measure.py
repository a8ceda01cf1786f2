"""A course measured: the least of many slices, beside a slice of plain Python."""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import tempfile
import time
from pathlib import Path
from typing import Final

import uvloop

from gateway.worker import __main__ as worker
from rig.worker import SLICE, STAGES, TOGETHER, Course

MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where the journal is written: the disk's own time is not what is measured."""


def ruler() -> float:
    """Seconds of a thousand look-ups, now."""
    table = {number: number for number in range(1000)}
    clock = time.thread_time
    began = clock()
    for number in range(1000):
        table[number]
    return clock() - began


async def measure(course: Course, turns: int, profile: bool) -> None:
    """Time it, or profile it, and print what came of it."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
        await course.build(Path(scratch))
        for _ in range(50):
            for clients, requests in list(course.drawn()):
                await course.turn(clients, requests)
        worker.freeze()
        collected = [generation["collections"] for generation in gc.get_stats()]
        profiler = cProfile.Profile() if profile else None
        best = dict.fromkeys(STAGES, 9.0)
        whole: list[float] = []
        total = 0.0
        yard = 9.0
        written = sum(transport.writes for transport in course.transports)
        for _ in range(turns // SLICE):
            drawn = list(course.drawn())
            course.spent = dict.fromkeys(STAGES, 0.0)
            if profiler is not None:
                profiler.enable()
            for clients, requests in drawn:
                await course.turn(clients, requests)
            if profiler is not None:
                profiler.disable()
            now = ruler()
            yard = min(yard, now)
            for stage, seconds in course.spent.items():
                best[stage] = min(best[stage], seconds)
            total += sum(course.spent.values())
            whole.append(sum(course.spent.values()) / now)
        messages = SLICE * TOGETHER
        count = len(whole) * messages
        assert course.transports[0].last.endswith(course.answer)
        written = sum(transport.writes for transport in course.transports) - written
        runs = [after["collections"] - before for after, before in zip(gc.get_stats(), collected, strict=True)]
        course.journal.close()
    if profiler is not None:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        return
    for stage in STAGES:
        each = best[stage] / messages
        print(f"{stage:8}  {each * 1e6:6.2f} µs   {each / yard:6.3f}")
    least = sum(best.values()) / messages
    whole.sort()
    print(f"together  {least * 1e6:6.2f} µs   {least / yard:6.3f}   median {whole[len(whole) // 2] / messages:.3f}")
    print(f"ruler     {yard * 1e6:6.2f} µs; mean {total / count * 1e6:.2f} µs a message")
    print(f"writes to a client a message {written / count:.2f}; collections {runs} in {count} messages")


def main(course: Course, name: str, description: str | None) -> None:
    """The command ``name``: measure this course."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=description)
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    uvloop.run(measure(course, chosen.turns, chosen.profile))
