"""The desk: what waits is seen, claimed, read, decided on; what somebody decided can be taken back for a moment.

The case is the reason for whatever is done in it, and stands in the act. Every reading of a text is an act as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.access.roles import LEAD
from gateway.control.acts.acts import Unit
from gateway.control.acts.ledger import Outcome
from gateway.control.acts.refusal import ControlError
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery, Reasoned
from gateway.control.cases import case_pages, cases, claims, decisions, samples
from gateway.control.cases.case_pages import Alike, CasesWanted, Place, Together
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.claims import Claimant, QueueWanted
from gateway.control.cases.rows import Case
from gateway.control.console.sessions import console_sessions
from gateway.control.review.review_desk import ReviewDesk, counts, oldest_of
from gateway.control.review.schemas import (
    ApproveAsked,
    BulkAsked,
    BulkDecided,
    BulkOut,
    BulkPreview,
    CaseOut,
    CaseShown,
    CasesOut,
    CasesQuery,
    ClaimAsked,
    ClaimedOut,
    DecidedOut,
    Deciding,
    DeskOut,
    EscalateAsked,
    Grounded,
    GroundOut,
    NothingElse,
    PlaceWaiting,
    RefuseAsked,
    ReleaseAsked,
    ReleasedOut,
    Unclaimed,
    WaitingOut,
)
from gateway.control.review.told import CaseTelling, Loaded, found, loaded

B = TypeVar("B")
Q = TypeVar("Q")

COUNTED = 1000  # overdue cases are counted up to here
PREVIEWED = 50


async def desk(call: Call[None, NoQuery]) -> DeskOut:
    """How the desk works, and how much waits. No case is told."""
    running, person = call.service(ReviewDesk), call.caller.person
    settings, now = running.settings, running.now()

    def work(session: Session) -> DeskOut:
        counted, oldest = counts(session), oldest_of(session)
        late = select(Case.id).where(
            Case.state == CaseState.WAITING, Case.due_at < settings.hours.since(now, settings.service)
        )
        return DeskOut(
            open=settings.hours.is_open(now),
            opens_at=settings.hours.opens_at(now),
            claim=settings.claim,
            undo=settings.undo,
            service=settings.service,
            grounds=[GroundOut(digit=digit, ground=told) for digit, told in enumerate(settings.grounds, 1)],
            second=sorted(settings.second),
            grave=sorted(settings.grave),
            waiting=counted[CaseState.WAITING],
            claimed=sum(counted[CaseState.CLAIMED].values()),
            decided=sum(counted[CaseState.DECIDED].values()),
            overdue=session.scalars(select(func.count()).select_from(late.limit(COUNTED).subquery())).one(),
            oldest=max(now - oldest, 0) / 1e6 if oldest else 0.0,
            mine=len(case_pages.held_by(session, person)),
        )

    return await call.services.database.read(work)


async def waiting(call: Call[None, NoQuery]) -> WaitingOut:
    """What the caller could claim, by place: what waits for others, and what they declined, is not in it."""
    now = call.service(ReviewDesk).now()

    def work(session: Session) -> WaitingOut:
        who = asking(call, session)
        wanted = QueueWanted(declined=frozenset(console_sessions.choice_of(session, who.person).declined))
        rows = claims.waiting(session, who, wanted)
        return WaitingOut(
            count=len(rows),
            more=max(Counter(case.desk for case in rows).values(), default=0) >= claims.LOOKED_AT,
            oldest=max(now - min(case.opened_at for case in rows), 0) / 1e6 if rows else 0.0,
            places=[
                PlaceWaiting(route=route, room=room, count=count)
                for (route, room), count in Counter((case.route, case.room) for case in rows).most_common()
            ],
        )

    return await call.services.database.read(work)


async def listed(call: Call[None, CasesQuery]) -> CasesOut:
    """What waits in the order of the queue; what has ended from the newest on."""
    query, person = call.query, call.caller.person
    after = Place(*map(int, query.after.split(":"))) if query.after is not None else None
    wanted = CasesWanted(
        CaseState(query.state), query.desk or "", query.route or "", query.sender or "", query.message or ""
    )

    def work(session: Session) -> tuple[list[Loaded], Case | None]:
        if query.mine:
            return loaded(session, case_pages.held_by(session, person)), None
        hidden = samples.hidden_from(session, person, call.service(ReviewDesk).now())
        page = case_pages.page(session, wanted, after, query.limit)
        last = page[-1] if len(page) == query.limit else None
        return loaded(session, [row for row in page if row.id not in hidden]), last

    rows, last = await call.services.database.read(work)
    words: dict[int, list[str]] = {}
    if query.words and rows:
        await call.reads(f"words found in {len(rows)} cases", "case.list", f"cases:{len(rows)}")
        texts = await call.service(ReviewDesk).texts.read([one.case for one in rows])
        words = {number: found(text) for number, text in texts.items()}
    telling = _telling(call)
    return CasesOut(
        cases=[telling.listed(one, words.get(one.case.id, []) if query.words else None) for one in rows],
        next=f"{last.due_at}:{last.id}" if last is not None else None,
    )


async def get(call: Call[None, NoQuery]) -> CaseShown:
    """All of it, with the text. Whoever holds the case has read it with this."""
    number = call.number("id")

    def work(unit: Unit) -> Loaded:
        case = cases.get(unit.session, number)
        if number in samples.hidden_from(unit.session, call.caller.person, call.service(ReviewDesk).now()):
            raise ControlError(403, "review.sampled", "You decide on its sample: what was decided is not told to you.")
        decisions.read(unit.session, case, call.caller.person)
        return loaded(unit.session, [case], traced=True)[0]

    outcome = await call.act(f"case {number}: read", "case.read", f"case:{number}", work, settle=False)
    return (await _shown(call, [outcome.result]))[0]


async def claim(call: Call[ClaimAsked, NoQuery]) -> Done[ClaimedOut]:
    """Exclusively, until its time is over. Those that are claimed are told with their texts, and count as read."""
    body, running = call.body, call.service(ReviewDesk)
    refused: list[Unclaimed] = []

    def work(unit: Unit) -> list[Loaded]:
        session, now = unit.session, running.now()
        who, until = asking(call, session), now + round(running.settings.claim * 1e6)
        refused.clear()
        if body.count is not None:
            choice = console_sessions.choice_of(session, who.person)
            count = min(body.count, claims.left_today(session, who.person, choice.cap, running.today()))
            if count <= 0:
                raise ControlError(409, "review.capped", "You have decided as much today as you wanted to.")
            wanted = QueueWanted(body.route or "", body.room or "", body.category or "", frozenset(choice.declined))
            rows = claims.claim_page(session, who, count, now=now, until=until, wanted=wanted)
            if not rows:
                raise ControlError(404, "review.nothing_waits", "Nothing waits that is yours to have.")
        else:
            rows = _claimed(session, body.cases or (), who, now, until, refused)
        for case in rows:
            decisions.read(session, case, who.person)
        return loaded(session, rows, traced=True)

    one = body.cases is not None and len(body.cases) == 1
    subject = f"case:{body.cases[0]}" if one and body.cases else f"cases:{body.count or len(body.cases or ())}"
    why = f"{subject.replace(':', ' ')}: claimed" if one else "claimed by page"
    outcome = await call.act(why, "case.claim", subject, work, settle=False)
    return done(outcome, ClaimedOut(cases=await _shown(call, outcome.result), refused=refused))


def _claimed(
    session: Session, numbers: Sequence[int], who: Claimant, now: int, until: int, refused: list[Unclaimed]
) -> list[Case]:
    """Those of them that can be had; raises where none can."""
    rows: list[Case] = []
    first: ControlError | None = None
    for number in dict.fromkeys(numbers):
        try:
            rows.append(claims.claim(session, message_case(session, number), who, now=now, until=until))
        except ControlError as error:
            first = first or error
            refused.append(Unclaimed(case=number, reason=error.reason, detail=error.detail))
    if first is not None and not rows:
        raise first
    return rows


async def approve(call: Call[ApproveAsked, NoQuery]) -> Done[DecidedOut]:
    """Let it appear, as it is or masked."""
    number, body = call.number("id"), call.body
    if body.masked:
        case = await call.services.database.read(lambda session: cases.get(session, number))
        if (await call.service(ReviewDesk).texts.read([case]))[number].masked is None:
            raise ControlError(409, "review.no_mask", "No rule masks anything in this message.")
    return await _decide(call, decisions.MASKED if body.masked else decisions.APPROVED, body.ground or "")


async def refuse(call: Call[RefuseAsked, NoQuery]) -> Done[DecidedOut]:
    """It does not appear. The ground is told to whoever wrote it."""
    return await _decide(call, decisions.REFUSED, ground_of(call, call.body))


async def _decide(call: Call[B, NoQuery], what: str, ground: str) -> Done[DecidedOut]:
    number, running, body = call.number("id"), call.service(ReviewDesk), call.body
    assert isinstance(body, Deciding)
    settings = running.settings

    def work(unit: Unit) -> tuple[Move, Loaded]:
        session = unit.session
        case = message_case(session, number)
        how = decisions.decide(
            session, case, asking(call, session), what, ground=ground, seen=body.seen,
            second=body.second or case.category in settings.second, now=running.now(),
            undo_us=round(settings.undo * 1e6), act_uid=unit.uid,
        )  # fmt: skip
        return how, loaded(session, [case])[0]

    why = f"case {number}: {what}{f', {ground}' if ground else ''}"[:256]
    outcome = await call.act(why, "case.decide", f"case:{number}", work)
    how, one = outcome.result
    if not settings.undo:
        await running.look()
    return done(outcome, DecidedOut.model_validate({"came_to": how.value, "case": _telling(call).of(one)}))


async def escalate(call: Call[EscalateAsked, NoQuery]) -> Done[CaseOut]:
    """A lead decides; the note says why."""

    def work(session: Session, case: Case, who: Claimant, now: int) -> None:
        decisions.escalate(session, case, who, call.body.note, now=now)

    return await _moved(call, "escalated", "case.escalate", work)


async def release(call: Call[ReleaseAsked, NoQuery]) -> Done[CaseOut]:
    """Give it back, with a note for whoever has it next; or say that you have seen that it was taken from you."""
    note = call.body.note
    how = Move.HAND_OVER if note else Move.RELEASE

    def work(session: Session, case: Case, who: Claimant, now: int) -> None:
        claims.give_back(session, case, who.person, how, now=now, why=note)

    return await _moved(call, "released", "case.release", work)


async def undo(call: Call[NothingElse, NoQuery]) -> Done[CaseOut]:
    """Take a decision back before it takes effect; you hold the case from then on."""
    until = round(call.service(ReviewDesk).settings.claim * 1e6)

    def work(session: Session, case: Case, who: Claimant, now: int) -> None:
        decisions.undo(session, case, who, now=now, until=now + until)

    return await _moved(call, "decision taken back", "case.undo", work)


async def reopen(call: Call[Reasoned, NoQuery]) -> Done[CaseOut]:
    """What was decided is looked at again, as a new case that names this one, by somebody who did not decide it."""
    number, now, reason = call.number("id"), call.service(ReviewDesk).now(), call.body.reason

    def work(unit: Unit) -> Loaded:
        message_case(unit.session, number)
        made = cases.reopen(unit.session, number, now=now, person=unit.person, why=reason, due_at=now)
        return loaded(unit.session, [made])[0]

    outcome = await call.act(reason, "case.reopen", f"case:{number}", work)
    return done(outcome, _telling(call).of(outcome.result))


async def release_all(call: Call[NothingElse, NoQuery]) -> Done[ReleasedOut]:
    """Everything that you hold waits again: you go."""
    running, person = call.service(ReviewDesk), call.caller.person

    def work(unit: Unit) -> int:
        samples.give_back(unit.session, person)
        return claims.give_back_all(unit.session, person, Move.LOG_OUT, now=running.now())

    outcome = await call.act("logged out", "case.release", f"person:{person}", work, settle=False)
    return done(outcome, ReleasedOut(released=outcome.result))


async def preview(call: Call[BulkAsked, NoQuery]) -> BulkPreview:
    """What a bulk act would decide on. Nothing is changed, no text is told."""
    settings = call.service(ReviewDesk).settings

    def work(session: Session) -> tuple[Together, list[Loaded]]:
        together = _together(call, session, call.body, settings.second)
        return together, loaded(session, together.found[:PREVIEWED])

    together, rows = await call.services.database.read(work)
    telling = _telling(call)
    return BulkPreview(count=len(together.found), cases=[telling.listed(one) for one in rows], **_left_out(together))


async def bulk(call: Call[BulkDecided, NoQuery]) -> Done[BulkOut]:
    """Decide on all of a sender's, or of a campaign's, as the preview told them."""
    body, running = call.body, call.service(ReviewDesk)
    settings = running.settings
    ground = ground_of(call, body) if body.outcome == decisions.REFUSED else ""

    def work(unit: Unit) -> Together:
        session = unit.session
        together = _together(call, session, body, settings.second)
        if len(together.found) != body.count:
            raise ControlError(
                409, "review.changed", f"These are {len(together.found)} now, not {body.count}; preview them again."
            )
        decisions.decide_together(
            session, together.found, asking(call, session), body.outcome, ground=ground, now=running.now(),
            undo_us=round(settings.undo * 1e6), act_uid=unit.uid,
        )  # fmt: skip
        return together

    what = f"case {body.case} and those of the same {body.over}" if body.case is not None else _in_common(body)
    why = f"{what}: {body.outcome}{f', {ground}' if ground else ''}"[:256]
    outcome = await call.act(why, "case.bulk", f"cases:{body.count}", work)
    if not settings.undo:
        await running.look()
    return done(outcome, BulkOut(decided=len(outcome.result.found), **_left_out(outcome.result)))


def _together(call: Call[B, NoQuery], session: Session, body: BulkAsked, second: frozenset[str]) -> Together:
    """Raises where the caller does not hold the case that it is about, or leads nobody and names none."""
    who = asking(call, session)
    if body.case is None:
        if not who.lead:
            raise ControlError(403, "review.lead_only", "Deciding on a queue is for leads.")
        wanted = Alike(
            body.route or "", body.room or "", body.category or "", body.held_for or "", body.list or "", body.word or 0
        )
        return case_pages.matching(session, wanted, who, second)
    case = message_case(session, body.case)
    if case.state != CaseState.CLAIMED or case.claimed_by != who.person:
        raise claims.unavailable(session, case)
    return case_pages.alike(session, case, body.over, who, second)


def _in_common(body: BulkAsked) -> str:
    said = (("route", body.route), ("room", body.room), ("category", body.category), ("held for", body.held_for))
    told = [f"{name} {value}" for name, value in (*said, ("list", body.list), ("word", body.word)) if value]
    return f"all that wait of {', '.join(told)}"


def _left_out(together: Together) -> dict[str, int]:
    return {name: getattr(together, name) for name in ("claimed", "desk", "kept", "more")}


def message_case(session: Session, number: int) -> Case:
    """Of a message; on appeals people work elsewhere."""
    case = cases.get(session, number)
    if case.kind != cases.MESSAGE:
        raise ControlError(409, "review.appeal", "This is the case of an appeal: see /v1/appeals.")
    return case


def ground_of(call: Call[B, Q], body: Grounded) -> str:
    """As it is written, or by its digit."""
    if body.ground is not None:
        return body.ground
    grounds = call.service(ReviewDesk).settings.grounds
    if body.digit is None or body.digit > len(grounds):
        raise ControlError(400, "review.ground_unknown", "desk.grounds has no ground of this digit.")
    return grounds[body.digit - 1]


def asking(call: Call[B, Q], session: Session) -> Claimant:
    """The caller as they are now."""
    caller = call.anew(session, call.caller)
    return claims.claimant(session, caller.person, lead=bool(caller.roles & LEAD))


async def _moved(
    call: Call[B, NoQuery], what: str, kind: str, work: Callable[[Session, Case, Claimant, int], None]
) -> Done[CaseOut]:
    """One move of one case, as an act."""
    number, now = call.number("id"), call.service(ReviewDesk).now()

    def act(unit: Unit) -> Loaded:
        case = message_case(unit.session, number)
        work(unit.session, case, asking(call, unit.session), now)
        return loaded(unit.session, [case])[0]

    outcome: Outcome[Loaded] = await call.act(f"case {number}: {what}", kind, f"case:{number}", act)
    return done(outcome, _telling(call).of(outcome.result))


def _telling(call: Call[B, Q]) -> CaseTelling:
    running = call.service(ReviewDesk)
    return CaseTelling(running.settings, running.now(), call.caller.person)


async def _shown(call: Call[B, Q], rows: Sequence[Loaded]) -> list[CaseShown]:
    texts = await call.service(ReviewDesk).texts.read([one.case for one in rows])
    telling = _telling(call)
    return [telling.shown(one, texts[one.case.id]) for one in rows]
