"""The ledger: every act goes through here, and what follows from one is done here.

rows, act ──► files beside the database ──► commit ──► relay: journal and state
                                               ├─► who follows a table: at once
                                               ├─► snapshot changed: to every worker directly
                                               └─► lists changed: a new generation is compiled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.common.metrics import METRICS, Counts
from gateway.control.acts import acts
from gateway.control.acts.acts import CommittedAct, Intent, Unit
from gateway.control.acts.authority import Authority
from gateway.control.acts.database import Database
from gateway.control.acts.governance import Governance
from gateway.control.acts.neighbours import Reloaded, Reloader
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.acts.refusal import ControlError, DatabaseInUse, DatabaseUnavailable, OutcomeUnknown
from gateway.control.acts.rows import Act, Model
from gateway.control.workers.workers import Workers

log = structlog.get_logger()

T = TypeVar("T")

CLAIM = "state.claim"
SETTLE_WITHIN = 1.0  # seconds an answer waits for journal and state


class Outcome(NamedTuple, Generic[T]):
    """What became of an act by the time of its answer. ``workers`` and ``reload``: None where it asks for neither;
    ``replicated``: None where state has no replica."""

    act: int
    uid: str
    result: T
    journalled: bool
    projected: bool
    workers: dict[str, bool] | None = None
    reload: Reloaded | None = None
    replicated: bool | None = None

    @property
    def in_force(self) -> bool:
        """Whether nothing more has to happen for it to hold everywhere on this node."""
        reloaded = self.reload is None or self.reload.ok
        return self.journalled and self.projected and all((self.workers or {}).values()) and reloaded


class Beside(Protocol):
    """A file that says what a table says, for a process that does not read the database."""

    def write(self, session: Session, act: int) -> None:
        """Say what the table says within this transaction, which commits next. Raises ``OSError``."""

    def mend(self, session: Session) -> bool:
        """Say what the database says; True where the file said something else."""


class Ledger:
    """Does acts. ``ids`` gives their names in the journal, rising."""

    def __init__(
        self,
        *,
        database: Database,
        relay: OutboxRelay,
        workers: Workers,
        reloader: Reloader,
        governance: Governance,
        ids: Callable[[], str],
        authority: Authority | None = None,
    ) -> None:
        self.authority = authority or Authority()
        self.database = database
        self.relay = relay
        self.governance = governance
        self.done = Counts(METRICS["tidegate_acts_total"])
        self.revive: Callable[[], Awaitable[None]] = _nobody  # looks at a database that was away, before it is used
        self.leads: Callable[[], bool] = lambda: True  # whether we do what one control of several has to do
        self.workers = workers
        self._reloader = reloader
        self._ids = ids
        self._beside: dict[str, Beside] = {}
        self._followers: dict[str, list[Callable[[], Awaitable[None]]]] = {}

    def write_beside(self, rows: type[Model], file: Beside) -> None:
        """From now on ``file`` changes with this table, in the same transaction."""
        self._beside[rows.__tablename__] = file

    def follow(self, rows: type[Model], then: Callable[[], Awaitable[None]]) -> None:
        """From now on ``then`` is awaited after each act that changed this table, before the act is answered."""
        self._followers.setdefault(rows.__tablename__, []).append(then)

    async def act(
        self,
        person: str,
        reason: str,
        kind: str,
        subject: str,
        work: Callable[[Unit], T],
        *,
        settle: bool = True,
        token: str | None = None,
    ) -> Outcome[T]:
        """Do one act and everything that follows from it. ``settle``: wait a moment for journal and state; ``token``:
        the machine's, for which the person answers. Refused
        while the database lacks acts, apart from the one that settles it."""
        if kind != CLAIM:
            self.authority.refuse()
        uid = self._ids()
        intent = Intent(uid, person, reason, kind, subject, token)
        done = await self._commit(intent, work)
        self.done.add((kind,))
        self.relay.kick()
        # Once committed an act takes its course, also when the one who asked has hung up.
        return await asyncio.shield(asyncio.ensure_future(self._follow(uid, done, settle)))

    async def _commit(self, intent: Intent, work: Callable[[Unit], T]) -> CommittedAct[T]:
        written: list[Beside] = []

        def transaction(session: Session) -> CommittedAct[T] | None:
            if not self.authority.looked():
                return None
            done = acts.perform(session, intent, work, self.governance)
            for table in sorted(done.tables & self._beside.keys()):
                written.append(self._beside[table])
                self._beside[table].write(session, done.act)
            return done

        def committed(session: Session) -> bool:
            return session.scalar(select(Act.id).where(Act.uid == intent.uid)) is not None

        try:
            while (done := await self.database.run(transaction, committed)) is None:
                await self._revived(intent.kind)
            return done
        except BaseException as error:  # raised again: what was written is not what the database came to say
            if written and not isinstance(error, OutcomeUnknown):  # else whoever looks at the database again mends it
                await asyncio.shield(asyncio.ensure_future(self.mend()))
            if isinstance(error, DatabaseUnavailable) and not isinstance(error, OutcomeUnknown):
                raise DatabaseUnavailable(
                    error.why, error.reason, f"Nothing was done: the control database {error.why}; try again."
                ) from error
            if isinstance(error, IntegrityError):
                raise ControlError(409, "control.conflict", "Something else stands in this place already.") from error
            if isinstance(error, OSError):
                raise ControlError(
                    503, "control.changes_unwritten", "The change could not be written to disk; nothing was done."
                ) from error
            raise

    async def _revived(self, kind: str) -> None:
        """The database is another connection's than the one that was looked at."""
        try:
            await self.revive()
        except DatabaseInUse:
            raise DatabaseUnavailable("is served by another control process") from None
        if kind != CLAIM:
            self.authority.refuse()

    async def mend(self) -> bool:
        """Make every file beside the database say what the database says; True where one said something else."""
        mended = False
        for table, beside in self._beside.items():
            try:
                mended |= await self.database.run(beside.mend)
            except OSError as error:  # a full disk: whoever reads the file learns of it, and the next act tries again
                log.error("acts.file_unwritten", table=table, problem=type(error).__name__)
            except DatabaseUnavailable:
                continue  # mended when it is back
        return mended

    async def _follow(self, uid: str, done: CommittedAct[T], settle: bool) -> Outcome[T]:
        pushed: dict[str, bool] | None = None
        reload: Reloaded | None = None
        journalled = projected = False
        try:
            pushed = await self.follow_up(done.tables)
            if done.tables & self.governance.compiled:
                reload = await self.recompile()
            within = SETTLE_WITHIN if settle else 0.0
            journalled, projected = await self.relay.settled(done.act, within)
        except DatabaseUnavailable:  # gone behind the commit: what follows comes with it
            log.warning("acts.followed_later", act=done.act)
        replicated = self.relay.replicated(done.act) if projected else None
        return Outcome(done.act, uid, done.result, journalled, projected, pushed, reload, replicated)

    async def follow_up(self, tables: frozenset[str]) -> dict[str, bool] | None:
        """What follows on this node from a change of these tables, whoever made it; which workers have the snapshot
        that came of it, None where none did."""
        for table in sorted(tables & self._followers.keys()):
            for then in self._followers[table]:
                await then()
        if tables & self.governance.in_snapshot:
            return await self.workers.push(await self.database.read(self.governance.snapshot))
        return None

    async def recompile(self) -> Reloaded:
        """Lists as they are now, in force on this node."""
        return await self._reloader.reload()


async def _nobody() -> None:
    return None
