"""Control comes up with its database, and looks again whenever that was away.

What came back need not be what went: a server that was restored, or took over from its primary without the last
commits, lacks acts that were answered. So whatever is done at a start is done after each new connection, before any
act: whose it is, which acts the journal has and it has not, whether the files beside it say what it says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.common.rounds import Rounds
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable
from gateway.control.workers.totals import Series
from gateway.node.folder_number import OtherNumber
from gateway.state.cold.owner import NotOurs

log = structlog.get_logger()

EVERY = 1.0  # seconds between two looks


class DatabaseWatch:
    """``come_up``: everything that has to be done with a database before it is used; it may raise, and is done again.
    ``beat``: what is said to it at each look from then on.

    ``fatal``: why this process must end; ``ended`` is set then.
    """

    def __init__(
        self,
        database: Database,
        come_up: Callable[[], Awaitable[None]],
        beat: Callable[[], Awaitable[None]],
        *,
        every: float = EVERY,
    ) -> None:
        self.up = False  # it was used once
        self.seen = 0  # which of the database's connections was looked at
        self.fatal: Exception | None = None
        self.ended = asyncio.Event()
        self._database = database
        self._come_up = come_up
        self._beat = beat
        self._looking = asyncio.Lock()
        self.rounds = Rounds("database.watching", self.look, every)

    async def revive(self) -> None:
        """Look, where the connection is not the one that was looked at. Raises ``DatabaseUnavailable``,
        ``DatabaseInUse``, ``NotOurs``, ``OtherNumber``."""
        async with self._looking:
            while not self.up or self.seen != self._database.lives:
                await self._database.opened()
                seen = self._database.lives
                await self._come_up()
                self.seen, self.up = seen, True

    async def look(self) -> None:
        """Once; what is wrong is told in the log, once for each outage, and by readiness."""
        try:
            if self.up:
                await self._beat()
            await self.revive()
        except (DatabaseUnavailable, DatabaseInUse):
            return  # told by the database itself
        except (NotOurs, OtherNumber) as error:
            self.fatal = error
            self.ended.set()

    def admit(self) -> None:
        """Raises ``DatabaseUnavailable`` while nobody is known who may ask, and nothing can be answered."""
        if not self.up:
            raise DatabaseUnavailable(self._database.problem or "is being looked at")

    async def series(self) -> dict[str, Series]:
        """Whether it can be used."""
        return {"tidegate_database_up": {(): int(self.up and not self._database.problem)}}
