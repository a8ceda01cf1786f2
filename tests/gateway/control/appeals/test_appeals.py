"""Each transition of an appeal, by its name in the plan."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from gateway.control.acts.refusal import ControlError
from gateway.control.appeals import appeals
from gateway.control.appeals.appeal_states import AppealMove, NoSuchAppealMove
from gateway.control.appeals.rows import Appeal, AppealEvent
from gateway.control.cases import decisions
from gateway.control.cases.case_states import CaseState
from tests.gateway.control.appeals.conftest import DECISION, Hand, S


def test_filed_waits_with_a_case_of_its_own(hand: Hand) -> None:
    row = hand.file()
    case = appeals.case_of(hand.session, row)
    assert row.state == "waiting"
    assert case is not None
    assert (case.kind, case.message_id, case.due_at, case.state) == ("appeal", "m1", row.due_at, CaseState.WAITING)


def test_explained_at_once_has_no_case(hand: Hand) -> None:
    row = hand.file(how=AppealMove.EXPLAIN)
    assert (row.state, row.case_id, row.due_at) == ("explained", None, 0)


def test_explained_and_insisted_waits(hand: Hand) -> None:
    row = hand.file(how=AppealMove.EXPLAIN)
    appeals.insist(hand.session, row, statement="all the same", now=hand.now, due_at=hand.now + S, barred=())
    assert (row.state, row.statement) == ("waiting", "all the same")
    assert row.case_id is not None
    with pytest.raises(NoSuchAppealMove):
        appeals.insist(hand.session, row, statement="", now=hand.now, due_at=hand.now + S, barred=())


@pytest.mark.parametrize(("outcome", "state"), [("upheld", "upheld"), ("partly", "partly"), ("rejected", "rejected")])
def test_claimed_and_decided_takes_effect_after_the_undo_window(hand: Hand, outcome: str, state: str) -> None:
    row = hand.file(texts=["buy it"])
    hand.claim(row)
    hand.decide(row, outcome)
    hand.settle()
    assert row.state == "waiting"
    hand.now += 10 * S
    hand.settle()
    hand.settle()
    assert (row.state, row.decided_by, row.answer, row.act_uid) == (state, "ann", "Because.", "act-1")
    assert row.texts is None
    assert hand.redressed == ([] if state == "rejected" else [row.id])


def test_whoever_had_a_part_does_not_claim_it(hand: Hand) -> None:
    row = hand.file(DECISION._replace(parties=("ann",)))
    with pytest.raises(ControlError) as refused:
        hand.claim(row, "ann")
    assert refused.value.reason == "review.barred"
    with pytest.raises(ControlError) as refused:
        hand.claim(row, "u1")  # the sender's own name
    assert refused.value.reason == "review.own_message"
    hand.claim(row, "bob")


def test_the_same_person_is_told_of_where_it_is_allowed(hand: Hand) -> None:
    row = hand.file(DECISION._replace(parties=("ann",)), barred=())
    hand.claim(row, "ann")
    hand.decide(row, "rejected", undo_us=0)
    hand.settle()
    assert row.same_person
    assert appeals.counted(hand.session, now=hand.now).same_person == 1


def test_withdrawn_ends_its_case_and_tells_whoever_holds_it(hand: Hand) -> None:
    row = hand.file()
    hand.claim(row)
    appeals.withdraw(hand.session, row, now=hand.now)
    case = appeals.case_of(hand.session, row)
    assert row.state == "withdrawn"
    assert case is not None
    assert (case.state, case.tell) == (CaseState.VOID, "ann")
    with pytest.raises(ControlError):
        hand.decide(row, "upheld")
    with pytest.raises(NoSuchAppealMove):
        appeals.withdraw(hand.session, row, now=hand.now)


def test_explained_is_withdrawn_too(hand: Hand) -> None:
    row = hand.file(how=AppealMove.EXPLAIN)
    appeals.withdraw(hand.session, row, now=hand.now)
    assert row.state == "withdrawn"


def test_overdue_is_told_once_rejects_nothing_and_is_decided_as_before(hand: Hand) -> None:
    row = hand.file()
    hand.now = row.due_at
    assert appeals.overrun(hand.session, now=hand.now) == [row.id]
    assert appeals.overrun(hand.session, now=hand.now) == []
    assert row.state == "overdue"
    hand.claim(row)
    hand.decide(row, "upheld", undo_us=0)
    hand.settle()
    assert row.state == "upheld"


def test_a_decision_that_is_undone_takes_no_effect(hand: Hand) -> None:
    row = hand.file()
    hand.claim(row)
    hand.decide(row, "rejected")
    case = appeals.case_of(hand.session, row)
    assert case is not None
    decisions.undo(hand.session, case, hand.who("ann"), now=hand.now, until=hand.now + 600 * S)
    hand.now += 20 * S
    hand.settle()
    assert row.state == "waiting"
    hand.decide(row, "upheld", undo_us=0)
    hand.settle()
    assert row.state == "upheld"


def test_counts_by_state_and_the_oldest(hand: Hand) -> None:
    hand.file()
    hand.now += 60 * S
    hand.file(DECISION._replace(message_id="m2"), AppealMove.EXPLAIN, code="2")
    told = appeals.counted(hand.session, now=hand.now)
    assert {state: count for state, count in told.states.items() if count} == {"waiting": 1, "explained": 1}
    assert told.oldest_us == 60 * S


def test_what_ended_long_ago_goes_with_its_trace(hand: Hand) -> None:
    ended, kept = hand.file(), hand.file(DECISION._replace(message_id="m2"), code="2")
    idle = hand.file(DECISION._replace(message_id="m3"), AppealMove.EXPLAIN, code="3")
    appeals.withdraw(hand.session, ended, now=hand.now)
    assert appeals.prune(hand.session, hand.now + 1) == 0  # the journal has not heard of them
    for event, record in appeals.untold(hand.session):
        assert record["kind"] == "appeal"
        appeals.told(hand.session, event)
    assert appeals.prune(hand.session, hand.now) == 0
    assert appeals.prune(hand.session, hand.now + 1) == 2
    assert hand.session.scalars(select(Appeal.id)).all() == [kept.id]
    assert idle.id != kept.id
    assert hand.session.scalar(select(func.count()).select_from(AppealEvent)) == 1
