"""``tidegate loadtest``: a target, two runs of Locust, a report, and whether the objectives were kept."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from loadtest.crowd import suites
from loadtest.crowd.suites import SUITES, offered
from loadtest.measuring import load
from loadtest.measuring.load import Order, Run, Second
from loadtest.measuring.options import DEMO_SENDERS
from loadtest.report import estimate, figures, objectives, saturation
from loadtest.report.objectives import Objective, Objectives
from loadtest.report.page import page
from loadtest.target import target
from loadtest.target.admin import Admin
from loadtest.target.loopback import refused
from loadtest.target.target import Pins, Target, TargetError
from rig import machine


class Asked(NamedTuple):
    """What the command line says. Empty texts, zeros and None stand for what follows from the suite.

    ``host``: the gateway to load; empty for a node of our own. ``platform``: what stands behind it. ``control`` and
    ``token``: of its admin API. ``node``: its data folder, where it runs on this machine. ``workers``: of a node of
    our own. ``cores``: of a machine to estimate for.
    """

    suite: str
    users: int
    rate: float
    seconds: float
    shape: str
    seed: int
    host: str
    platform: str
    control: str
    token: str
    node: Path | None
    workers: int
    pin: bool
    load_processes: int
    own_host: bool
    cores: int
    direct: bool
    out: Path
    objectives: Objectives


class Result(NamedTuple):
    """``folder`` holds report.md, result.json, the plots and Locust's own report."""

    folder: Path
    objectives: list[Objective]

    @property
    def kept(self) -> bool:
        return all(objective.state != "missed" for objective in self.objectives)


Tell = Callable[[str, Second | None], None]
"""Hears of each stage (``starting``, ``direct``, ``gateway``, ``report``) and of each second of a run."""


def run(asked: Asked, tell: Tell) -> Result:
    """Everything. Raises ``TargetError``, ``LoadError`` or ``AdminError``."""
    for url in (asked.host, asked.platform, asked.control):
        why = refused(url, allowed=asked.own_host) if url else ""
        if why:
            raise TargetError(why)
    order = order_of(asked)
    asked.out.mkdir(parents=True, exist_ok=True)
    described = machine.describe()  # now, because the load average is that of before
    pins = Pins.of(asked.workers) if asked.pin else None
    cpus = pins.others if pins is not None else None
    tell("starting", None)
    direct = None
    with _target(asked, order, pins) as aimed:
        if aimed.platform and asked.direct:
            direct = load.run(order, aimed, asked.out, direct=True, cpus=cpus, tell=lambda s: tell(load.DIRECT, s))
        gateway = load.run(order, aimed, asked.out, direct=False, cpus=cpus, tell=lambda s: tell(load.GATEWAY, s))
    tell("report", None)
    return report(asked, order, gateway, direct, described)


def order_of(asked: Asked) -> Order:
    """The suite's own numbers for what was not asked."""
    suite = SUITES[asked.suite]
    users = asked.users or suite.users
    senders = suites.senders_needed(suite, users, asked.rate)
    if asked.host and not asked.control:
        senders = DEMO_SENDERS  # all that may be counted on
    seed = asked.seed or int(time.time())
    return Order(
        asked.suite, asked.shape or suite.shape, users, asked.rate, asked.seconds, senders, seed,
        asked.load_processes, asked.own_host,
    )  # fmt: skip


@contextlib.contextmanager
def _target(asked: Asked, order: Order, pins: Pins | None) -> Iterator[Target]:
    if not asked.host:
        with target.of_our_own(order.senders, asked.workers, pins) as own:
            yield own
        return
    admin = Admin(asked.control, asked.token) if asked.control else None
    if admin is not None and asked.token:
        admin.introduce(order.senders)
    yield Target(asked.host, asked.platform, admin, False, asked.node)


def report(asked: Asked, order: Order, gateway: Run, direct: Run | None, described: dict[str, Any]) -> Result:
    """Write everything into ``asked.out``. ``described``: the machine."""
    suite = SUITES[order.suite]
    found = None
    window = None
    if order.shape == "steps":
        rough = figures.of(gateway, direct)
        full_rate = offered(suite, order.users, order.rate)
        found = saturation.of(rough.moments, order.seconds, order.users, full_rate, rough.busy)
        window = found.window
    measured = figures.of(gateway, direct, window)
    weighed = objectives.weigh(measured, asked.objectives)
    guess = estimate.of(asked.cores, measured.cpu_us) if asked.cores else None
    title: dict[str, Any] = {
        "suite": order.suite, "meaning": suite.meaning, "shape": order.shape, "users": order.users,
        "rate": f"{offered(suite, order.users, order.rate):.0f} messages/s with all users there",
        "seconds": order.seconds, "senders": order.senders, "seed": order.seed,
        "target": asked.host or f"a node of its own, {asked.workers} worker(s){', pinned' if asked.pin else ''}",
    }  # fmt: skip
    from loadtest.report import plots  # matplotlib takes a second to load

    drawn = plots.draw(asked.out, measured.moments, found)
    text = page(title, described, measured, weighed, found, guess, drawn)
    (asked.out / "report.md").write_text(text, encoding="utf-8")
    whole = {
        "asked": title,
        "machine": described,
        "objectives": [objective._asdict() for objective in weighed],
        "figures": {name: value for name, value in measured._asdict().items() if name not in ("moments", "times")},
        "times": [each._asdict() for each in measured.times],
        "saturation": found._asdict() if found is not None else None,
        "estimate": guess._asdict() if guess is not None else None,
        "gateway": gateway._asdict(),
        "direct": direct._asdict() if direct is not None else None,
    }
    (asked.out / "result.json").write_text(json.dumps(_plain(whole), indent=1), encoding="utf-8")
    return Result(asked.out, weighed)


def _plain(value: Any) -> Any:
    """What JSON can say: named tuples as objects, NaN as null."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
