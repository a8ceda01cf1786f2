"""``tidegate run``: opens the listening sockets, starts every process, keeps them alive, reloads, upgrades and stops.

The supervisor carries no traffic and holds no state that matters: when it is killed, its children see their parent
go and stop by themselves. What it keeps running: ``processes``; what is in force: ``reloading``; how another version
takes its place: ``upgrading``. SIGHUP reloads, SIGUSR2 upgrades.

A stop has three steps. For ``server.shutdown_delay`` everything goes on but ``/readyz``, which answers 503, so that a
balancer sends nothing new (a lame duck); then the workers drain; then the others end. A second signal ends the first
step at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import platform
import signal
from collections.abc import Callable, Collection, Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from filters.model.errors import TidegateError
from gateway.common import channel, compiled
from gateway.common.folders import Folders
from gateway.common.posix import cause_of, on_stop, python, raise_limit
from gateway.common.rounds import Rounds
from gateway.config import Config, ConfigError, load
from gateway.generation import conversion, rotation
from gateway.generation.generation import Generation
from gateway.node import admission, handover
from gateway.node.children import Children
from gateway.node.folder_number import folder_id
from gateway.node.handover import SIGNALS, Handover
from gateway.node.notify import Notify
from gateway.node.open_sockets import OpenSockets, ToOpen
from gateway.node.reloading import Reloading
from gateway.node.upgrading import Invocation, Upgrading

log = structlog.get_logger()

CHANGES_WITHIN = 60.0  # seconds for control to write down what people changed in lists
BACKLOG_OF_CONTROL = 128  # connections that may wait there


class AlreadyRunning(TidegateError):
    """Another supervisor owns this data folder."""


class Supervisor:
    """Owns the processes of one node. ``announce`` is called once, when everything answers. ``may_shrink``: lists that
    may start with far fewer words than before. ``command``: how it was started; None where it is not to be replaced."""

    def __init__(
        self,
        config_path: Path,
        data_dir: Path,
        announce: Callable[[Generation], None],
        may_shrink: Collection[str] = (),
        command: Invocation | None = None,
    ) -> None:
        self.folders = Folders(data_dir)
        self._config_path = config_path
        self._announce = announce
        self._may_shrink = may_shrink
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()  # asked to stop a second time
        self._notify = Notify()
        self._sockets = OpenSockets()
        self._processes = Children(self.folders, self._sockets, self._stopping)
        self._reloading = Reloading(config_path, self.folders, self._processes.workers, self._notify)
        self._upgrading = Upgrading(
            self._reloading, self._processes, self._sockets, self._notify, lambda: self._lock, self._stopping
        )
        self._upgrading.command = command
        self._reloading.busy = lambda: self._upgrading.under_way
        self._lock = -1
        self._ready = False  # everything has answered
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises AlreadyRunning or CompileFailed before anything starts, CannotListen,
        NotOurs, OtherNumber or EvictionRefused before anything but an embedded state server does."""
        handed = handover.received()
        generation = await (self._begin() if handed is None else self._take_over(handed))
        commands = await channel.serve(
            self.folders.supervisor_socket,
            {"reload": self._on_reload, "status": self._on_status, "upgrade": self._on_upgrade},
        )
        keys = Rounds("keys.following", self._reloading.follow_keys, rotation.EVERY)
        watchdog = Rounds("watchdog", self._sign_of_life, self._notify.alive_every)
        try:
            if handed is None:
                await self._processes.start(generation.config)
            early = self._stopping.is_set()
            self._ready = True
            if self._notify.alive_every:
                watchdog.start()
            if handed is None:
                self._notify.ready(self._reloading.described())
            else:
                await self._upgrading.finish()
            self._announce(generation)
            keys.start()
            await self._stopping.wait()
            self._notify.stopping(self._processes.patience(self._reloading.generation.config), "stopping")
            if not early:  # else nobody was ever told that this node is ready
                await self._wait_for_balancers()
        finally:
            self._stopping.set()
            await keys.stop()
            for task in self._tasks:
                task.cancel()
            self._ready = False
            await self._stop(self._reloading.generation.config.server.drain)
            await watchdog.stop()
            await commands.close()
            os.close(self._lock)

    async def _begin(self) -> Generation:
        """Up to open sockets, and a state server."""
        self._own_the_folder()
        await self._write_list_changes()
        generation = await self._reloading.first(self._may_shrink)
        config = generation.config
        conversion.salt(config.server, self.folders.salt)  # refused here, once, and not by each worker
        raise_limit(config.server.max_connections)
        log.info("code", version=version("tidegate"), python=platform.python_version(), hot_path=compiled.described())
        try:
            activated = self._sockets.take_activated(os.environ)
            await self._processes.start_state(config)
            await admission.admit(config, self.folders)
            self._sockets.wanted(_wanted(config), activated)  # not before: nobody connects to a node that is refused
        except BaseException:  # raised again; a state server of ours would go on
            await self._stop(0.0)
            raise
        self._hear_signals()
        return generation

    async def _take_over(self, handed: Handover) -> Generation:
        """Go on with what the program before this one had. Whatever is raised, it is executed again: nothing that it
        had was changed."""
        self._hear_signals()
        self._lock = handed.lock
        if _identity(self._lock) != _identity(self.folders.lock):
            raise AlreadyRunning(f"{self.folders.root} is not the folder of the node that is replaced")
        generation = self._reloading.adopt(handed.generation, handed.told)
        config = generation.config
        self._sockets.take(handed.sockets)
        self._sockets.wanted(_wanted(config))
        await admission.admit(config, self.folders)
        log.info("code", version=version("tidegate"), python=platform.python_version(), hot_path=compiled.described())
        self._upgrading.adopt(handed)
        self._processes.adopt(config, handed.processes, handed.number)
        handover.done(handed)
        return generation

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        on_stop(self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._begin_task(self._reloading.on_signal()))
        loop.add_signal_handler(signal.SIGUSR2, lambda: self._begin_task(self._upgrading.begin()))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # held while one program followed another

    def _begin_task(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_stop(self) -> None:
        if self._stopping.is_set():
            self._hurried.set()
        self._stopping.set()

    async def _wait_for_balancers(self) -> None:
        """Serve on while balancers find out that this node is not ready."""
        delay = self._reloading.generation.config.server.shutdown_delay
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
        folder_id(self.folders.identity, config.server.node)
        database = self.folders.database(config)
        if isinstance(database, Path) and not database.exists():
            return
        process = await asyncio.create_subprocess_exec(
            *python(
                "gateway.control.lists.changes_file", "--data-dir", os.fspath(self.folders.root),
                "--config", os.fspath(self._config_path),
            ),
            stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await asyncio.wait_for(process.wait(), CHANGES_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.returncode:
            log.error("lists.changes_unwritten", cause=cause_of(process.returncode))

    async def _sign_of_life(self) -> None:
        """For a watchdog: this loop turns, and a worker answers, unless they are to end."""
        within = min(1.0, self._notify.alive_every)
        if self._stopping.is_set() or await self._processes.workers.some_answer(within):
            self._notify.alive()

    async def _on_reload(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self._reloading.reload(tuple(map(str, request.get("may_shrink", ()))))

    async def _on_upgrade(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self._upgrading.begin(str(request.get("program", "")))

    async def _on_status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "ready": self._ready,
            "pid": os.getpid(),
            **self._reloading.status(),
            "upgrade": self._upgrading.status,
            "stopping": self._stopping.is_set(),
            "children": self._processes.status(),
        }

    async def _stop(self, drain: float) -> None:
        log.info("stopping", drain=drain)
        self._sockets.close()
        await self._processes.stop(drain)


def _wanted(config: Config) -> list[ToOpen]:
    """What a node listens on: the public addresses, and those of control, where people wait while it starts anew."""
    several = [ToOpen(one.address, one.setting, config.server.backlog) for one in config.server.public]
    several.append(ToOpen(config.control.listen, "control.listen", BACKLOG_OF_CONTROL))
    if config.control.probes is not None:
        several.append(ToOpen(config.control.probes, "control.probes", BACKLOG_OF_CONTROL))
    return several


def _identity(file: int | Path) -> tuple[int, int]:
    found = os.fstat(file) if isinstance(file, int) else file.stat()
    return found.st_dev, found.st_ino
