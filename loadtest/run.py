"""``tidegate loadtest run``: a target, two runs of Locust, a report, and whether the objectives were kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from loadtest.asked import Asked, mind_hosts, order_of, target_told
from loadtest.crowd.suites import SUITES, offered
from loadtest.judging import estimate, figures, folder, judgement, objectives, saturation, void
from loadtest.judging.judgement import Judgement
from loadtest.judging.objectives import Objective
from loadtest.measuring import load
from loadtest.measuring.load import Order, Run, Second
from loadtest.report import page, run_page
from loadtest.target import target
from loadtest.target.admin import Admin
from loadtest.target.loopback import is_loopback
from loadtest.target.target import Pins, Target
from rig import machine


class Result(NamedTuple):
    """``folder`` holds report.html, result.json and Locust's own report."""

    folder: Path
    objectives: list[Objective]
    judgement: Judgement


Tell = Callable[[str, Second | None], None]
"""Hears of each stage (``starting``, ``direct``, ``gateway``, ``report``) and of each second of a run."""


def run(asked: Asked, tell: Tell) -> Result:
    """Everything. Raises ``TargetError``, ``LoadError``, ``AdminError`` or ``FolderError``."""
    mind_hosts(asked)
    order = order_of(asked)
    folder.claim(asked.out)
    described = machine.describe()  # now, because the load average is that of before
    pins = Pins.of(asked.workers) if asked.pin else None
    cpus = pins.others if pins is not None else None
    tell("starting", None)
    direct = None
    with aimed_at(asked, order.senders, pins) as aimed:
        if aimed.platform and asked.direct:
            direct = load.run(order, aimed, asked.out, direct=True, cpus=cpus, tell=lambda s: tell(load.DIRECT, s))
        gateway = load.run(
            order, aimed, asked.out, direct=False, cpus=cpus, tell=lambda s: tell(load.GATEWAY, s),
            web_port=asked.web_port,
        )  # fmt: skip
    tell("report", None)
    return report(asked, order, gateway, direct, described)


@contextlib.contextmanager
def aimed_at(asked: Asked, senders: int, pins: Pins | None) -> Iterator[Target]:
    """What is to be loaded, with so many accounts."""
    if not asked.host:
        with target.of_our_own(senders, asked.workers, pins) as own:
            yield own
        return
    admin = Admin(asked.control, asked.token) if asked.control else None
    if admin is not None and asked.token:
        admin.introduce(senders)
    yield Target(asked.host, asked.platform, admin, False, asked.node)


def all_measured(asked: Asked) -> bool:
    """Whether every process on this machine that takes part in the test is measured."""
    return not asked.host or not is_loopback(asked.host)


def report(asked: Asked, order: Order, gateway: Run, direct: Run | None, described: dict[str, Any]) -> Result:
    """Judge, and write everything into ``asked.out``. ``described``: the machine."""
    suite = SUITES[order.suite]
    full_rate = offered(suite, order.users, order.rate)
    most, whole = asked.objectives.lag_p99_ms, all_measured(asked)
    if direct is not None and void.reasons(direct, most, order.processes, whole=whole):
        direct = None  # it would make the platform look slow, and the gateway good
    found = window = None
    if order.shape == "steps":
        rough = figures.of(gateway, direct)
        found = saturation.of(rough.moments, order.seconds, order.users, full_rate, rough.busy)
        window = found.window
    measured = figures.of(gateway, direct, window)
    weighed = objectives.weigh(measured, asked.objectives)
    reasons = void.reasons(gateway, most, order.processes, whole=whole, window=window)
    judged = judgement.judge(measured, weighed, reasons)
    guess = estimate.of(asked.cores, measured.cpu_us) if asked.cores else None
    title = {
        "suite": order.suite, "meaning": suite.meaning, "shape": order.shape, "users": order.users,
        "rate": round(full_rate, 1), "seconds": order.seconds, "senders": order.senders, "seed": order.seed,
        "processes": order.processes, "target": target_told(asked),
    }  # fmt: skip
    told = run_page.Told(
        title, described, measured, asked.objectives, weighed, judged, found, guess, full_rate, order.users
    )
    (asked.out / folder.PAGE).write_text(page.html(run_page.page(told), asked.language), encoding="utf-8")
    folder.write(asked.out, "run", {
        "state": judged.state,
        "sentence": judged.told,
        "void": reasons,
        "asked": title,
        "machine": described,
        "objectives": [{**one._asdict(), "told": one.told} for one in weighed],
        "figures": {name: value for name, value in measured._asdict().items() if name not in ("moments", "checks")},
        "saturation": found,
        "estimate": guess,
        "gateway": gateway,
        "direct": direct,
    })  # fmt: skip
    return Result(asked.out, weighed, judged)
