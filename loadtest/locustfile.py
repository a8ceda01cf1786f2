"""For Locust: ``locust -f loadtest/locustfile.py --host http://127.0.0.1:8080``, with its web UI or headless.

Chooses nothing by itself: suite, shape and rate are options (``loadtest/measuring/options.py``), also in the web form.
With ``--master`` and ``--worker`` (or ``--processes 2``) several processes make the load together.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import events, runners
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtest.chosen import Chosen
from loadtest.measuring import options, pulse, tally
from loadtest.target.loopback import OWN_HOST, refused
from loadtest.users import Abuser, Commenter, Fan, Member, Poster, Viewer
from loadtest.users.crew import TALLY, gather

__all__ = ("Abuser", "Chosen", "Commenter", "Fan", "Member", "Poster", "Viewer")

EVERY = 1.0  # seconds of one line in the record
runners.WORKER_REPORT_INTERVAL = 0.5  # Locust's 3 s would make one second in three look busy, and two idle


class Record:
    """One JSON line a second: users, and the tally of all processes. Load workers only send theirs."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._from_workers: list[tally.Cell] = []
        self._writing: gevent.Greenlet | None = None

    def collect(self, client_id: str, data: dict[str, Any]) -> None:
        """On the master: what a worker counted since it last reported."""
        self._from_workers.append(data.pop("tidegate"))

    @staticmethod
    def report(client_id: str, data: dict[str, Any]) -> None:
        """On a worker: goes with Locust's own report."""
        data["tidegate"] = TALLY.drain()

    def begin(self, environment: Environment, **_: Any) -> None:
        self._from_workers.clear()
        parsed = environment.parsed_options
        if parsed is not None and parsed.record and not isinstance(environment.runner, WorkerRunner):
            Path(parsed.record).unlink(missing_ok=True)  # a record is of one test: the web UI can start several
            self._writing = gevent.spawn(self._write, Path(parsed.record))

    def end(self, environment: Environment, **_: Any) -> None:
        if self._writing is not None:
            self._writing.kill()
            self._line(self._path(environment))

    def finish(self, environment: Environment, **_: Any) -> None:
        """Workers send their last counts after the test has ended."""
        if self._writing is not None and self._from_workers:
            self._line(self._path(environment))

    @staticmethod
    def _path(environment: Environment) -> Path:
        assert environment.parsed_options is not None
        return Path(environment.parsed_options.record)

    def _write(self, path: Path) -> None:
        began = time.time()
        number = 0
        while True:
            number += 1
            gevent.sleep(max(0.0, began + number * EVERY - time.time()))
            self._line(path)

    def _line(self, path: Path) -> None:
        cells = [TALLY.drain(), *self._from_workers]
        self._from_workers.clear()
        runner = self._environment.runner
        users = tally.at_work(runner.user_count, runner.state) if runner is not None else 0
        line = {"at": time.time(), "users": users, "processes": _alive(runner), **tally.added(cells)}
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def _alive(runner: object) -> int:
    """Processes that make load now."""
    if not isinstance(runner, MasterRunner):
        return 1
    clients = runner.clients
    return len(clients.ready) + len(clients.spawning) + len(clients.running)


class Pulse:
    """Beats while a test runs, in each process that makes load."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._beating: gevent.Greenlet | None = None

    def begin(self, **_: Any) -> None:
        self._beating = gevent.spawn(pulse.beat, time.perf_counter, gevent.sleep, self._tell)

    def end(self, **_: Any) -> None:
        if self._beating is not None:
            self._beating.kill()


def add_options(parser: Any, **_: Any) -> None:
    options.add_to(parser)
    parser.add_argument(OWN_HOST, action="store_true", help="The target is mine to load", include_in_web_ui=False)


def equip(environment: Environment, **_: Any) -> None:
    record, clock = Record(environment), Pulse(TALLY.lagged)
    hooks: Any = environment.events
    if not isinstance(environment.runner, MasterRunner):
        hooks.test_start.add_listener(gather)
        hooks.test_start.add_listener(clock.begin)  # behind: preparing texts is no load
        hooks.test_stop.add_listener(clock.end)
    hooks.test_start.add_listener(record.begin)
    hooks.test_stop.add_listener(record.end)
    hooks.quitting.add_listener(record.finish)
    if isinstance(environment.runner, WorkerRunner):
        hooks.report_to_master.add_listener(record.report)
    elif isinstance(environment.runner, MasterRunner):
        hooks.worker_report.add_listener(record.collect)


def mind_the_target(environment: Environment, **_: Any) -> None:
    allowed = bool(getattr(environment.parsed_options, "i_own_this_host", False))
    why = refused(environment.host or "", allowed=allowed)
    if why:
        raise SystemExit(why)


_hooks: Any = events
_hooks.init_command_line_parser.add_listener(add_options)
_hooks.init.add_listener(equip)
_hooks.test_start.add_listener(mind_the_target)
