"""Every process of a node: in which order they start, are renewed and end.

state      an embedded Valkey, only where no ``state.url`` is given; it is kept when the program is replaced
control    admin API, metrics, health
projector  static versions of bullets, only where a mirror is configured
index      search over messages, only where one is configured; nobody waits for it
replicator copies of other nodes' journals, only where there are peers; nobody waits for it
worker-N   the data plane; all of them accept from the same inherited sockets
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.common.folders import Folders
from gateway.common.posix import python
from gateway.config import Config
from gateway.node.child import Child
from gateway.node.open_sockets import OpenSockets
from gateway.node.worker_pool import ENDING, TRIES, WorkerPool, until_answers
from gateway.state.cold import embedded

OTHERS_WITHIN = 10.0  # seconds for control, projector, replicator and state to end


class Children:
    """See the module. ``stopping``: whether the node was told to end."""

    def __init__(self, folders: Folders, sockets: OpenSockets, stopping: asyncio.Event) -> None:
        self.workers = WorkerPool(folders, sockets, stopping)
        self._folders = folders
        self._sockets = sockets
        self._stopping = stopping
        self._state: Child | None = None
        self._others: dict[str, Child] = {}

    @property
    def children(self) -> list[Child]:
        """All of them."""
        state = [self._state] if self._state is not None else []
        return [*state, *self._others.values(), *self.workers.children]

    def status(self) -> dict[str, dict[str, Any]]:
        """Of each by name."""
        return {one.name: {"pid": one.pid, "state": one.state, "restarts": one.restarts} for one in self.children}

    async def start_state(self, config: Config) -> None:
        """Start a state server, where the configuration names none; returns when it answers. Raises NoServer."""
        if _embedded(config):
            self._state = self._of_state(config)
            self._state.start()
            await embedded.ready(self._folders.state)

    def _of_state(self, config: Config) -> Child:
        argv = embedded.prepare(self._folders.state, memory=config.state.memory, program=config.state.server)
        return Child("state", lambda: argv, tells_on_output=True)

    async def start(self, config: Config) -> None:
        """All others; returns when each answers. Raises NotReady."""
        self._begin(config)
        for child in self._others.values():
            child.start()
        self.workers.start(config.server.workers)
        for number in list(self.workers.serving):
            await self.workers.until_ready(number)
        await self._until_others_answer()

    def adopt(self, config: Config, handed: Mapping[str, Any], program: int) -> None:
        """Go on with those of the program before this one. ``program``: which this is. Raises NoServer before anything
        is adopted."""
        state = self._of_state(config) if _embedded(config) else None
        self._begin(config)
        known = {one["name"]: one for one in handed["others"]}
        for name in known.keys() - self._others.keys() - {"state"}:
            self._others[name] = _last_life(name)
        for name, child in self._others.items():
            if name in known:
                child.adopt(known[name], program)
        if "state" in known:
            self._state = state or _last_life("state")  # workers that are still there may need it
            self._state.adopt(known["state"], program)
        elif state is not None:
            self._state = state
            state.start()
        self.workers.adopt(handed["workers"], program, config.server.drain)

    def handed_on(self, program: int) -> dict[str, Any]:
        """For the program after this one. ``program``: which this is."""
        others = [child for child in (self._state, *self._others.values()) if child is not None]
        return {
            "others": [child.handed_on(program) for child in others],
            "workers": self.workers.handed_on(program),
        }

    async def renew(self, config: Config) -> None:
        """Put processes of this program in the place of those of the one before it. Workers first: who serves must be
        seen to serve, and what control migrates is not migrated back. Raises NotReady, and TimeoutError where state
        does not answer."""
        if _embedded(config):
            await embedded.ready(self._folders.state)
        await self.workers.renew(config.server.workers, config.server.drain)
        names = ["control", *_besides(config)]
        for name in names:
            child = self._others[name]
            if self._stopping.is_set():
                return
            if child.older:
                await child.renew()
            elif not child.begun:
                child.start()
        await self._until_others_answer(names)
        for name in self._others.keys() - set(names):
            await self._others.pop(name).stop(OTHERS_WITHIN)
        if self._state is not None and not _embedded(config):
            await self._until_retired()
            await self._state.stop(OTHERS_WITHIN)
            self._state = None

    async def stop(self, drain: float) -> None:
        """Workers first, while everything they need is still there; state last, because control writes to it."""
        await self.workers.stop(drain)
        await asyncio.gather(*(child.stop(OTHERS_WITHIN) for child in self._others.values()))
        if self._state is not None:
            await self._state.stop(OTHERS_WITHIN)

    @staticmethod
    def patience(config: Config) -> float:
        """Seconds that a stop may take at most."""
        return config.server.shutdown_delay + config.server.drain + ENDING + 2 * OTHERS_WITHIN

    def _begin(self, config: Config) -> None:
        self.workers.begin(config)
        handed = ["--listen-fd", str(self._sockets.descriptor(config.control.listen))]
        if config.control.probes is not None:
            handed += ["--probes-fd", str(self._sockets.descriptor(config.control.probes))]
        descriptors = [int(each) for each in handed[1::2]]
        root = os.fspath(self._folders.root)
        control = python("gateway.control", "--data-dir", root, *handed)
        self._others = {"control": Child("control", lambda: control, inherit=lambda: descriptors)}
        if "projector" in _besides(config):
            projector = python("gateway.mirror", "--data-dir", root)
            self._others["projector"] = Child("projector", lambda: projector)
        if "index" in _besides(config):
            index = python("gateway.index", "--data-dir", root)
            self._others["index"] = Child("index", lambda: index)
        if "replicator" in _besides(config):
            replicator = python("gateway.replicas", "--data-dir", root)
            self._others["replicator"] = Child("replicator", lambda: replicator)

    async def _until_others_answer(self, names: list[str] | None = None) -> None:
        paths = {"control": self._folders.control_socket, "projector": self._folders.projector_socket}
        for name in names if names is not None else list(self._others):
            if name not in paths:
                continue
            child = self._others[name]
            await until_answers(name, paths[name], self._stopping, partial(_died, child, child.restarts + TRIES))

    async def _until_retired(self) -> None:
        await asyncio.gather(*(child.gone() for child in self.workers.retiring.values()))


def _embedded(config: Config) -> bool:
    return config.state.url is None and config.state.sentinel is None


def _besides(config: Config) -> list[str]:
    """Processes that a node has only where it is asked to do their work."""
    replicas = config.journal.replicas
    wanted = {
        "projector": config.mirror is not None,
        "index": config.index is not None,
        "replicator": replicas is not None and any(one.node != config.server.node for one in replicas.peers.values()),
    }
    return [name for name, here in wanted.items() if here]


def _died(child: Child, often: int) -> bool:
    return child.restarts >= often


def _last_life(name: str) -> Child:
    """For a process that is not started again: the configuration has no place for it any more."""
    child = Child(name, list, tells_on_output=True)
    child.retire()
    return child
