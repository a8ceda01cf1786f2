"""Many short cases on one page: each decided by itself, all of it one act; and the page taken back as one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.accounts.rows import Account
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError
from gateway.control.blocks.rows import Block
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery
from gateway.control.cases import cases, decisions
from gateway.control.cases.case_states import CaseState
from gateway.control.cases.rows import Case
from gateway.control.review.endpoints import asking, ground_of, message_case
from gateway.control.review.review_desk import ReviewDesk
from gateway.control.review.schemas import (
    CaseLines,
    CaseSender,
    LineDecided,
    LineOut,
    LinesDecided,
    LinesOut,
    SenderQuery,
    Unclaimed,
    UndoneOut,
)

MOST_COUNTED = 1000  # cases of a sender


async def decide(call: Call[LinesDecided, NoQuery]) -> Done[LinesOut]:
    """Each as it would be alone; what cannot be decided is told, and the others are."""
    body, running = call.body, call.service(ReviewDesk)
    settings = running.settings
    numbers = [one.case for one in body.decisions]
    grounds = {one.case: ground_of(call, one) if one.outcome == decisions.REFUSED else "" for one in body.decisions}
    await _can_be_masked(call, [one.case for one in body.decisions if one.outcome == decisions.MASKED])

    def line(unit: Unit, one: LineDecided) -> str:
        case = message_case(unit.session, one.case)
        return decisions.decide(
            unit.session, case, asking(call, unit.session), one.outcome, ground=grounds[one.case], seen=one.seen,
            second=case.category in settings.second, now=running.now(), undo_us=round(settings.undo * 1e6),
            act_uid=unit.uid,
        ).value  # fmt: skip

    def work(unit: Unit) -> list[LineOut]:
        told = []
        for one in body.decisions:
            how, error = _alone(unit.session, lambda one=one: line(unit, one))  # type: ignore[misc]
            told.append(
                LineOut(case=one.case, came_to=how)
                if error is None
                else LineOut(case=one.case, reason=error.reason, detail=error.detail)
            )
        return told

    refused = sum(one.outcome == decisions.REFUSED for one in body.decisions)
    why = f"a page of {len(numbers)} cases: {refused} refused"
    outcome = await call.act(why, "case.lines", f"cases:{len(numbers)}", work)
    if not settings.undo:
        await running.look()
    return done(outcome, LinesOut(lines=outcome.result))


async def undo(call: Call[CaseLines, NoQuery]) -> Done[UndoneOut]:
    """Those that can be taken back; you hold them from then on."""
    running = call.service(ReviewDesk)

    def line(unit: Unit, number: int) -> str:
        now = running.now()
        case = message_case(unit.session, number)
        until = now + round(running.settings.claim * 1e6)
        decisions.undo(unit.session, case, asking(call, unit.session), now=now, until=until)
        return "undone"

    def work(unit: Unit) -> UndoneOut:
        told = UndoneOut(undone=[], refused=[])
        for number in dict.fromkeys(call.body.cases):
            _, error = _alone(unit.session, lambda number=number: line(unit, number))  # type: ignore[misc]
            if error is None:
                told.undone.append(number)
            else:
                told.refused.append(Unclaimed(case=number, reason=error.reason, detail=error.detail))
        return told

    count = len(call.body.cases)
    outcome = await call.act(f"a page of {count} cases taken back", "case.undo", f"cases:{count}", work)
    return done(outcome, outcome.result)


async def sender(call: Call[None, SenderQuery]) -> CaseSender:
    """What is known of who sent it. Who they are is told where it is asked for, and that is an act."""
    number, identity = call.number("id"), call.query.identity
    if identity:
        await call.act(f"case {number}: its sender shown", "case.sender", f"case:{number}", _nothing, settle=False)
    now = call.service(ReviewDesk).now()

    def work(session: Session) -> CaseSender:
        case = cases.get(session, number)
        account = session.get(Account, case.sender)
        blocked = session.scalar(
            select(func.count())
            .select_from(Block)
            .where(Block.scope == "sender", Block.value == case.sender)
            .where((Block.expires_at == 0) | (Block.expires_at > now // 1_000_000))
        )
        return CaseSender(
            sender=case.sender if identity else None,
            credit=account.credit if account is not None else None,
            verified=account.verified if account is not None else None,
            blocked=bool(blocked),
            waiting=_count(session, case, Case.state.in_((CaseState.WAITING, CaseState.CLAIMED))) - 1,
            refused=_count(session, case, Case.state == CaseState.DONE, Case.outcome == decisions.REFUSED),
            approved=_count(session, case, Case.state == CaseState.DONE, Case.outcome != decisions.REFUSED),
        )

    return await call.services.database.read(work)


def _count(session: Session, case: Case, *where: object) -> int:
    found = select(Case.id).where(Case.sender == case.sender, Case.kind == cases.MESSAGE, *where)  # type: ignore[arg-type]
    return session.scalars(select(func.count()).select_from(found.limit(MOST_COUNTED).subquery())).one()


async def _can_be_masked(call: Call[LinesDecided, NoQuery], numbers: list[int]) -> None:
    """Raises where no rule masks anything in one of them: a slip of the caller's."""
    if not numbers:
        return
    rows = await call.services.database.read(lambda session: [cases.get(session, number) for number in numbers])
    texts = await call.service(ReviewDesk).texts.read(rows)
    if any(texts[number].masked is None for number in numbers):
        raise ControlError(409, "review.no_mask", "No rule masks anything in this message.")


def _alone(session: Session, work: Callable[[], str]) -> tuple[str, ControlError | None]:
    """What came of one line; where it is refused nothing of it is left, and the others go on."""
    try:
        with session.begin_nested():
            return work(), None
    except ControlError as error:
        return "", error


def _nothing(_unit: Unit) -> None:
    return None
