"""What a process settles with the operating system: what tells it to stop, where its errors go, how many files it may
have open."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress

import structlog

PER_CONNECTION = 2  # a client's socket, and one to the upstream
SPARE = 256  # listening sockets, state, journal, lists, pages of the mirror

STANDARD_ERROR = "TIDEGATE_STDERR"  # in the environment: the descriptor that is the supervisor's own standard error

logger = structlog.get_logger("supervisor")


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
