"""How many messages wait, told to the workers: who may have no more of them is known where it is decided.

One command on each worker's socket, ``waiting``: the whole once it has not heard of it, then what changed. A worker
that starts hears of the whole within ``EVERY``; until then it knows nobody who waits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.common.rounds import Rounds
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held, HeldEvent
from gateway.control.workers.workers import Workers

EVERY = 1.0  # seconds between two looks
WHOLE_EVERY = 30  # looks between two that tell the whole
MOST = 20_000  # senders and rooms that are told; beyond them those with the most are


class WaitingTold:
    """Tells ``workers`` once a second, and counts by the way."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self.total = 0
        self._database = database
        self._workers = workers
        self._version = 0
        self._told: dict[str, dict[str, int]] = {"senders": {}, "rooms": {}}
        self._to: frozenset[tuple[str, Any]] = frozenset()
        self._looks = 0
        self._event: int | None = None  # the newest of all events when it was counted last
        self.rounds = Rounds("waiting.told", self.look, EVERY)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def look(self) -> None:
        """Tell what changed since the last look."""
        present = self._workers.present()
        whole = present != self._to or self._looks % WHOLE_EVERY == 0
        try:
            event = await self._database.read(lambda session: session.scalar(select(func.max(HeldEvent.id))))
            if event == self._event and not whole:  # counting tens of thousands again would tell the same
                self._looks += 1
                return
            total, now = await self._database.read(_counted)
        except DatabaseUnavailable:
            return
        self.total = total
        self._event = event
        self._looks += 1
        changed = {name: counts if whole else _changes(self._told[name], counts) for name, counts in now.items()}
        if not whole and not any(changed.values()):
            return
        self._version += 1
        heard = await self._workers.tell(
            {"command": "waiting", "version": self._version, "whole": whole, "total": total, **changed}
        )
        self._told = now
        # Who did not hear it is told the whole at the next look.
        self._to = present if heard else frozenset()


def _counted(session: Session) -> tuple[int, dict[str, dict[str, int]]]:
    many = func.count()
    waits = Held.state == held_states.HELD
    total = session.scalars(select(many).select_from(Held).where(waits)).one()
    senders = session.execute(
        select(Held.route, Held.sender, many)
        .where(waits)
        .group_by(Held.route, Held.sender)
        .order_by(many.desc())
        .limit(MOST)
    )
    rooms = session.execute(select(Held.room, many).where(waits).group_by(Held.room).order_by(many.desc()).limit(MOST))
    return total, {
        "senders": {f"{route}\n{sender}": count for route, sender, count in senders},
        "rooms": {room: count for room, count in rooms},  # noqa: C416 - rows are no pairs to a checker,
    }


def _changes(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    """What is to be told anew; 0 for what waits no more."""
    changed = {name: count for name, count in now.items() if before.get(name) != count}
    return changed | dict.fromkeys(before.keys() - now.keys(), 0)
