"""Restoring over the API."""

from __future__ import annotations

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery
from gateway.control.cases import claims
from gateway.control.restoring.coming_back import RestoredAs, Restoring
from gateway.control.restoring.schemas import RestoreAsked, RestoredOut
from gateway.control.takedowns.rows import Takedown


async def restore(call: Call[RestoreAsked, NoQuery]) -> Done[RestoredOut]:
    """Bring back what was taken down: it is published again, or its sender may send it again."""
    number, body, restoring = call.number("id"), call.body, call.service(Restoring)

    def which(row: Takedown | None) -> str:
        if row is None:
            raise missing("takedown")
        return row.message_id

    message_id = await call.services.database.read(lambda session: which(session.get(Takedown, number)))
    try:
        kept = await restoring.kept(message_id)
    except OSError as error:
        raise ControlError(503, "control.journal_unavailable", "The journal cannot be read; try again.") from error
    if kept is None:
        raise ControlError(409, "control.not_published", "The journal does not know it as a message that was shown.")
    if kept.texts and body.text is not None:
        raise ControlError(409, "control.text_known", "The journal holds the text: that is what comes back.")

    def work(unit: Unit) -> RestoredAs:
        if kept.sender in claims.claimant(unit.session, unit.person, lead=False).senders:
            raise ControlError(403, "review.own_message", "Nobody decides on their own messages.")
        return restoring.restore(unit, number, kept, (body.text,) if body.text is not None else (), body.labels)

    outcome = await call.act(body.reason, "takedown.restore", f"message:{message_id}", work)
    made = outcome.result
    told = RestoredOut(
        takedown=number, message_id=message_id, restoration=made.id, way=made.way, copies=made.copies
    )  # fmt: skip
    return done(outcome, told)
