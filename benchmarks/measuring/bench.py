"""The set-up that all measurements of one run share: scratch folder, upstream, word list, processors, seeds."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring.measure import Bench, Platform
from benchmarks.systems.nginx import Upstream
from benchmarks.systems.system import Setting
from rig import words
from rig.comments import PEOPLE

WORDS = 20_000


class Cpus(NamedTuple):
    """Processors as taskset reads them. With one gateway process and two processors: one for it, one for the rest."""

    gateway: str
    others: str


def cpus(workers: int = 1) -> Cpus:
    """The first ``workers`` processors for the gateway, the others for everything else; all for all where there are
    not enough. Raises RuntimeError on a machine with one processor."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise RuntimeError("one processor: the gateway and its load would take it from each other; take two or more")
    if workers >= len(available):
        everything = ",".join(map(str, available))
        return Cpus(everything, everything)
    return Cpus(",".join(map(str, available[:workers])), ",".join(map(str, available[workers:])))


class Place(NamedTuple):
    """What ``opened`` gives."""

    setting: Setting
    bench: Bench
    word: str


@contextmanager
def opened(platform: Callable[[Path, str], Platform] = Upstream) -> Iterator[Place]:
    """Start the upstream and write the usual list; everything is removed at the end."""
    # A short path: state servers listen on unix sockets below it, and those have a small bound.
    scratch = Path(tempfile.mkdtemp(prefix="tg-bench-"))
    where = cpus()
    upstream = platform(scratch, where.others)
    try:
        listed = words.write(scratch / "words.txt", WORDS)
        word = listed.read_text(encoding="utf-8").split()[WORDS // 2]
        seeds = itertools.count(1)
        yield Place(
            Setting(scratch, where.gateway, where.others, upstream.port, listed, PEOPLE),
            Bench(upstream, where.others, lambda: next(seeds)),
            word,
        )
    finally:
        upstream.stop()
        shutil.rmtree(scratch, ignore_errors=True)
