"""A load in a process of its own: it gets ready, says so, begins when it is told to, and says what came of it.

So nothing of its preparation (start of Python, connections, what is built to be sent) is in the measured time. It
speaks JSON lines: what there is to say when it is ready, and the result of each step, which begins with a line of the
parent's. What fails is told as ``{"failed": …}``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.load.faults import Refused, WrongAnswer
from rig import process

Told = dict[str, Any]

STAND_BACK = ("chrt", "--idle", "0")
"""How an open load is started: it runs while upstream and state server, which share its processor, have nothing to do,
and they take it over the moment they have. What is measured waits for them; elsewhere the load is on another machine.
(A niceness is not enough: Linux lets who runs finish its slice, which is longer than a check.) A closed load does not:
where it shares a worker's processor it would send one message at a time, and each would cost more."""


def raise_limit() -> int:
    """As many descriptors as this process may have at all; processes started later inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def obey(told: Told, *steps: Callable[[], Told]) -> None:
    """In the load's process: ``told`` at first; then each step begins with a line of the parent's. A step that raises
    ``Refused`` has failed."""
    for step in steps:
        print(json.dumps(told), flush=True)
        if not sys.stdin.readline():
            return
        try:
            told = step()
        except Refused as error:
            told = {"failed": str(error)}
    print(json.dumps(told), flush=True)
    sys.stdin.readline()  # its sockets stay open until it is stopped


class Load:
    """In the parent: one such process."""

    def __init__(self, argv: Sequence[str], cpus: str, give_way: Sequence[str]) -> None:
        command = [*give_way, sys.executable, "-m", *argv]
        self._process = process.start(command, cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=process.ROOT)
        self.pid = self._process.pid

    def begin(self) -> None:
        """Its next step."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def told(self) -> Told:
        """What it says: once when it is ready, then after each step. Raises ``WrongAnswer`` where it failed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        told: Told = json.loads(line) if line else {"failed": f"the load ended with {self._process.wait()}"}
        if "failed" in told:
            raise WrongAnswer(told["failed"])
        return told

    def cpu_seconds(self) -> float:
        """Processor time so far."""
        return process.cpu_seconds([self.pid])

    def stop(self) -> None:
        """Its sockets are closed with it."""
        process.stop(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def running(argv: Sequence[str], cpus: str, give_way: Sequence[str] = ()) -> Iterator[Load]:
    """A load that is stopped at the end."""
    load = Load(argv, cpus, give_way)
    try:
        yield load
    finally:
        load.stop()
