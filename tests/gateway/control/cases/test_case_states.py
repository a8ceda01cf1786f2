"""The table of transitions, and a case under random events: no state is one that nobody thought of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from gateway.control.acts.refusal import ControlError
from gateway.control.acts.rows import Model
from gateway.control.cases import cases, claims, decisions
from gateway.control.cases.case_states import (
    OPEN,
    TRANSITIONS,
    CaseState,
    Desk,
    Move,
    NoSuchMove,
    after,
    desk_after,
)
from gateway.control.cases.cases import Cause
from gateway.control.cases.rows import Case
from tests.gateway.control.cases import conftest

PEOPLE = ("ann", "bob", "lead1", "lead2", "u1")
ENDS = frozenset({CaseState.DONE, CaseState.VOID, CaseState.EXPIRED})


def test_every_state_is_reached_and_every_move_is_in_the_table() -> None:
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(CaseState)
    assert {move for _, move in TRANSITIONS} | {Move.OPEN} == set(Move)


def test_what_has_ended_stays_ended() -> None:
    noted = (Move.REOPEN, Move.SAMPLE, Move.LOOK_AGAIN)  # into the trace: the case stays as it is
    assert {one: to for one, to in TRANSITIONS.items() if one[0] in ENDS} == {
        (CaseState.DONE, move): CaseState.DONE for move in noted
    }
    assert set(CaseState) == ENDS | OPEN


def test_what_is_claimed_does_not_expire() -> None:
    assert [state for state, move in TRANSITIONS if move is Move.EXPIRE] == [CaseState.WAITING]


@pytest.mark.parametrize(("state", "move"), [(state, move) for state in CaseState for move in Move])
def test_what_is_not_in_the_table_does_not_happen(state: CaseState, move: Move) -> None:
    if (state, move) in TRANSITIONS:
        assert after(state, move) is TRANSITIONS[state, move]
    else:
        with pytest.raises(NoSuchMove):
            after(state, move)


@pytest.mark.parametrize("move", [Move.ADD, Move.SUPERSEDE])
def test_something_new_takes_a_case_back_to_the_first_desk(move: Move) -> None:
    assert desk_after(Desk.SECOND, CaseState.WAITING, move) is Desk.FIRST
    assert desk_after(Desk.SECOND, CaseState.DECIDED, move) is Desk.FIRST
    assert desk_after(Desk.LEAD, CaseState.DECIDED, move) is Desk.LEAD
    assert desk_after(Desk.LEAD, CaseState.WAITING, Move.CLAIM) is Desk.LEAD


class Cases(RuleBasedStateMachine):
    """Anybody does anything to the cases of two messages, at any time."""

    @initialize()
    def begin(self) -> None:
        engine = create_engine("sqlite://")
        Model.metadata.create_all(engine)
        self.desk = conftest.Desk(Session(engine, expire_on_commit=False))
        self.opened = 0
        self.desk.open("m1")
        self.desk.open("m2", cause=Cause.APPEAL, kind=cases.APPEAL)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.session.close()
            self.desk.session.get_bind().dispose()  # type: ignore[union-attr]

    def case(self, at: int) -> Case:
        """One of the newest, those that are open first."""
        found = self.desk.session.query(Case).order_by(Case.open_as.is_(None), Case.id.desc()).limit(4).all()
        return found[at % len(found)]

    def attempt(self, what: Any, *given: Any, **more: Any) -> None:
        """Refusals are answers, and change nothing; a move that is not in the table is a fault."""
        session = self.desk.session
        before = [case.as_row() for case in session.query(Case).order_by(Case.id)]
        try:
            what(*given, **more)
        except ControlError:
            session.expire_all()
            now = self.desk.now
            kept = [case.as_row() for case in session.query(Case).order_by(Case.id)]
            for was, held in zip(before, kept, strict=True):
                over = was["state"] == CaseState.CLAIMED and was["claimed_until"] <= now
                assert was == held or over  # a claim whose time is over may be said to be

    @rule(message=st.sampled_from(("m1", "m2")), cause=st.sampled_from(Cause), kind=st.sampled_from(cases.KINDS))
    def open(self, message: str, cause: Cause, kind: str) -> None:
        self.opened += 1
        self.desk.open(message, cause, kind=kind, reference=str(self.opened % 3))

    @rule(person=st.sampled_from(PEOPLE), at=st.integers(0, 3))
    def claim(self, person: str, at: int) -> None:
        case = self.case(at)
        self.attempt(self.desk.claim, case, person)

    @rule(
        person=st.sampled_from(PEOPLE), at=st.integers(0, 3), second=st.booleans(), outcome=st.integers(0, 2),
        then=st.sampled_from(("", "undo", "instead")), how=st.sampled_from((Move.RELEASE, Move.HAND_OVER)),
    )  # fmt: skip
    def claim_and_decide(self, person: str, at: int, second: bool, outcome: int, then: str, how: Move) -> None:
        case = self.case(at)
        self.attempt(self.desk.claim, case, person)
        if then == "instead":
            self.attempt(self.desk.give_back, case, person, how)
            return
        self.attempt(self.desk.decide, case, decisions.OUTCOMES[case.kind][outcome], person, second=second)
        if then == "undo":
            self.attempt(self.desk.undo, case, person)

    @rule(person=st.sampled_from(PEOPLE), count=st.integers(1, 3))
    def claim_page(self, person: str, count: int) -> None:
        now = self.desk.now
        claims.claim_page(self.desk.session, self.desk.who(person), count, now=now, until=now + conftest.CLAIM)

    @rule(
        person=st.sampled_from(PEOPLE), at=st.integers(0, 3), second=st.booleans(),
        outcome=st.sampled_from([*decisions.OUTCOMES[cases.MESSAGE], *decisions.OUTCOMES[cases.APPEAL]]),
        seen=st.none() | st.integers(1, 3),
    )  # fmt: skip
    def decide(self, person: str, at: int, second: bool, outcome: str, seen: int | None) -> None:
        case = self.case(at)
        self.attempt(self.desk.decide, case, outcome, person, second=second, seen=seen)

    @rule(person=st.sampled_from(PEOPLE), at=st.integers(0, 3))
    def escalate(self, person: str, at: int) -> None:
        case = self.case(at)
        who = self.desk.who(person)
        self.attempt(decisions.escalate, self.desk.session, case, who, "unsure", now=self.desk.now)

    @rule(person=st.sampled_from(PEOPLE), at=st.integers(0, 3))
    def undo(self, person: str, at: int) -> None:
        case = self.case(at)
        self.attempt(self.desk.undo, case, person)

    @rule(person=st.sampled_from(PEOPLE))
    def log_out(self, person: str) -> None:
        claims.give_back_all(self.desk.session, person, Move.LOG_OUT, now=self.desk.now)

    @rule(person=st.sampled_from(PEOPLE))
    def lose_role(self, person: str) -> None:
        claims.give_back_of_others(self.desk.session, lambda name: name != person, now=self.desk.now)

    @rule(seconds=st.sampled_from((1, 11, 601, 3601)))
    def wait(self, seconds: int) -> None:
        self.desk.now += seconds * conftest.S
        claims.time_out(self.desk.session, now=self.desk.now)
        self.desk.finish()

    @rule(seconds=st.sampled_from((11, 601)))
    def wait_while_nothing_runs(self, seconds: int) -> None:
        self.desk.now += seconds * conftest.S

    @rule(message=st.sampled_from(("m1", "m2")), kind=st.sampled_from(cases.KINDS))
    def void(self, message: str, kind: str) -> None:
        cases.void(self.desk.session, message, "withdrawn", now=self.desk.now, kind=kind)

    @rule(message=st.sampled_from(("m1", "m2")))
    def expire(self, message: str) -> None:
        case = cases.open_of(self.desk.session, message)
        held = case is not None and case.state != CaseState.WAITING
        assert not (cases.expire(self.desk.session, message, now=self.desk.now) and held)

    @rule(message=st.sampled_from(("m1", "m2")))
    def supersede(self, message: str) -> None:
        other = "m2" if message == "m1" else "m1"
        if cases.open_of(self.desk.session, other) is None:
            cases.supersede(self.desk.session, message, other, now=self.desk.now)

    @rule(message=st.sampled_from(("m1", "m2")), person=st.sampled_from(PEOPLE))
    def overrule(self, message: str, person: str) -> None:
        cases.overrule(
            self.desk.session, message, decisions.REFUSED, now=self.desk.now, person=person, ground="g", act_uid="act"
        )

    @rule(at=st.integers(0, 3), person=st.sampled_from(PEOPLE))
    def reopen(self, at: int, person: str) -> None:
        done = [case for case in map(self.case, range(at, at + 4)) if case.state == CaseState.DONE]
        if done:
            now = self.desk.now
            cases.reopen(self.desk.session, done[0].id, now=now, person=person, why="new", due_at=now)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "desk"):
            return
        self.desk.session.flush()
        for case in self.desk.session.query(Case):
            state = CaseState(case.state)
            assert case.desk in set(Desk)
            assert bool(case.claimed_by) == bool(case.claimed_until) == (state is CaseState.CLAIMED)
            assert bool(case.outcome) == bool(case.decided_by) == (state in (CaseState.DECIDED, CaseState.DONE))
            assert (case.open_as is None) == bool(case.closed_at) == (state in ENDS)
            assert (case.desk == Desk.SECOND) <= bool(case.proposed_by)
            assert not case.proposed_by or case.proposed_by in case.barred
            if state in OPEN:
                assert case.open_as == f"{case.kind}:{case.message_id}"
                assert case.claimed_by != case.sender
                assert case.decided_by != case.sender
            if case.outcome:
                assert case.outcome in decisions.OUTCOMES[case.kind]
            answers = {cause.answer for cause in cases.causes(self.desk.session, [case.id])[case.id]}
            assert answers == ({case.outcome} if state is CaseState.DONE else {""})


TestCases = Cases.TestCase
TestCases.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
