"""The workers of a node by number: started, renewed, retired, told of a generation.

A number names a worker's journal folder, its socket and a part of its messages' ids, so two processes never have one at
the same time: who takes another's place takes a free number, the lowest. A worker that retires accepts no more and
keeps what is open until that ends, or ``server.drain`` is over (docs/upgrades.md); until it is gone its number is not
free. Nor is one whose journal another process holds: a worker that outlived a supervisor that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from filters.model.errors import TidegateError
from gateway.common import channel
from gateway.common.ending import end
from gateway.common.folders import Folders
from gateway.common.listening import Inherited, handed_down
from gateway.common.posix import python
from gateway.config import Config
from gateway.generation import conversion
from gateway.http.accepting.certificates import ListeningTlsSettings
from gateway.journal.write.ids import PROJECTOR
from gateway.journal.write.segments import owned
from gateway.node.child import Child
from gateway.node.crew import Crew
from gateway.node.open_sockets import OpenSockets

log = structlog.get_logger()

STATE_WITHIN = 10.0  # seconds to wait for state before going on without it
READY_WITHIN = 60.0  # seconds from a start to an answer
CALL_WITHIN = 30.0  # seconds for a worker to load a generation: a million words take one
ASK_WITHIN = 1.0
LOOKS = 0.02  # seconds between two looks whether one answers
TRIES = 2  # deaths of one that starts, and it is no accident
ENDING = 15.0  # seconds beyond ``server.drain`` until one that retires is killed
NOT_UP: Final = ("absent", "refused")  # causes of a call that nobody was there to take


class NotReady(TidegateError):
    """A child did not come up; the text names it."""


class WorkerPool:
    """``serving``: those that accept, by number; ``retiring``: those that accept no more."""

    def __init__(self, folders: Folders, sockets: OpenSockets, stopping: asyncio.Event) -> None:
        self.serving: dict[int, Child] = {}
        self.retiring: dict[int, Child] = {}
        self._folders = folders
        self._sockets = sockets
        self._stopping = stopping
        self._crew = Crew()
        self._begun: Config | None = None  # whose addresses are open
        self._tls: ListeningTlsSettings | None = None  # the last that a generation had
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def children(self) -> list[Child]:
        """All of them."""
        return [*self.serving.values(), *self.retiring.values()]

    def begin(self, config: Config) -> None:
        """Its addresses are open: the workers that start from now on accept there."""
        self._begun = config
        self.configure(config)

    def configure(self, config: Config) -> None:
        """A generation is in force. Addresses with TLS stay open when it has no certificates for them."""
        self._tls = conversion.listening_tls(config.server) or self._tls

    def start(self, count: int) -> None:
        """So many, and wait for none. What sockets others left behind is removed: nobody answers there."""
        for path in self._folders.run.glob("worker-*.sock"):
            path.unlink(missing_ok=True)
        for _ in range(count):
            self._start()

    def adopt(self, handed: Sequence[Mapping[str, Any]], program: int, drain: float) -> None:
        """Those of the program before this one. ``program``: which this is."""
        for one in handed:
            number = int(one["number"])
            child = self._child(number)
            if one["retiring"]:
                child.retire()
            else:
                self.serving[number] = child
            child.adopt(one, program)
            if one["retiring"]:
                self._see_off(number, child, drain)

    def handed_on(self, program: int) -> list[dict[str, Any]]:
        """For the program after this one. ``program``: which this is."""
        return [
            {"number": number, "retiring": retiring, **child.handed_on(program)}
            for retiring, several in ((False, self.serving), (True, self.retiring))
            for number, child in several.items()
        ]

    async def resize(self, count: int, drain: float) -> list[str]:
        """Have so many: more are started, the surplus retires. What is worth a second look."""
        while len(self.serving) > count:
            self.retire(max(self.serving), drain)
        started = [self._start() for _ in range(count - len(self.serving))]
        told = []
        for number in started:
            try:
                await self.until_ready(number)
            except NotReady as error:
                told.append(f"{error}; it is tried again")
        return told

    async def renew(self, count: int, drain: float) -> None:
        """Put a worker of this program in the place of each that an older one started, one after the other; then there
        are ``count``. Raises NotReady where one does not come up: what it was to replace goes on."""
        for number in sorted(self.serving):
            if self._stopping.is_set():
                return
            child = self.serving.get(number)
            if child is None or not child.older:
                continue  # it died meanwhile, and what was started then is of this program
            fresh = self._start()
            try:
                await self.until_ready(fresh)
            except NotReady:
                await self.drop(fresh)
                raise
            self.retire(number, drain)
        if not self._stopping.is_set():
            await self.resize(count, drain)

    async def drop(self, number: int) -> None:
        """End one that never served."""
        child = self.serving.pop(number)
        self._crew.leave(child)
        await child.stop(5)
        self._folders.worker_socket(number).unlink(missing_ok=True)

    def retire(self, number: int, drain: float) -> None:
        """Let it accept no more, and end when what it has open has ended, or after ``drain`` seconds."""
        child = self.serving.pop(number)
        child.retire()
        self._see_off(number, child, drain)

    async def stop(self, drain: float) -> None:
        """All of them, those that retire as well."""
        await asyncio.gather(*(child.stop(drain + 5) for child in self.children))
        await end(self._leaving)

    async def load(self, generation: int, *, missed_only: bool = False) -> list[str]:
        """Let every worker load it; the problems. ``missed_only``: leave alone those that have it.

        One that retires keeps what it has where it cannot: it may be of the version before, and its time is short.
        """
        # One after another: loading a large list stalls a loop for milliseconds, and never all loops at once.
        problems = [
            problem
            for number, child in sorted(self.serving.items())
            for problem in await self._load(number, child, generation, missed_only=missed_only)
        ]
        for number, child in sorted(self.retiring.items()):
            for problem in await self._load(number, child, generation, missed_only=missed_only):
                log.warning("worker.kept_generation", problem=problem)
        return problems

    async def _load(self, number: int, child: Child, generation: int, *, missed_only: bool) -> list[str]:
        path = self._folders.worker_socket(number)
        try:
            if missed_only:
                status = await channel.call(path, {"command": "status"}, timeout=CALL_WITHIN)
                if status.get("generation") == generation:
                    return []
            answer = await channel.call(path, {"command": "load", "generation": generation}, timeout=CALL_WITHIN)
        except (OSError, channel.ChannelError) as error:
            # One that is down, or not up yet, loads the generation in force when it comes.
            down = child.pid is None or getattr(error, "cause", "") in NOT_UP
            return [] if down else [f"worker-{number}: {error}"]
        return [] if answer.get("ok") else [f"worker-{number}: {answer.get('error')}"]

    async def until_ready(self, number: int) -> None:
        """Until it serves, or we stop. Raises NotReady."""
        child = self.serving[number]
        died = child.restarts + TRIES
        await until_answers(
            child.name, self._folders.worker_socket(number), self._stopping, lambda: child.restarts >= died
        )

    async def some_answer(self, within: float) -> bool:
        """Whether any of them is at work."""
        paths = [self._folders.worker_socket(number) for number in self.serving]
        return any(await asyncio.gather(*(answers(path, within) for path in paths)))

    def _start(self) -> int:
        number = self._free()
        child = self.serving[number] = self._child(number)
        child.start()
        return number

    def _free(self) -> int:
        assert self._begun is not None
        config = self._begun
        journals = self._folders.journal(config) / f"node-{config.server.node}"
        for number in range(PROJECTOR):
            if number in self.serving or number in self.retiring:
                continue
            with contextlib.suppress(OSError):  # one whose folder is no folder is passed over
                if not owned(journals / str(number)):
                    return number
        raise NotReady("no number is free for another worker: lower server.workers, or server.drain")

    def _child(self, number: int) -> Child:
        path = self._folders.worker_socket(number)
        return Child(
            f"worker-{number}", partial(self._argv, number), inherit=self._descriptors,
            answers=partial(answers, path, ASK_WITHIN), crew=self._crew,
        )  # fmt: skip

    def _descriptors(self) -> list[int]:
        assert self._begun is not None
        return [self._sockets.descriptor(one.address) for one in self._begun.server.public]

    def _argv(self, number: int) -> list[str]:
        assert self._begun is not None
        public = self._begun.server.public
        handed = handed_down(
            [Inherited(self._sockets.descriptor(one.address), one.secure, one.peers) for one in public]
        )
        tls = ("--tls", self._tls.handed_down()) if self._tls is not None else ()
        root = os.fspath(self._folders.root)
        return python("gateway.worker", "--data-dir", root, "--number", str(number), "--listeners", handed, *tls)

    def _see_off(self, number: int, child: Child, drain: float) -> None:
        self.retiring[number] = child
        task = asyncio.create_task(self._until_gone(number, child, drain), name=f"see off {child.name}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _until_gone(self, number: int, child: Child, drain: float) -> None:
        path = self._folders.worker_socket(number)
        told: Mapping[str, Any] = {}
        with contextlib.suppress(OSError, channel.ChannelError):
            told = await channel.call(path, {"command": "retire", "within": drain}, timeout=CALL_WITHIN)
        if not told.get("ok"):  # it has just started, or knows no such command
            child.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.gone(), drain + ENDING)
        except TimeoutError:
            await child.stop(0.0)
        self.retiring.pop(number, None)
        path.unlink(missing_ok=True)
        log.info("worker.retired", child=child.name)


async def answers(path: Path, within: float) -> bool:
    """Whether a process is at work: the socket of a dead one refuses."""
    try:
        return bool((await channel.call(path, {"command": "status"}, timeout=within)).get("ok"))
    except (OSError, channel.ChannelError):
        return False


async def until_answers(
    name: str, path: Path, stopping: asyncio.Event, hopeless: Callable[[], bool] = lambda: False
) -> None:
    """Until it answers, or we stop. State may be away for longer: that is degraded service, and said, no reason not to
    go on. Raises NotReady."""
    loop = asyncio.get_running_loop()
    until = loop.time() + READY_WITHIN
    state_until = 0.0
    while not stopping.is_set():
        problem = await _problem_of(path)
        now = loop.time()
        if problem.startswith("state") and not state_until:
            state_until = now + STATE_WITHIN  # from when it can say so
        if not problem or (problem.startswith("state") and now > state_until):
            if problem:
                log.error("state.away", child=name, problem=problem)
            return
        if now > until:
            raise NotReady(f"{name} does not answer after {READY_WITHIN:g} s; the log says why")
        if hopeless():
            raise NotReady(f"{name} ends as soon as it starts; the log says why")
        await asyncio.sleep(LOOKS)


async def _problem_of(path: Path) -> str:
    try:
        answer = await channel.call(path, {"command": "status"}, timeout=ASK_WITHIN)
    except (OSError, channel.ChannelError) as error:
        return str(error) or "absent"
    state = answer.get("state")
    problem = state.get("problem") if isinstance(state, dict) else ""
    return f"state: {problem}" if problem else ""
