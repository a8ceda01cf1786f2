"""The table of transitions, and an appeal under random events: no state is one that nobody thought of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.control.acts.refusal import ControlError
from gateway.control.appeals import appeals
from gateway.control.appeals.appeal_states import (
    BEGINNINGS,
    ENDED,
    TRANSITIONS,
    WITH_A_PERSON,
    AppealMove,
    AppealState,
    NoSuchAppealMove,
    after,
)
from gateway.control.appeals.rows import Appeal
from gateway.control.cases import claims, decisions
from gateway.control.cases.case_states import OPEN, CaseState, Move
from tests.gateway.control.appeals.conftest import DECISION, Hand, S, session

PEOPLE = ("ann", "bob", "lead1", "u1", "judge")


def test_every_state_is_reached_and_every_move_is_in_the_table() -> None:
    assert set(TRANSITIONS.values()) | set(BEGINNINGS.values()) == set(AppealState)
    assert {move for _, move in TRANSITIONS} | set(BEGINNINGS) == set(AppealMove)


def test_what_has_ended_stays_ended() -> None:
    assert not [state for state, _ in TRANSITIONS if state in ENDED]
    assert ENDED | WITH_A_PERSON | {AppealState.EXPLAINED} == set(AppealState)


def test_nothing_is_rejected_by_time() -> None:
    assert [after_ for (_, move), after_ in TRANSITIONS.items() if move is AppealMove.OVERRUN] == [AppealState.OVERDUE]


@pytest.mark.parametrize(("state", "move"), [(state, move) for state in AppealState for move in AppealMove])
def test_what_is_not_in_the_table_does_not_happen(state: AppealState, move: AppealMove) -> None:
    if (state, move) in TRANSITIONS:
        assert after(state, move) is TRANSITIONS[state, move]
    else:
        with pytest.raises(NoSuchAppealMove):
            after(state, move)


class Appeals(RuleBasedStateMachine):
    """Appellants and people at the desk do anything, at any time."""

    @initialize()
    def begin(self) -> None:
        self.hand = Hand(session())
        self.rows: list[Appeal] = []

    def teardown(self) -> None:
        if hasattr(self, "hand"):
            self.hand.session.close()

    @rule(how=st.sampled_from(sorted(BEGINNINGS)))
    def file(self, how: AppealMove) -> None:
        if len(self.rows) < 3:
            name = f"m{len(self.rows)}"
            decision = DECISION._replace(message_id=name, parties=("judge",))
            self.rows.append(self.hand.file(decision, how, code=name))

    @rule(number=st.integers(0, 2))
    def insist(self, number: int) -> None:
        self._try(number, lambda row: appeals.insist(
            self.hand.session, row, statement="", now=self.hand.now, due_at=self.hand.now + 60 * S, barred=["judge"]
        ))  # fmt: skip

    @rule(number=st.integers(0, 2))
    def withdraw(self, number: int) -> None:
        self._try(number, lambda row: appeals.withdraw(self.hand.session, row, now=self.hand.now))

    @rule(number=st.integers(0, 2), person=st.sampled_from(PEOPLE))
    def claim(self, number: int, person: str) -> None:
        self._try(number, lambda row: self.hand.claim(row, person) if row.case_id else None)

    @rule(number=st.integers(0, 2), person=st.sampled_from(PEOPLE), how=st.sampled_from([Move.RELEASE, Move.ESCALATE]))
    def pass_on(self, number: int, person: str, how: Move) -> None:
        def work(row: Appeal) -> None:
            case = appeals.case_of(self.hand.session, row)
            if case is None:
                return
            who = self.hand.who(person)
            if how is Move.ESCALATE:
                decisions.escalate(self.hand.session, case, who, "", now=self.hand.now)
            else:
                claims.give_back(self.hand.session, case, person, how, now=self.hand.now)

        self._try(number, work)

    @rule(
        number=st.integers(0, 2),
        person=st.sampled_from(PEOPLE),
        outcome=st.sampled_from(["upheld", "partly", "rejected"]),
    )
    def decide(self, number: int, person: str, outcome: str) -> None:
        self._try(number, lambda row: self.hand.decide(row, outcome, person))

    @rule(number=st.integers(0, 2), person=st.sampled_from(PEOPLE))
    def undo(self, number: int, person: str) -> None:
        def work(row: Appeal) -> None:
            case = appeals.case_of(self.hand.session, row)
            if case is not None:
                now = self.hand.now
                decisions.undo(self.hand.session, case, self.hand.who(person), now=now, until=now + 60 * S)

        self._try(number, work)

    @rule(seconds=st.sampled_from([1, 20, 700, 4000]))
    def time_goes_by(self, seconds: int) -> None:
        self.hand.now += seconds * S
        claims.time_out(self.hand.session, now=self.hand.now)
        appeals.overrun(self.hand.session, now=self.hand.now)
        self.hand.settle()

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "rows"):
            return
        for row in self.rows:
            state = AppealState(row.state)
            case = appeals.case_of(self.hand.session, row)
            events = [one.event for one in appeals.trace(self.hand.session, row.id)]
            ends = [one for one in events if one in ENDED]
            assert len(ends) == (state in ENDED)
            assert (row.closed_at > 0) == (state in ENDED)
            if state is AppealState.EXPLAINED:
                assert case is None
            elif state in WITH_A_PERSON:
                assert case is not None
                assert case.state in OPEN
            elif state is not AppealState.WITHDRAWN:
                assert case is not None
                assert case.state == CaseState.DONE
                assert row.decided_by not in ("", "judge", "u1")
            if case is not None:
                assert case.claimed_by not in ("judge", "u1")
        upheld = [row.id for row in self.rows if row.state in ("upheld", "partly")]
        assert sorted(self.hand.redressed) == upheld  # once each

    def _try(self, number: int, work: Callable[[Appeal], object]) -> None:
        if number < len(self.rows):
            with contextlib.suppress(NoSuchAppealMove, ControlError):
                work(self.rows[number])


TestAppeals = Appeals.TestCase
TestAppeals.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
