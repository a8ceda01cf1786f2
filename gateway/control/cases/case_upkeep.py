"""What happens to cases by itself: claims end, by time and with the role of whoever has them."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.rounds import Rounds
from gateway.control.access.roles import MODERATE, known
from gateway.control.acts.ledger import Ledger
from gateway.control.cases import claims
from gateway.control.cases.case_states import CaseState
from gateway.control.cases.rows import Case
from gateway.control.people.rows import Person

EVERY = 1.0  # seconds between two looks


class CaseUpkeep:
    """``clock`` in nanoseconds since the epoch."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int] = time.time_ns) -> None:
        self._database = ledger.database
        self._ledger = ledger
        self._clock = clock
        self.rounds = Rounds("cases.upkeep", self.look, EVERY)
        ledger.follow(Person, self.roles_changed)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def look(self) -> None:
        """Give back what was claimed until now."""
        if not self._ledger.leads():
            return
        while await self._database.read(self._over):
            await self._database.run(lambda session: claims.time_out(session, now=self._now()))

    async def roles_changed(self) -> None:
        """Somebody was given other roles, or removed: what they may not hold any more waits again."""
        await self._database.run(lambda session: claims.give_back_of_others(session, _may(session), now=self._now()))

    def _over(self, session: Session) -> bool:
        over = select(Case.id).where(Case.state == CaseState.CLAIMED, Case.claimed_until <= self._now()).limit(1)
        return session.scalar(over) is not None

    def _now(self) -> int:
        return self._clock() // 1000


def _may(session: Session) -> Callable[[str], bool]:
    """Whether somebody of this name may decide."""

    def may(name: str) -> bool:
        person = session.get(Person, name)
        return person is not None and bool(known(person.roles) & MODERATE)

    return may
