"""Held messages by their state, and those of which nobody knows whether the platform has them: a person looks there."""

from __future__ import annotations

import time
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, Given, Ident, NoQuery, Reasoned
from gateway.control.cases import claims
from gateway.control.holding import held
from gateway.control.holding.held_states import UNKNOWN
from gateway.control.holding.rows import Held

HeldState = Literal[
    "held", "approved", "releasing", "unknown", "undeliverable", "ticketed",
    "delivered", "refused", "expired", "withdrawn", "superseded", "void", "lapsed",
]  # fmt: skip


class HeldQuery(Given):
    state: HeldState = UNKNOWN
    after: Ident | None = Field(None, description="The page behind this message.")
    limit: int = Field(50, ge=1, le=500)


class HeldOut(BaseModel):
    """Moments in microseconds since the epoch. No text, and not whose it is: the case has that."""

    message_id: str
    case: int | None
    route: str
    room: str
    state: HeldState
    reason: str
    at: int
    changed_at: int
    expires_at: int
    release: str | None = Field(description="The record of its last release.")


class HeldPage(BaseModel):
    messages: list[HeldOut]


class Settling(Reasoned):
    found: Literal["deliver", "release", "reject"] = Field(
        description="It is there (deliver); it is not, and its sender may send it again (reject), or it is "
        "asked for once more (release)."
    )


async def listed(call: Call[None, HeldQuery]) -> HeldPage:
    """Oldest first."""
    query = call.query
    wanted = select(Held).where(Held.state == query.state).order_by(Held.message_id).limit(query.limit)
    if query.after is not None:
        wanted = wanted.where(Held.message_id > query.after)

    def work(session: Session) -> HeldPage:
        return HeldPage(messages=[_told(row) for row in session.scalars(wanted)])

    return await call.services.database.read(work)


async def settle(call: Call[Settling, NoQuery]) -> Done[HeldOut]:
    """Nothing is sent a second time without a platform that honours the key, or a person's word."""
    body, message_id = call.body, call.path("id")

    def work(unit: Unit) -> HeldOut:
        own = claims.claimant(unit.session, unit.person, lead=False).senders
        if held.of(unit.session, message_id).sender in own:
            raise ControlError(403, "review.own_message", "Nobody decides on their own messages.")
        return _told(held.settle(unit, message_id, body.found, time.time_ns() // 1000))

    outcome = await call.act(body.reason, "message.settle", f"message:{message_id}", work)
    return done(outcome, outcome.result)


def _told(row: Held) -> HeldOut:
    return HeldOut.model_validate(
        {
            "message_id": row.message_id,
            "case": row.case_id,
            "route": row.route,
            "room": row.room,
            "state": row.state,
            "reason": row.reason,
            "at": row.at,
            "changed_at": row.changed_at,
            "expires_at": row.expires_at,
            "release": row.release or None,
        }
    )
