"""What an appellant does by a code, whoever asks and on which page: see, file, insist, withdraw.

A code is all that an appellant has: who holds it may do everything here, and learns nothing about any other. Each call
costs a look into the database and, where nothing was filed yet, one into a few segments of the journal; ``AskingPace``
bounds both by address and by code.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.appeals.codes import canonical
from gateway.common.metrics import METRICS, Counts
from gateway.common.rounds import Rounds
from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.neighbours import Row
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.appeals import appeals
from gateway.control.appeals.admissibility import AppealedDecision, AppealRefused, admitted
from gateway.control.appeals.appeal_states import AppealMove, NoSuchAppealMove
from gateway.control.appeals.appealed_messages import AppealedMessages, JudgedMessage
from gateway.control.appeals.redress import Restore, redress
from gateway.control.appeals.rows import Appeal
from gateway.control.appeals.standings import taken_down, weighed
from gateway.control.restoring.coming_back import KeptMessage, Restoring
from gateway.control.workers.totals import Series

log = structlog.get_logger()

EVERY: Final = 1.0  # seconds between two looks at what is due


class Filed(NamedTuple):
    """An appeal as its appellant sees it; times in µs since the epoch. ``state``: empty where none was filed yet, and
    then ``file_until`` says until when one can be; ``text_needed``: it has to be entered again; ``answer_by``: 0 where
    nobody has to answer."""

    code: str
    state: str
    at: int
    reason: str
    ground: str
    category: str
    file_until: int = 0
    text_needed: bool = False
    explained: bool = False
    filed_at: int = 0
    answer_by: int = 0
    answer: str = ""
    answer_ground: str = ""
    same_person: bool = False
    redress: str = ""


class AppealGiven(NamedTuple):
    """What an appellant gives. ``message_id``: only where a code is ambiguous; ``text``: empty for none."""

    code: str
    statement: str = ""
    text: str = ""
    message_id: str = ""
    language: str = "en"


class AppealDesk:
    """``terms``: ``[appeals]`` as it is in force, None where nothing is appealed here; ``record`` appends to the
    journal and raises where it may not; ``clock`` in nanoseconds since the epoch; ``restoring``: what brings back what
    was taken down, None where nothing does."""

    def __init__(
        self,
        ledger: Ledger,
        messages: AppealedMessages,
        terms: Callable[[], AppealTerms | None],
        record: Callable[[Row], Awaitable[None]],
        clock: Callable[[], int] = time.time_ns,
        restoring: Restoring | None = None,
    ) -> None:
        self._record = record
        self._unrecorded = False
        self._restoring = restoring
        self._elsewhere: set[int] = set()  # appeals that another node has to settle, and of which that was told
        self._ledger = ledger
        self._database = ledger.database
        self._messages = messages
        self._terms = terms
        self._clock = clock
        self.refused = Counts(METRICS["tidegate_appeals_refused_total"])
        self.rounds = Rounds("appeals.upkeep", self.look, EVERY)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def see(self, given: AppealGiven) -> Filed:
        """What was decided, and what became of the appeal. Raises ``AppealRefused``, ``DatabaseUnavailable``."""
        terms = self._in_force()
        row, told = await self._found(given)
        if row is not None:
            return seen(row)
        assert told is not None
        decision = await self._database.read(lambda session: weighed(session, told))
        how = self._admitted(decision, terms)
        return Filed(
            canonical(given.code), "", decision.at, decision.reason, decision.ground, decision.category,
            file_until=decision.file_until(round(terms.file_within * 1e6)),
            text_needed=decision.texts is None and how is AppealMove.FILE, explained=how is AppealMove.EXPLAIN,
        )  # fmt: skip

    async def file(self, given: AppealGiven, *, insist: bool = False) -> Filed:
        """File an appeal; who files again is told what became of the first. What is explained at once goes to a person
        where its appellant insists. Raises ``AppealRefused``, ``DatabaseUnavailable``."""
        terms = self._in_force()
        row, told = await self._found(given)
        if row is not None:
            number = row.id
            if row.state != "explained" or not insist:
                return seen(row)
            return await self._moved(number, lambda session, one: self._insist(session, one, given, terms))
        assert told is not None
        code = canonical(given.code)

        def work(session: Session) -> Filed:
            held = appeals.of_message(session, told.id)
            if held is not None:  # somebody with the same code was faster
                return seen(held)
            decision = weighed(session, told)
            now = self._now()
            how = admitted(decision, now, round(terms.file_within * 1e6))
            texts, proved = (None, True) if how is AppealMove.EXPLAIN else self._text(decision, given)
            if how is AppealMove.FILE and not given.statement:
                raise AppealRefused("appeal.statement_missing")
            made = appeals.file(
                session, decision, how, code=code, statement=given.statement, texts=texts, proved=proved,
                language=given.language, now=now, due_at=self._due(now, terms),
                barred=() if terms.same_person else decision.parties,
            )  # fmt: skip
            if insist and how is AppealMove.EXPLAIN:
                self._insist(session, made, given, terms)
            return seen(made)

        try:
            return await self._database.run(work)
        except IntegrityError:  # two of them at once
            return await self.see(given)
        except AppealRefused as error:
            self.refused.add((error.reason,))
            raise

    async def withdraw(self, given: AppealGiven) -> Filed:
        """Take an appeal back. Raises ``AppealRefused``, ``DatabaseUnavailable``."""
        self._in_force()
        row, _ = await self._found(given)
        if row is None:
            raise AppealRefused("appeal.decided")
        return await self._moved(row.id, lambda session, one: appeals.withdraw(session, one, now=self._now()))

    async def texts(self, message_id: str) -> Sequence[str] | None:
        """What the journal holds of a message; None where it holds no text of it."""
        return await self._messages.texts(message_id)

    @property
    def undo_us(self) -> int:
        """How long a decision can be taken back."""
        terms = self._terms()
        return round(terms.undo * 1e6) if terms is not None else 0

    async def series(self) -> dict[str, Series]:
        """See ``Measured``."""
        now = self._now()
        told = await self._database.read(lambda session: appeals.counted(session, now=now))
        return {
            "tidegate_appeals": {(state,): count for state, count in told.states.items()},
            "tidegate_appeals_same_person": {(): told.same_person},
            "tidegate_appeals_oldest_seconds": {(): told.oldest_us / 1e6},
            "tidegate_appeals_refused_total": dict(self.refused.values),
        }

    async def look(self) -> None:
        """Let decisions take effect, and alarm for what waits too long."""
        if not self._ledger.leads():
            return
        now = self._now()
        try:
            for one in await self._database.read(lambda session: appeals.due(session, now=now)):
                await self._settle(one, now)
            late = await self._database.run(lambda session: appeals.overrun(session, now=now))
            await self._tell()
        except DatabaseUnavailable:  # told by the database itself; nothing is lost
            return
        for number in late:
            log.error("appeal.overdue", appeal=number)

    async def _tell(self) -> None:
        """The journal hears of each move, the appellant's own too; again after a crash, which means the same."""
        try:
            for event, record in await self._database.read(appeals.untold):
                await self._record(record)
                await self._database.run(partial(appeals.told, event=event))
            self._unrecorded = False
        except DatabaseUnavailable:
            raise
        except Exception:  # of the journal; what is untold stays so until the next look
            if not self._unrecorded:  # once for each outage
                log.error("appeals.unrecorded", exc_info=True)
            self._unrecorded = True

    async def _settle(self, due: appeals.DueAppeal, now: int) -> None:
        if not await self._messages.here(due.message_id):  # of another node, which will settle it
            if due.number not in self._elsewhere:
                self._elsewhere.add(due.number)
                log.info("appeal.elsewhere", appeal=due.number)
            return
        gone = await self._database.read(lambda session: taken_down(session, due.message_id))
        try:
            texts = await self._messages.texts(due.message_id)
            kept = await self._restoring.kept(gone.message_id) if gone is not None and self._restoring else None
        except OSError as error:  # it waits until the journal can be read: what follows is done once
            log.error("appeals.journal_unreadable", problem=type(error).__name__)
            return
        restore = partial(_restored, self._restoring, gone.id, kept) if gone and kept and self._restoring else None
        work = partial(appeals.settle, number=due.number, redress=partial(_redress, texts, restore), now=now)
        done = await self._ledger.act(
            SYSTEM, f"{due.outcome}, and can no longer be taken back", "appeal.settle", f"appeal:{due.number}", work,
            settle=False,
        )  # fmt: skip
        row = done.result
        log.info("appeal.settled", appeal=row.id, state=row.state, same_person=row.same_person)

    def _in_force(self) -> AppealTerms:
        terms = self._terms()
        if terms is None:
            raise AppealRefused("appeal.unknown")
        return terms

    async def _found(self, given: AppealGiven) -> tuple[Appeal | None, JudgedMessage | None]:
        """The appeal, or what can be appealed. Raises ``AppealRefused`` where there is neither, or more than one."""
        code = canonical(given.code)
        rows = await self._database.read(lambda session: list(appeals.by_code(session, code))) if code else []
        known = {row.message_id for row in rows}
        told: Sequence[JudgedMessage] = []
        if code and (not rows or (given.message_id and given.message_id not in known)):
            try:
                told = [one for one in await self._messages.find(code) if one.id not in known]
            except OSError as error:
                log.error("appeals.journal_unreadable", problem=type(error).__name__)
                raise AppealRefused("appeal.unavailable") from None
        if given.message_id:
            rows = [row for row in rows if row.message_id == given.message_id]
            told = [one for one in told if one.id == given.message_id]
        if len(rows) + len(told) > 1:
            raise self._refused("appeal.ambiguous")
        if rows:
            return rows[0], None
        if not told:
            raise self._refused("appeal.unknown")
        return None, told[0]

    async def _moved(self, number: int, how: Callable[[Session, Appeal], None]) -> Filed:
        def work(session: Session) -> Filed:
            row = appeals.get(session, number)
            how(session, row)
            return seen(row)

        try:
            return await self._database.run(work)
        except NoSuchAppealMove:  # decided meanwhile
            raise self._refused("appeal.decided") from None

    def _insist(self, session: Session, row: Appeal, given: AppealGiven, terms: AppealTerms) -> None:
        now = self._now()
        barred = () if terms.same_person else row.parties
        appeals.insist(session, row, statement=given.statement, now=now, due_at=self._due(now, terms), barred=barred)

    def _text(self, decision: AppealedDecision, given: AppealGiven) -> tuple[Sequence[str] | None, bool]:
        """The text as its sender entered it again, where the journal has none, and whether it is proved."""
        if decision.texts is not None:
            return None, True
        if not given.text:
            raise AppealRefused("appeal.text_needed")
        texts = (given.text,)
        if decision.print and self._messages.print(texts) != decision.print:
            raise AppealRefused("appeal.text_differs")
        return texts, decision.print != ""

    def _admitted(self, decision: AppealedDecision, terms: AppealTerms) -> AppealMove:
        try:
            return admitted(decision, self._now(), round(terms.file_within * 1e6))
        except AppealRefused as error:
            self.refused.add((error.reason,))
            raise

    def _refused(self, reason: str) -> AppealRefused:
        self.refused.add((reason,))
        return AppealRefused(reason)

    def _due(self, now: int, terms: AppealTerms) -> int:
        return now + round(terms.answer_within * 1e6)

    def _now(self) -> int:
        return self._clock() // 1000


def seen(row: Appeal) -> Filed:
    """An appeal as its appellant sees it: nobody's name, and reasons once they have taken effect."""
    ended = row.decided_by != ""
    return Filed(
        row.code, row.state, row.at, row.reason, row.ground, row.category, filed_at=row.filed_at, answer_by=row.due_at,
        explained=row.state == "explained", answer=row.answer if ended else "",
        answer_ground=row.answer_ground if ended else "", same_person=row.same_person, redress=row.redress,
    )  # fmt: skip


def _redress(
    kept: Sequence[str] | None, restore: Restore | None, unit: Unit, row: Appeal,
    entered: Sequence[str] | None, now: int,
) -> str:  # fmt: skip
    return redress(unit, row, kept if kept is not None else entered, restore, now)


def _restored(restoring: Restoring, takedown: int, kept: KeptMessage, unit: Unit, entered: Sequence[str]) -> str:
    return restoring.restore(unit, takedown, kept, entered).way
