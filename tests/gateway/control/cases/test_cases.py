"""A message has one open case, with all its causes; what becomes of the message ends it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases, decisions
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.case_states import Desk as Place
from gateway.control.cases.cases import Cause
from gateway.control.cases.rows import Case, CaseCause, CaseEvent
from tests.gateway.control.cases.conftest import UNDO, Desk, S


def test_a_message_has_one_open_case_and_every_cause_once(desk: Desk) -> None:
    first = desk.open(category="spam", reason="keywords.word", ground="article 5", fingerprint="f" * 16)
    assert desk.open() is first  # the intake was cut short and comes again
    assert desk.open(cause=Cause.COMPLAINT, reference="c-1", due_at=desk.now) is first
    assert desk.open(cause=Cause.COMPLAINT, reference="c-2") is first
    found = cases.causes(desk.session, [first.id])[first.id]
    assert [(one.cause, one.reference) for one in found] == [("hold", ""), ("complaint", "c-1"), ("complaint", "c-2")]
    assert (first.category, first.fingerprint, first.due_at) == ("spam", "f" * 16, desk.now)
    assert first.version == 3
    assert desk.open("m2").id != first.id


def test_many_are_opened_as_one_by_one(desk: Desk) -> None:
    """New ones together; and one that somebody complained of before, and one on which a case is done."""
    complained = desk.open("m1", cause=Cause.COMPLAINT)
    done = desk.claim(desk.open("m2"))
    desk.decide(done)
    desk.now += UNDO
    desk.finish()
    due = desk.now + 60 * S
    openings = [
        cases.NewCase(f"m{n}", "comments", "r1", "u1", due, due + S, "spam", "keywords.word", "article 5", "f" * 16)
        for n in range(1, 6)
    ]
    numbers = cases.open_many(desk.session, openings, now=desk.now)
    assert cases.open_many(desk.session, openings, now=desk.now) == numbers
    opened = [cases.get(desk.session, numbers[f"m{number}"]) for number in range(1, 6)]
    alone = desk.open("m6", category="spam", reason="keywords.word", ground="article 5", fingerprint="f" * 16)
    alone.due_at, alone.expires_at = due, due + S
    assert opened[0] is complained
    assert [opened[1].reopens, opened[2].reopens] == [done.id, None]
    columns = [column.key for column in Case.__table__.columns if column.key not in ("id", "message_id", "open_as")]
    for case in opened[2:]:
        assert [getattr(case, key) for key in columns] == [getattr(alone, key) for key in columns]
        assert desk.events(case) == desk.events(alone)
    found = cases.causes(desk.session, [*numbers.values(), alone.id])
    told = [[(row.cause, row.category, row.reason, row.ground) for row in found[case.id]] for case in opened]
    hold = [(row.cause, row.category, row.reason, row.ground) for row in found[alone.id]]
    assert told[2:] == [hold] * 3
    assert [len(one) for one in told[:2]] == [2, 1]


def test_an_appeal_is_a_case_of_its_own(desk: Desk) -> None:
    held = desk.open()
    appeal = desk.open(cause=Cause.APPEAL, kind=cases.APPEAL, barred=["ann"])
    assert appeal.id != held.id
    assert desk.refused(lambda: desk.claim(appeal)) == (403, "review.barred")
    assert desk.claim(appeal, "bob").claimed_by == "bob"


def test_a_cause_added_while_claimed_must_be_read_again(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.open(cause=Cause.COMPLAINT)
    assert case.state == CaseState.CLAIMED
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.changed")
    decisions.read(desk.session, case, "ann")
    assert desk.decide(case) is Move.DECIDE


def test_a_cause_added_in_the_undo_window_takes_the_decision_off(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.decide(case)
    desk.open(cause=Cause.COMPLAINT)
    assert (case.state, case.outcome, case.tell) == (CaseState.WAITING, "", "ann")
    desk.now += UNDO
    assert desk.finish() == []


def test_what_one_of_two_wanted_is_no_more_once_something_new_came_up(desk: Desk) -> None:
    case = desk.claim(desk.open())
    assert desk.decide(case, second=True) is Move.PROPOSE
    desk.open(cause=Cause.PATROL)
    assert (case.desk, case.proposed_by, case.barred) == (Place.FIRST, "", [])


def test_an_edit_takes_the_place_of_what_waits(desk: Desk) -> None:
    case = desk.claim(desk.open(fingerprint="a" * 16))
    due = case.due_at
    newer = desk.open("m1-edited", fingerprint="b" * 16, category="fraud", reason="credit.low")
    assert cases.supersede(desk.session, "m1", "m1-edited", now=desk.now) is case
    assert (case.message_id, case.fingerprint, case.due_at) == ("m1-edited", "b" * 16, due)
    (why,) = cases.causes(desk.session, [case.id])[case.id]
    assert (case.category, why.category, why.reason) == ("fraud", "fraud", "credit.low")
    assert newer.state == CaseState.VOID
    assert case.state == CaseState.CLAIMED
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.changed")
    assert cases.open_of(desk.session, "m1") is None
    assert cases.open_of(desk.session, "m1-edited") is case
    decisions.read(desk.session, case, "ann")
    desk.decide(case)
    cases.supersede(desk.session, "m1-edited", "m1-again", now=desk.now)
    assert (case.state, case.outcome) == (CaseState.WAITING, "")  # decided → waiting: that was about another text
    alone = desk.open("new")
    assert cases.supersede(desk.session, "nothing", "new", now=desk.now) is None
    assert alone.state == CaseState.WAITING  # whoever is superseded has no case any more: it keeps its own


@pytest.mark.parametrize("before", ["waiting", "claimed", "decided"])
def test_void_from_each_open_state_tells_the_holder(desk: Desk, before: str) -> None:
    case = desk.open()
    if before != "waiting":
        desk.claim(case)
    if before == "decided":
        desk.decide(case)
    assert cases.void(desk.session, "m1", "withdrawn", now=desk.now) is case
    assert (case.state, case.outcome, case.claimed_by) == (CaseState.VOID, "", "")
    assert case.tell == ("" if before == "waiting" else "ann")
    assert desk.refused(lambda: desk.decide(case)) == (409, "review.void")
    desk.give_back(case, "ann") if before != "waiting" else None
    assert case.tell == ""  # seen
    assert cases.void(desk.session, "m1", "withdrawn", now=desk.now) is None
    assert cases.trace(desk.session, case.id)[-1].note == "withdrawn"


def test_waiting_expires_at_its_time_and_never_while_claimed_or_decided(desk: Desk) -> None:
    case = desk.open(expires_at=desk.now + 60 * S)
    assert not cases.expire(desk.session, "m1", now=desk.now + 59 * S)
    desk.now += 60 * S
    desk.claim(case)
    assert not cases.expire(desk.session, "m1", now=desk.now)
    desk.decide(case)
    assert not cases.expire(desk.session, "m1", now=desk.now)
    desk.undo(case)
    desk.give_back(case)
    assert cases.expire(desk.session, "m1", now=desk.now)
    assert case.state == CaseState.EXPIRED
    assert desk.refused(lambda: desk.claim(case)) == (409, "review.expired")
    assert cases.expire(desk.session, "m1", now=desk.now)  # nothing keeps the message


def test_what_never_expires_stays(desk: Desk) -> None:
    desk.open(expires_at=0)
    assert not cases.expire(desk.session, "m1", now=desk.now + 10**15)


@pytest.mark.parametrize("before", ["waiting", "claimed", "decided"])
def test_a_takedown_of_what_is_held_is_a_refusal_of_its_case(desk: Desk, before: str) -> None:
    case = desk.open()
    if before != "waiting":
        desk.claim(case)
    if before == "decided":
        desk.decide(case)
    told = cases.overrule(
        desk.session, "m1", decisions.REFUSED, now=desk.now, person="bob", ground="article 5", act_uid="act-9"
    )
    assert told is case
    assert (case.state, case.outcome, case.decided_by) == (CaseState.DONE, "refused", "bob")
    assert case.tell == ("" if before == "waiting" else "ann")
    assert cases.causes(desk.session, [case.id])[case.id][0].answer == "refused"


def test_done_is_reopened_by_a_new_case_for_somebody_else(desk: Desk) -> None:
    case = desk.claim(desk.open())
    with pytest.raises(ControlError) as refused:
        cases.reopen(desk.session, case.id, now=desk.now, person="lead1", why="more is known", due_at=desk.now)
    assert refused.value.reason == "review.not_done"
    desk.decide(case, "refused")
    desk.now += UNDO
    assert desk.finish() == [case.id]
    again = cases.reopen(desk.session, case.id, now=desk.now, person="lead1", why="more is known", due_at=desk.now)
    assert (again.reopens, again.state, case.state) == (case.id, CaseState.WAITING, CaseState.DONE)
    assert desk.events(case)[-1] == Move.REOPEN
    assert desk.refused(lambda: desk.claim(again)) == (403, "review.barred")


def test_the_first_of_two_reopened_is_for_nobody_who_decided_either(desk: Desk) -> None:
    first = desk.claim(desk.open())
    desk.decide(first, "refused")
    desk.now += UNDO
    desk.finish()
    given = {"person": "lead1", "why": "more is known", "due_at": desk.now}
    second = desk.claim(cases.reopen(desk.session, first.id, now=desk.now, **given), "bob")
    desk.decide(second, "refused", "bob")
    desk.now += UNDO
    desk.finish()
    again = cases.reopen(desk.session, first.id, now=desk.now, **given)
    assert (again.reopens, again.barred) == (second.id, ["ann", "bob"])
    third = desk.claim(again, "cat")
    desk.decide(third, "refused", "cat")
    assert cases.reopen(desk.session, first.id, now=desk.now, **given).barred == ["ann", "bob"]  # "cat" has it, or had


def test_what_ended_long_ago_goes_whole(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.decide(case)
    desk.now += UNDO
    desk.finish()
    desk.open("m2")
    again = cases.reopen(desk.session, case.id, now=desk.now, person="lead1", why="", due_at=desk.now)
    assert cases.prune(desk.session, desk.now + 1) == 0  # a newer one names it
    cases.void(desk.session, "m1", "withdrawn", now=desk.now)
    assert cases.prune(desk.session, desk.now) == 0
    assert cases.prune(desk.session, desk.now + 1) == 1
    assert cases.prune(desk.session, desk.now + 1) == 1
    assert desk.session.scalars(select(Case.message_id)).all() == ["m2"]
    for rows in (CaseCause, CaseEvent):
        assert desk.session.scalar(select(func.count()).select_from(rows)) == 1
    assert again.id != case.id


def test_an_unknown_case_is_no_case(desk: Desk) -> None:
    with pytest.raises(ControlError) as told:
        cases.get(desk.session, 7)
    assert (told.value.status, told.value.reason) == (404, "control.case_unknown")
