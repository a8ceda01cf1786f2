"""The generation in force, and how another takes its place: compiled in a process of its own, then loaded by each
worker. One refusal, and all go back to the last good one (law 9). ``server.workers`` is taken last, when the generation
is in force: more are started with it, the surplus retires.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from gateway.common.folders import Folders
from gateway.generation import generation, rotation
from gateway.generation.generation import CompileFailed, Generation, compile_aside
from gateway.generation.rotation import Rotation
from gateway.node.notify import Notify
from gateway.node.worker_pool import WorkerPool

log = structlog.get_logger()

FIXED = ("listen", "proxy_protocol", "backlog", "node", "data_dir")
FIXED_LOGS = ("level", "format")  # the access log is opened anew by each reload
FIXED_SECTIONS = ("state", "journal", "control")
UPGRADING = "the program is being replaced; reload again when that is over"


class Reloading:
    """``busy`` says whether the program is being replaced: no reload then. ``lock``: held by whatever changes what is
    in force."""

    def __init__(self, config_path: Path, folders: Folders, workers: WorkerPool, notify: Notify) -> None:
        self.lock = asyncio.Lock()
        self.busy: Callable[[], bool] = lambda: False
        self.due = False  # asked for by a signal while the program was being replaced
        self._config_path = config_path
        self._folders = folders
        self._workers = workers
        self._notify = notify
        self._generation: Generation | None = None
        self._rotation = Rotation()
        self._since = 0  # when the generation in force was swapped to; microseconds since the epoch
        self._refused_at = 0  # when a reload was last refused; 0 once another has gone well
        self._counts = {"done": 0, "refused": 0}

    @property
    def generation(self) -> Generation:
        """The one in force."""
        assert self._generation is not None
        return self._generation

    async def first(self, may_shrink: Collection[str]) -> Generation:
        """Compile one and put it in force. Raises CompileFailed."""
        self._put(await compile_aside(self._config_path, self._folders, may_shrink))
        return self.generation

    def adopt(self, number: int, told: Mapping[str, Any]) -> Generation:
        """Put in force what has been compiled for this program, by a program that was told the rest. Raises ConfigError
        or OSError."""
        self._counts = dict(told.get("reloads", self._counts))
        self._put(generation.load(self._folders, number, originals=True))
        return self.generation

    def _put(self, made: Generation) -> None:
        self._rotation.in_force = rotation.digest(_jwks(made))
        self._folders.make_current(made.number)
        self._generation = made
        self._since = time.time_ns() // 1000

    def status(self) -> dict[str, Any]:
        """What is in force, since when, and how often that has changed."""
        return {
            "generation": self._generation.number if self._generation is not None else None,
            "since": self._since,
            "refused": self._refused_at or None,
            "reloads": self._counts,
        }

    async def follow_keys(self) -> None:
        """A changed JWKS file is a reload. Which file that is, the generation in force says."""
        path = _jwks(self.generation)
        if path is not None and not self.busy() and await asyncio.to_thread(self._rotation.due, path):
            log.info("reload.keys_changed")
            await self.reload()

    async def on_signal(self) -> None:
        """SIGHUP: now, or when the program has been replaced."""
        if self.busy():
            self.due = True
            log.warning("reload.postponed", why=UPGRADING)
            return
        await self.reload()

    async def reload(self, may_shrink: Collection[str] = ()) -> dict[str, Any]:
        """Build a generation aside and swap to it everywhere, or say why not and change nothing. ``may_shrink``: lists
        of which somebody said that they are meant to be as short as they are."""
        if self.busy():
            return self._refused(self.generation, [UPGRADING])
        async with self.lock:
            self._notify.reloading("reloading")
            try:
                return await self._reload(may_shrink)
            finally:
                self._notify.ready(self.described())

    def described(self) -> str:
        """For a service manager's status."""
        refused = "; the last reload was refused" if self._refused_at else ""
        return f"generation {self.generation.number}, {len(self._workers.serving)} workers{refused}"

    async def _reload(self, may_shrink: Collection[str]) -> dict[str, Any]:
        before = self.generation
        try:
            after = await compile_aside(self._config_path, self._folders, may_shrink)
        except CompileFailed as failure:
            return self._refused(before, failure.problems)
        except Exception as error:  # a full table of processes, a damaged folder: loud, and nothing has changed
            log.error("reload.failed", exc_info=True)
            return self._refused(before, [f"{type(error).__name__}; the log says where"])
        keys = rotation.digest(_jwks(after))
        problems = await self._workers.load(after.number)
        if problems:
            await self._workers.load(before.number)
            return self._refused(before, problems)
        self._put(after)
        self._rotation.in_force = keys
        self._workers.configure(after.config)
        self._refused_at = 0
        self._counts["done"] += 1
        server = after.config.server
        few = await self._workers.resize(server.workers, server.drain)
        # A worker that came up meanwhile may have asked a moment too early which generation is in force.
        missed = await self._workers.load(after.number, missed_only=True)
        warnings = [*after.warnings, *needs_restart(before, after), *few, *missed]
        changed = [str(each) for each in after.lists if each.first or each.added or each.removed]
        log.info("reload.done", generation=after.number, warnings=warnings, lists=changed)
        lists = [each.as_dict() for each in after.lists]
        return {"ok": True, "generation": after.number, "warnings": warnings, "lists": lists}

    def _refused(self, before: Generation, problems: Sequence[str]) -> dict[str, Any]:
        self._refused_at = time.time_ns() // 1000
        self._counts["refused"] += 1
        log.error("reload.refused", generation=before.number, problems=problems)
        return {"ok": False, "generation": before.number, "problems": problems}


def needs_restart(before: Generation, after: Generation) -> list[str]:
    """What a reload does not take: a line for each setting."""
    old, new = before.config, after.config
    changed = [f"server.{name}" for name in FIXED if getattr(old.server, name) != getattr(new.server, name)]
    secure = [server.tls.listen if server.tls is not None else () for server in (old.server, new.server)]
    changed += ["server.tls.listen"] if secure[0] != secure[1] else []
    changed += [f"logs.{name}" for name in FIXED_LOGS if getattr(old.logs, name) != getattr(new.logs, name)]
    changed += [name for name in FIXED_SECTIONS if getattr(old, name) != getattr(new, name)]
    return [f"{name} changed: it takes effect at the next start" for name in changed]


def _jwks(made: Generation) -> Path | None:
    jwt = made.config.jwt
    return jwt.jwks if jwt is not None else None
