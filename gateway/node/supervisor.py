"""``tidegate run``: opens the listening sockets, starts every process, keeps them alive, reloads and stops them.

The supervisor carries no traffic and holds no state that matters: when it is killed, its children see their parent
go and stop by themselves. What runs, in starting order:

    state      an embedded Valkey, only where no ``state.url`` is given
    control    admin API, metrics, health
    projector  static versions of bullets, only where a mirror is configured
    worker-N   the data plane; all of them accept from the same inherited sockets

A stop has three steps. For ``server.shutdown_delay`` everything goes on but ``/readyz``, which answers 503, so that a
balancer sends nothing new (a lame duck); then the workers drain; then the others end. A second signal ends the first
step at once.

A reload compiles configuration and word lists into a new generation in a process of its own, then asks each worker to
load it. One refusal, and all go back to the last good one (law 9).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import platform
import signal
import socket
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from filters.model.errors import TidegateError
from gateway.common import channel, compiled
from gateway.common.folders import Folders
from gateway.common.listening import Inherited, handed_down, listen
from gateway.common.posix import cause_of, on_stop, python, raise_limit
from gateway.common.rounds import Rounds
from gateway.config import Config, ConfigError, load
from gateway.generation import conversion, rotation
from gateway.generation.generation import CompileFailed, Generation, compile_aside
from gateway.generation.rotation import Rotation
from gateway.http.accepting.certificates import ListeningTlsSettings
from gateway.node import admission
from gateway.node.child import Child
from gateway.node.crew import Crew
from gateway.state.cold import embedded

log = structlog.get_logger()

FIXED = ("listen", "proxy_protocol", "backlog", "workers", "node", "data_dir")
FIXED_LOGS = ("level", "format")  # the access log is opened anew by each reload
FIXED_SECTIONS = ("state", "journal", "control")
NOT_UP = ("absent", "refused")  # causes of a call that nobody was there to take
STATE_WITHIN = 10.0  # seconds to wait for state before starting without it
READY_WITHIN = 60.0  # seconds from start to all workers answering
CHANGES_WITHIN = 60.0  # seconds for control to write down what people changed in lists
CALL_WITHIN = 30.0  # seconds for a worker to load a generation: a million words take one


class NotReady(TidegateError):
    """A child did not come up; the text names it."""


class AlreadyRunning(TidegateError):
    """Another supervisor owns this data folder."""


class Supervisor:
    """Owns the processes of one node. ``announce`` is called once, when everything answers. ``may_shrink``: lists that
    may start with far fewer words than before."""

    def __init__(
        self,
        config_path: Path,
        data_dir: Path,
        announce: Callable[[Generation], None],
        may_shrink: Collection[str] = (),
    ) -> None:
        self.folders = Folders(data_dir)
        self._config_path = config_path
        self._announce = announce
        self._may_shrink = may_shrink
        self._generation: Generation | None = None
        self._listeners: list[socket.socket] = []
        self._tls: ListeningTlsSettings | None = None  # the last that a generation had
        self._state: Child | None = None
        self._others: list[Child] = []
        self._workers: list[Child] = []
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()  # asked to stop a second time
        self._reloading = asyncio.Lock()
        self._rotation = Rotation()
        self._lock = -1
        self._since = 0  # when the generation in force was swapped to; microseconds since the epoch
        self._refused_at = 0  # when a reload was last refused; 0 once another has gone well
        self._reloads = {"done": 0, "refused": 0}
        self._ready = False  # everything has answered

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises AlreadyRunning or CompileFailed before anything starts, CannotListen,
        NotOurs or EvictionRefused before anything but an embedded state server does."""
        self._own_the_folder()
        await self._write_list_changes()
        generation = self._generation = await compile_aside(self._config_path, self.folders, self._may_shrink)
        self._rotation.in_force = rotation.digest(_jwks(generation))
        self.folders.make_current(generation.number)
        self._since = time.time_ns() // 1000
        config = generation.config
        raise_limit(config.server.max_connections)
        log.info("code", version=version("tidegate"), python=platform.python_version(), hot_path=compiled.described())
        try:
            await self._start_state(config)
            await admission.admit(config, self.folders)
            backlog = config.server.backlog
            self._listeners = [listen(one.address, backlog, setting=one.setting) for one in config.server.public]
            listen(config.control.listen, setting="control.listen").close()  # taken? then say so before more starts
            if config.control.probes is not None:
                listen(config.control.probes, setting="control.probes").close()
        except BaseException:  # raised again; a state server of ours would go on
            await self._stop(0.0)
            raise
        loop = asyncio.get_running_loop()
        on_stop(self._on_stop)
        reloads: set[asyncio.Task[Any]] = set()

        def on_hangup() -> None:
            task = loop.create_task(self.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, on_hangup)
        commands = await channel.serve(
            self.folders.supervisor_socket,
            {"reload": self._on_reload, "status": self._on_status},
        )
        keys = Rounds("keys.following", self._follow_keys, rotation.EVERY)
        try:
            await self._start(generation)
            early = self._stopping.is_set()
            self._ready = True
            self._announce(generation)
            keys.start()
            await self._stopping.wait()
            if not early:  # else nobody was ever told that this node is ready
                await self._wait_for_balancers()
        finally:
            self._stopping.set()
            await keys.stop()
            for task in reloads:
                task.cancel()
            self._ready = False
            await self._stop(self._generation.config.server.drain)
            await commands.close()
            os.close(self._lock)

    def _on_stop(self) -> None:
        if self._stopping.is_set():
            self._hurried.set()
        self._stopping.set()

    async def _wait_for_balancers(self) -> None:
        """Serve on while balancers find out that this node is not ready."""
        assert self._generation is not None
        delay = self._generation.config.server.shutdown_delay
        if delay:
            log.info("shutdown.delayed", seconds=delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurried.wait(), delay)

    def _own_the_folder(self) -> None:
        self.folders.make()
        self._lock = os.open(self.folders.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"{self.folders.root} is in use by another tidegate: stop it, or give another --data-dir"
            ) from None
        if self.folders.restoring.exists():
            raise AlreadyRunning(
                f"{self.folders.root} was being restored, and that was cut short: say “tidegate restore” again"
            )

    async def _write_list_changes(self) -> None:
        """Let control say what people changed in word lists before they are compiled: after a crash between file and
        commit, and in a data folder of an earlier version, which has a database and no file. What it cannot mend the
        compiler refuses, with the remedy."""
        try:
            config = load(self._config_path)
        except ConfigError:
            return  # the compiler says all that is wrong with it
        if not self.folders.database(config).exists():
            return
        process = await asyncio.create_subprocess_exec(
            *self._python("gateway.control.lists.changes_file", "--config", os.fspath(self._config_path)),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            await asyncio.wait_for(process.wait(), CHANGES_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.returncode:
            log.error("lists.changes_unwritten", cause=cause_of(process.returncode))

    async def _start_state(self, config: Config) -> None:
        """Start a state server, where the configuration names none."""
        if config.state.url is None and config.state.sentinel is None:
            argv = embedded.prepare(self.folders.state, memory=config.state.memory, program=config.state.server)
            self._state = Child("state", lambda: argv, tells_on_output=True)
            self._state.start()
            await embedded.ready(self.folders.state)

    async def _start(self, generation: Generation) -> None:
        config = generation.config
        self._tls = conversion.listening_tls(config.server)
        self._others = [Child("control", lambda: self._python("gateway.control"))]
        if config.mirror is not None:
            self._others.append(Child("projector", lambda: self._python("gateway.mirror")))
        crew = Crew()
        self._workers = [
            Child(
                f"worker-{number}",
                self._worker_argv(number, config),
                inherit=[s.fileno() for s in self._listeners],
                answers=partial(self._serves, self.folders.worker_socket(number)),
                crew=crew,
            )
            for number in range(config.server.workers)
        ]
        for child in (*self._others, *self._workers):
            child.start()
        await self._wait_until_all_answer()

    def _python(self, module: str, *more: str) -> list[str]:
        return python(module, "--data-dir", os.fspath(self.folders.root), *more)

    def _worker_argv(self, number: int, config: Config) -> Callable[[], Sequence[str]]:
        opened = zip(self._listeners, config.server.public, strict=True)
        handed = handed_down([Inherited(listener.fileno(), one.secure, one.peers) for listener, one in opened])

        def argv() -> Sequence[str]:
            # Addresses with TLS stay open when a reload takes their certificates out of the configuration.
            tls = ("--tls", self._tls.handed_down()) if self._tls is not None else ()
            return self._python("gateway.worker", "--number", str(number), "--listeners", handed, *tls)

        return argv

    async def _wait_until_all_answer(self) -> None:
        """Until every process answers. State may be away for longer: that is degraded service, and said, no reason
        not to start."""
        paths = {child.name: self.folders.worker_socket(number) for number, child in enumerate(self._workers)}
        paths["control"] = self.folders.control_socket
        if any(child.name == "projector" for child in self._others):
            paths["projector"] = self.folders.projector_socket
        until = asyncio.get_running_loop().time() + READY_WITHIN
        state_until = asyncio.get_running_loop().time() + STATE_WITHIN
        for name, path in paths.items():
            while not self._stopping.is_set():
                problem = await self._problem_of(path)
                now = asyncio.get_running_loop().time()
                if not problem or (problem.startswith("state") and now > state_until):
                    if problem:
                        log.error("state.away", child=name, problem=problem)
                    break
                if now > until:
                    raise NotReady(f"{name} does not answer after {READY_WITHIN:g} s; the log says why")
                await asyncio.sleep(0.02)

    @staticmethod
    async def _problem_of(path: Path) -> str:
        try:
            answer = await channel.call(path, {"command": "status"}, timeout=1.0)
        except (OSError, channel.ChannelError) as error:
            return str(error) or "absent"
        state = answer.get("state")
        problem = state.get("problem") if isinstance(state, dict) else ""
        return f"state: {problem}" if problem else ""

    @staticmethod
    async def _serves(path: Path) -> bool:
        """Whether a worker is at work: the socket of a dead one refuses."""
        try:
            return bool((await channel.call(path, {"command": "status"}, timeout=1.0)).get("ok"))
        except (OSError, channel.ChannelError):
            return False

    async def _follow_keys(self) -> None:
        """A changed JWKS file is a reload. Which file that is, the generation in force says."""
        assert self._generation is not None
        path = _jwks(self._generation)
        if path is not None and await asyncio.to_thread(self._rotation.due, path):
            log.info("reload.keys_changed")
            await self.reload()

    async def reload(self, may_shrink: Collection[str] = ()) -> dict[str, Any]:
        """Build a generation aside and swap to it everywhere, or say why not and change nothing. ``may_shrink``: lists
        of which somebody said that they are meant to be as short as they are."""
        async with self._reloading:
            assert self._generation is not None
            before = self._generation
            try:
                after = await compile_aside(self._config_path, self.folders, may_shrink)
            except CompileFailed as failure:
                return self._refused(before, failure.problems)
            except Exception as error:  # a full table of processes, a damaged folder: loud, and nothing has changed
                log.error("reload.failed", exc_info=True)
                return self._refused(before, [f"{type(error).__name__}; the log says where"])
            keys = rotation.digest(_jwks(after))
            problems = await self._load(after)
            if problems:
                await self._load(before)
                return self._refused(before, problems)
            self._generation = after
            self._tls = conversion.listening_tls(after.config.server) or self._tls
            self._rotation.in_force = keys
            self.folders.make_current(after.number)
            self._since, self._refused_at = time.time_ns() // 1000, 0
            self._reloads["done"] += 1
            # A worker that came up meanwhile may have asked a moment too early which generation is in force.
            missed = await self._load(after, missed_only=True)
            warnings = [*after.warnings, *self._needs_restart(before, after), *missed]
            changed = [str(each) for each in after.lists if each.first or each.added or each.removed]
            log.info("reload.done", generation=after.number, warnings=warnings, lists=changed)
            lists = [each.as_dict() for each in after.lists]
            return {"ok": True, "generation": after.number, "warnings": warnings, "lists": lists}

    def _refused(self, before: Generation, problems: Sequence[str]) -> dict[str, Any]:
        self._refused_at = time.time_ns() // 1000
        self._reloads["refused"] += 1
        log.error("reload.refused", generation=before.number, problems=problems)
        return {"ok": False, "generation": before.number, "problems": problems}

    async def _load(self, generation: Generation, *, missed_only: bool = False) -> list[str]:
        """Let every worker load it; the problems. ``missed_only``: leave alone those that have it."""
        request = {"command": "load", "generation": generation.number}

        async def one(number: int) -> list[str]:
            path = self.folders.worker_socket(number)
            try:
                if missed_only:
                    status = await channel.call(path, {"command": "status"}, timeout=CALL_WITHIN)
                    if status.get("generation") == generation.number:
                        return []
                answer = await channel.call(path, request, timeout=CALL_WITHIN)
            except (OSError, channel.ChannelError) as error:
                # One that is down, or not up yet, loads the generation in force when it comes.
                down = self._workers[number].pid is None or getattr(error, "cause", "") in NOT_UP
                return [] if down else [f"worker-{number}: {error}"]
            return [] if answer.get("ok") else [f"worker-{number}: {answer.get('error')}"]

        # One after another: loading a large list stalls a loop for milliseconds, and never all loops at once.
        return [problem for number in range(len(self._workers)) for problem in await one(number)]

    @staticmethod
    def _needs_restart(before: Generation, after: Generation) -> list[str]:
        old, new = before.config, after.config
        changed = [f"server.{name}" for name in FIXED if getattr(old.server, name) != getattr(new.server, name)]
        secure = [server.tls.listen if server.tls is not None else () for server in (old.server, new.server)]
        changed += ["server.tls.listen"] if secure[0] != secure[1] else []
        changed += [f"logs.{name}" for name in FIXED_LOGS if getattr(old.logs, name) != getattr(new.logs, name)]
        changed += [name for name in FIXED_SECTIONS if getattr(old, name) != getattr(new, name)]
        return [f"{name} changed: it takes effect at the next start" for name in changed]

    async def _on_reload(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self.reload(tuple(map(str, request.get("may_shrink", ()))))

    async def _on_status(self, request: dict[str, Any]) -> dict[str, Any]:
        children = [child for child in (self._state, *self._others, *self._workers) if child is not None]
        return {
            "ok": True,
            "ready": self._ready,
            "pid": os.getpid(),
            "generation": self._generation.number if self._generation else None,
            "since": self._since,
            "refused": self._refused_at or None,
            "reloads": self._reloads,
            "stopping": self._stopping.is_set(),
            "children": {c.name: {"pid": c.pid, "state": c.state, "restarts": c.restarts} for c in children},
        }

    async def _stop(self, drain: float) -> None:
        log.info("stopping", drain=drain)
        for listener in self._listeners:
            listener.close()
        # Workers first, while everything they need is still there; state last, because control writes to it.
        await asyncio.gather(*(worker.stop(drain + 5) for worker in self._workers))
        await asyncio.gather(*(child.stop(10) for child in self._others))
        if self._state is not None:
            await self._state.stop(10)


def _jwks(generation: Generation) -> Path | None:
    jwt = generation.config.jwt
    return jwt.jwks if jwt is not None else None
