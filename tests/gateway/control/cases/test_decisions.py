"""A case decided by one, by two, by a lead; taken back; done."""

from __future__ import annotations

import pytest

from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases, claims, decisions
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.case_states import Desk as Place
from tests.gateway.control.cases.conftest import CLAIM, UNDO, Desk


def test_claimed_to_decided_to_done_and_the_causes_are_answered(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.open(cause=cases.Cause.COMPLAINT, reference="c-1")
    decisions.read(desk.session, case, "ann")
    assert desk.decide(case, "refused", ground="article 5") is Move.DECIDE
    assert (case.state, case.decided_by, case.effective_at) == (CaseState.DECIDED, "ann", desk.now + UNDO)
    assert (case.ground, case.act_uid) == ("article 5", "act-1")
    assert desk.finish() == []
    desk.now += UNDO
    assert desk.finish() == [case.id]
    assert (case.state, case.closed_at) == (CaseState.DONE, desk.now)
    assert [one.answer for one in cases.causes(desk.session, [case.id])[case.id]] == ["refused", "refused"]
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.decided")
    assert desk.refused(lambda: desk.claim(case, "bob")) == (409, "review.decided")


def test_what_is_refused_names_its_ground_and_outcomes_fit_their_kind(desk: Desk) -> None:
    case = desk.claim(desk.open())
    assert desk.refused(lambda: desk.decide(case, "refused", ground="")) == (400, "review.ground_missing")
    assert desk.refused(lambda: desk.decide(case, "upheld")) == (409, "review.outcome_unfit")
    appeal = desk.claim(desk.open(kind=cases.APPEAL, cause=cases.Cause.APPEAL))
    assert desk.refused(lambda: desk.decide(appeal, "approved")) == (409, "review.outcome_unfit")
    assert desk.decide(appeal, "partly") is Move.DECIDE


def test_nobody_decides_what_somebody_else_has_or_nobody_claimed(desk: Desk) -> None:
    case = desk.open()
    assert desk.refused(lambda: desk.decide(case, seen=1)) == (409, "review.not_claimed")
    desk.claim(case)
    with pytest.raises(ControlError) as told:
        desk.decide(case, person="bob", seen=1)
    assert told.value.reason == "review.claimed"
    assert told.value.errors[-1]["problem"] == "claimed by ann"  # with what happened


def test_a_decision_without_reading_is_none(desk: Desk) -> None:
    case = desk.open()
    claims.claim(desk.session, case, desk.who("ann"), now=desk.now, until=desk.now + CLAIM)
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.changed")
    decisions.read(desk.session, case, "bob")  # who does not hold it
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.changed")


def test_a_claim_that_ended_counts_while_nobody_has_it_and_nothing_changed(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.now += CLAIM
    assert desk.decide(case) is Move.DECIDE
    assert desk.events(case)[1:] == [Move.CLAIM, Move.TIME_OUT, Move.CLAIM, Move.DECIDE]


def test_a_claim_that_ended_does_not_count_where_somebody_else_has_it(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.now += CLAIM
    desk.claim(case, "bob")
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.claimed")
    desk.give_back(case, "bob")
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.changed")  # read by somebody else since
    assert desk.decide(case, seen=1) is Move.DECIDE  # what ann has read is what there is


def test_a_claim_that_ended_does_not_count_where_something_came_up(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.now += CLAIM
    desk.open(cause=cases.Cause.COMPLAINT)
    with pytest.raises(ControlError) as told:
        desk.decide(case)
    assert (told.value.status, told.value.reason) == (409, "review.changed")
    assert "cause-added" in [one["problem"] for one in told.value.errors]


def test_a_claim_that_ended_does_not_count_where_somebody_has_decided(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.now += CLAIM
    desk.claim(case, "bob")
    desk.decide(case, "refused", "bob")
    with pytest.raises(ControlError) as told:
        desk.decide(case)
    assert told.value.reason == "review.decided"
    assert told.value.errors[-1]["problem"] == "decided by bob"


def test_second_person_agreed_to_decided(desk: Desk) -> None:
    case = desk.claim(desk.open())
    assert desk.decide(case, "refused", second=True) is Move.PROPOSE
    assert (case.state, case.desk, case.outcome) == (CaseState.WAITING, Place.SECOND, "")
    assert desk.refused(lambda: desk.claim(case)) == (403, "review.barred")
    desk.claim(case, "bob")
    assert desk.decide(case, "refused", "bob", second=True) is Move.AGREE
    assert (case.state, case.decided_by) == (CaseState.DECIDED, "bob")


def test_second_person_disagreed_to_a_lead_who_is_neither(desk: Desk) -> None:
    case = desk.claim(desk.open(), "lead1")
    desk.decide(case, "refused", "lead1", second=True)
    desk.claim(case, "bob")
    assert desk.decide(case, "approved", "bob", second=True) is Move.DISAGREE
    assert (case.state, case.desk) == (CaseState.WAITING, Place.LEAD)
    assert desk.refused(lambda: desk.claim(case, "lead1")) == (403, "review.barred")
    assert desk.refused(lambda: desk.claim(case, "cy")) == (403, "review.lead_only")
    desk.claim(case, "lead2")
    assert desk.decide(case, "approved", "lead2", second=True) is Move.DECIDE


def test_claimed_to_escalated_waits_for_a_lead(desk: Desk) -> None:
    case = desk.claim(desk.open())
    who = desk.who
    assert desk.refused(
        lambda: decisions.escalate(desk.session, case, who("bob"), "", now=desk.now)
    ) == (409, "review.claimed")  # fmt: skip
    decisions.escalate(desk.session, case, who("ann"), "names a minor", now=desk.now)
    assert (case.state, case.desk, case.claimed_by) == (CaseState.WAITING, Place.LEAD, "")
    assert cases.trace(desk.session, case.id)[-1].note == "names a minor"
    assert desk.refused(lambda: desk.claim(case)) == (403, "review.lead_only")
    assert desk.refused(lambda: desk.decide(case)) == (403, "review.lead_only")


def test_decided_is_taken_back_by_who_decided_or_by_a_lead(desk: Desk) -> None:
    case = desk.open()
    assert desk.refused(lambda: desk.undo(case)) == (409, "review.not_done")
    desk.claim(case)
    assert desk.refused(lambda: desk.undo(case)) == (409, "review.not_done")
    desk.decide(case, "refused")
    assert desk.refused(lambda: desk.undo(case, "bob")) == (403, "review.not_yours")
    desk.undo(case)
    assert (case.state, case.claimed_by, case.outcome) == (CaseState.CLAIMED, "ann", "")
    desk.decide(case, "approved")  # has read it already
    desk.undo(case, "lead1")
    assert (case.claimed_by, case.tell) == ("lead1", "ann")
    assert desk.refused(lambda: desk.decide(case, person="lead1")) == (409, "review.changed")
    decisions.read(desk.session, case, "lead1")
    desk.decide(case, person="lead1")
    desk.now += UNDO
    assert desk.refused(lambda: desk.undo(case, "lead1")) == (409, "review.too_late")
    desk.finish()
    assert desk.refused(lambda: desk.undo(case, "lead1")) == (409, "review.decided")


def test_an_agreement_is_taken_back_by_another_than_the_first(desk: Desk) -> None:
    case = desk.claim(desk.open(), "lead1")
    desk.decide(case, "refused", "lead1", second=True)
    desk.claim(case, "bob")
    desk.decide(case, "refused", "bob")
    assert desk.refused(lambda: desk.undo(case, "lead1")) == (403, "review.barred")
    desk.undo(case, "bob")
    assert (case.desk, case.proposed_by, case.claimed_by) == (Place.SECOND, "lead1", "bob")
