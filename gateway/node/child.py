"""One child process of the supervisor, started again with back-off whenever it dies."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import Any, Literal

import structlog

from gateway.common.posix import cause_of
from gateway.logs.hearsay import pass_on
from gateway.node import life
from gateway.node.crew import Crew
from gateway.node.life import Life

log = structlog.get_logger()

FIRST_PAUSE = 0.1  # seconds; doubled at each death of the same cause
LONGEST_PAUSE = 5.0
SERVED_PAUSE = 1.0  # the longest after a death that found it at work: whatever it died of, it can start
STEADY = 10.0  # a child that lived this long starts anew with the first pause
SETTLED = 1.0  # seconds after which a child that nobody can ask is taken to be at work
ASKED_EVERY = 0.05
LAST_WORDS = 10.0  # seconds before a death within which a line may tell why
ENDS_WITHIN = 10.0  # seconds for one that is renewed to end

State = Literal["starting", "running", "pausing", "retiring", "stopped"]


def pause_after(deaths: int, longest: float = LONGEST_PAUSE) -> float:
    """Seconds to wait before a start that follows ``deaths`` deaths in a row."""
    return min(FIRST_PAUSE * 2.0 ** min(max(deaths - 1, 0), 30), longest)


class Child:
    """``argv`` is asked for anew at each start, because a reload changes what a worker is started with.

    ``inherit`` says which file descriptors stay open in the child (the listening sockets). ``answers``: whether it does
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
        inherit: Callable[[], Sequence[int]] = tuple,
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
        self._inherit = inherit
        self._env = env
        self._answers = answers
        self._crew = crew
        self._tells_on_output = tells_on_output
        self._serving = False
        self._last_line = ""
        self._said_at = -inf
        self._deaths: Counter[str] = Counter()
        self._life: Life | None = None
        self._began_in: int | None = None  # of an adopted life: which program began it
        self._ours = 0  # which program this is, once something was adopted
        self._renewing = False
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self._resumed = asyncio.Event()
        if crew is not None:
            crew.join(self)

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._life.pid if self._life is not None and not self._life.over else None

    @property
    def older(self) -> bool:
        """Whether the process that runs was begun by another program than this one."""
        return self._began_in not in (None, self._ours) and self.pid is not None

    @property
    def begun(self) -> bool:
        """Whether it is being kept running, or was."""
        return self._keeper is not None

    @property
    def up(self) -> bool:
        """See ``Member``."""
        return self.state in ("starting", "running")

    def start(self) -> None:
        """Start the process and keep it running until ``stop``, or ``retire``."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    def handed_on(self, program: int) -> dict[str, Any]:
        """What the next program in this place has to know to go on with it: ``adopt``. ``program``: which this is."""
        told: dict[str, Any] = {"name": self.name, "restarts": self.restarts, "program": program}
        if self._life is not None and not self._life.over:
            told |= {"pid": self._life.pid, "pipe": self._life.pipe}
            if self._began_in is not None:
                told["program"] = self._began_in
        return told

    def adopt(self, handed: Mapping[str, Any], program: int) -> None:
        """Go on with the process that the program before this one had, and keep it running as ``start`` does. One that
        was dead just then is started anew. ``program``: which this is."""
        self.restarts = int(handed["restarts"])
        self._ours = program
        if "pid" in handed:
            self._life = Life(int(handed["pid"]), int(handed["pipe"]))
            self._began_in = int(handed["program"])
        self.start()

    def resume(self) -> None:
        """See ``Member``."""
        if self.state == "pausing":
            self.state = "starting"
        self._resumed.set()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping or self.pid is not None:
            began = loop.time()
            self._last_line = ""
            code: int | None = None
            adopted = self._life if self.pid is not None else None
            self._serving = adopted is not None
            try:
                code = await self._live(adopted)
                cause = cause_of(code)
            except OSError as error:
                cause = f"not started: {error.strerror or error}"
            self._began_in = None
            if self._stopping:
                break
            if self._renewing:
                self._renewing = False
                continue
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

    async def _live(self, adopted: Life | None) -> int:
        """One life of the process, from its beginning or from where it was handed on; its exit code, negative for a
        signal. Raises OSError where it does not begin."""
        this = self._life = adopted or life.begin(
            self._argv(), inherit=self._inherit(), environ=self._env, tells_on_output=self._tells_on_output
        )
        if self.state != "retiring":
            self.state = "running"
        if adopted is not None:
            log.info("child.adopted", child=self.name, child_pid=this.pid)
        else:
            log.info("child.started", child=self.name, child_pid=this.pid)
        if self._stopping and self.state != "retiring":  # told while it was being started
            self.signal(signal.SIGTERM)

        def tell(line: str) -> None:
            self._last_line = pass_on(line, self.name, this.pid)
            self._said_at = asyncio.get_running_loop().time()

        this.hear(tell)
        asking = asyncio.create_task(self._ask(), name=f"ask {self.name}")
        try:
            return await this.ended()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            this.hush()

    async def _ask(self) -> None:
        """Until it answers."""
        while self._answers is not None and not self._serving:
            self._serving = await self._answers()
            if not self._serving:
                await asyncio.sleep(ASKED_EVERY)

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
        if self._life is not None:
            self._life.signal(number)

    async def renew(self) -> None:
        """End the process that runs, so that another takes its place at once: that is no death."""
        if self.pid is None:
            self.resume()
            return
        ending = self._life
        self._renewing = True
        self.signal(signal.SIGTERM)
        loop = asyncio.get_running_loop()
        until = loop.time() + ENDS_WITHIN
        while ending is not None and not ending.over:
            if loop.time() > until:
                log.error("child.killed", child=self.name, grace=ENDS_WITHIN)
                ending.signal(signal.SIGKILL)
                until = inf
            await asyncio.sleep(ASKED_EVERY)

    def retire(self) -> None:
        """Start it no more: the process that runs ends by itself, in its time."""
        self._stopping = True
        self.state = "retiring"
        self._resumed.set()
        if self._crew is not None:
            self._crew.leave(self)

    async def gone(self) -> None:
        """Until it has ended, and is not started again."""
        if self._keeper is not None:
            await asyncio.shield(self._keeper)

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
