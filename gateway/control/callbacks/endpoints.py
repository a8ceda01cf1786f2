"""Calls to others: listed, read, sent again, and one to try a receiver with."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import missing
from gateway.control.callbacks import call_queue
from gateway.control.callbacks.callback_sender import CallbackSender
from gateway.control.callbacks.rows import Callback
from gateway.control.callbacks.schemas import (
    CallbackOut,
    CallbackRead,
    CallbacksOut,
    CallbacksQuery,
    ReceiverTrial,
    ResendMany,
    Resent,
)
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery, Reasoned

AT_ONCE: Final = 1000  # calls that are sent again by one act


async def listed(call: Call[None, CallbacksQuery]) -> CallbacksOut:
    """Oldest first, without what is sent."""
    query = call.query
    wanted = select(Callback).where(Callback.id > query.after).order_by(Callback.id).limit(query.limit)
    if query.state is not None:
        wanted = wanted.where(Callback.state == query.state)
    if query.receiver is not None:
        wanted = wanted.where(Callback.receiver == query.receiver)
    if query.message is not None:
        wanted = wanted.where(Callback.subject == f"message:{query.message}")

    def work(session: Session) -> CallbacksOut:
        return CallbacksOut(callbacks=[_told(row) for row in session.scalars(wanted)])

    return await call.services.database.read(work)


async def get(call: Call[None, NoQuery]) -> CallbackRead:
    """One, with what is sent. Who sent the message is not told: that is read with a reason, in its case."""
    number = call.number("id")

    def work(session: Session) -> CallbackRead:
        row = _of(session, number)
        return CallbackRead(**_told(row).model_dump(), body=_impersonal(row.body))

    return await call.services.database.read(work)


async def resend(call: Call[Reasoned, NoQuery]) -> Done[CallbackOut]:
    """Try one again at once, under its id, whatever became of it."""
    number, sender = call.number("id"), call.service(CallbackSender)

    def work(unit: Unit) -> CallbackOut:
        row = _of(unit.session, number)
        _known(sender, row.receiver)
        call_queue.again(row, sender.now)
        return _told(row)

    outcome = await call.act(call.body.reason, "callback.resend", f"callback:{number}", work)
    sender.kick(outcome.result.receiver)
    return done(outcome, outcome.result)


async def resend_many(call: Call[ResendMany, NoQuery]) -> Done[Resent]:
    """Try again what a receiver has not taken, or what it has lost."""
    body, sender = call.body, call.service(CallbackSender)
    _known(sender, body.receiver)

    def work(unit: Unit) -> Resent:
        wanted = (
            select(Callback)
            .where(Callback.receiver == body.receiver, Callback.state == body.state, Callback.at >= body.since)
            .order_by(Callback.id)
            .limit(AT_ONCE + 1)
        )
        if body.event is not None:
            wanted = wanted.where(Callback.event == body.event)
        rows = unit.session.scalars(wanted).all()
        for row in rows[:AT_ONCE]:
            call_queue.again(row, sender.now)
        return Resent(count=len(rows[:AT_ONCE]), more=len(rows) > AT_ONCE)

    outcome = await call.act(body.reason, "callback.resend", f"receiver:{body.receiver}", work)
    sender.kick(body.receiver)
    return done(outcome, outcome.result)


async def try_receiver(call: Call[ReceiverTrial, NoQuery]) -> Done[CallbackOut]:
    """One call that tells nothing, to see whether a receiver takes it; somebody on call is told that it is a test."""
    name, sender = call.body.receiver, call.service(CallbackSender)
    _known(sender, name)

    def work(unit: Unit) -> CallbackOut:
        row = sender.trial(name)
        unit.session.add(row)
        unit.session.flush()
        return _told(row)

    outcome = await call.act(call.body.reason, "callback.test", f"receiver:{name}", work)
    sender.kick(name)
    return done(outcome, outcome.result)


def _of(session: Session, number: int) -> Callback:
    row = session.get(Callback, number)
    if row is None:
        raise missing("callback")
    return row


def _known(sender: CallbackSender, name: str) -> None:
    if name not in sender.receivers:
        raise missing("receiver")


def _told(row: Callback) -> CallbackOut:
    return CallbackOut.model_validate({name: getattr(row, name) for name in CallbackOut.model_fields})


def _impersonal(body: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {name: one for name, one in value.items() if name != "sender"} if isinstance(value, dict) else value
        for key, value in body.items()
    }
