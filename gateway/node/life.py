"""One life of a child: a process that this program started, or that the program before it in this place did.

A process that executes another program in its own place keeps its children; what is lost is what was in memory. So a
life is no more than two numbers that can be handed on (the process id, the end of a pipe from which it is read), and
whoever holds them waits for it (pidfd_open(2)), hears it and learns its exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

from gateway.common.posix import STANDARD_ERROR
from gateway.logs.hearsay import Splitter

OURS_ALONE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
"""Of the environment: what a service manager says to the supervisor, and to none of its children."""

_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def _before_exec() -> None:
    """A supervisor that is killed outright takes its children along (prctl(2), Linux). A terminal with ``stty tostop``
    stops who writes to it from the background, and a worker must not stand still for a line of its log. Signals that
    wait while one program follows another are the supervisor's alone."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Life:
    """``pipe``: the end from which it is read. What it writes there comes as lines, until it is silent."""

    def __init__(self, pid: int, pipe: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self.pipe = pipe
        self._process = process
        self._pidfd = os.pidfd_open(pid)  # of one that has ended and was not waited for, too
        self._silent = asyncio.Event()
        self._code: int | None = None
        os.set_blocking(pipe, False)

    @property
    def over(self) -> bool:
        return self._code is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it has not ended."""
        if not self.over:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def hear(self, tell: Callable[[str], None]) -> None:
        """Call ``tell`` with each line from now on."""
        lines = Splitter()
        loop = asyncio.get_running_loop()

        def heard() -> None:
            try:
                data = os.read(self.pipe, 65536)
            except BlockingIOError:
                return
            for line in lines.feed(data):
                tell(line)
            if not data:
                self.hush()

        loop.add_reader(self.pipe, heard)

    async def ended(self) -> int:
        """Its exit code once it has ended, negative for a signal, and what it said last has been heard."""
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._pidfd, _once, gone)
        try:
            await gone
        finally:
            loop.remove_reader(self._pidfd)
        self._code = self._reap()
        os.close(self._pidfd)
        # What it said last is in the pipe; who inherited the pipe from it may keep it open.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), 1.0)
        self.hush()
        return self._code

    def _reap(self) -> int:
        if self._process is not None:
            return self._process.wait()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def hush(self) -> None:
        """Hear no more of it."""
        if self.pipe >= 0:
            asyncio.get_running_loop().remove_reader(self.pipe)
            os.close(self.pipe)
            self.pipe = -1
        self._silent.set()


def _once(gone: asyncio.Future[None]) -> None:
    if not gone.done():
        gone.set_result(None)


def begin(
    argv: Sequence[str], *, inherit: Sequence[int], environ: Mapping[str, str] | None, tells_on_output: bool
) -> Life:
    """Start a process. Raises OSError where it does not begin."""
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        ours = os.dup(2)
    except OSError:  # we have none
        ours = -1
    handed = {name: value for name, value in (environ or os.environ).items() if name not in OURS_ALONE}
    if ours >= 0:
        handed[STANDARD_ERROR] = str(ours)
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=write if tells_on_output else None,
            stderr=write,
            pass_fds=inherit if ours < 0 else (*inherit, ours),
            env=handed,
            # A terminal's Ctrl-C reaches the whole foreground group; only the supervisor may act on it. No
            # session of its own: Linux gives each session an equal share (sched(7), autogroup), and niceness
            # counts within one only. The compiler's would mean nothing to workers and state.
            process_group=0,
            preexec_fn=_before_exec,  # noqa: PLW1509 - it takes no lock and imports nothing
        )
    except BaseException:  # raised again
        os.close(read)
        raise
    finally:
        os.close(write)
        if ours >= 0:
            os.close(ours)
    return Life(process.pid, read, process)
