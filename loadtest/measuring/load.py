"""One run of Locust, headless, in processes of its own: what it recorded, and how far it is meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from loadtest.measuring.probe import Probe, Sample
from loadtest.target.loopback import OWN_HOST
from loadtest.target.target import Target
from rig import process
from rig.ports import free_port

LOCUSTFILE = Path(__file__).parent.parent / "locustfile.py"
GRACE = 60.0  # seconds that starting and ending may take beside the test itself
GATEWAY, DIRECT = "gateway", "direct"

Second = dict[str, Any]


class LoadError(Exception):
    """Locust did not do its work; the message holds the end of what it said."""


class Order(NamedTuple):
    """``seconds``: duration. ``rate``: messages a second of all users at the fullest, 0 for the natural one.

    ``processes``: of Locust; from 2 on, a master beside them. ``again``: the same senders wrote less than a minute ago.
    """

    suite: str
    shape: str
    users: int
    rate: float
    seconds: float
    senders: int
    seed: int
    processes: int
    own_host: bool
    again: bool = False


class Run(NamedTuple):
    """``seconds``: a tally for each second. ``samples``: of the probe."""

    seconds: list[Second]
    samples: list[Sample]


def run(
    order: Order, target: Target, out: Path, *, direct: bool, cpus: str | None, tell: Callable[[Second], None],
    web_port: int = 0,
) -> Run:  # fmt: skip
    """Load the gateway, or the platform behind it. ``tell`` hears of each second; Locust's own pages are on port
    ``web_port`` of this machine meanwhile, where it is not 0. Raises ``LoadError``."""
    name = DIRECT if direct else GATEWAY
    record = out / f"{name}.jsonl"
    record.unlink(missing_ok=True)
    url = target.platform if direct else target.url
    log = out / f"{name}.log"
    groups = dict(target.processes())  # first: where they are not what was said, nothing is loaded
    with log.open("wb") as output:
        argv = _arguments(order, url, record, out, target.fresh, direct=direct, web_port=web_port)
        locust = process.start(argv, cpus, stdout=output, stderr=output, stdin=subprocess.DEVNULL)

        def now() -> Mapping[str, list[int]]:
            return {**groups, "load": process.children(locust.pid)}

        probe = Probe(now, None if direct else target.admin).start()
        try:
            seconds = _follow(locust, record, order.seconds + GRACE, tell)
        finally:
            samples = probe.stop()
            _end(locust)
    if not seconds:
        raise LoadError("Locust recorded nothing:\n" + log.read_text(encoding="utf-8", errors="replace")[-2000:])
    return Run(seconds, samples)


def _end(locust: subprocess.Popen[bytes]) -> None:
    """Stop what still runs: a master that dies leaves its workers looking for it. They are of its session."""
    if locust.poll() is None:
        process.stop(locust)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(locust.pid, signal.SIGTERM)


def _arguments(
    order: Order, url: str, record: Path, out: Path, fresh: bool, *, direct: bool, web_port: int
) -> list[str]:
    shown = ["--headless"]
    if web_port:
        shown = ["--autostart", "--autoquit", "1", "--web-host", "127.0.0.1", "--web-port", str(web_port)]
    argv = [
        sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), *shown, "--only-summary", "--host", url,
        "--users", str(order.users), "--suite", order.suite, "--shape", order.shape, "--seconds", str(order.seconds),
        "--rate", str(order.rate), "--senders", str(order.senders), "--seed", str(order.seed),
        "--record", str(record), "--html", str(out / ("locust-direct.html" if direct else "locust.html")),
    ]  # fmt: skip
    if not direct:
        argv += ["--json-file", str(out / "locust")]  # Locust adds .json
    argv += ["--fresh"] * fresh + ["--direct"] * direct + ["--again"] * order.again + [OWN_HOST] * order.own_host
    if order.processes > 1:
        argv += ["--processes", str(order.processes), "--expect-workers", str(order.processes)]
        port = str(free_port())
        argv += ["--master-bind-port", port, "--master-port", port]
    return argv


def _follow(
    locust: subprocess.Popen[bytes], record: Path, within: float, tell: Callable[[Second], None]
) -> list[Second]:
    seconds: list[Second] = []
    until = time.monotonic() + within
    while True:
        over = locust.poll() is not None  # asked before reading, so that the last lines are read
        lines = record.read_text(encoding="utf-8").split("\n")[:-1] if record.exists() else []
        for line in lines[len(seconds) :]:
            seconds.append(json.loads(line))
            tell(seconds[-1])
        if over:
            return seconds
        if time.monotonic() > until:
            raise LoadError("Locust did not end in time")
        time.sleep(0.2)
