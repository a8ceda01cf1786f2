"""What became of held messages, told to the journal; and what is left of destroyed requests in the file, scrubbed.

States are journalled as ``review``, what the platform said as the ``outcome`` of the release's record, and where that
record was called unknown once and is none after all, as a ``removal`` of its static version. Everything is told after
it was committed, in its order, and again after a crash, which means the same. Of what was not told when a process ended
the journal says ``unknown`` (``gateway.journal.write.recovery``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gateway.control.acts.database import Database
from gateway.control.acts.neighbours import Row
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding.rows import Held, HeldEvent, Release
from gateway.journal.write.record import outcome, removal, review

log = structlog.get_logger()

AT_ONCE = 200  # events of one look
UNFINISHED = ("begun", "sending")


class Telling:
    """``record`` appends to the journal and raises where it may not."""

    def __init__(self, database: Database, record: Callable[[Row], Awaitable[None]]) -> None:
        self.failing = ""  # class of the last error; empty while all is well
        self._database = database
        self._record = record
        self._begun = False
        self._scrubbed = 0  # the last event after which the file was scrubbed

    def left(self) -> None:
        """Another control tells for a while: what it leaves is of another life."""
        self._begun = False

    async def step(self) -> None:
        """Tell what is untold."""
        try:
            if not self._begun:
                await self._database.run(_of_another_life)
                self._begun = True
            for release, records in await self._database.read(_untold_releases):
                for record in records:
                    await self._record(record)
                await self._database.run(_told_release(release))
            for event, record in await self._database.read(_untold):
                await self._record(record)
                await self._database.run(_told_event(event))
            last = await self._database.read(lambda session: session.scalar(select(func.max(HeldEvent.id))) or 0)
            if last != self._scrubbed and await self._database.scrubbed():
                self._scrubbed = last
        except DatabaseUnavailable as error:  # told by the database itself
            self.failing = type(error).__name__
        except Exception as error:  # of journal or database; what is untold stays so until the next step
            if not self.failing:  # once for each outage
                log.error("holding.unrecorded", exc_info=True)
            self.failing = type(error).__name__
        else:
            self.failing = ""


def _of_another_life(session: Session) -> None:
    session.execute(update(Release).where(Release.told.is_(False)).values(shown=True))


def _untold(session: Session) -> list[tuple[int, dict[str, Any]]]:
    rows = session.execute(
        select(HeldEvent, Held.release)
        .join(Held, Held.message_id == HeldEvent.message_id)
        .where(HeldEvent.journalled.is_(False))
        .order_by(HeldEvent.id)
        .limit(AT_ONCE)
    )
    return [
        (
            event.id,
            review(
                event.message_id, event.event, person=event.person, act=event.act_uid, release=release,
                reason=event.problem, ground=event.ground,
            )
            | {"time": event.at},
        )
        for event, release in rows
    ]  # fmt: skip


def _untold_releases(session: Session) -> list[tuple[str, Sequence[dict[str, Any]]]]:
    rows = session.execute(
        select(Release, Held.route, Held.room)
        .join(Held, Held.message_id == Release.message_id)
        .where(Release.told.is_(False), Release.state.not_in(UNFINISHED))
        .order_by(Release.at, Release.id)
        .limit(AT_ONCE)
    )
    found: list[tuple[str, Sequence[dict[str, Any]]]] = []
    for release, route, room in rows:
        state: Any = release.state
        records = [
            outcome(
                release.id, state, status=release.status, upstream_id=release.upstream_id, route=route,
                reason=release.problem,
            )
        ]  # fmt: skip
        if release.shown and state in ("refused", "failed"):
            records.append(removal(release.id, "platform", "seen", route=route, room=room))
        found.append((release.id, records))
    return found


def _told_event(event: int) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.execute(update(HeldEvent).where(HeldEvent.id == event).values(journalled=True))

    return work


def _told_release(release: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.execute(update(Release).where(Release.id == release).values(told=True))

    return work
