"""Decisions made once more: never by whoever had a part, drawn by chance, and nothing follows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

from sqlalchemy import select

from gateway.control.cases import cases, decisions, samples
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.claims import QueueWanted
from gateway.control.cases.rows import Case, CaseSample, OwnSender
from tests.gateway.control.cases.conftest import CLAIM, UNDO, Desk, S

ALWAYS = iter(lambda: 0.0, None).__next__


def done(desk: Desk, message: str = "m1", *, person: str = "ann", outcome: str = "refused", **more: Any) -> Case:
    """A case on which somebody decided, in effect, and drawn."""
    case = desk.open(message, **more)
    desk.claim(case, person)
    desk.decide(case, outcome, person)
    desk.now += UNDO
    decisions.finish(desk.session, case, now=desk.now)
    assert samples.draw(desk.session, case, 0.03, now=desk.now, by=ALWAYS)
    return case


def take(desk: Desk, person: str, **wanted: Any) -> CaseSample | None:
    taken = samples.take(
        desk.session, desk.who(person), now=desk.now, until=desk.now + CLAIM, wanted=QueueWanted(**wanted)
    )
    return taken[0] if taken is not None else None


def test_as_many_are_drawn_as_chance_gives(desk: Desk) -> None:
    chances: Iterator[float] = cycle((0.99, 0.5, 0.0299, 0.03))
    drawn = []
    for number in range(8):
        case = desk.open(f"m{number}")
        drawn.append(samples.draw(desk.session, case, 0.03, now=desk.now, by=chances.__next__))
    assert drawn == [False, False, True, False] * 2
    assert not samples.draw(desk.session, desk.open("n"), 0.0, now=desk.now, by=ALWAYS)
    appeal = desk.open("m1", cases.Cause.APPEAL, kind=cases.APPEAL)
    assert not samples.draw(desk.session, appeal, 0.2, now=desk.now, by=ALWAYS)


def test_chance_is_the_system_s_and_near_to_what_is_asked() -> None:
    hits = sum(samples.chance() < 0.03 for _ in range(20_000))  # 600 ± 24: nine of its deviations are allowed
    assert 380 < hits < 820


def test_no_more_wait_than_people_can_do(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr(samples, "MOST_WAITING", 2)
    done(desk, "m1"), done(desk, "m2")
    assert not samples.draw(desk.session, desk.open("m3"), 0.2, now=desk.now, by=ALWAYS)


def test_whoever_had_a_part_never_has_it(desk: Desk) -> None:
    case = desk.open()
    desk.claim(case, "cem")
    desk.give_back(case, "cem")
    desk.claim(case, "ann")
    desk.decide(case, "refused", "ann", second=True)
    desk.claim(case, "bob")
    desk.decide(case, "refused", "bob")
    desk.now += UNDO
    decisions.finish(desk.session, case, now=desk.now)
    samples.draw(desk.session, case, 0.2, now=desk.now, by=ALWAYS)
    desk.session.add(OwnSender(sender="u1", person="dora"))
    for person in ("ann", "bob", "cem", "dora"):
        assert take(desk, person) is None, person
    assert take(desk, "eve") is not None


def test_one_person_has_a_sample_until_its_time_is_over(desk: Desk) -> None:
    done(desk)
    sample = take(desk, "bob")
    assert sample is not None
    assert (sample.state, sample.claimed_by, sample.claimed_until) == (samples.CLAIMED, "bob", desk.now + CLAIM)
    assert take(desk, "cem") is None
    assert take(desk, "bob") is sample  # the same one, for longer
    desk.now += CLAIM
    assert desk.refused(lambda: samples.decide(desk.session, sample.id, desk.who("bob"), "approved", now=desk.now)) == (
        409, "review.not_claimed",
    )  # fmt: skip
    assert take(desk, "cem") is sample
    assert samples.give_back(desk.session, "cem") == 1
    assert take(desk, "bob") is sample


def test_only_what_somebody_wants_to_see(desk: Desk) -> None:
    done(desk, "m1", category="gore")
    done(desk, "m2", category="fraud", route="bullets")
    assert take(desk, "bob", declined=frozenset(("gore", "fraud"))) is None
    assert take(desk, "bob", route="comments", category="fraud") is None
    sample = take(desk, "bob", declined=frozenset(("gore",)))
    assert sample is not None
    assert desk.session.get_one(Case, sample.case_id).message_id == "m2"


def test_what_is_decided_on_it_changes_nothing_and_is_in_the_trace(desk: Desk) -> None:
    case = done(desk)
    before = case.as_row()
    sample = take(desk, "bob")
    assert sample is not None
    assert samples.hidden_from(desk.session, "bob", desk.now) == {case.id}
    samples.decide(desk.session, sample.id, desk.who("bob"), "approved", now=desk.now, act_uid="act-9")
    assert case.as_row() == before
    assert case.state == CaseState.DONE
    assert desk.events(case)[-2:] == [Move.SAMPLE, Move.LOOK_AGAIN]
    assert (sample.outcome, sample.decided_by, sample.act_uid, sample.differs) == (
        "approved",
        "bob",
        "act-9",
        "outcome",
    )
    assert samples.hidden_from(desk.session, "bob", desk.now) == frozenset()
    assert take(desk, "cem") is None


def test_two_refusals_on_other_grounds_differ_and_two_approvals_do_not(desk: Desk) -> None:
    for number, (first, second, ground, differs) in enumerate(
        (
            ("refused", "refused", "article 5", ""),
            ("refused", "refused", "agreement 3", "ground"),
            ("approved", "approved", "a note", ""),
            ("approved", "masked", "", "outcome"),
        )
    ):
        done(desk, f"m{number}", outcome=first)
        sample = take(desk, "bob")
        assert sample is not None
        samples.decide(desk.session, sample.id, desk.who("bob"), second, ground=ground, now=desk.now)
        assert sample.differs == differs, number


def test_a_lead_looks_at_a_disagreement_and_leaves_it_or_reopens_the_case(desk: Desk) -> None:
    cases_ = [done(desk, f"m{number}") for number in range(3)]
    for outcome in ("approved", "approved", "refused"):
        sample = take(desk, "bob")
        assert sample is not None
        ground = "article 5" if outcome == "refused" else ""
        samples.decide(desk.session, sample.id, desk.who("bob"), outcome, ground=ground, now=desk.now)
    waiting = samples.page(desk.session, "disagreed", None, 10)
    assert [one.case_id for one in waiting] == [cases_[1].id, cases_[0].id]
    assert samples.counts(desk.session) == (0, 2)
    left, again = waiting[0].id, waiting[1]
    samples.settle(desk.session, left, "lead", now=desk.now)
    assert desk.refused(lambda: samples.settle(desk.session, left, "lead", now=desk.now)) == (409, "review.settled")
    agreed = samples.page(desk.session, "decided", None, 1)[0].id
    assert desk.refused(lambda: samples.settle(desk.session, agreed, "lead", now=desk.now))[1] == "review.not_disagreed"
    made = cases.reopen(desk.session, again.case_id, now=desk.now, person="lead", why="look", due_at=desk.now)
    assert {"ann", "bob"} <= set(made.barred)  # both have decided on it
    assert samples.page(desk.session, "disagreed", None, 10) == []
    assert (again.settled_by, again.settled_at) == ("lead", desk.now)


def test_samples_go_with_their_cases(desk: Desk) -> None:
    done(desk)
    assert cases.prune(desk.session, desk.now + S) == 1
    assert desk.session.scalars(select(CaseSample)).all() == []
