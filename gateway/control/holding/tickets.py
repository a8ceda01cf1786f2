"""Re-send tickets (重发凭证): given where a release cannot reach the platform, spent on delivery, void with what they
rest on.

    open ──► spent     the platform took a message that came with it
      ├────► lapsed    seven days went by
      └────► void      the sender is blocked, the room closed, a copy taken down

A ticket changes by acts of ``SYSTEM``, so that it is journalled, comes back with the acts of a lost database, and is in
the workers' snapshot at once. The held message moves along: ticketed, then delivered, lapsed or void.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.holding import held
from gateway.control.holding.rows import Held, Ticket
from gateway.judging.resending import digest
from gateway.parking.parked import ParkedRequest
from gateway.state.model.snapshot import MAX_TICKETS, SnapshotRows, TicketRow

OPEN, SPENT, LAPSED, VOID = "open", "spent", "lapsed", "void"
LASTS: Final = 7 * 86_400  # seconds
AT_ONCE: Final = 100  # tickets of one act


async def issue(ledger: Ledger, message_id: str, parked: ParkedRequest, texts: Sequence[str], now: int) -> None:
    """Let the sender of a held message send ``texts`` again; the parked request is destroyed. ``now`` in µs."""

    def work(unit: Unit) -> None:
        row = held.of(unit.session, message_id)
        held.move(unit.session, row, "ticket", now, act_uid=unit.uid)
        give(
            unit, message_id=message_id, route=row.route, room=row.room, sender=row.sender, texts=texts, now=now
        )  # fmt: skip

    await ledger.act(
        SYSTEM, "approved, and to be sent again by its sender", "ticket.issue", f"message:{message_id}", work,
        settle=False,
    )  # fmt: skip


def give(unit: Unit, *, message_id: str, route: str, room: str, sender: str, texts: Sequence[str], now: int) -> Ticket:
    """A ticket to send ``texts`` again, for ``message_id``: of a held message, or of one whose refusal was wrong. One
    that ended is open again. ``now`` in µs since the epoch."""
    given = {"digest": digest(texts), "state": OPEN, "created_at": now, "expires_at": now // 1_000_000 + LASTS}
    known = unit.session.scalar(select(Ticket).where(Ticket.message_id == message_id))
    if known is not None:
        return unit.change(known, **given, spent_by="") if known.state in (LAPSED, VOID) else known
    return unit.add(Ticket(message_id=message_id, route=route, room=room, sender=sender, **given))


async def spend(ledger: Ledger, ticket_id: int, message_id: str, now: int) -> None:
    """The platform took ``message_id``, which came with this ticket. Harmless when repeated."""

    def work(unit: Unit) -> None:
        ticket = unit.get(Ticket, ticket_id)
        if ticket is None or ticket.state != OPEN:
            return
        unit.change(ticket, state=SPENT, spent_by=message_id)
        _follow(unit.session, ticket.message_id, "deliver", now)

    await ledger.act(SYSTEM, "sent again and delivered", "ticket.spend", f"message:{message_id}", work, settle=False)


async def lapse(ledger: Ledger, now: int) -> int:
    """End those whose time is over; how many."""
    over = select(Ticket.id).where(Ticket.state == OPEN, Ticket.expires_at <= now // 1_000_000).limit(AT_ONCE)
    due = await ledger.database.read(lambda session: session.scalars(over).all())
    if due:
        work = partial(_end, ids=due, state=LAPSED, event="lapse", problem="", now=now)
        await ledger.act(SYSTEM, "expired", "ticket.lapse", f"tickets:{len(due)}", work, settle=False)
    return len(due)


async def void(ledger: Ledger, message_ids: Sequence[str], problem: str, now: int) -> None:
    """End the tickets of these held messages; ``problem``: the reason code of what stands against them."""

    def work(unit: Unit) -> None:
        for message_id in message_ids:
            revoke(unit, message_id, problem, now)

    await ledger.act(SYSTEM, problem, "ticket.void", f"tickets:{len(message_ids)}", work, settle=False)


def revoke(unit: Unit, message_id: str, problem: str, now: int) -> None:
    """End the ticket of one held message, within somebody's act."""
    ids = unit.session.scalars(select(Ticket.id).where(Ticket.message_id == message_id, Ticket.state == OPEN)).all()
    _end(unit, ids, VOID, "void", problem, now)


def spent_by(session: Session, message_id: str) -> str:
    """The message that was delivered with the ticket of this one; empty for none."""
    wanted = select(Ticket.spent_by).where(Ticket.message_id == message_id, Ticket.state == SPENT)
    return session.scalar(wanted) or ""


def is_open(session: Session, message_id: str) -> bool:
    """Whether this message can be sent again."""
    wanted = select(Ticket.id).where(Ticket.message_id == message_id, Ticket.state == OPEN)
    return session.scalar(wanted) is not None


def opened(session: Session) -> bool:
    """Whether any ticket is open."""
    return session.scalar(select(Ticket.id).where(Ticket.state == OPEN).limit(1)) is not None


def snapshot(session: Session, now: int, into: SnapshotRows) -> SnapshotRows:
    """Open tickets for the workers, the newest."""
    wanted = select(Ticket).where(Ticket.state == OPEN, Ticket.expires_at > now).order_by(Ticket.id.desc())
    rows = session.scalars(wanted.limit(MAX_TICKETS))
    return into._replace(
        tickets=tuple(TicketRow(row.id, row.route, row.room, row.sender, row.digest, row.expires_at) for row in rows)
    )


def prune(session: Session, before: int) -> int:
    """Remove some that ended and were given before a time (µs since the epoch); how many."""
    ended = select(Ticket.id).where(Ticket.state != OPEN, Ticket.created_at < before).order_by(Ticket.id).limit(AT_ONCE)
    old = session.scalars(ended).all()
    session.execute(delete(Ticket).where(Ticket.id.in_(old)))
    return len(old)


def _end(unit: Unit, ids: Sequence[int], state: str, event: str, problem: str, now: int) -> None:
    for ticket in unit.session.scalars(select(Ticket).where(Ticket.id.in_(ids), Ticket.state == OPEN)).all():
        unit.change(ticket, state=state)
        _follow(unit.session, ticket.message_id, event, now, problem)


def _follow(session: Session, message_id: str, event: str, now: int, problem: str = "") -> None:
    """The held message moves along; a ticket may be of one that waited no more (an appeal)."""
    row = session.get(Held, message_id)
    if row is not None and row.state == "ticketed":
        held.move(session, row, event, now, problem=problem)
