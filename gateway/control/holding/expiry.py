"""What ends by itself: held messages whose time is over, tickets that lapse, and what a block, a closed room or a copy
that is refused leaves nothing to decide of.

A message does not expire while somebody holds its case, or has decided on it (``cases.expire``). Time is the one that
no clock can lead (``clock``: 0 while it is not known, and then nothing ends).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.common.rounds import Rounds
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.blocks.rows import Block
from gateway.control.cases import cases
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Held, Ticket
from gateway.control.rooms.rows import Room
from gateway.control.takedowns.rows import Copy

log = structlog.get_logger()

EVERY = 1.0  # seconds between two looks
AT_ONCE = 200  # messages of one transaction


class Expiry:
    """``clock`` and ``now``: nanoseconds since the epoch, the one that can be trusted and the one there is."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], int] = time.time_ns,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._now = now
        self.rounds = Rounds("holding.expiry", self.look, EVERY)
        for rows in (Block, Room, Copy):
            ledger.follow(rows, self.stand)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def look(self) -> None:
        """End what is over."""
        if not self._ledger.leads():
            return
        now = self._clock() // 1000
        try:
            if now:
                ended = 0
                after: str | None = ""
                while after is not None:
                    count, after = await self._ledger.database.run(partial(_expire, now=now, after=after))
                    ended += count
                while await tickets.lapse(self._ledger, now) == tickets.AT_ONCE:
                    pass
                if ended:
                    log.info("held.expired", messages=ended)
            await self.stand()
        except DatabaseUnavailable:  # told by the database itself; looked at again
            return

    async def stand(self) -> None:
        """Void what something stands against that nobody will wait for."""
        now = self._now() // 1000
        database = self._ledger.database
        before: dict[str, str] = {}
        while (found := dict(await database.read(standing(now // 1_000_000)))) and found != before:
            before = found
            ticketed = await database.run(partial(_void, found=found, now=now))
            for reason in set(ticketed.values()):
                await tickets.void(self._ledger, [one for one, why in ticketed.items() if why == reason], reason, now)


def _expire(session: Session, now: int, after: str) -> tuple[int, str | None]:
    """Some whose time is over; how many ended, and behind which to go on: those that somebody holds stay."""
    due: Sequence[Held] = session.scalars(
        select(Held)
        .where(Held.state == held_states.HELD, Held.expires_at <= now, Held.message_id > after)
        .order_by(Held.message_id)
        .limit(AT_ONCE)
    ).all()
    ended = 0
    for row in due:
        if cases.expire(session, row.message_id, now=now):
            held.expire(session, row, now)
            ended += 1
    return ended, due[-1].message_id if len(due) == AT_ONCE else None


def _void(session: Session, found: dict[str, str], now: int) -> dict[str, str]:
    """Void those that wait; those that only their sender could send again are left to their tickets."""
    ticketed: dict[str, str] = {}
    for message_id, reason in found.items():
        row = session.get(Held, message_id)
        if row is None or row.state == held_states.TICKETED or row.state in held_states.ENDED:
            ticketed[message_id] = reason  # of an appeal, or of a case that was decided again
        elif held_states.after(row.state, "void") is not None:
            held.void(session, row, reason, now)
            cases.void(session, message_id, reason, now=now)
    return ticketed


def standing(now_s: int) -> Callable[[Session], list[tuple[str, str]]]:
    """Messages that wait, or may be sent again, and against which something stands that nobody will wait for: id and
    reason. For what is looked at whenever somebody is blocked, a room closed or a copy refused."""

    def work(session: Session) -> list[tuple[str, str]]:
        blocked = select(Block.value).where(
            or_(Block.expires_at == 0, Block.expires_at > now_s), Block.limited.is_(False)
        )
        found: list[tuple[str, str]] = []
        for reason, stands in (
            ("block.sender", Held.weak.is_(False) & Held.sender.in_(blocked.where(Block.scope == "sender"))),
            ("block.room", Held.room.in_(blocked.where(Block.scope == "room"))),
            ("room.closed", Held.room.in_(select(Room.room).where(Room.status == "closed"))),
            (
                "copy.removed",
                (Held.fingerprint != "")
                & Held.fingerprint.in_(select(Copy.fingerprint).where(Copy.expires_at > now_s)),
            ),
        ):
            waits = Held.state.in_(("held", "approved", "ticketed"))
            ids = session.scalars(select(Held.message_id).where(waits, stands).order_by(Held.message_id).limit(500))
            found.extend((message_id, reason) for message_id in ids)
        for reason, stands in (
            ("block.sender", Ticket.sender.in_(blocked.where(Block.scope == "sender"))),
            ("block.room", Ticket.room.in_(blocked.where(Block.scope == "room"))),
            ("room.closed", Ticket.room.in_(select(Room.room).where(Room.status == "closed"))),
        ):
            alone = (
                ~select(Held.message_id).where(Held.message_id == Ticket.message_id, Held.state == "ticketed").exists()
            )
            given = select(Ticket.message_id).where(Ticket.state == tickets.OPEN, stands, alone)
            found.extend((message_id, reason) for message_id in session.scalars(given.order_by(Ticket.id).limit(500)))
        return found

    return work
