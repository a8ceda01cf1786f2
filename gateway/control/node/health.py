"""Is this node fit to take traffic? Each thing it needs is asked by name."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from gateway.common import channel
from gateway.common.boot import LEAP_US, ClockWatch, uptime_us
from gateway.common.channel import ChannelError
from gateway.control.acts.authority import Authority
from gateway.control.acts.database import Database
from gateway.control.acts.neighbours import Projection, Reloader
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.node.schemas import HealthCheck, Ready
from gateway.control.nodes.clock_skew import ClockSkew
from gateway.control.workers.totals import Series
from gateway.control.workers.workers import Workers

WITHIN = 1.0  # seconds for one check
TOLD_FOR = 7200.0  # seconds that a clock which was set, and set back, is still told
LOSING = frozenset(("removed", "replaced", "truncated"))  # why segments were left whose records are missing now


class Health:
    """``journal`` is the folder of the segments; less than ``full_disk`` bytes free there is not fit, less than
    ``low_disk`` is said. ``of_state``: why what state holds cannot be relied on, and what else is to be said of it;
    ``of_node``: what is to be said of this node beside the others. ``replicator``: its socket, where this node copies
    journals of others."""

    def __init__(
        self,
        *,
        database: Database,
        relay: OutboxRelay,
        projection: Projection,
        workers: Workers,
        reloader: Reloader,
        journal: Path,
        low_disk: int,
        full_disk: int,
        clock: ClockWatch,
        skew: ClockSkew,
        of_state: Callable[[], tuple[str, str]] = lambda: ("", ""),
        of_node: Callable[[], str] = lambda: "",
        authority: Authority | None = None,
        replicator: Path | None = None,
    ) -> None:
        self._authority = authority or Authority()
        self._state = of_state
        self._node = of_node
        self._database = database
        self._relay = relay
        self._projection = projection
        self._workers = workers
        self._supervisor = reloader
        self._journal = journal
        self._low_disk = low_disk
        self._full_disk = full_disk
        self._clock = clock
        self._skew = skew
        self._replicator = replicator

    async def look(self, *, anew: bool = True) -> Ready:
        """Ask everything at once; nothing takes longer than ``WITHIN``. Not ``anew``: by the workers' last answers."""
        asked: Mapping[str, Callable[[], Awaitable[HealthCheck]]] = {
            "database": self._of_database,
            "state": self._of_state,
            "journal": self._of_journal,
            "workers": partial(self._of_workers, anew),
            "node": self._of_node,
            "clock": self._of_clock,
        }
        if self._replicator is not None:
            asked = {**asked, "replicas": partial(_of_replicas, self._replicator)}
        found = await asyncio.gather(*(_within(check) for check in asked.values()))
        checks = dict(zip(asked, found, strict=True))
        return Ready(ready=all(check.ok for check in checks.values()), checks=checks)

    async def _of_database(self) -> HealthCheck:
        """A server that is away is told, and no reason to take traffic away: judging needs no database, and one server
        would stop all the nodes that it serves."""
        if self._authority.problem:
            return HealthCheck(ok=False, detail=self._authority.problem)
        if self._database.problem:
            return HealthCheck(ok=True, detail=f"the control database {self._database.problem}; no act is taken")
        try:
            waiting = await self._relay.waiting()
        except DatabaseUnavailable as error:
            return HealthCheck(ok=True, detail=f"{error}; no act is taken")
        return HealthCheck(ok=True, detail=f"{waiting.acts} acts wait in the outbox" if waiting.acts else "")

    async def _of_state(self) -> HealthCheck:
        await self._projection.ping()
        problem, note = self._state()
        return HealthCheck(ok=not problem, detail=problem or note)

    async def series(self) -> dict[str, Series]:
        """What readiness says check by check, room on the journal's disk, and how the time of day was set since control
        started, and before. The workers are not asked again: whoever measures has just done so."""
        found = (await self.look(anew=False)).checks
        room: dict[str, Series] = {}
        with suppress(OSError):  # a folder that is not there has no room to tell of
            room["tidegate_journal_free_bytes"] = {(): await asyncio.to_thread(self._free)}
        if (skew := self._skew.last) is not None:
            room["tidegate_clock_skew_seconds"] = {(): skew.ahead / 1e6}
            room["tidegate_clock_skew_uncertainty_seconds"] = {(): skew.within / 1e6}
            room["tidegate_clock_max_skew_seconds"] = {(): self._skew.most}
        return room | {
            "tidegate_ready": {(name,): int(check.ok) for name, check in found.items()},
            "tidegate_journal_bound_bytes": {("low_disk",): self._low_disk, ("full_disk",): self._full_disk},
            "tidegate_clock_leaps_total": {(): self._clock.leaps},
            "tidegate_clock_set_seconds": {(): self._clock.total / 1e6},
        }

    async def _of_clock(self) -> HealthCheck:
        """Told, and no reason to take traffic away: nothing waits for a clock. A person has to look."""
        clock = self._clock
        ago = (uptime_us() - clock.since) / 1e6
        told = [self._skew.note] if self._skew.note else []
        if clock.leaps and (abs(clock.total) >= LEAP_US or ago <= TOLD_FOR):
            told.append(
                f"the time of day was set {clock.leaps} times, by {clock.total / 1e6:+.0f} s in all, "
                f"last {ago:.0f} s ago"
            )
        return HealthCheck(ok=True, detail="; ".join(told))

    async def _of_journal(self) -> HealthCheck:
        if not self._journal.is_dir():
            return HealthCheck(ok=False, detail="the folder is not there")
        free = await asyncio.to_thread(self._free)
        if not os.access(self._journal, os.W_OK):
            return HealthCheck(ok=False, detail="the folder cannot be written")
        if free < self._full_disk:
            return HealthCheck(ok=False, detail=f"{free >> 20} MiB free: less than journal.full_disk")
        if "journal" in self._relay.failures:
            return HealthCheck(ok=False, detail="acts cannot be recorded")
        return HealthCheck(
            ok=True, detail=f"{free >> 20} MiB free: less than journal.low_disk" if free < self._low_disk else ""
        )

    async def _of_node(self) -> HealthCheck:
        try:
            stopping = bool((await self._supervisor.status()).get("stopping"))
        except ChannelError:
            stopping = False  # whoever is not there to be asked stops nothing; a dead one takes its children along
        return HealthCheck(ok=not stopping, detail="the node was told to stop" if stopping else self._node())

    def _free(self) -> int:
        return shutil.disk_usage(self._journal).free

    async def _of_workers(self, anew: bool) -> HealthCheck:
        if anew:
            await self._workers.look()
        told = dict(self._workers.answers)
        for name, status in self._workers.statuses.items():
            if not status.get("journal", {}).get("ready", True):
                told[name] = "the journal is not ready"
        detail = ", ".join(f"{name}: {how}{self._besides(name)}" for name, how in sorted(told.items()))
        # One that starts anew does not take a node out; none that can judge does.
        return HealthCheck(ok="ok" in told.values(), detail=detail or "no worker has a socket")

    def _besides(self, name: str) -> str:
        """That a worker refuses what is beyond it, and what happened to its segments behind its back: records are
        missing, and a person has to look."""
        status = self._workers.statuses.get(name, {})
        left = status.get("journal", {}).get("left", {})
        told = [f"{cause} {count}" for cause, count in sorted(left.items()) if cause in LOSING]
        shedding = " (overloaded)" if status.get("shedding") else ""
        return f"{shedding} (segments {', '.join(told)})" if told else shedding


async def _of_replicas(replicator: Path) -> HealthCheck:
    """Told, and no reason to take traffic away: a peer that is behind would have more to do then, and not less."""
    try:
        told = await channel.call(replicator, {"command": "status"}, WITHIN)
    except ChannelError as error:
        return HealthCheck(ok=True, detail=f"the replicator: {error.cause}; no journal is copied")
    most = float(told["max_lag"])
    late = [
        f"{name} (node {peer['node']}): {peer['lag']:.0f} s and {peer['behind']} bytes behind"
        + (f" ({peer['cause']})" if peer["cause"] else "")
        for name, peer in sorted(told["peers"].items())
        if peer["lag"] > most or peer["cause"] not in ("", "starting")
    ]
    return HealthCheck(ok=True, detail="; ".join(late))


async def _within(check: Callable[[], Awaitable[HealthCheck]]) -> HealthCheck:
    try:
        async with asyncio.timeout(WITHIN):
            return await check()
    except TimeoutError:
        return HealthCheck(ok=False, detail="no answer in time")
    except Exception as error:  # a check that fails is the answer, whatever made it fail
        return HealthCheck(ok=False, detail=type(error).__name__)
