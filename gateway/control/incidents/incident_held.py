"""What an incident held, and what a lead makes of it once it is over: all of it released, or let expire, in bulk.

Nothing is decided that needs a look of its own: what somebody has claimed, what waits for a lead or a second person,
what something new came up about, and one's own. How much of that there is, is told.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.cases import cases, decisions
from gateway.control.cases.case_states import CaseState, Desk
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case
from gateway.control.holding import held, held_states
from gateway.control.holding.rows import Held

AT_ONCE: Final = 500  # messages of one act


class HeldByIncident(NamedTuple):
    """Counts of what waits of it. ``ready``: to be decided in bulk, by several acts where they are more than
    ``AT_ONCE``; the others are left out: ``claimed`` by somebody, decided a moment ago (``decided``), to be looked at
    each by itself (``apart``), the asker's own or barred to them (``kept``)."""

    ready: int
    claimed: int
    decided: int
    apart: int
    kept: int


def became(session: Session, number: int) -> dict[str, int]:
    """What became of all that it held, by state of the held message."""
    found = select(Held.state, func.count()).where(Held.incident == number).group_by(Held.state)
    return {str(state): int(count) for state, count in session.execute(found)}


def counted(session: Session, number: int, who: Claimant, second: Collection[str]) -> HeldByIncident:
    """Of what waits. ``second``: categories of which no one person decides."""
    found = session.execute(_cases(number, Case.state, func.count()).group_by(Case.state))
    by_state = {str(state): int(count) for state, count in found}
    ready = session.scalars(_cases(number, func.count(), where=_ready(who, second))).one()
    plain = session.scalars(_cases(number, func.count(), where=_plain(second))).one()
    return HeldByIncident(
        ready, by_state.get(CaseState.CLAIMED, 0), by_state.get(CaseState.DECIDED, 0),
        by_state.get(CaseState.WAITING, 0) - plain, plain - ready,
    )  # fmt: skip


def release(
    unit: Unit, number: int, who: Claimant, second: Collection[str], *, now: int, undo_us: int
) -> int:  # fmt: skip
    """Approve the oldest that can be, ``AT_ONCE`` at most: they go once that can no longer be taken back."""
    found = _some(unit.session, number, who, second)
    decisions.decide_together(
        unit.session, found, who, decisions.APPROVED, ground="", now=now, undo_us=undo_us, act_uid=unit.uid
    )
    return len(found)


def expire(unit: Unit, number: int, who: Claimant, second: Collection[str], *, now: int) -> int:
    """Let the oldest that can be expire, ``AT_ONCE`` at most: not published, and their senders may send them again."""
    found = _some(unit.session, number, who, second)
    for case in found:
        cases.let_expire(unit.session, case, now=now, person=unit.person)
        row = held.of(unit.session, case.message_id)
        held.move(unit.session, row, "expire", now, person=unit.person, act_uid=unit.uid)
    return len(found)


def _some(session: Session, number: int, who: Claimant, second: Collection[str]) -> list[Case]:
    wanted = _cases(number, Case, where=_ready(who, second)).order_by(Case.id).limit(AT_ONCE)
    return [case for case in session.scalars(wanted) if who.kept_from(case) is None]


def _cases(number: int, *wanted: Any, where: ColumnElement[bool] | None = None) -> Select[Any]:
    found = (
        select(*wanted)
        .select_from(Held)
        .join(Case, Case.id == Held.case_id)
        .where(Held.incident == number, Held.state == held_states.HELD)
    )
    return found if where is None else found.where(where)


def _plain(second: Collection[str]) -> ColumnElement[bool]:
    """Nothing came up but that it was held."""
    return and_(
        Case.state == CaseState.WAITING,
        Case.desk == Desk.FIRST,
        Case.version == 1,
        Case.category.not_in(sorted(second)),
    )


def _ready(who: Claimant, second: Collection[str]) -> ColumnElement[bool]:
    return and_(_plain(second), Case.sender.not_in(sorted(who.senders)))
