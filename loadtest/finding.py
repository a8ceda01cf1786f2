"""``tidegate loadtest run --find-knee``: one target, a run of Locust for each step, the knee in a report."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from loadtest.asked import Asked, mind_hosts, order_of, target_told
from loadtest.crowd.suites import SUITES, Suite, offered, senders_needed
from loadtest.judging import figures, folder, knee, void
from loadtest.judging.figures import Figures
from loadtest.judging.knee import Knee, Measured, Search, Step
from loadtest.judging.saturation import limit_of
from loadtest.judging.void import Reason
from loadtest.measuring import load
from loadtest.measuring.load import Order, Run, Second
from loadtest.report import knee_page, page
from loadtest.run import aimed_at, all_measured
from loadtest.target.target import Pins, Target
from rig import machine

Tell = Callable[[str, Second | None], None]
"""Hears of each stage and of each second of a step; stages are named ``step N``."""


STATES = {"found": "kept", "not reached": "kept", "below": "missed", "void": "void"}
"""What a search's outcome is as the state of a run."""


class Found(NamedTuple):
    """``folder`` holds report.html, result.json, and a folder for each step."""

    folder: Path
    knee: Knee


class Stairs:
    """Steps against one target: each is a run of Locust of its own, with as many people as the rate needs."""

    def __init__(self, asked: Asked, aimed: Target, cpus: str | None, known: int, tell: Tell) -> None:
        """``known``: accounts that the target has."""
        self._asked = asked
        self._aimed = aimed
        self._cpus = cpus
        self._known = known
        self._tell = tell
        self._count = 0

    def measure(self, rate: float) -> Measured:
        """One step; raises ``LoadError`` or ``AdminError``."""
        self._count += 1
        stage = f"step {self._count}"
        out = self._asked.out / f"step-{self._count:02}"
        out.mkdir(exist_ok=True)  # of a search that was broken off
        order = order_at(self._asked, rate, again=self._count > 1)
        if order.senders > self._known and self._aimed.admin is not None and not self._asked.host:
            self._aimed.admin.introduce(order.senders)
            self._known = order.senders
        self._tell(f"{stage}: {rate:.0f}/s", None)
        run = load.run(
            order,
            self._aimed,
            out,
            direct=False,
            cpus=self._cpus,
            tell=lambda s: self._tell(f"{stage}: {rate:.0f}/s", s),
        )
        return measured_in(run, order, self._asked)


def find(asked: Asked, wanted: Search, tell: Tell) -> Found:
    """Everything. Raises ``TargetError``, ``LoadError``, ``AdminError`` or ``FolderError``."""
    mind_hosts(asked)
    folder.claim(asked.out)
    described = machine.describe()
    pins = Pins.of(asked.workers) if asked.pin else None
    first = order_at(asked, wanted.first)
    tell("starting", None)
    with aimed_at(asked, first.senders, pins) as aimed:
        stairs = Stairs(asked, aimed, pins.others if pins is not None else None, first.senders, tell)
        found = knee.search(stairs.measure, wanted)
    tell("report", None)
    return report(asked, wanted, found, described)


def first_rate(suite: Suite, users: int) -> float:
    """Where a search begins: a quarter of what the suite's people send by nature."""
    return max(knee.LEAST, offered(suite, users or suite.users, 0.0) / 4)


def order_at(asked: Asked, rate: float, *, again: bool = False) -> Order:
    """Everybody there from the first second on; more people where the suite's own would have to hurry."""
    suite = SUITES[asked.suite]
    order = order_of(asked._replace(rate=rate))
    by_nature = offered(suite, order.users, 0.0) / order.users
    users = max(order.users, math.ceil(rate / by_nature))
    senders = order.senders if asked.host and not asked.control else senders_needed(suite, users, rate)
    return order._replace(shape="soak", users=users, senders=senders, again=again)


def measured_in(run: Run, order: Order, asked: Asked) -> Measured:
    """What a step was."""
    told = figures.of(run, None)
    window = figures.settled(run)
    steady = [moment for moment in told.moments if moment.users and window.holds(moment.at)]
    wrong = sum(told.wrong.values())
    right = (told.messages - wrong) / told.messages if told.messages else 0.0
    limit = limit_of(told.busy)
    reasons = void.reasons(run, asked.objectives.lag_p99_ms, order.processes, whole=all_measured(asked))
    late = full_with_the_test(told, reasons)
    return Measured(
        offered=offered(SUITES[order.suite], order.users, order.rate),
        goodput=0.0 if math.isnan(told.rate) else told.rate * right,
        delivered=0.0 if math.isnan(told.delivered_rate) else told.delivered_rate,
        answer_p99_ms=told.answer_p99_ms,
        error_share=told.error_share,
        seconds=float(max(1, len(steady))),
        limit=limit,
        late=late,
        void=() if late else tuple(reasons),
    )


def full_with_the_test(told: Figures, reasons: list[Reason]) -> bool:
    """Whether the load was late because the test itself filled the processors: a failed step then, no void one."""
    return [reason.code for reason in reasons] == ["late"] and limit_of(told.busy) in ("load", "machine")


def report(asked: Asked, wanted: Search, found: Knee, described: dict[str, Any]) -> Found:
    """Write everything into ``asked.out``. ``described``: the machine."""
    title = {
        "suite": asked.suite, "meaning": SUITES[asked.suite].meaning, "seconds": asked.seconds, "seed": asked.seed,
        "processes": asked.processes, "target": target_told(asked),
    }  # fmt: skip
    state = STATES[found.outcome]
    told = knee_page.page(title, described, wanted, found, state)
    (asked.out / folder.PAGE).write_text(page.html(told, asked.language), encoding="utf-8")
    folder.write(asked.out, "knee", {
        "state": state,
        "sentence": found.told,
        "asked": title,
        "machine": described,
        "search": wanted,
        "knee": {"outcome": found.outcome, "rate": found.rate, "fails_at": found.fails_at,
                 "collapse": found.collapse.rate if found.collapse is not None else None},
        "steps": [_plain(step) for step in found.steps],
    })  # fmt: skip
    return Found(asked.out, found)


def _plain(step: Step) -> dict[str, Any]:
    return {"rate": step.rate, "good": step.good, "why": step.why, **step.measured._asdict()}
