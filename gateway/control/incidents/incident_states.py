"""Which incidents stand, in the database and in every worker's snapshot; and how they end by themselves.

    begun ──► stands ──(its end)──► over         workers let it go at its end by their own clocks; control notes it
                 └────(a person)──► over

The end of an incident releases nothing: what it held waits, is counted, and told to whoever is on call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.common.rounds import Rounds
from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.callbacks import summoning
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held
from gateway.control.incidents.rows import Incident
from gateway.control.workers.totals import Series
from gateway.state.model.snapshot import IncidentRow, SnapshotRows

log = structlog.get_logger()

EVERY: Final = 1.0  # seconds between two looks
MAX_INCIDENTS: Final = 50  # that stand at once: workers hold all of them in memory


def snapshot(session: Session, _now: int, into: SnapshotRows) -> SnapshotRows:
    """All whose end nobody has noted, also those that are over by this clock: workers look at their own."""
    found = session.scalars(select(Incident).where(Incident.ended_at == 0).order_by(Incident.id))
    return into._replace(
        incidents=tuple(
            IncidentRow(
                row.id, row.scope, tuple(row.places), row.ends_at, row.hold, row.freeze, row.pace_ms, row.level,
                row.ground,
            )
            for row in found
        )
    )  # fmt: skip


def standing(session: Session, now: int) -> Sequence[Incident]:
    """Those that stand at a time (µs since the epoch), in the order of their ends."""
    wanted = select(Incident).where(Incident.ended_at == 0, Incident.ends_at > now)
    return session.scalars(wanted.order_by(Incident.ends_at, Incident.id)).all()


class OpenIncident(NamedTuple):
    """One that stands, as it is told wherever people work and handed over: ``ends_at`` in µs since the epoch."""

    id: int
    scope: str
    places: tuple[str, ...]
    ends_at: int
    opened_by: str
    reason: str


def open_ones(session: Session, now: int) -> list[OpenIncident]:
    """Those that stand at a time, with their ends, the first end first."""
    return [
        OpenIncident(row.id, row.scope, tuple(row.places), row.ends_at, row.opened_by, row.reason)
        for row in standing(session, now)
    ]  # fmt: skip


def get(session: Session, number: int) -> Incident:
    """Raises ``ControlError`` where there is none."""
    row = session.get(Incident, number)
    if row is None:
        raise missing("incident")
    return row


def of_standing(session: Session, number: int, now: int) -> Incident:
    """One that stands still. Raises ``ControlError``."""
    row = get(session, number)
    if is_over(row, now):
        raise ControlError(409, "control.incident_over", "This incident is over; begin another.")
    return row


def is_over(row: Incident, now: int) -> bool:
    """Whether it stands no more at a time (µs since the epoch)."""
    return row.ended_at > 0 or row.ends_at <= now


def waiting(session: Session, number: int) -> int:
    """How many of the messages that it held wait still, claimed or not."""
    wanted = select(func.count()).where(Held.incident == number, Held.state == held_states.HELD)
    return session.scalars(wanted).one()


def prune(session: Session, before: int) -> int:
    """Remove some that ended before a time (µs since the epoch) and of which nothing waits; how many."""
    left = select(Held.incident).where(Held.incident > 0, Held.state == held_states.HELD).distinct()
    old = session.scalars(
        select(Incident)
        .where(Incident.ended_at > 0, Incident.ended_at < before, Incident.id.not_in(left))
        .order_by(Incident.id)
        .limit(100)
    ).all()
    for row in old:
        session.delete(row)
    return len(old)


class IncidentEnds:
    """Notes that incidents are over. ``clock``: nanoseconds since the epoch that no clock can lead, 0 while that is not
    known; ``on_call``: whether somebody is called."""

    def __init__(
        self,
        ledger: Ledger,
        on_call: Callable[[], bool],
        clock: Callable[[], int] = time.time_ns,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._ledger = ledger
        self._on_call = on_call
        self._clock = clock
        self._now = now
        self.rounds = Rounds("incidents.ends", self.look, EVERY)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def look(self) -> None:
        """End what is over, one act each: the log says when, and how many messages wait."""
        now = self._clock() // 1000
        if not now or not self._ledger.leads():
            return
        over = select(Incident.id).where(Incident.ended_at == 0, Incident.ends_at <= now).order_by(Incident.id)
        try:
            for number in await self._ledger.database.read(lambda session: session.scalars(over).all()):
                await self._end(number, now)
        except ControlError as error:
            if error.status != 503:  # the database is away, or lacks acts: told by itself, and asked again
                raise

    async def _end(self, number: int, now: int) -> None:
        waits = await self._ledger.database.read(lambda session: waiting(session, number))

        def work(unit: Unit) -> None:
            row = unit.get(Incident, number)
            if row is not None and row.ended_at == 0 and row.ends_at <= now:  # nobody has extended it meanwhile
                unit.change(row, ended_at=row.ends_at, ended_by=SYSTEM)
                tell(unit, number, on_call=self._on_call())

        why = f"its time is over; {waits} messages that it held wait"
        await self._ledger.act(SYSTEM, why, "incident.over", f"incident:{number}", work, settle=False)
        log.info("incident.over", incident=number, waiting=waits)

    async def series(self) -> dict[str, Series]:
        """How many stand, and how many messages of all that are over or not wait for a lead."""
        now = self._now() // 1000

        def work(session: Session) -> tuple[int, int]:
            held = select(func.count()).where(Held.incident > 0, Held.state == held_states.HELD)
            return len(standing(session, now)), session.scalars(held).one()

        stand, wait = await self._ledger.database.read(work)
        return {"tidegate_incidents": {(): float(stand)}, "tidegate_incident_held": {(): float(wait)}}


def tell(unit: Unit, number: int, *, on_call: bool) -> None:
    """It is over: whoever is on call hears how many messages wait for a lead."""
    waits = waiting(unit.session, number)
    if waits and on_call:
        summoning.came_up(unit.session, f"{summoning.INCIDENT}:{number}", waits)
