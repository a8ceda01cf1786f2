"""Appeals, for those who decide them: listed, read, claimed, given back, escalated, decided, taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.access.roles import LEAD, Principal
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError
from gateway.control.appeals import appeals
from gateway.control.appeals.filing import AppealDesk
from gateway.control.appeals.rows import Appeal
from gateway.control.appeals.schemas import (
    AppealDecide,
    AppealEventOut,
    AppealGiveBack,
    AppealOut,
    AppealRead,
    AppealShow,
    AppealsOut,
    AppealsQuery,
)
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery
from gateway.control.cases import claims, decisions
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case

CLAIMED_FOR_US = 30 * 60 * 1_000_000
"""An appeal is read with care: so long it is nobody else's."""


async def listed(call: Call[None, AppealsQuery]) -> AppealsOut:
    """In the order in which they were filed; who appeals, and what they say, is read one by one."""
    query, caller = call.query, call.caller
    wanted = select(Appeal, Case).outerjoin(Case, Case.id == Appeal.case_id).where(Appeal.id > query.after)
    if query.state is not None:
        wanted = wanted.where(Appeal.state == query.state)
    if query.mine:
        wanted = wanted.where(Case.claimed_by == caller.person, Case.state == CaseState.CLAIMED)
    wanted = wanted.order_by(Appeal.id).limit(query.limit)

    def work(session: Session) -> list[AppealOut]:
        return [AppealOut(**_told(row, case)) for row, case in session.execute(wanted)]

    return AppealsOut(appeals=await call.services.database.read(work))


async def get(call: Call[None, AppealShow]) -> AppealRead:
    """Everything of one, with the message; whoever has claimed it has read it then. Reading goes on record."""
    number, caller = call.number("id"), call.caller

    def claimed(session: Session) -> bool:
        row = session.get(Appeal, number)
        case = appeals.case_of(session, row) if row is not None else None
        return case is not None and case.state == CaseState.CLAIMED and case.claimed_by == caller.person

    own = await call.services.database.read(claimed)
    reason = call.query.reason or (f"deciding appeal {number}" if own else "")
    if not reason:
        raise ControlError(400, "control.reason_missing", "Claim the appeal, or say why you read it.")

    def read(unit: Unit) -> str:
        row = appeals.get(unit.session, number)
        case = appeals.case_of(unit.session, row)
        if case is not None:
            decisions.read(unit.session, case, caller.person)
        return row.message_id

    outcome = await call.act(reason, "appeal.read", f"appeal:{number}", read, settle=False)
    texts = await call.service(AppealDesk).texts(outcome.result)

    def work(session: Session) -> AppealRead:
        row = appeals.get(session, number)
        case = appeals.case_of(session, row)
        trace = [
            AppealEventOut(at=one.at, event=one.event, person=one.person) for one in appeals.trace(session, number)
        ]
        return AppealRead(
            **_told(row, case), message_id=row.message_id, room=row.room, sender=row.sender, at=row.at,
            standing=row.standing, check=row.check, statement=row.statement,
            texts=list(texts) if texts is not None else row.texts, proved=texts is not None or row.proved,
            parties=row.parties, answer=row.answer, version=case.version if case is not None else 0, trace=trace,
        )  # fmt: skip

    return await call.services.database.read(work)


async def claim(call: Call[None, NoQuery]) -> Done[AppealOut]:
    """It is the caller's for half an hour, or for longer where they claim it again."""
    return await _on_case(
        call, "appeal.claim", lambda unit, row, case, who, now: claims.claim(
            unit.session, case, who, now=now, until=now + CLAIMED_FOR_US
        ),
    )  # fmt: skip


async def give_back(call: Call[AppealGiveBack, NoQuery]) -> Done[AppealOut]:
    """Somebody else shall have it."""
    how = Move.HAND_OVER if call.body.note else Move.RELEASE
    return await _on_case(
        call, "appeal.release", lambda unit, row, case, who, now: claims.give_back(
            unit.session, case, who.person, how, now=now, why=call.body.note
        ),
    )  # fmt: skip


async def escalate(call: Call[AppealGiveBack, NoQuery]) -> Done[AppealOut]:
    """A lead shall have it."""
    return await _on_case(
        call, "appeal.escalate", lambda unit, row, case, who, now: decisions.escalate(
            unit.session, case, who, call.body.note, now=now
        ),
    )  # fmt: skip


async def decide(call: Call[AppealDecide, NoQuery]) -> Done[AppealOut]:
    """By whoever has claimed it, and has read it. It takes effect, and is told, once it can no longer be taken back."""
    body = call.body
    return await _on_case(
        call, f"appeal.{body.outcome}", lambda unit, row, case, who, now: appeals.decide(
            unit, row, who, body.outcome, ground=body.ground or "", answer=body.answer, seen=body.seen, now=now,
            undo_us=call.service(AppealDesk).undo_us,
        ),
    )  # fmt: skip


async def undo(call: Call[None, NoQuery]) -> Done[AppealOut]:
    """Take a decision back while that is possible."""
    return await _on_case(
        call, "appeal.undo", lambda unit, row, case, who, now: decisions.undo(
            unit.session, case, who, now=now, until=now + CLAIMED_FOR_US
        ),
    )  # fmt: skip


async def _on_case(
    call: Call[Any, NoQuery], kind: str, how: Callable[[Unit, Appeal, Case, Claimant, int], object]
) -> Done[AppealOut]:
    """An act on the case of an appeal: inside it nobody types a reason, the appeal is it."""
    number = call.number("id")

    def work(unit: Unit) -> AppealOut:
        row = appeals.get(unit.session, number)
        case = appeals.case_of(unit.session, row)
        if case is None:
            raise ControlError(
                409, "appeal.decided", "It was explained, and nobody insisted: there is nothing to decide."
            )
        caller: Principal = call.permitted(unit.session)
        who = claims.claimant(unit.session, caller.person, lead=bool(caller.roles & LEAD))
        how(unit, row, case, who, time.time_ns() // 1000)
        return AppealOut(**_told(row, case))

    outcome = await call.act(f"appeal {number}", kind, f"appeal:{number}", work)
    return done(outcome, outcome.result)


def _told(row: Appeal, case: Case | None) -> dict[str, Any]:
    claimed = case is not None and case.state == CaseState.CLAIMED
    return {
        "id": row.id,
        "state": row.state,
        "route": row.route,
        "reason": row.reason,
        "ground": row.ground,
        "category": row.category,
        "filed_at": row.filed_at,
        "due_at": row.due_at,
        "language": row.language,
        "claimed_by": case.claimed_by if claimed and case is not None else "",
        "decided_by": case.decided_by if case is not None else row.decided_by,
        "outcome": case.outcome if case is not None else "",
        "same_person": row.same_person,
        "redress": row.redress,
    }
