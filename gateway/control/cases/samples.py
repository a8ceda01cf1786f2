"""Some decisions made once more by somebody who does not know them, so that it is known whether people see alike.

    waiting ──► claimed ──► decided        agreed, or on the lead's list until one has looked (``settled``)
       ▲           │
       └───────────┘                       given back, timed out
    waiting, claimed ──► void              there is no text any more to decide on

Its laws: which decision is drawn is chance that nobody can know before or bring about; nobody who had a part in a case
has its sample; what is decided on a sample changes nothing of the message. Nothing that tells of the first decision is
given to whoever holds one (``hidden_from``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any, Final

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from gateway.control.acts.refusal import ControlError, missing
from gateway.control.cases import cases
from gateway.control.cases.case_states import Move
from gateway.control.cases.claims import WHICHEVER, Claimant, QueueWanted
from gateway.control.cases.decisions import GROUNDED
from gateway.control.cases.rows import Case, CaseEvent, CaseSample

WAITING, CLAIMED, DECIDED, VOID = "waiting", "claimed", "decided", "void"
OUTCOME, GROUND = "outcome", "ground"  # in what two people differ
MOST_WAITING: Final = 1000  # of these; beyond, none is drawn until some are decided
LOOKED_AT: Final = 200  # that wait, a few of which may not be theirs

chance: Final[Callable[[], float]] = SystemRandom().random
"""From 0 to 1, below 1, of the system's entropy."""


def draw(session: Session, case: Case, share: float, *, now: int, by: Callable[[], float] = chance) -> bool:
    """Whether this decision, which has just taken effect, is made once more."""
    if not share or case.kind != cases.MESSAGE or by() >= share:
        return False
    waiting = session.scalars(select(CaseSample.id).where(CaseSample.state == WAITING).limit(MOST_WAITING)).all()
    if len(waiting) >= MOST_WAITING:
        return False
    session.add(
        CaseSample(
            case_id=case.id, drawn_at=now, state=WAITING, first_by=case.decided_by, first_outcome=case.outcome,
            first_ground=case.ground,
        )
    )  # fmt: skip
    cases.note(session, case, Move.SAMPLE, now)
    session.flush()
    return True


def take(
    session: Session, who: Claimant, *, now: int, until: int, wanted: QueueWanted = WHICHEVER
) -> tuple[CaseSample, Case] | None:
    """The next one that is theirs to have, with its case; theirs already, where they hold one. None where nothing
    waits."""
    held = session.scalars(_held_by(who.person, now).order_by(CaseSample.id)).all()
    if held:
        held[0].claimed_until = until
        return held[0], cases.get(session, held[0].case_id)
    rows: Sequence[Any] = session.execute(
        select(CaseSample, Case)
        .join(Case, Case.id == CaseSample.case_id)
        .where(_free(now), *_matches(wanted))
        .order_by(CaseSample.id)
        .limit(LOOKED_AT)
    ).all()
    for sample, case in rows:
        if _theirs(session, case, who) and _take(session, sample, who.person, now, until):
            return sample, case
    return None


def _free(now: int) -> Any:
    """Nobody has it; a claim whose time is over has ended."""
    return or_(CaseSample.state == WAITING, and_(CaseSample.state == CLAIMED, CaseSample.claimed_until <= now))


def _matches(wanted: QueueWanted) -> list[Any]:
    found: list[Any] = [
        column == value
        for column, value in ((Case.route, wanted.route), (Case.room, wanted.room), (Case.category, wanted.category))
        if value
    ]
    if wanted.declined:
        found.append(Case.category.not_in(sorted(wanted.declined)))
    return found


def _theirs(session: Session, case: Case, who: Claimant) -> bool:
    """Whether somebody had no part in a case: not the first decision, and nothing else of it."""
    if who.kept_from(case) is not None or case.decided_by == who.person:
        return False
    part = select(CaseEvent.id).where(CaseEvent.case_id == case.id, CaseEvent.person == who.person)
    return session.scalar(part.limit(1)) is None


def _take(session: Session, sample: CaseSample, person: str, now: int, until: int) -> bool:
    """By one change of the row, whatever holds the database; whoever comes second changes none."""
    session.flush()
    taken = session.execute(
        update(CaseSample)
        .where(CaseSample.id == sample.id, _free(now))
        .values(state=CLAIMED, claimed_by=person, claimed_until=until)
        .execution_options(synchronize_session=False)
    )
    session.refresh(sample)
    return taken.rowcount == 1  # type: ignore[attr-defined,no-any-return]


def decide(
    session: Session, number: int, who: Claimant, outcome: str, *, ground: str = "", now: int, act_uid: str = ""
) -> CaseSample:
    """What they would have decided. Raises ``ControlError`` where they do not hold it."""
    sample = held(session, number, who.person, now)
    case = cases.get(session, sample.case_id)
    kept = who.kept_from(case)
    if kept is not None:
        raise kept
    sample.state, sample.claimed_by, sample.claimed_until = DECIDED, "", 0
    sample.outcome, sample.ground, sample.act_uid = outcome, ground, act_uid
    sample.decided_by, sample.decided_at = who.person, now
    if outcome != sample.first_outcome:
        sample.differs = OUTCOME
    elif outcome in GROUNDED and ground != sample.first_ground:
        sample.differs = GROUND
    cases.note(session, case, Move.LOOK_AGAIN, now, who.person, outcome=outcome)
    session.flush()
    return sample


def held(session: Session, number: int, person: str, now: int) -> CaseSample:
    """One that somebody holds now. Raises ``ControlError``."""
    sample = get(session, number)
    if sample.state != CLAIMED or sample.claimed_by != person or sample.claimed_until <= now:
        raise ControlError(409, "review.not_claimed", "Claim a sample first: this one is not yours, or not any more.")
    return sample


def get(session: Session, number: int) -> CaseSample:
    """Raises ``ControlError`` (404)."""
    sample = session.get(CaseSample, number)
    if sample is None:
        raise missing("sample")
    return sample


def give_back(session: Session, person: str, number: int | None = None) -> int:
    """One that somebody holds, or all of them; how many."""
    mine = (CaseSample.claimed_by == person, CaseSample.state == CLAIMED)
    which = mine if number is None else (*mine, CaseSample.id == number)
    given = session.scalars(select(CaseSample).where(*which)).all()
    for sample in given:
        sample.state, sample.claimed_by, sample.claimed_until = WAITING, "", 0
    session.flush()
    return len(given)


def void(session: Session, sample: CaseSample) -> None:
    """Nobody can decide on it: there is no text any more."""
    sample.state, sample.claimed_by, sample.claimed_until = VOID, "", 0
    session.flush()


def settle(session: Session, number: int, person: str, *, now: int) -> CaseSample:
    """A lead has looked at a disagreement and leaves the decision as it is. Raises ``ControlError``."""
    sample = get(session, number)
    if sample.state != DECIDED or not sample.differs:
        raise ControlError(409, "review.not_disagreed", "On this sample nobody disagrees.")
    if sample.settled_at:
        raise ControlError(409, "review.settled", f"{sample.settled_by} has looked at this already.")
    sample.settled_by, sample.settled_at = person, now
    session.flush()
    return sample


def hidden_from(session: Session, person: str, now: int) -> frozenset[int]:
    """Cases of which somebody must not be told now what was decided: they hold the sample."""
    return frozenset(session.scalars(_held_by(person, now).with_only_columns(CaseSample.case_id)))


def messages_hidden_from(session: Session, person: str, now: int) -> frozenset[str]:
    """What those cases are about: what became of it says what was decided."""
    held = _held_by(person, now).with_only_columns(CaseSample.case_id)
    return frozenset(session.scalars(select(Case.message_id).where(Case.id.in_(held))))


def _held_by(person: str, now: int) -> Select[Any]:
    return select(CaseSample).where(
        CaseSample.claimed_by == person, CaseSample.state == CLAIMED, CaseSample.claimed_until > now
    )


def page(session: Session, state: str, before: int | None, limit: int) -> Sequence[CaseSample]:
    """From the newest on; ``disagreed``: those that wait for a lead to look."""
    wanted = select(CaseSample).order_by(CaseSample.id.desc()).limit(limit)
    if state == "disagreed":
        wanted = wanted.where(CaseSample.differs != "", CaseSample.settled_at == 0)
    else:
        wanted = wanted.where(CaseSample.state == state)
    return session.scalars(wanted if before is None else wanted.where(CaseSample.id < before)).all()


def counts(session: Session) -> tuple[int, int]:
    """How many wait for somebody, and how many disagreements for a lead."""
    waiting = select(func.count()).select_from(CaseSample).where(CaseSample.state.in_((WAITING, CLAIMED)))
    open_ = select(func.count()).select_from(CaseSample).where(CaseSample.differs != "", CaseSample.settled_at == 0)
    return session.scalars(waiting).one(), session.scalars(open_).one()
