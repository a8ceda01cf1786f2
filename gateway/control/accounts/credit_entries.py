"""The credit ledger (信用分明细): what a message cost its sender, and what gave that back.

    lowered for a message ──► given back, once, by an entry that names it (``reverses``)

An entry is not taken out of the ledger, and a credit is not set back to what it was: points are added to whatever it is
by now, so that it does not matter what happened to it meanwhile, nor in which order things are given back.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from filters.model.credit import CEILING
from gateway.control.accounts.rows import Account, CreditEntry
from gateway.control.acts.acts import Unit

MOST_TOLD = 50
PRUNED_AT_ONCE = 500  # entries of one transaction, so that nobody's act waits long for the database


def charged(unit: Unit, sender: str, points: int, message_id: str, now: int) -> CreditEntry:
    """A credit was lowered by ``points`` because of a message; ``now`` in µs since the epoch."""
    return unit.add(
        CreditEntry(sender=sender, points=-points, message_id=message_id, at=now, act_uid=unit.uid, reverses=None)
    )


def give_back(unit: Unit, message_id: str, now: int) -> int:
    """What a message cost was wrong: how many points came back. Harmless when repeated."""
    session = unit.session
    undone = select(CreditEntry.reverses).where(CreditEntry.reverses.is_not(None))
    owed = session.scalars(
        select(CreditEntry)
        .where(CreditEntry.message_id == message_id, CreditEntry.points < 0, CreditEntry.id.not_in(undone))
        .order_by(CreditEntry.id)
    ).all()
    points: dict[str, int] = {}
    for entry in owed:
        points[entry.sender] = points.get(entry.sender, 0) - entry.points
        unit.add(
            CreditEntry(
                sender=entry.sender, points=-entry.points, message_id=message_id, at=now, act_uid=unit.uid,
                reverses=entry.id,
            )
        )  # fmt: skip
    for sender, back in points.items():
        account = unit.get(Account, sender)
        if account is not None:
            unit.change(account, credit=min(account.credit + back, CEILING))
    return sum(points.values())


def of_sender(session: Session, sender: str) -> Sequence[CreditEntry]:
    """The newest entries of somebody."""
    wanted = select(CreditEntry).where(CreditEntry.sender == sender).order_by(CreditEntry.id.desc())
    return session.scalars(wanted.limit(MOST_TOLD)).all()


def prune(session: Session, before: int) -> int:
    """Remove some that are older than a time (µs since the epoch); how many."""
    kept = select(CreditEntry.reverses).where(CreditEntry.reverses.is_not(None), CreditEntry.at >= before)
    old = session.scalars(
        select(CreditEntry)
        .where(CreditEntry.at < before, CreditEntry.id.not_in(kept))
        .order_by(CreditEntry.id.desc())  # what reverses before what it reverses
        .limit(PRUNED_AT_ONCE)
    ).all()
    for entry in old:
        session.delete(entry)
        session.flush()
    return len(old)
