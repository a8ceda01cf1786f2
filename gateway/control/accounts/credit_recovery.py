"""Credit that comes back with time (``[credit]``), by acts like any other: recorded, projected, undone.

What is being recovered stands beside the accounts, which are the platform's word: a credit that somebody set since the
last look begins anew, and so does everything when recovery is switched on. Accounts are looked at ``BATCH`` at a time,
so that nobody's act waits long for the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from filters.model.credit import recover
from gateway.common.rounds import Rounds
from gateway.config.sections.credit import Credit
from gateway.control.accounts.rows import Account, Recovering
from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger

EVERY = 3600.0  # seconds between two looks; points are earned by the day
BATCH = 500  # accounts; one act at most for each


class Recovery:
    """``settings`` tells ``[credit]`` as it is in force, ``clock`` nanoseconds since the epoch
    that can be trusted, 0 where they are not known yet."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        settings: Callable[[], Credit],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self.rounds = Rounds("credit.recovery", self.look, EVERY)

    def start(self) -> None:
        """Look now and then."""
        self.rounds.start()

    async def stop(self) -> None:
        """End."""
        await self.rounds.stop()

    async def look(self) -> None:
        """Give every account the points that it has earned since."""
        if not self._ledger.leads():
            return
        settings = self._settings()
        now = self._clock() // 1000
        if not now:
            return  # what time it is is not known yet
        await self._database.run(partial(_forget, settings=settings))
        last: str | None = "" if settings.recovery else None
        while last is not None:
            due, last = await self._database.run(partial(_page, last=last, settings=settings, now=now))
            if due:
                await self._ledger.act(
                    SYSTEM,
                    f"{settings.recovery} points a day",
                    "credit.recover",
                    f"accounts:{len(due)}",
                    partial(_give, due=due, settings=settings, now=now),
                    settle=False,
                )


def _forget(session: Session, settings: Credit) -> None:
    """Nothing is recovering any more where the credit is up, the account gone, or recovery switched off."""
    low = select(Account.sender).where(Account.credit < settings.recovers_to)
    gone = delete(Recovering)
    session.execute(gone.where(Recovering.sender.not_in(low)) if settings.recovery else gone)


def _page(session: Session, last: str, settings: Credit, now: int) -> tuple[list[str], str | None]:
    """Senders after ``last`` that have earned a point, and where the next page begins; None after the last page."""
    rows = session.scalars(
        select(Account)
        .where(Account.credit < settings.recovers_to, Account.sender > last)
        .order_by(Account.sender)
        .limit(BATCH)
    ).all()
    held = _held(session, [row.sender for row in rows])
    due: list[str] = []
    for row in rows:
        known = held.get(row.sender)
        if known is None:
            session.add(Recovering(sender=row.sender, credit=row.credit, since=now))
        elif known.credit != row.credit:
            known.credit, known.since = row.credit, now
        elif _recovered(known, settings, now)[0] != row.credit:
            due.append(row.sender)
    return due, rows[-1].sender if len(rows) == BATCH else None


def _give(unit: Unit, due: Sequence[str], settings: Credit, now: int) -> None:
    held = _held(unit.session, due)
    for row in unit.session.scalars(select(Account).where(Account.sender.in_(due))):
        known = held[row.sender]
        if known.credit == row.credit:  # else somebody set it a moment ago
            known.credit, known.since = _recovered(known, settings, now)
            unit.change(row, credit=known.credit)


def _held(session: Session, senders: Sequence[str]) -> dict[str, Recovering]:
    found = session.scalars(select(Recovering).where(Recovering.sender.in_(senders)))
    return {row.sender: row for row in found}


def _recovered(known: Recovering, settings: Credit, now: int) -> tuple[int, int]:
    return recover(known.credit, known.since, now, settings.recovery, settings.recovers_to)
