"""One child process of the supervisor, started again with back-off whenever it dies."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import Literal

import structlog

from gateway.common.posix import STANDARD_ERROR, cause_of
from gateway.logs.hearsay import Splitter, pass_on
from gateway.node.crew import Crew

log = structlog.get_logger()

FIRST_PAUSE = 0.1  # seconds; doubled at each death of the same cause
LONGEST_PAUSE = 5.0
SERVED_PAUSE = 1.0  # the longest after a death that found it at work: whatever it died of, it can start
STEADY = 10.0  # a child that lived this long starts anew with the first pause
SETTLED = 1.0  # seconds after which a child that nobody can ask is taken to be at work
ASKED_EVERY = 0.05
LAST_WORDS = 10.0  # seconds before a death within which a line may tell why

State = Literal["starting", "running", "pausing", "stopped"]


_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def _before_exec() -> None:
    """A supervisor that is killed outright takes its children along (prctl(2), Linux). A terminal with ``stty tostop``
    stops who writes to it from the background, and a worker must not stand still for a line of its log."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def pause_after(deaths: int, longest: float = LONGEST_PAUSE) -> float:
    """Seconds to wait before a start that follows ``deaths`` deaths in a row."""
    return min(FIRST_PAUSE * 2.0 ** min(max(deaths - 1, 0), 30), longest)


class Child:
    """``argv`` is asked for anew at each start, because a reload changes what a worker is started with.

    ``inherit`` are file descriptors that stay open in the child (the listening sockets). ``answers``: whether it does
    its work already; asked until it does. ``crew``: those that can stand in for it.

    What it writes to its standard error becomes lines of our log, and the last one is told when it dies; what it writes
    to its standard output, too, where it ``tells_on_output``. A program of ours writes its log to our standard error
    itself as soon as it runs (``posix.take_standard_error``), so that only what it says before comes this way, and what
    is no line of a log.
    """

    def __init__(
        self,
        name: str,
        argv: Callable[[], Sequence[str]],
        *,
        inherit: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        answers: Callable[[], Awaitable[bool]] | None = None,
        crew: Crew | None = None,
        tells_on_output: bool = False,
    ) -> None:
        self.name = name
        self.state: State = "starting"
        self.restarts = 0
        self.resumes_at = inf
        self._argv = argv
        self._inherit = tuple(inherit)
        self._env = env
        self._answers = answers
        self._crew = crew
        self._tells_on_output = tells_on_output
        self._serving = False
        self._last_line = ""
        self._said_at = -inf
        self._deaths: Counter[str] = Counter()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self._resumed = asyncio.Event()
        if crew is not None:
            crew.join(self)

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def up(self) -> bool:
        """See ``Member``."""
        return self.state in ("starting", "running")

    def start(self) -> None:
        """Start the process and keep it running until ``stop``."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    def resume(self) -> None:
        """See ``Member``."""
        if self.state == "pausing":
            self.state = "starting"
        self._resumed.set()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            began = loop.time()
            self._serving = False
            self._last_line = ""
            code: int | None = None
            try:
                code = await self._live()
                cause = cause_of(code)
            except OSError as error:
                cause = f"not started: {error.strerror or error}"
            if self._stopping:
                break
            if loop.time() - self._said_at > LAST_WORDS:
                self._last_line = ""  # of its start, perhaps: it would be taken for the cause
            lived = loop.time() - began
            if lived >= STEADY:
                self._deaths.clear()
            self._deaths[cause] += 1
            self.restarts += 1
            served = self._serving if self._answers is not None else lived >= SETTLED
            await self._pause(began, served, cause, code)
        self.state = "stopped"

    async def _live(self) -> int:
        """One life of the process; its exit code, negative for a signal. Raises OSError where it does not begin."""
        try:
            ours = os.dup(2)
        except OSError:  # we have none
            ours = -1
        try:
            handed = {**(self._env or os.environ), STANDARD_ERROR: str(ours)}
            process = self._process = await asyncio.create_subprocess_exec(
                *self._argv(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if self._tells_on_output else None,
                stderr=asyncio.subprocess.STDOUT if self._tells_on_output else asyncio.subprocess.PIPE,
                pass_fds=self._inherit if ours < 0 else (*self._inherit, ours),
                env=self._env if ours < 0 else handed,
                # A terminal's Ctrl-C reaches the whole foreground group; only the supervisor may act on it. No
                # session of its own: Linux gives each session an equal share (sched(7), autogroup), and niceness
                # counts within one only. The compiler's would mean nothing to workers and state.
                process_group=0,
                preexec_fn=_before_exec,
            )
        finally:
            if ours >= 0:
                os.close(ours)
        self.state = "running"
        log.info("child.started", child=self.name, child_pid=process.pid)
        if self._stopping:  # told while it was being started
            self.signal(signal.SIGTERM)
        said = process.stdout or process.stderr
        assert said is not None
        listening = asyncio.create_task(self._listen(said, process.pid), name=f"what {self.name} says")
        asking = asyncio.create_task(self._ask(), name=f"ask {self.name}")
        try:
            code = await process.wait()
            # What it said last is in the pipe; who inherited the pipe from it may keep it open.
            await asyncio.wait([listening], timeout=1.0)
        finally:
            for task in (listening, asking):
                task.cancel()
            await asyncio.gather(listening, asking, return_exceptions=True)
            process._transport.close()  # type: ignore[attr-defined]  # of a pipe that somebody still holds
        return code

    async def _ask(self) -> None:
        """Until it answers."""
        while self._answers is not None and not self._serving:
            self._serving = await self._answers()
            if not self._serving:
                await asyncio.sleep(ASKED_EVERY)

    async def _listen(self, stream: asyncio.StreamReader, pid: int) -> None:
        """Pass on what it says, and keep the last line. ``pid``: its own, which may have ended meanwhile."""
        lines = Splitter()
        while True:
            data = await stream.read(65536)
            for line in lines.feed(data):
                self._last_line = pass_on(line, self.name, pid)
                self._said_at = asyncio.get_running_loop().time()
            if not data:
                return

    async def _pause(self, began: float, served: bool, cause: str, code: int | None) -> None:
        """Wait before the next start, as long as the deaths of this cause ask for and the crew can do without."""
        loop = asyncio.get_running_loop()
        pause = pause_after(self._deaths[cause], SERVED_PAUSE if served else LONGEST_PAUSE)
        self._resumed.clear()
        self.resumes_at = loop.time() + pause
        self.state = "pausing"
        if self._crew is not None:
            self.resumes_at = self._crew.staggered(self, self.resumes_at)
            self._crew.paused(self, served)
        at_once = self._resumed.is_set()
        log.error(
            "child.died", child=self.name, cause=cause, code=code, said=self._last_line,
            pause=0 if at_once else round(self.resumes_at - loop.time(), 2),
        )  # fmt: skip
        try:
            await self._until(self.resumes_at)
            self.resumes_at = inf
            self.state = "starting"
            if not self._stopping:
                # Whatever cannot even be started is not tried faster than this.
                self._resumed.clear()
                await self._until(began + FIRST_PAUSE)
        finally:
            self.resumes_at = inf

    async def _until(self, when: float) -> None:
        """Until then, ``resume`` or ``stop``."""
        left = when - asyncio.get_running_loop().time()
        if left > 0 and not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._resumed.wait(), left)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the running process, if there is one."""
        if self.pid is not None:
            # Not by the process's own method: that reaps one that has just ended, and the loop reads its code as 255.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL for what is still there after ``grace`` seconds."""
        self._stopping = True
        self._resumed.set()
        self.signal(signal.SIGTERM)
        if self._keeper is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._keeper), grace)
        except TimeoutError:
            log.error("child.killed", child=self.name, grace=grace)
            self.signal(signal.SIGKILL)
            await self._keeper
