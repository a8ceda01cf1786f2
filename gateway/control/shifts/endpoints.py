"""Hand-over: read by whoever leads next, with a note of whoever leads now."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery
from gateway.control.review.review_desk import ReviewDesk
from gateway.control.shifts import shift_report
from gateway.control.shifts.rows import ShiftNote
from gateway.control.shifts.schemas import HandoverOut, HandoverQuery, NoteGiven, NoteOut


async def read(call: Call[None, HandoverQuery]) -> HandoverOut:
    """What is open now, and what changed since. No text of a message, and no sender."""
    running = call.service(ReviewDesk)
    now, settings = running.now(), running.settings

    def work(session: Session) -> HandoverOut:
        since = call.query.since if call.query.since is not None else shift_report.since_of(session, now)
        return shift_report.report(session, since, now, settings.hours.since(now, settings.service))

    return await call.services.database.read(work)


async def write(call: Call[NoteGiven, NoQuery]) -> Done[NoteOut]:
    """A note for whoever leads next."""
    now, note = call.service(ReviewDesk).now(), call.body.note

    def work(unit: Unit) -> ShiftNote:
        row = unit.add(ShiftNote(at=now, person=unit.person, note=note))
        unit.session.flush()
        return row

    why = " ".join(note.split())
    outcome = await call.act(why if len(why) <= 256 else f"{why[:255]}…", "handover.note", "handover", work)
    return done(outcome, NoteOut.model_validate(outcome.result.as_row()))
