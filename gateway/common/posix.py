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

LONGEST_LINE = 300  # characters of a line of others that are told
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


def take_standard_error() -> None:
    """Let ``sys.stderr`` be the supervisor's own standard error, and no longer the pipe to the supervisor: a process at
    work must not stand still, nor fail, because that does not read. What the interpreter or a library writes past
    ``sys.stderr``, its last words mostly, still comes by the pipe, and is told as a line by whoever reads it."""
    told = os.environ.pop(STANDARD_ERROR, "")
    if told.isdigit():
        with suppress(OSError):
            os.set_inheritable(int(told), False)
            sys.stderr = os.fdopen(int(told), "w", 1, encoding="utf-8", errors="backslashreplace")


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
