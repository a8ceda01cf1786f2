"""What control does with its database before anything is answered from it: at a start, and whenever it was away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from gateway.common.ending import end
from gateway.common.folders import DatabaseServer, Folders, keep_id
from gateway.config import Config
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.neighbours import Reloader
from gateway.control.acts.replay import unknown
from gateway.control.adapters.state import LocatedProjection
from gateway.control.calls.feature import Beginning, Running
from gateway.control.features import GOVERNANCE
from gateway.control.node.confirming import Confirming
from gateway.control.nodes.noticing import Noticing
from gateway.control.nodes.presence import Presence
from gateway.control.workers.workers import Workers
from gateway.state.cold.owner import NotOurs, myself

log = structlog.get_logger()


class ComingUp:
    """``beginning``: services that need the database first; ``after``: what runs from the first time on."""

    def __init__(
        self,
        database: Database,
        config: Config,
        folders: Folders,
        ledger: Ledger,
        projection: LocatedProjection,
        confirming: Confirming,
        workers: Workers,
        reloader: Reloader,
        beginning: Sequence[Beginning],
        presence: Presence,
        noticing: Noticing,
    ) -> None:
        self.after: Sequence[Running] = ()
        self._database = database
        self._config = config
        self._folders = folders
        self._ledger = ledger
        self._projection = projection
        self._confirming = confirming
        self._workers = workers
        self._reloader = reloader
        self._beginning = beginning
        self._presence = presence
        self._noticing = noticing
        self._origin = ""
        self._mended = False
        self._serving = False
        self._started: list[Running] = []
        self._lists: set[asyncio.Task[None]] = set()

    async def come_up(self) -> None:
        """Raises ``NotOurs``, ``OtherNumber``, ``DatabaseUnavailable``."""
        database, authority = self._database, self._ledger.authority
        await self._own()
        await self._presence.register()
        await self._noticing.begin()
        node, journal = f"node-{self._config.server.node}", self._folders.journal(self._config)
        lacking = await asyncio.to_thread(unknown, database, [journal], node)
        authority.journal = f"the control database lacks {len(lacking)} acts that the journal holds" if lacking else ""
        authority.distrusted = frozenset(row for act in lacking for row in act.rows)
        for service in self._beginning:
            await service.begin()
        self._mended |= not authority.problem and await self._ledger.mend()
        # Once before anything is answered: a state server that starts empty is filled now.
        await self._confirming.look()
        if self._confirming.not_ours is not None:
            raise self._confirming.not_ours
        if not authority.problem:  # else workers go on with what they know, or read in state
            self._workers.offer(await database.read(GOVERNANCE.snapshot))
        if self._serving:
            self.recompile()
        self.start()

    async def _own(self) -> None:
        """Whose state it must be."""
        database, place = self._database, self._database.place
        if self._origin and database.origin != self._origin:
            raise NotOurs(myself(self._origin, self._config.server.node, str(place)), database.origin)
        if not self._origin:
            self._origin = database.origin
            await self._projection.own(myself(database.origin, self._config.server.node, str(place)))
            if isinstance(place, DatabaseServer):
                await asyncio.to_thread(keep_id, self._folders.database_id, place, database.origin)

    def start(self) -> None:
        """What needs the database, once."""
        if not self._started:
            for part in self.after:
                part.start()
                self._started.append(part)

    async def stop(self) -> None:
        """The latest first."""
        await end(list(self._lists))
        for part in reversed(self._started):
            await part.stop()

    def recompile(self) -> None:
        """From now on lists are compiled anew where they lack what people said: after a crash, or where a version that
        wrote no such file was here before."""
        self._serving = True
        if self._mended:
            self._mended = False
            log.warning("lists.changes_mended")
            task = asyncio.create_task(_recompile(self._reloader), name="reload of mended lists")
            self._lists.add(task)
            task.add_done_callback(self._lists.discard)


async def _recompile(reloader: Reloader) -> None:
    reloaded = await reloader.reload()
    if not reloaded.ok:
        log.error("lists.not_recompiled", problems=reloaded.problems)
