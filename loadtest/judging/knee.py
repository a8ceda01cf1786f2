"""The knee: the highest rate that is still carried, found by steps that grow until one fails, then halved.

A step fails when fewer messages get a right verdict than are offered, when answers leave their bound, or when too many
are errors. Nothing here starts a process: ``measure`` does, and a test can stand in for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from loadtest.judging.sentence import Sentence, number
from loadtest.judging.void import Reason

SHORTFALL = 0.1  # of what was offered
COLLAPSED = 0.8  # of the goodput at the knee: less than that beyond it is a collapse
BEYOND = 1.5  # times the knee: how far one looks for a collapse at least
LEAST = 1.0  # messages a second

Outcome = Literal["found", "not reached", "below", "void"]


class Search(NamedTuple):
    """``first`` and ``most``: messages a second. ``growth``: of the rate from step to step. ``precision``: how near the
    failing rate may be to the good one. ``answer_p99_ms`` and ``error_share``: what a good step keeps."""

    first: float
    most: float = 20_000.0
    growth: float = 2.0
    precision: float = 0.1
    answer_p99_ms: float = 100.0
    error_share: float = 0.001


class Measured(NamedTuple):
    """One step. Rates in messages a second; ``goodput``: those that got a right verdict. ``seconds`` it was steady.

    ``limit``: the group of processes that was at its limit, or empty. ``late``: the load itself was late because its
    processors were full with the test, which makes the step fail; ``void``: reasons that have nothing to do with it.
    """

    offered: float
    goodput: float
    delivered: float
    answer_p99_ms: float
    error_share: float
    seconds: float
    limit: str = ""
    late: bool = False
    void: tuple[Reason, ...] = ()


class Step(NamedTuple):
    """``why``: what failed; empty for a good step."""

    rate: float
    measured: Measured
    why: tuple[Sentence, ...]

    @property
    def good(self) -> bool:
        return not self.why


class Knee(NamedTuple):
    """``rate``: the highest that was carried, NaN for none. ``fails_at``: the lowest that was not, NaN for none.

    ``collapse``: the step beyond the knee whose goodput fell well below that of the knee, if any.
    """

    outcome: Outcome
    rate: float
    fails_at: float
    collapse: Step | None
    steps: tuple[Step, ...]
    told: Sentence


class _Void(Exception):
    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = reasons


def search(measure: Callable[[float], Measured], asked: Search) -> Knee:
    """Steps until the knee is known to ``precision``, and one well beyond it."""
    steps: list[Step] = []

    def good_at(rate: float) -> bool:
        found = measure(rate)
        if found.void:  # once may be chance
            found = measure(rate)
        if found.void:
            raise _Void(found.void)
        steps.append(Step(rate, found, why_not(found, asked)))
        return steps[-1].good

    void: Sequence[Reason] = ()
    try:
        _climb(good_at, asked)
        _halve(good_at, steps, asked.precision)
        good, bad = _bracket(steps)
        if not math.isnan(good) and not math.isnan(bad):
            beyond = min(asked.most, 2 * good)
            if max(step.rate for step in steps) < min(asked.most, BEYOND * good):
                good_at(beyond)
    except _Void as stopped:
        void = stopped.reasons
    return _told(steps, asked, void)


def _climb(good_at: Callable[[float], bool], asked: Search) -> None:
    """Up until a step fails; down first, where already the first one does."""
    rate = min(asked.first, asked.most)
    if not good_at(rate):
        while rate / asked.growth >= LEAST:
            rate /= asked.growth
            if good_at(rate):
                return
        return
    while rate < asked.most:
        rate = min(rate * asked.growth, asked.most)
        if not good_at(rate):
            return


def _halve(good_at: Callable[[float], bool], steps: Sequence[Step], precision: float) -> None:
    good, bad = _bracket(steps)
    while bad / good > 1 + precision:  # false with a NaN
        good_at(math.sqrt(good * bad))
        good, bad = _bracket(steps)


def _bracket(steps: Sequence[Step]) -> tuple[float, float]:
    """The lowest rate that failed, and the highest good one below it."""
    bad = min((step.rate for step in steps if not step.good), default=math.nan)
    good = max((step.rate for step in steps if step.good and not step.rate >= bad), default=math.nan)
    return good, bad


def _rate(step: Step) -> float:
    return step.rate


def why_not(found: Measured, asked: Search) -> tuple[Sentence, ...]:
    """What a step did not keep."""
    why = []
    # Arrivals are a Poisson process: three standard deviations of a count are no shortfall.
    noise = 3 * math.sqrt(found.offered / found.seconds)
    if not found.goodput >= found.offered - max(SHORTFALL * found.offered, noise):
        why.append(
            Sentence(f"goodput fell to {number(found.goodput)}/s", f"有效吞吐降到每秒 {number(found.goodput)} 条")
        )
    if not found.answer_p99_ms <= asked.answer_p99_ms:
        why.append(Sentence(
            f"answers took {number(found.answer_p99_ms)} ms (p99, at most {asked.answer_p99_ms:g} ms)",
            f"答复时间 p99 为 {number(found.answer_p99_ms)} 毫秒（上限 {asked.answer_p99_ms:g} 毫秒）",
        ))  # fmt: skip
    if found.error_share > asked.error_share:
        share, most = number(found.error_share * 100), asked.error_share * 100
        why.append(Sentence(f"{share} % errors (at most {most:g} %)", f"错误率 {share}%（上限 {most:g}%）"))
    if found.late:
        why.append(Sentence("the load itself was late", "负载发生器自身迟滞"))
    return tuple(why)


def _told(steps: Sequence[Step], asked: Search, void: Sequence[Reason]) -> Knee:
    good, bad = _bracket(steps)
    at = {step.rate: step for step in steps}
    collapse = None
    if not math.isnan(good):
        enough = COLLAPSED * at[good].measured.goodput
        fallen = [step for step in steps if step.rate > good and step.measured.goodput < enough]
        collapse = min(fallen, key=_rate, default=None)
    outcome: Outcome = "found"
    if void:
        outcome = "void"
    elif math.isnan(good):
        outcome = "below"
    elif math.isnan(bad):
        outcome = "not reached"
    told = _sentence(outcome, good, at.get(bad), collapse, steps, asked, void)
    return Knee(outcome, good, bad, collapse, tuple(steps), told)


def _sentence(
    outcome: Outcome, good: float, bad: Step | None, collapse: Step | None, steps: Sequence[Step], asked: Search,
    void: Sequence[Reason],
) -> Sentence:  # fmt: skip
    if outcome == "void":
        en, zh = "; ".join(reason.told.en for reason in void), "；".join(reason.told.zh for reason in void)
        carried = "no step was measured" if math.isnan(good) else f"up to {number(good)} messages/s all was carried"
        carried_zh = "没有测成任何一级" if math.isnan(good) else f"直到每秒 {number(good)} 条均能承载"
        if bad is not None:
            carried += f", and {number(bad.rate)}/s was not"
            carried_zh += f"，每秒 {number(bad.rate)} 条则不能"
        return Sentence(f"Void: {en}. Until then {carried}.", f"无效：{zh}。此前{carried_zh}。")
    if outcome == "not reached":
        return Sentence(f"No knee up to {number(good)} messages/s, the highest rate tried: every step was carried.",
                        f"直到所试最高速率每秒 {number(good)} 条都没有出现拐点：每一级都能承载。")  # fmt: skip
    assert bad is not None
    why, why_zh = ", ".join(one.en for one in bad.why), "，".join(one.zh for one in bad.why)
    if outcome == "below":
        return Sentence(f"No rate was carried, down to {number(bad.rate)} messages/s: {why}.",
                        f"降到每秒 {number(bad.rate)} 条仍不能承载：{why_zh}。")  # fmt: skip
    en = f"Knee at {number(good)} messages/s: at {number(bad.rate)}/s {why}."
    zh = f"拐点在每秒 {number(good)} 条：每秒 {number(bad.rate)} 条时{why_zh}。"
    if collapse is not None:
        held = collapse.measured.goodput
        en += f" It collapses: at {number(collapse.rate)}/s only {number(held)}/s get a right verdict."
        zh += f"随后崩溃：每秒 {number(collapse.rate)} 条时只有 {number(held)} 条得到正确判定。"
    elif max(map(_rate, steps)) >= BEYOND * good:
        last = max(steps, key=_rate)
        held = last.measured.goodput
        en += f" No collapse: at {number(last.rate)}/s still {number(held)}/s get a right verdict."
        zh += f"没有崩溃：每秒 {number(last.rate)} 条时仍有 {number(held)} 条得到正确判定。"
    if bad.measured.late or bad.measured.limit in ("load", "platform", "machine"):
        en += " The load, the platform or the machine was at its limit then: the gateway's own knee lies higher."
        zh += "此时到达极限的是负载发生器、平台或整机：网关自身的拐点更高。"
    return Sentence(en, zh)
