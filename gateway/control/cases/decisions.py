"""A case decided: by one person, by two, by a lead; taken back while that is possible; done.

A decision takes effect once it can no longer be taken back (``finish``): until then nothing happens to what it is
about, so that one that is taken back leaves no trace in the world, and nobody has to be told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases, claims
from gateway.control.cases.case_states import CaseState, Desk, Move
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case, CaseEvent

APPROVED, MASKED, REFUSED = "approved", "masked", "refused"
UPHELD, PARTLY, REJECTED = "upheld", "partly", "rejected"
OUTCOMES: Final = {cases.MESSAGE: (APPROVED, MASKED, REFUSED), cases.APPEAL: (UPHELD, PARTLY, REJECTED)}
"""What can come of a case, by its kind."""
GROUNDED: Final = frozenset({REFUSED, REJECTED})
"""Outcomes that deny somebody something: they need a ground."""


def read(session: Session, case: Case, person: str) -> None:
    """Somebody has been shown all of a case, as it is now."""
    if case.last_holder == person:
        case.read_version = case.version
        session.flush()


def decide(
    session: Session,
    case: Case,
    who: Claimant,
    outcome: str,
    *,
    ground: str = "",
    seen: int | None = None,
    second: bool = False,
    now: int,
    undo_us: int,
    act_uid: str = "",
) -> Move:
    """One person's word on a case; what it came to: ``DECIDE``, ``PROPOSE`` where another has to agree (``second``),
    ``AGREE`` or ``DISAGREE`` from that one. ``seen``: the version that they have read; None for what they were shown
    last. It counts also after their claim has ended, where nobody else has the case and nothing new came up. Raises
    ``ControlError``, with what happened to the case."""
    if outcome not in OUTCOMES[case.kind]:
        raise ControlError(409, "review.outcome_unfit", f"Nothing of this kind is {outcome}.")
    if outcome in GROUNDED and not ground:
        raise ControlError(400, "review.ground_missing", "This denies somebody something: it needs a ground.")
    claims.ended(session, case, now)
    if case.state == CaseState.CLAIMED:
        if case.claimed_by != who.person:
            raise claims.unavailable(session, case)
    elif case.state != CaseState.WAITING:
        raise claims.unavailable(session, case)
    kept = who.kept_from(case)
    if kept is not None:
        raise kept
    if case.state == CaseState.WAITING and not _had(session, case, who.person):
        raise claims.unavailable(session, case)
    known = seen if seen is not None else case.read_version if case.last_holder == who.person else 0
    if known != case.version:
        raise ControlError(
            409, "review.changed", "There is more to read than you have seen; look at the case again.",
            cases.told(case, cases.trace(session, case.id)[-5:]),
        )  # fmt: skip
    if case.state == CaseState.WAITING:
        claims.claim(session, case, who, now=now, until=now + 1)
    how = _what(case, outcome, second)
    cases.moved(session, case, how, now, who.person, outcome=outcome)
    case.claimed_by, case.claimed_until = "", 0
    if how is Move.PROPOSE:
        case.proposed_by, case.proposed_outcome, case.proposed_ground = who.person, outcome, ground
        case.barred = sorted({*case.barred, who.person})
    elif how is Move.DISAGREE:
        case.barred = sorted({*case.barred, who.person})
    else:
        _decided(case, who, outcome, ground, now, undo_us, act_uid)
    session.flush()
    return how


def decide_together(
    session: Session, rows: Sequence[Case], who: Claimant, outcome: str, *, ground: str, now: int, undo_us: int,
    act_uid: str,
) -> None:  # fmt: skip
    """One person's word on many that wait, or that they hold: no more is asked of each than that it is at the first
    desk and theirs to have (``case_pages.alike``)."""
    for case in rows:
        if case.state == CaseState.WAITING:
            cases.moved(session, case, Move.CLAIM, now, who.person)
            case.last_holder = who.person
        cases.moved(session, case, Move.DECIDE, now, who.person, outcome=outcome)
        case.claimed_by, case.claimed_until, case.read_version = "", 0, case.version
        _decided(case, who, outcome, ground, now, undo_us, act_uid)
    session.flush()


def _decided(case: Case, who: Claimant, outcome: str, ground: str, now: int, undo_us: int, act_uid: str) -> None:
    case.outcome, case.ground, case.decided_by, case.decided_at = outcome, ground, who.person, now
    case.effective_at, case.act_uid = now + undo_us, act_uid


def _what(case: Case, outcome: str, second: bool) -> Move:
    if case.desk == Desk.SECOND:
        return Move.AGREE if outcome == case.proposed_outcome else Move.DISAGREE
    return Move.PROPOSE if second and case.desk == Desk.FIRST else Move.DECIDE


def _had(session: Session, case: Case, person: str) -> bool:
    """Whether somebody has held this case before."""
    wanted = select(CaseEvent.id).where(
        CaseEvent.case_id == case.id, CaseEvent.event == Move.CLAIM, CaseEvent.person == person
    )
    return session.scalar(wanted.limit(1)) is not None


def escalate(session: Session, case: Case, who: Claimant, why: str, *, now: int) -> None:
    """To a lead, by whoever holds it. Raises ``ControlError``."""
    claims.ended(session, case, now)
    if case.state != CaseState.CLAIMED or case.claimed_by != who.person:
        raise claims.unavailable(session, case)
    claims.freed(session, case, Move.ESCALATE, now, who.person, why)


def undo(session: Session, case: Case, who: Claimant, *, now: int, until: int) -> None:
    """Take a decision back while that is possible: by whoever made it, or a lead, who holds the case from then on.
    Raises ``ControlError``."""
    if case.state in (CaseState.WAITING, CaseState.CLAIMED):
        raise ControlError(409, "review.not_done", "Nobody has decided this: there is nothing to take back.")
    if case.state != CaseState.DECIDED:
        raise claims.unavailable(session, case)
    if case.decided_by != who.person and not who.lead:
        raise ControlError(403, "review.not_yours", f"{case.decided_by} has decided this, or a lead may take it back.")
    kept = who.kept_from(case)
    if kept is not None:
        raise kept
    if case.effective_at <= now:
        raise ControlError(409, "review.too_late", "The decision has taken effect; it cannot be taken back.")
    own = case.decided_by == who.person
    cases.moved(session, case, Move.UNDO, now, who.person)
    if not own:
        case.tell = case.decided_by
    cases.undecided(case)
    case.claimed_by, case.claimed_until, case.last_holder = who.person, until, who.person
    case.read_version = case.version if own else 0
    session.flush()


def effective(session: Session, *, now: int, most: int = 100, kinds: Sequence[str] = cases.KINDS) -> Sequence[Case]:
    """Decisions that can no longer be taken back, and have not taken effect."""
    return session.scalars(
        select(Case)
        .where(Case.state == CaseState.DECIDED, Case.effective_at <= now, Case.kind.in_(kinds))
        .order_by(Case.effective_at, Case.id)
        .limit(most)
    ).all()


def finish(session: Session, case: Case, *, now: int) -> None:
    """The decision takes effect, in the transaction of that; its causes get their answer."""
    cases.moved(session, case, Move.FINISH, now, outcome=case.outcome)
    cases.answered(session, case)
    case.open_as, case.closed_at = None, now
    session.flush()
