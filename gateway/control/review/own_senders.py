"""Whose accounts at the platform are whose here: nobody decides on their own messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from gateway.control.access.roles import LEAD
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, Gone, NoQuery, Why
from gateway.control.cases.rows import OwnSender
from gateway.control.people.rows import Person
from gateway.control.review.schemas import OwnSenderOut, OwnSendersOut, SenderNamed


async def listed(call: Call[None, Why]) -> OwnSendersOut:
    """All of them. Reading who somebody is at the platform is an act."""
    await call.reads(call.query.reason, "own-sender.list", "own-senders")
    wanted = select(OwnSender).order_by(OwnSender.person, OwnSender.sender)
    rows = await call.services.database.read(lambda session: session.scalars(wanted).all())
    return OwnSendersOut(senders=[OwnSenderOut.model_validate(row.as_row()) for row in rows])


async def name(call: Call[SenderNamed, NoQuery]) -> Done[OwnSenderOut]:
    """Say that an account is yours; for leads, anybody's."""
    body = call.body
    person = body.person or call.caller.person

    def work(unit: Unit) -> OwnSender:
        if person != unit.person and not call.permitted(unit.session).roles & LEAD:
            raise ControlError(403, "review.lead_only", "Whose account another person's is, a lead says.")
        if unit.get(Person, person) is None:
            raise missing("person")
        if unit.get(OwnSender, body.sender) is not None:
            raise ControlError(409, "review.sender_named", "Somebody has said whose this account is.")
        return unit.add(OwnSender(sender=body.sender, person=person))

    outcome = await call.act(body.reason, "own-sender.name", f"sender:{body.sender}", work)
    return done(outcome, OwnSenderOut.model_validate(outcome.result.as_row()))


async def lift(call: Call[None, Why]) -> Done[Gone]:
    """It is nobody's here any more; for leads, and not of one's own."""
    sender = call.path("sender")

    def work(unit: Unit) -> None:
        row = unit.get(OwnSender, sender)
        if row is None:
            raise missing("own_sender")
        unit.remove(row)

    return done(await call.act(call.query.reason, "own-sender.lift", f"sender:{sender}", work), Gone())


def guard(unit: Unit, changes: Sequence[Mapping[str, Any]]) -> None:
    """Nobody takes an account off themselves, by no kind of act."""
    for change in changes:
        before, after = (change[side] or {} for side in ("before", "after"))
        if before.get("person") == unit.person != after.get("person"):
            raise ControlError(403, "review.own_sender", "Let somebody else say that this account is not yours.")
