"""Whether a run says anything at all. What makes it void is the load's doing or the machine's, not the gateway's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from loadtest.judging.figures import Window, settled
from loadtest.judging.sentence import Sentence, number
from loadtest.measuring.load import Run, Second
from loadtest.measuring.probe import MACHINE, Sample
from loadtest.measuring.tally import buckets_in, joined, quantile

LONGEST_GAP = 2.5  # seconds between two lines that are written once a second
STOLEN = 0.1  # of all processors: a host that gives them to others
FULL = 0.9  # of all processors
OTHERS = 0.15  # of all processors, spent by programs that take no part, while none was left
WAITED = 0.25  # of the time that those who take part had a processor: what they waited for one meanwhile


class Reason(NamedTuple):
    """``code``: late, gap, process, stolen or crowded."""

    code: str
    told: Sentence


def reasons(run: Run, most_ms: float, processes: int, *, whole: bool, window: Window | None = None) -> list[Reason]:
    """Why the run is void; empty where it is not.

    ``most_ms``: bound of the p99 of the load's own lateness. ``processes``: that were to make load. ``whole``: whether
    every process that takes part on this machine was measured. ``window``: what is weighed, all but the settling where
    None.
    """
    window = window or settled(run)
    seconds = [second for second in run.seconds if window.holds(second["at"]) and second["users"]]
    samples = [sample for sample in run.samples if window.begin - 0.5 <= sample["at"] <= window.end + 0.5]
    found = [
        _late(seconds, most_ms),
        _gap([second["at"] for second in seconds], [sample["at"] for sample in samples]),
        _process(seconds, processes),
        _stolen(samples),
        _crowded(samples) if whole else None,
    ]
    return [reason for reason in found if reason is not None]


def _late(seconds: Sequence[Second], most_ms: float) -> Reason | None:
    lag = quantile(joined(buckets_in(second.get("lag", {})) for second in seconds), 0.99) * 1000
    if not lag > most_ms:
        return None
    return Reason("late", Sentence(
        f"the load itself was late: its own clock woke {number(lag)} ms late (p99), at most {most_ms:g} ms may be",
        f"负载发生器自身迟滞：其时钟唤醒延迟 p99 为 {number(lag)} 毫秒，上限为 {most_ms:g} 毫秒",
    ))  # fmt: skip


def _gap(*times: Sequence[float]) -> Reason | None:
    longest = max((after - before for each in times for before, after in pairwise(each)), default=0.0)
    if longest <= LONGEST_GAP:
        return None
    return Reason("gap", Sentence(
        f"the machine stood still: nothing was recorded for {longest:.1f} s",
        f"机器停顿：有 {longest:.1f} 秒没有任何记录",
    ))  # fmt: skip


def _process(seconds: Sequence[Second], processes: int) -> Reason | None:
    fewest = min((second.get("processes", processes) for second in seconds), default=processes)
    if fewest >= processes:
        return None
    return Reason("process", Sentence(
        f"a load process was missing: {fewest} of {processes} made load",
        f"缺少负载进程：{processes} 个中只有 {fewest} 个在施压",
    ))  # fmt: skip


def _stolen(samples: Sequence[Sample]) -> Reason | None:
    if len(samples) < 2 or "stolen" not in samples[0]:
        return None
    share = (samples[-1]["stolen"] - samples[0]["stolen"]) / _processor_seconds(samples)
    if share < STOLEN:
        return None
    return Reason("stolen", Sentence(
        f"the host took {share:.0%} of the processors away",
        f"宿主机拿走了 {share:.0%} 的处理器时间",
    ))  # fmt: skip


def _crowded(samples: Sequence[Sample]) -> Reason | None:
    """Others kept the processors busy while nothing was left for those who take part."""
    if len(samples) < 2:
        return None
    first, last = samples[0]["cpu"], samples[-1]["cpu"]
    all_of_them = _processor_seconds(samples)
    busy = (last[MACHINE] - first[MACHINE]) / all_of_them
    known = sum(last[group] - first[group] for group in last if group in first and group != MACHINE)
    others = busy - known / all_of_them
    if busy < FULL or others < OTHERS or _waited(samples) < WAITED * known:
        return None  # whoever only takes what is left over, by its priority, disturbs nobody
    return Reason("crowded", Sentence(
        f"the processors were full ({busy:.0%}), and other programs had {others:.0%} of them",
        f"处理器已占满（{busy:.0%}），其中 {others:.0%} 被无关程序占用",
    ))  # fmt: skip


def _waited(samples: Sequence[Sample]) -> float:
    """Seconds that those who take part were ready to run and had no processor; endless where nobody counted."""
    first, last = samples[0].get("waited"), samples[-1].get("waited")
    if first is None or last is None:
        return math.inf
    told: float = sum(last[group] - first[group] for group in last if group in first)
    return told


def _processor_seconds(samples: Sequence[Sample]) -> float:
    processors: float = samples[-1]["processes"][MACHINE]
    lasted: float = samples[-1]["at"] - samples[0]["at"]
    return lasted * processors
