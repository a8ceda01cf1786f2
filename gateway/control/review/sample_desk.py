"""Samples at the desk: decided by somebody who does not know what was decided; the lead sees both."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery, Reasoned
from gateway.control.cases import agreement, cases, claims, decisions, samples
from gateway.control.cases.claims import QueueWanted
from gateway.control.cases.rows import Case, CaseSample
from gateway.control.console.sessions import console_sessions
from gateway.control.review.endpoints import asking, ground_of
from gateway.control.review.review_desk import ReviewDesk
from gateway.control.review.sample_schemas import (
    AgreementOut,
    AgreementQuery,
    GroundAgreementOut,
    SampleAsked,
    SampleCause,
    SampleDecided,
    SampleNoted,
    SampleOut,
    SampleShown,
    SamplesOut,
    SamplesQuery,
)
from gateway.control.review.schemas import NothingElse, ReleasedOut, TextOut
from gateway.control.review.told import Loaded, found, loaded

WITHOUT_TEXT = 20  # samples that are passed over at once because nothing of their text is kept


async def claim(call: Call[SampleAsked, NoQuery]) -> Done[SampleShown]:
    """The next one, with its text, until its time is over; the one that you hold, where you do."""
    body, running, person = call.body, call.service(ReviewDesk), call.caller.person

    def work(session: Session) -> tuple[CaseSample, Loaded]:
        call.permitted(session)
        now = running.now()
        choice = console_sessions.choice_of(session, person)
        if choice.cap and claims.decided_since(session, person, running.today()) >= choice.cap:
            raise ControlError(409, "review.capped", "You have decided as much today as you wanted to.")
        wanted = QueueWanted(body.route or "", "", body.category or "", frozenset(choice.declined))
        until = now + round(running.settings.claim * 1e6)
        taken = samples.take(session, asking(call, session), now=now, until=until, wanted=wanted)
        if taken is None:
            raise ControlError(404, "review.nothing_waits", "Nothing waits that is yours to have.")
        session.flush()
        return taken[0], loaded(session, [taken[1]])[0]

    for _ in range(WITHOUT_TEXT):
        sample, one = await call.services.database.run(work)
        subject = f"sample:{sample.id}"
        outcome = await call.act(f"sample {sample.id}: claimed", "sample.claim", subject, _nothing, settle=False)
        text = (await running.texts.read([one.case]))[one.case.id]
        if text.texts:
            return done(
                outcome,
                SampleShown(
                    id=sample.id, route=one.case.route, room=one.case.room, category=one.case.category,
                    causes=[
                        SampleCause(cause=cause.cause, category=cause.category, reason=cause.reason)
                        for cause in one.causes
                    ],
                    text=TextOut(
                        texts=list(text.texts),
                        masked=list(text.masked) if text.masked is not None else None,
                        findings=[dict(finding) for finding in text.findings],
                        missing="",
                    ),
                    words=found(text),
                    claimed_until=sample.claimed_until,
                ),
            )  # fmt: skip
        number = sample.id
        await call.services.database.run(
            lambda session, number=number: samples.void(session, samples.get(session, number))  # type: ignore[misc]
        )
    raise ControlError(404, "review.nothing_waits", "Nothing waits that is yours to have.")


async def decide(call: Call[SampleDecided, NoQuery]) -> Done[SampleNoted]:
    """What you would have decided. It changes nothing of the message."""
    number, body, running = call.number("id"), call.body, call.service(ReviewDesk)
    ground = ground_of(call, body) if body.outcome == decisions.REFUSED else ""

    def work(unit: Unit) -> None:
        who = asking(call, unit.session)
        samples.decide(
            unit.session, number, who, body.outcome, ground=ground, now=running.now(), act_uid=unit.uid
        )  # fmt: skip

    why = f"sample {number}: {body.outcome}{f', {ground}' if ground else ''}"[:256]
    outcome = await call.act(why, "sample.decide", f"sample:{number}", work)
    return done(outcome, SampleNoted(id=number))


async def release(call: Call[NothingElse, NoQuery]) -> Done[ReleasedOut]:
    """Give it back: somebody else decides."""
    number, running = call.number("id"), call.service(ReviewDesk)

    def work(unit: Unit) -> int:
        samples.held(unit.session, number, call.caller.person, running.now())
        return samples.give_back(unit.session, call.caller.person, number)

    outcome = await call.act(f"sample {number}: released", "sample.release", f"sample:{number}", work, settle=False)
    return done(outcome, ReleasedOut(released=outcome.result))


async def settle(call: Call[Reasoned, NoQuery]) -> Done[SampleNoted]:
    """You have looked at a disagreement, and the decision stays. Otherwise reopen its case."""
    number, running = call.number("id"), call.service(ReviewDesk)

    def work(unit: Unit) -> None:
        samples.settle(unit.session, number, call.caller.person, now=running.now())

    outcome = await call.act(call.body.reason, "sample.settle", f"sample:{number}", work)
    return done(outcome, SampleNoted(id=number))


async def listed(call: Call[None, SamplesQuery]) -> SamplesOut:
    """From the newest on, with both decisions. No text and no sender is told."""
    query, person, now = call.query, call.caller.person, call.service(ReviewDesk).now()

    def work(session: Session) -> SamplesOut:
        rows = samples.page(session, query.state, query.before, query.limit)
        hidden = samples.hidden_from(session, person, now)
        waiting, disagreed = samples.counts(session)
        told = [(row, cases.get(session, row.case_id)) for row in rows if row.case_id not in hidden]
        return SamplesOut(samples=[_told(*one) for one in told], waiting=waiting, disagreed=disagreed)

    return await call.services.database.read(work)


def _nothing(_unit: Unit) -> None:
    return None


def _told(sample: CaseSample, case: Case) -> SampleOut:
    own = {name: getattr(sample, name) for name in SampleOut.model_fields if hasattr(sample, name)}
    return SampleOut(
        **own, case=case.id, message_id=case.message_id, route=case.route, room=case.room, category=case.category
    )


async def agreed(call: Call[None, AgreementQuery]) -> AgreementOut:
    """By ground, over a span. No person is told of."""
    query = call.query
    found_ = await call.services.database.read(lambda session: agreement.agreement(session, query.since, query.until))
    return AgreementOut(
        **{name: getattr(found_, name) for name in ("decided", "alike", "outcomes", "kappa")},
        grounds=[GroundAgreementOut(**one._asdict(), share=one.share) for one in found_.grounds],
    )
