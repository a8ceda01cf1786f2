"""What a process settles with the operating system: how one of ours is started and in which words its end is told, what
tells it to stop, where its errors go, how many files it may have open."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

import structlog

LONGEST_LINE = 300  # characters of a last line that are told
PER_CONNECTION = 2  # a client's socket, and one to the upstream
SPARE = 256  # listening sockets, state, journal, lists, pages of the mirror

STANDARD_ERROR = "TIDEGATE_STDERR"  # in the environment: the descriptor that is the supervisor's own standard error

logger = structlog.get_logger("supervisor")


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs ``module`` with this interpreter.

    Never with the current folder among the places that modules are looked for (``-P``, PYTHONSAFEPATH): it is the
    operator's, and a ``platform.py`` or ``json.py`` that lies there would be executed for the library's.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def cause_of(code: int) -> str:
    """What a process ended with, in words: its exit code, or the signal that ended it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def last_line(said: str) -> str:
    """The last line of what a process wrote to its standard error that is not blank; its first ``LONGEST_LINE``
    characters."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:LONGEST_LINE] if lines else ""


def take_standard_error() -> None:
    """Write to the supervisor's standard error, and no longer to the pipe through which it hears how a start failed:
    a process at work must not stand still, nor fail, because its supervisor does not read."""
    told = os.environ.pop(STANDARD_ERROR, "")
    if told.isdigit():
        with suppress(OSError):
            os.dup2(int(told), 2)
            os.close(int(told))


def on_stop(then: Callable[[], object]) -> None:
    """Let SIGTERM and SIGINT call ``then`` on the running loop, each time, instead of ending the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, then)


def raise_limit(max_connections: int) -> int:
    """Raise this process's limit, and so its children's, as far as the system allows (getrlimit(2)): a login's usual
    1,024 would end a worker at some 500 sessions. Returns the limit; warns where ``max_connections`` of a worker
    could not be reached with it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = PER_CONNECTION * max_connections + SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        logger.warning("descriptors.few", limit=hard, wanted=wanted, remedy="raise LimitNOFILE or ulimit -Hn")
    return hard
