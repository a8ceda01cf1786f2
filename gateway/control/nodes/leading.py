"""Which control does what should not be done twice: a lease in the database, by the database's clock.

Its holder counts on a clock that nobody sets, from before it asked, and stops at two thirds: so the lease of one that
was stopped, or cannot reach the database, has ended for itself before anybody else can have it. Nothing outside the
database can be fenced, and one that was stopped in the middle of something does the rest of it when it is woken: what
is done under a lease must bear being done twice all the same. It saves double work, and makes nothing true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

from gateway.common.boot import uptime_us
from gateway.control.nodes.database_clock import clock_us
from gateway.control.nodes.rows import Lease

LEADER: Final = "leader"
TERM_US: Final = 6_000_000


class Leading:
    """Whether this control leads. ``holder`` names it; ``clock``: microseconds of one that nobody sets."""

    def __init__(self, holder: str, clock: Callable[[], int] = uptime_us) -> None:
        self.holder = holder
        self.terms = 0  # how often it began to lead
        self._clock = clock
        self._until = 0

    def __call__(self) -> bool:
        return self._clock() < self._until

    def ask(self) -> int:
        """The time, before the database is asked."""
        return self._clock()

    def told(self, asked: int, *, leads: bool) -> None:
        """What the database said to what was asked at ``asked``."""
        until = asked + TERM_US * 2 // 3 if leads else 0
        if leads and not self():
            self.terms += 1
        self._until = until


def renewed(session: Session, holder: str) -> bool:
    """Take or keep the lease for a term; false where it is somebody else's."""
    now = clock_us(session)
    row = session.get(Lease, LEADER)
    if row is None:
        session.add(Lease(name=LEADER, holder=holder, until=now + TERM_US))
        return True
    if row.holder != holder and row.until > now:
        return False
    row.holder, row.until = holder, now + TERM_US
    return True


def given_back(session: Session, of: Callable[[str], bool]) -> None:
    """Let the lease go where its holder is one ``of`` these."""
    row = session.get(Lease, LEADER)
    if row is not None and of(row.holder):
        session.delete(row)
