"""One child process of the supervisor, started again with back-off whenever it dies."""

from __future__ import annotations

import asyncio
import ctypes
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import structlog

log = structlog.get_logger()

FIRST_PAUSE = 0.1  # seconds; doubled at each death up to LONGEST_PAUSE
LONGEST_PAUSE = 5.0
STEADY = 10.0  # a child that lived this long starts anew with the first pause

State = Literal["starting", "running", "pausing", "stopped"]


_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def _before_exec() -> None:
    """A supervisor that is killed outright takes its children along (prctl(2), Linux). A terminal with ``stty tostop``
    stops who writes to it from the background, and a worker must not stand still for a line of its log."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def pause_after(deaths: int) -> float:
    """Seconds to wait before a start that follows ``deaths`` deaths in a row."""
    return min(FIRST_PAUSE * 2.0 ** max(deaths - 1, 0), LONGEST_PAUSE)


class Child:
    """``argv`` is asked for anew at each start, because a reload changes what a worker is started with.

    ``inherit`` are file descriptors that stay open in the child (the listening sockets).
    """

    def __init__(
        self,
        name: str,
        argv: Callable[[], Sequence[str]],
        *,
        inherit: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.state: State = "starting"
        self.restarts = 0
        self._argv = argv
        self._inherit = tuple(inherit)
        self._env = env
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Start the process and keep it running until ``stop``."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        deaths = 0
        while not self._stopping.is_set():
            began = loop.time()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._argv(),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=self._inherit,
                    env=self._env,
                    # A terminal's Ctrl-C reaches the whole foreground group; only the supervisor may act on it. No
                    # session of its own: Linux gives each session an equal share (sched(7), autogroup), and niceness
                    # counts within one only. The compiler's would mean nothing to workers and state.
                    process_group=0,
                    preexec_fn=_before_exec,
                )
            except OSError as error:
                log.error("child.start_failed", child=self.name, error=str(error))
            else:
                self.state = "running"
                log.info("child.started", child=self.name, pid=self._process.pid)
                code = await self._process.wait()
                if self._stopping.is_set():
                    break
                log.error("child.died", child=self.name, code=code)
            deaths = 1 if loop.time() - began >= STEADY else deaths + 1
            self.restarts += 1
            self.state = "pausing"
            try:
                await asyncio.wait_for(self._stopping.wait(), pause_after(deaths))
            except TimeoutError:
                continue
        self.state = "stopped"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the running process, if there is one."""
        if self.pid is not None and self._process is not None:
            self._process.send_signal(number)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL for what is still there after ``grace`` seconds."""
        self._stopping.set()
        self.signal(signal.SIGTERM)
        if self._keeper is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._keeper), grace)
        except TimeoutError:
            log.error("child.killed", child=self.name, grace=grace)
            self.signal(signal.SIGKILL)
            await self._keeper
