"""Takedowns (停止传输、消除): a published message goes, its copies are refused, and deletions elsewhere are told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, DatabaseUnavailable, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, Gone, NoQuery, Why
from gateway.control.takedowns import snapshot, takedowns
from gateway.control.takedowns.neighbours import HeldMessages, JournalledMessages, MessageTold
from gateway.control.takedowns.rows import Copy, Deletion, Takedown
from gateway.control.takedowns.schemas import (
    CopiesOut,
    CopyNew,
    CopyOut,
    MessageNamed,
    MessageOut,
    RemovalNew,
    RemovalOut,
    TakedownAsked,
    TakedownEventOut,
    TakedownNew,
    TakedownOut,
    TakedownPreview,
    TakedownsOut,
    TakedownsQuery,
    TakedownTraced,
)
from gateway.control.takedowns.takedowns import Takedowns
from gateway.journal.write.record import removal

SHOWN = frozenset(("delivered", "unknown", ""))  # outcomes after which a passed message may be shown
ANSWER_WITHIN = 1.0  # seconds that an answer waits for the platform


async def preview(call: Call[TakedownAsked, NoQuery]) -> TakedownPreview:
    """What would go, and which copies there are. Nothing is changed; reading it goes on record."""
    body, running = call.body, call.service(Takedowns)
    messages = running.messages
    await call.reads(body.reason, "takedown.preview", _subject(body))
    told = await _published(messages, body)
    since = time.time_ns() // 1000 - body.since * 1_000_000
    fingerprint = messages.fingerprint(told.texts) if told.texts is not None else ""
    found = await messages.copies(fingerprint, since, told.id) if fingerprint else None
    return TakedownPreview(
        message=_message(told),
        upstream_id=told.upstream_id,
        deletable=running.platform.confirm_within(told.route) > 0,
        comparable=bool(fingerprint),
        copies=[MessageOut(**copy._asdict()) for copy in found.copies] if found is not None else [],
        senders=found.senders if found is not None else 0,
        more=found.more if found is not None else 0,
        complete=found is None or found.complete,
    )


async def create(call: Call[TakedownNew, NoQuery]) -> Done[TakedownOut]:
    """Take a message down: it is shown here no more, and the platform is asked to delete it until it has. One that
    waits for a person is refused; one that is on its way to the platform is deleted once it is there."""
    body, services, running = call.body, call.services, call.service(Takedowns)
    told = await _found(running.messages, body)
    waiting = services.of(HeldMessages)
    ticketed = await services.database.read(lambda session: waiting.to_be_sent(session, told.id))
    if told.verdict != "hold" and not ticketed:
        _shown(told)
    refused = _Refused.of(running.messages, told, body.ground or "", body.refuse_copies) if body.refuse_copies else None
    within = running.platform.confirm_within(told.route)

    def work(unit: Unit) -> Takedown:
        before = unit.session.scalar(select(Takedown).where(Takedown.message_id == told.id))
        waits = told.id if told.verdict == "hold" or ticketed else before.restoration if before is not None else ""
        if waits:  # until now, or again: it comes back
            row = waiting.take_down(unit, waits, body.reason, body.ground or "", within)
            if refused is not None:
                refused.put(unit)
            return row
        if before is not None:
            raise ControlError(409, "control.taken_down_already", f"Takedown {before.id} is about this message.")
        row = unit.add(
            Takedown(
                message_id=told.id,
                upstream_id=told.upstream_id,
                route=told.route,
                room=told.room,
                reason=body.reason,
                ground=body.ground or "",
                act_uid=unit.uid,
                created_at=time.time_ns() // 1000,
            )
        )
        unit.session.flush()
        takedowns.begun(unit.session, row, within)
        if refused is not None:
            refused.put(unit)
        return row

    outcome = await call.act(body.reason, "takedown.create", f"message:{told.id}", work)
    running.kick()
    number, code = outcome.result.id, running.platform.appeal_code
    state = takedowns.REQUESTED
    try:
        state = await running.settled(number, ANSWER_WITHIN)
        out = await services.database.read(
            lambda session: _out(session, session.get_one(Takedown, number), waiting, code)
        )
    except DatabaseUnavailable:  # gone behind the act, which is done
        out = TakedownOut(**outcome.result.as_row(), state="requested", tries=0)
    answer = done(outcome, out)
    # 200 says that everything holds, and that includes the platform's word.
    return answer.model_copy(update={"in_force": answer.in_force and state == takedowns.CONFIRMED})


async def listed(call: Call[None, TakedownsQuery]) -> TakedownsOut:
    """From the newest to the oldest."""
    query, waiting = call.query, call.service(HeldMessages)
    code = call.service(Takedowns).platform.appeal_code
    wanted = select(Takedown).join(Deletion, Deletion.takedown_id == Takedown.id).order_by(Takedown.id.desc())
    if query.state is not None:
        wanted = wanted.where(Deletion.state == query.state)
    if query.before is not None:
        wanted = wanted.where(Takedown.id < query.before)

    def work(session: Session) -> list[TakedownOut]:
        return [_out(session, row, waiting, code) for row in session.scalars(wanted.limit(query.limit)).all()]

    return TakedownsOut(takedowns=await call.services.database.read(work))


async def get(call: Call[None, NoQuery]) -> TakedownTraced:
    """With everything that the platform said so far, once for each time that it said something new."""
    number, waiting = call.number("id"), call.service(HeldMessages)
    code = call.service(Takedowns).platform.appeal_code

    def work(session: Session) -> TakedownTraced:
        row = session.get(Takedown, number)
        if row is None:
            raise missing("takedown")
        trace = [TakedownEventOut(**event.as_row()) for event in takedowns.trace(session, number)]
        return TakedownTraced(**_out(session, row, waiting, code).model_dump(), trace=trace)

    return await call.services.database.read(work)


async def copies(call: Call[None, NoQuery]) -> CopiesOut:
    """Texts that are refused, and for how long; those that have expired are left out."""
    now = int(time.time())
    wanted = select(Copy).where(Copy.expires_at > now).order_by(Copy.id)
    rows = await call.services.database.read(lambda session: session.scalars(wanted).all())
    return CopiesOut(copies=[CopyOut(**row.as_row()) for row in rows])


async def refuse_copies(call: Call[CopyNew, NoQuery]) -> Done[CopyOut]:
    """Refuse a text without taking anything down; a text that is refused already is refused anew."""
    body, messages = call.body, call.service(Takedowns).messages
    told = await messages.find(body.id)
    if told is None:
        raise missing("message")
    refused = _Refused.of(messages, told, body.ground, body.refuse_copies)
    outcome = await call.act(body.reason, "copy.refuse", f"message:{told.id}", refused.put)
    return done(outcome, CopyOut(**outcome.result.as_row()))


async def lift_copy(call: Call[None, Why]) -> Done[Gone]:
    """The text may be sent again. What was deleted stays deleted."""
    number = call.number("id")

    def work(unit: Unit) -> None:
        row = unit.get(Copy, number)
        if row is None:
            raise missing("copy")
        unit.remove(row)

    return done(await call.act(call.query.reason, "copy.lift", f"copy:{number}", work), Gone())


async def removed(call: Call[RemovalNew, NoQuery]) -> Done[RemovalOut]:
    """A user or the platform has deleted a message where no removal route saw it: it is shown here no more."""
    body, messages = call.body, call.service(Takedowns).messages
    told = await _found(messages, body)
    waiting = call.service(HeldMessages)

    def work(unit: Unit) -> str:
        return waiting.deleted(unit, told.id, body.by) if told.verdict == "hold" else told.id

    outcome = await call.act(body.reason, "removal.tell", f"message:{told.id}", work)
    record = removal(
        outcome.result, body.by, "seen", route=told.route, room=told.room, upstream_id=told.upstream_id,
        reason=body.reason, act=outcome.uid,
    )  # fmt: skip
    try:
        if outcome.result:
            await messages.append(record)
    except Exception as error:  # whatever kept it from being written, it is not recorded
        raise ControlError(
            503, "control.journal_unavailable", "The removal could not be recorded; try again."
        ) from error
    return done(outcome, RemovalOut(message_id=told.id))


class _Refused(NamedTuple):
    """A text to refuse. ``expires_at``: seconds since the epoch."""

    fingerprint: str
    message_id: str
    ground: str
    expires_at: int

    @classmethod
    def of(cls, messages: JournalledMessages, told: MessageTold, ground: str, seconds: int) -> _Refused:
        """Raises where the message's text is not known."""
        fingerprint = messages.fingerprint(told.texts) if told.texts is not None else ""
        if not fingerprint:
            raise ControlError(
                409, "control.text_unknown", "The journal does not hold the message's text, or it folds to nothing."
            )
        return cls(fingerprint, told.id, ground, int(time.time()) + seconds)

    def put(self, unit: Unit) -> Copy:
        """Into force, for the longer of two times where the text is refused already."""
        held = unit.session.scalar(select(Copy).where(Copy.fingerprint == self.fingerprint))
        if held is not None:
            return unit.change(held, ground=self.ground, expires_at=max(held.expires_at, self.expires_at))
        unit.has_room(Copy, snapshot.MAX_COPIES, Copy.expires_at > int(time.time()))
        return unit.add(Copy(**self._asdict(), created_at=time.time_ns() // 1000))


async def _found(messages: JournalledMessages, body: MessageNamed) -> MessageTold:
    message_id = body.id
    if message_id is None:
        assert body.route is not None
        assert body.upstream_id is not None
        message_id = await messages.named(body.route, body.upstream_id)
    told = await messages.find(message_id) if message_id else None
    if told is None:
        raise missing("message")
    return told


async def _published(messages: JournalledMessages, body: MessageNamed) -> MessageTold:
    told = await _found(messages, body)
    _shown(told)
    return told


def _shown(told: MessageTold) -> None:
    if told.verdict != "pass" or told.state not in SHOWN:
        raise ControlError(409, "control.not_published", "The message was never shown: there is nothing to take down.")


def _subject(body: MessageNamed) -> str:
    return f"message:{body.id}" if body.id is not None else f"{body.route}:{body.upstream_id}"


def _message(told: MessageTold) -> MessageOut:
    return MessageOut(id=told.id, route=told.route, room=told.room, at=told.at, verdict=told.verdict)


def _out(session: Session, row: Takedown, waiting: HeldMessages, code: Callable[[str], str]) -> TakedownOut:
    deletion = session.get_one(Deletion, row.id)
    live = select(Copy.id).where(Copy.message_id == row.message_id, Copy.expires_at > int(time.time()))
    told: dict[str, Any] = row.as_row() | {"state": deletion.state, "tries": deletion.tries}
    restored = (waiting.state(session, row.restoration) or "unknown") if row.restoration else None
    return TakedownOut(**told, copy_id=session.scalar(live), restored=restored, appeal_code=code(row.message_id))
