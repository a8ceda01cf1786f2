"""Releases on their way: what a person approved is published once, whatever dies meanwhile, and the journal hears of
it.

One try, and what a ``kill -9`` leaves behind each of its steps:

    facts asked anew
    intent      ``Release`` begun, with the id of its record           nothing left us: the try is made again
    record      judged, in the journal (law 5)                         the same; the journal calls it ``unknown``
    sending     ``Release`` sending                                    nobody knows: see below
    ask         the platform
    outcome     states, the request destroyed, in one transaction      nobody knows
    told        outcome in the journal, the file scrubbed              told again, which means the same

Laws: what nobody knows is sent again, with the same key and under the same record, only where the platform honours the
key; else a person decides (``unknown``). A platform that does not take it now is asked again, at least every minute,
for ``retry_for``; then, and where it refuses, its sender may send it again (``tickets``). Each try of which it is known
that nothing came has a record and an outcome of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.common.ending import end
from gateway.config import Config
from gateway.control.acts.governance import Governance
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.neighbours import Row
from gateway.control.acts.refusal import ControlError, DatabaseUnavailable
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Held, HeldEvent, Release
from gateway.control.releasing import recheck, wanted_gone
from gateway.control.releasing.journalling import Telling
from gateway.control.releasing.publishing import Published, Publisher
from gateway.control.releasing.release_record import Approval, released
from gateway.control.workers.totals import Series
from gateway.journal.write.errors import JournalUnavailable
from gateway.parking.parked import BadParking, ParkedRequest, decode
from gateway.parking.seal import Seal, SealBroken

log = structlog.get_logger()

BEGUN, SENDING = "begun", "sending"
MOVING: Final = (held_states.APPROVED, held_states.RELEASING, held_states.UNDELIVERABLE)
"""States from which this leads on."""
AT_ONCE: Final = 8  # messages that are released at the same time
FIRST_PAUSE_US = 500_000
LONGEST_PAUSE_US = 60_000_000
KEPT_BACK_US = 5_000_000  # between two looks at what a switch or a muted room keeps from going
KEPT_BACK_AT_MOST_US = 86_400_000_000
UNOPENED_US = 60_000_000  # between two tries to open a seal
LONGEST_WAIT = 1.0  # seconds between two looks at the database: what an act has added is found
RETRY = 1.0  # seconds until the journal or the database is tried again


class _Due(NamedTuple):
    """A message that something is to be done with; ``uncertain``: its last release may have been published;
    ``unwanted``: somebody wants it gone."""

    message_id: str
    state: str
    sealed: bytes | None
    since: int
    tries: int
    due_at: int
    approval: Approval
    release: str
    recorded: bool
    uncertain: bool
    unwanted: bool


class Releases:
    """``record`` appends to the journal and raises where it may not; ``holds`` tells whether it has a message's record.
    ``clock`` in nanoseconds since the epoch."""

    def __init__(
        self,
        ledger: Ledger,
        publisher: Publisher,
        telling: Telling,
        seal: Callable[[], Seal | None],
        config: Callable[[], Config],
        *,
        ids: Callable[[], str],
        record: Callable[[Row], Awaitable[None]],
        holds: Callable[[str], Awaitable[bool]],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.unopened = 0  # approved messages whose seal cannot be opened now
        self._ledger = ledger
        self._database = ledger.database
        self._governance: Governance = ledger.governance
        self._publisher = publisher
        self._telling = telling
        self._seal = seal
        self._config = config
        self._ids = ids
        self._record = record
        self._holds = holds
        self._clock = clock
        self._wake = asyncio.Event()
        self._under_way: set[str] = set()
        self._sealed: set[str] = set()  # messages that cannot be opened
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="releases")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])

    def kick(self) -> None:
        """Something was decided."""
        self._wake.set()

    async def series(self) -> dict[str, Series]:
        """How many messages are in each state that something follows, as a metric."""

        def work(session: Session) -> dict[str, int]:
            open_ones = Held.state.in_(held_states.OPEN)
            rows = session.execute(select(Held.state, func.count()).where(open_ones).group_by(Held.state))
            return dict.fromkeys(sorted(held_states.OPEN), 0) | {row[0]: row[1] for row in rows}

        counted = await self._database.read(work)
        return {"tidegate_held": {(state,): count for state, count in counted.items()}}

    async def step(self) -> bool:
        """Do what is due, and tell the journal. True where anything was due. One control of several does."""
        if not self._ledger.leads():
            self._telling.left()
            return False
        now = self._now()
        due = await self._database.read(lambda session: _due(session, now, self._under_way))
        await self._telling.step()
        await asyncio.gather(*(self._one(one) for one in due))
        if due:
            await self._telling.step()
        return bool(due)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause = RETRY
            try:
                if await self.step():
                    continue
                pause = LONGEST_WAIT
                if self._ledger.leads():
                    pause = await self._database.read(lambda session: _next_due(session, self._now()))
            except DatabaseUnavailable:  # told by the database itself; nothing is lost
                pass
            except Exception:  # the database itself; nothing is lost
                log.error("releases.failed", exc_info=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _one(self, due: _Due) -> None:
        self._under_way.add(due.message_id)
        try:
            if due.unwanted and not due.uncertain:
                await self._void(due, wanted_gone.UNWANTED)
                return
            parked = await self._opened(due)
            if parked is None:
                return
            ways = self._publisher.ways(parked)
            if due.state == held_states.UNDELIVERABLE or (due.state == held_states.APPROVED and not ways.publishes):
                await self._ticket(due, parked)
            elif due.uncertain and not ways.idempotent:
                await self._lost(due, "release.cut_off")
            elif due.uncertain or not await self._kept_back(due, parked):
                await self._try(due, parked)
        except ControlError as error:
            if isinstance(error, DatabaseUnavailable):
                raise
            # Something else was decided meanwhile, in a transaction of its own: there is nothing to do any more.
        finally:
            self._under_way.discard(due.message_id)

    async def _opened(self, due: _Due) -> ParkedRequest | None:
        seal = self._seal()
        problem = "key"
        if seal is not None and due.sealed is not None:
            try:
                parked = decode(seal.open(due.message_id, due.sealed))
            except SealBroken as error:
                problem = error.cause
            except BadParking:
                problem = "content"
            else:
                self._sealed.discard(due.message_id)
                self.unopened = len(self._sealed)
                return parked
        if due.message_id not in self._sealed:
            self._sealed.add(due.message_id)
            log.error("release.unopened", message=due.message_id, problem=problem)
        self.unopened = len(self._sealed)
        later = self._now() + UNOPENED_US
        await self._database.run(lambda session: _later(session, due, later))
        return None

    async def _kept_back(self, due: _Due, parked: ParkedRequest) -> bool:
        """Whether something stands against publishing it now, that was not there when it was judged."""
        now = self._now()
        facts = await self._database.read(lambda session: recheck.known(session, parked, self._governance, now))
        reason = recheck.obstacle(self._config(), parked, facts, now)
        if not reason:
            return False
        ended = reason not in recheck.PASSING

        def work(session: Session) -> None:
            row = _same(session, due)
            if row is None:
                return
            if ended:
                held.void(session, row, reason, now)
            elif row.state == held_states.APPROVED and now - row.since > KEPT_BACK_AT_MOST_US:
                held.move(session, row, "expire", now, problem=reason)
            else:
                held.note_try(session, row, None, reason, now)
                row.due_at = now + KEPT_BACK_US

        await self._database.run(work)
        return True

    async def _void(self, due: _Due, problem: str) -> None:
        now = self._now()

        def work(session: Session) -> None:
            row = _same(session, due)
            if row is not None:
                held.void(session, row, problem, now)
                wanted_gone.is_gone(session, row, now)

        await self._database.run(work)

    async def _ticket(self, due: _Due, parked: ParkedRequest) -> None:
        texts = due.approval.texts or parked.masked_texts or parked.texts
        await tickets.issue(self._ledger, due.message_id, parked, texts, self._now())

    async def _lost(self, due: _Due, problem: str) -> None:
        await self._settled(due, due.release, Published("lost", None, problem), retry_for=0.0, idempotent=False)

    async def _try(self, due: _Due, parked: ParkedRequest) -> None:
        now = self._now()
        again = due.uncertain or due.recorded
        release = due.release if again else self._ids()
        if not await self._database.run(lambda session: _begin(session, due, release, now)):
            return
        holds = again and await self._holds(release)
        if not holds:
            route = self._publisher.route(parked.route)
            try:
                await self._record(released(release, now, route, parked, due.approval))
            except (JournalUnavailable, OSError) as error:  # the journal may not write now: nothing has left
                log.warning("release.unrecorded", problem=type(error).__name__)
                later = self._now() + FIRST_PAUSE_US
                await self._database.run(lambda session: _later(session, due, later))
                return
        if not await self._database.run(lambda session: _sending(session, due.message_id, release, shown=holds)):
            return
        if not self._ledger.leads():
            return  # we were stopped meanwhile: whoever leads by now does not know whether it went, and sees to it
        published = await self._publisher.publish(parked, release, due.approval.texts or parked.masked_texts)
        ways = self._publisher.ways(parked)
        while True:
            try:
                await self._settled(due, release, published, retry_for=ways.retry_for, idempotent=ways.idempotent)
                return
            except DatabaseUnavailable:  # what came of it is known here alone
                await asyncio.sleep(RETRY)

    async def _settled(
        self, due: _Due, release_id: str, said: Published, *, retry_for: float, idempotent: bool
    ) -> None:
        now = self._now()
        await self._database.run(
            lambda session: _settle(session, due.message_id, release_id, said, now, retry_for, idempotent=idempotent)
        )
        if said.became == "lost" and not idempotent:
            log.error("release.unknown", message=due.message_id, problem=said.problem)

    def _now(self) -> int:
        return self._clock() // 1000


def _due(session: Session, now: int, under_way: set[str]) -> list[_Due]:
    rows = session.scalars(
        select(Held)
        .where(
            Held.state.in_(MOVING),
            Held.due_at > 0, Held.due_at <= now, Held.message_id.not_in(under_way),
        )
        .order_by(Held.due_at, Held.message_id)
        .limit(AT_ONCE)
    ).all()  # fmt: skip
    found = []
    for row in rows:
        last = session.get(Release, row.release) if row.release else None
        texts = tuple(row.texts) if row.texts is not None else None
        found.append(
            _Due(
                row.message_id, row.state, row.sealed, row.since, row.tries, row.due_at,
                Approval(_approved_by(session, row), texts), row.release,
                last is not None and last.state == BEGUN,
                last is not None and last.state in (SENDING, "unknown"), row.takedown_id is not None,
            )
        )  # fmt: skip
    return found


def _approved_by(session: Session, row: Held) -> str:
    """The act that approved it; a later one may have said to try once more."""
    wanted = (
        select(HeldEvent.act_uid)
        .where(HeldEvent.message_id == row.message_id, HeldEvent.event == held_states.APPROVED)
        .order_by(HeldEvent.id.desc())
        .limit(1)
    )
    return session.scalar(wanted) or row.act_uid


def _next_due(session: Session, now: int) -> float:
    """Seconds until something is due, at most ``LONGEST_WAIT``."""
    due = session.scalar(select(func.min(Held.due_at)).where(Held.state.in_(MOVING), Held.due_at > 0))
    return LONGEST_WAIT if due is None else min(max((due - now) / 1e6, 0.0), LONGEST_WAIT)


def _same(session: Session, due: _Due) -> Held | None:
    """The row where nobody has decided something else meanwhile."""
    row = session.get(Held, due.message_id)
    return row if row is not None and (row.state, row.due_at) == (due.state, due.due_at) else None


def _later(session: Session, due: _Due, at: int) -> None:
    row = session.get(Held, due.message_id)
    if row is not None and row.due_at:
        row.due_at = at


def _begin(session: Session, due: _Due, release_id: str, now: int) -> bool:
    """Write down what is about to be done."""
    row = _same(session, due)
    if row is None:
        return False
    if row.state == held_states.APPROVED:
        held.move(session, row, "release", now)
    row.due_at = now  # due at once for whoever comes after a crash
    row.release = release_id
    if session.get(Release, release_id) is None:
        session.add(Release(id=release_id, message_id=row.message_id, at=now, state=BEGUN))
    return True


def _sending(session: Session, message_id: str, release_id: str, *, shown: bool) -> bool:
    row = session.get_one(Release, release_id)
    if session.get_one(Held, message_id).state != held_states.RELEASING:
        return False
    row.doubted = row.doubted or row.state in (SENDING, "unknown")
    row.shown = row.shown or shown
    row.state = SENDING
    return True


def _settle(
    session: Session, message_id: str, release_id: str, said: Published, now: int, retry_for: float, *, idempotent: bool
) -> None:
    """Write down what the platform said, or that it said nothing."""
    row, release = session.get_one(Held, message_id), session.get_one(Release, release_id)
    if row.state != held_states.RELEASING:
        return
    over = now - row.since > retry_for * 1e6
    release.status, release.problem, release.upstream_id = said.status, said.problem, said.upstream_id
    release.told = False
    if said.became == "delivered":
        release.state = "delivered"
        held.move(session, row, "deliver", now, status=said.status)
        wanted_gone.can_run(session, row, release, now)
        return
    if said.became == "refused":
        release.state = "refused"
        held.move(session, row, "reject", now, status=said.status, problem=said.problem)
        row.due_at = now
        return
    release.doubted = release.doubted or said.became == "lost"
    if not release.doubted:
        release.state = "failed" if said.became == "unreached" else "refused"
        if over:
            held.move(session, row, "reject", now, status=said.status, problem=said.problem)
            row.due_at = now
            return
    else:
        release.state, release.shown = "unknown", True
        if over or not idempotent:
            held.move(session, row, "lose", now, status=said.status, problem=said.problem)
            wanted_gone.can_run(session, row, release, now)
            return
        release.told = True  # it is asked again under the same record
    held.note_try(session, row, said.status, said.problem, now)
    row.due_at = now + min(FIRST_PAUSE_US << min(row.tries, 20), LONGEST_PAUSE_US)
    row.tries += 1
