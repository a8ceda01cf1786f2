"""The program of a running node is replaced by another version: no request fails, and the process stays the same.

    trial      the new program, in a process of its own, reads the configuration, compiles a generation and imports all
               that it will run; a problem, and nothing else happens
    execution  it takes this program's place; sockets, lock, state server, workers and all others are kept
    renewal    processes of its own take the place of the others, one after the other; a worker that is replaced keeps
               what it has open until that ends, or ``server.drain`` is over

Where the new program cannot begin, or one of its processes does not come up, the old one is executed again and renews
what the new one had started: an upgrade is whole, or it was none. Both versions serve side by side meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog

from filters.model.errors import TidegateError
from gateway.common.posix import cause_of
from gateway.generation.generation import COMPILE_WITHIN
from gateway.logs import hearsay
from gateway.node import handover as handing
from gateway.node.children import Children
from gateway.node.handover import FORMAT, Handover, Predecessor
from gateway.node.life import OURS_ALONE
from gateway.node.notify import Notify
from gateway.node.open_sockets import OpenSockets
from gateway.node.reloading import Reloading

log = structlog.get_logger()

TRIAL = "--trial"
TRIAL_WITHIN = COMPILE_WITHIN + 60.0  # seconds
NOTHING = {"state": "none", "problems": []}


class Invocation(NamedTuple):
    """A program and what it is told. ``program`` is what another one takes the place of: a script, or an interpreter
    and a module."""

    program: list[str]
    arguments: list[str]


def this_command() -> Invocation:
    """How this process was started. A script is executed itself, so that the interpreter is the one that it names when
    it is executed; the same path may lead to another version then."""
    arguments = sys.argv[1:]
    program = sys.orig_argv[: len(sys.orig_argv) - len(arguments)]
    script = Path(program[-1]) if len(program) > 1 else None
    if script is not None and script.is_file() and os.access(script, os.X_OK):
        return Invocation([os.fspath(script.absolute())], arguments)
    return Invocation([sys.executable, *program[1:]], arguments)


class Upgrading:
    """``status``: what is told of the last upgrade. ``under_way``: from its trial to the end of its renewal."""

    def __init__(
        self, reloading: Reloading, processes: Children, sockets: OpenSockets, notify: Notify, lock: Callable[[], int],
        stopping: asyncio.Event,
    ) -> None:  # fmt: skip
        self.command: Invocation | None = None
        self.status: dict[str, Any] = dict(NOTHING)
        self.under_way = False
        self._number = 0  # of this program among those that were executed here
        self._before: Predecessor | None = None
        self._postponed: asyncio.Task[Any] | None = None
        self._reloading = reloading
        self._processes = processes
        self._sockets = sockets
        self._notify = notify
        self._lock = lock
        self._stopping = stopping

    async def begin(self, program: str = "") -> dict[str, Any]:
        """Try the program, and let it take this one's place: then this answer is the last thing that this one says.
        ``program``: a path; empty for the one that this node was started with, which may be another by now."""
        problem = self._problem(program)
        if problem:
            log.error("upgrade.refused", problems=[problem])
            return {"ok": False, "problems": [problem]}
        assert self.command is not None
        command = self.command._replace(program=[program]) if program else self.command
        self.under_way = True
        self.status = {"state": "trial", "from": version("tidegate"), "at": time.time_ns() // 1000, "problems": []}
        try:
            async with self._reloading.lock:
                self._notify.reloading("trying the program to upgrade to")
                log.info("upgrade.trial", program=command.program)
                tried = await self._try(command)
        except (OSError, TimeoutError) as error:
            tried = {"problems": [f"{command.program[0]}: {error.strerror or type(error).__name__}"]}
        except Exception as error:  # whatever it was: an upgrade that never ends would refuse all reloads
            log.error("upgrade.failed", exc_info=True)
            tried = {"problems": [f"{type(error).__name__}; the log says where"]}
        if self._stopping.is_set():
            tried = {"problems": ["the node was told to stop"]}
        if tried["problems"]:
            return self._refused(tried["problems"])
        self.status |= {"state": "renewing", "to": tried["version"]}
        asyncio.get_running_loop().call_later(0.1, self._execute, command, tried)  # when this is answered
        return {"ok": True, "problems": [], "from": self.status["from"], "to": tried["version"]}

    def _problem(self, program: str) -> str:
        if self.command is None:
            return "this is the demo: stop it, and start it anew"
        if self.under_way:
            return "an upgrade is under way"
        if self._stopping.is_set():
            return "the node was told to stop"
        if program and not (Path(program).is_absolute() and os.access(program, os.X_OK) and Path(program).is_file()):
            return f"{program} is no program: name it by its whole path"
        return ""

    def _refused(self, problems: Sequence[str]) -> dict[str, Any]:
        self.under_way = False
        self.status |= {"state": "refused", "problems": list(problems)}
        log.error("upgrade.refused", problems=list(problems))
        if not self._stopping.is_set():
            self._notify.ready(f"{self._reloading.described()}; the last upgrade was refused")
        self._go_on()
        return {"ok": False, "problems": list(problems)}

    def _go_on(self) -> None:
        if self._reloading.due:
            self._reloading.due = False
            self._postponed = asyncio.create_task(self._reloading.reload(), name="postponed reload")

    async def _try(self, command: Invocation) -> dict[str, Any]:
        """What the program says of itself, with all ``problems``."""
        handed = handing.written(self._handover(0, command.program, 0, self._before_next()))
        try:
            process = await asyncio.create_subprocess_exec(
                *command.program, *command.arguments, TRIAL, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, pass_fds=[handed],
                env={**_environ(command, self.command), handing.ON_TRIAL: str(handed)},
            )  # fmt: skip
        finally:
            os.close(handed)
        over = asyncio.create_task(process.communicate())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([over, stopping], timeout=TRIAL_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not over.done():
                process.kill()
        output, said = await over
        words = ""
        for line in hearsay.Splitter().feed(said + b"\n"):
            words = hearsay.pass_on(line, "trial", process.pid)
        try:
            told: dict[str, Any] = orjson.loads(output)
            problems = list(map(str, told["problems"]))
            if not problems and FORMAT not in told["handovers"]:
                problems = [
                    f"version {told['version']} cannot take over from this one: stop the node, and start it anew"
                ]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            assert process.returncode is not None
            ended = f"{command.program[0]} cannot take over: it ended with {cause_of(process.returncode)}"
            return {"problems": [f"{ended}: {words}" if words else ended]}
        return {**told, "problems": problems}

    def _execute(self, command: Invocation, tried: Mapping[str, Any]) -> None:
        if self._stopping.is_set():
            self._refused(["the node was told to stop"])
            return
        try:
            log.info("upgrade.executing", program=command.program, version=tried["version"])
            handing.execute(
                [*command.program, *command.arguments],
                _environ(command, self.command, notify=True),
                self._handover(time.time_ns(), command.program, tried["generation"], self._before_next()),
            )
        except OSError as error:
            self._refused([f"{command.program[0]}: {error.strerror}"])
        except Exception as error:  # as in a trial
            log.error("upgrade.failed", exc_info=True)
            self._refused([f"{type(error).__name__}; the log says where"])

    def _before_next(self) -> Predecessor:
        """This program, for the next one."""
        assert self.command is not None
        return Predecessor(
            self._number, [*self.command.program, *self.command.arguments], dict(os.environ), self.command.program,
            self._reloading.generation.number,
        )  # fmt: skip

    def _handover(self, number: int, program: list[str], generation: int, before: Predecessor | None) -> Handover:
        return Handover(
            number, program, generation, self._lock(), self._sockets.descriptors,
            self._processes.handed_on(self._number), self.status, self._reloading.status(), self._reloading.due, before,
        )  # fmt: skip

    def adopt(self, handover: Handover) -> None:
        """This program was executed in the place of another."""
        assert self.command is not None
        self.command = self.command._replace(program=handover.command)
        self.status = dict(handover.upgrade)
        self.under_way = True
        self._number = handover.number
        self._before = handover.before
        self._reloading.due = handover.reload_due

    async def finish(self) -> None:
        """Put processes of this program in the place of all others, or give the place back to the program before."""
        generation = self._reloading.generation
        try:
            async with self._reloading.lock:
                await self._processes.renew(generation.config)
        except Exception as error:  # whatever it was, the program before this one can do without
            problem = str(error) if isinstance(error, TidegateError) else f"{type(error).__name__}; the log says where"
            log.error("upgrade.given_back", problem=problem, exc_info=not isinstance(error, TidegateError))
            if self._before is not None and not self._stopping.is_set():
                try:
                    handing.back(self._handover(self._number, [], 0, None), self._before, [problem])
                except OSError as gone:
                    problem = f"{problem}; nor can the program before be executed: {gone.strerror}"
            self._refused([problem])
            return
        if self._stopping.is_set():
            return
        self.under_way = False
        self._sockets.settle()
        if self.status["state"] == "returning":  # from the program that was to replace this one
            self.status |= {"state": "refused"}
            log.error("upgrade.refused", problems=self.status["problems"])
            self._notify.ready(f"{self._reloading.described()}; the last upgrade was refused")
        else:
            self.status |= {"state": "done", "to": version("tidegate")}
            log.info("upgrade.done", version=version("tidegate"), generation=generation.number)
            self._notify.ready(self._reloading.described())
        self._go_on()


def _environ(command: Invocation, ours: Invocation | None, *, notify: bool = False) -> dict[str, str]:
    """What the program is executed with. Another program's modules must not be sought where ours are, if that is only
    where we were started (``leave_the_folder``). ``notify``: with what a service manager says to this process."""
    environ = {name: value for name, value in os.environ.items() if notify or name not in OURS_ALONE}
    if ours is not None and command.program != ours.program:
        home = os.fspath(Path(__file__).parents[2])
        places = [place for place in environ.get("PYTHONPATH", "").split(os.pathsep) if place and place != home]
        environ["PYTHONPATH"] = os.pathsep.join(places)
    return environ
