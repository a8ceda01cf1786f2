"""What the command line asks for, and what follows from the suite for what it leaves open."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from loadtest.crowd import suites
from loadtest.crowd.suites import SUITES
from loadtest.judging.knee import Search
from loadtest.judging.objectives import Objectives
from loadtest.measuring.load import Order
from loadtest.measuring.options import DEMO_SENDERS
from loadtest.target.loopback import refused
from loadtest.target.target import TargetError


class Asked(NamedTuple):
    """Empty texts, zeros and None stand for what follows from the suite.

    ``host``: the gateway to load; empty for a node of our own. ``platform``: what stands behind it. ``control`` and
    ``token``: of its admin API. ``node``: its data folder, where it runs on this machine. ``workers``: of a node of
    our own. ``processes``: of Locust. ``cores``: of a machine to estimate for. ``language``: shown first in the report.
    ``web_port``: of Locust's own pages while the gateway is loaded, 0 for none. ``search``: for the knee, where wanted;
    ``seconds`` are those of each step then.
    """

    suite: str
    out: Path
    users: int = 0
    rate: float = 0.0
    seconds: float = 30.0
    shape: str = ""
    seed: int = 0
    host: str = ""
    platform: str = ""
    control: str = ""
    token: str = ""
    node: Path | None = None
    workers: int = 1
    pin: bool = False
    processes: int = 1
    own_host: bool = False
    cores: int = 0
    direct: bool = True
    language: str = "en"
    web_port: int = 0
    objectives: Objectives = Objectives()
    search: Search | None = None


def order_of(asked: Asked) -> Order:
    """The suite's own numbers for what was not asked."""
    suite = SUITES[asked.suite]
    users = asked.users or suite.users
    senders = suites.senders_needed(suite, users, asked.rate)
    if asked.host and not asked.control:
        senders = DEMO_SENDERS  # all that may be counted on
    seed = asked.seed or int(time.time())
    return Order(
        asked.suite, asked.shape or suite.shape, users, asked.rate, asked.seconds, senders, seed, asked.processes,
        asked.own_host,
    )  # fmt: skip


def mind_hosts(asked: Asked) -> None:
    """Raises ``TargetError`` where an address is not this machine, and nobody said that it is theirs."""
    for url in (asked.host, asked.platform, asked.control):
        why = refused(url, allowed=asked.own_host) if url else ""
        if why:
            raise TargetError(why)


def target_told(asked: Asked) -> str:
    """What is loaded, for the report."""
    return asked.host or f"a node of its own, {asked.workers} worker(s){', pinned' if asked.pin else ''}"
