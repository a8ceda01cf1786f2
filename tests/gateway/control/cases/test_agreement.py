"""How far two people decide alike: the arithmetic, and what is counted."""

from __future__ import annotations

import pytest

from gateway.control.cases import agreement, samples
from gateway.control.cases.agreement import Opinion, Pairs
from tests.gateway.control.cases.conftest import Desk
from tests.gateway.control.cases.test_samples import done, take

APPROVED, FRAUD, SPAM = Opinion("approved", ""), Opinion("refused", "fraud"), Opinion("refused", "spam")


def test_twice_both_over_what_either_chose_and_cohen_s_kappa() -> None:
    pairs = [Pairs(APPROVED, APPROVED, 80), Pairs(FRAUD, FRAUD, 10), Pairs(FRAUD, SPAM, 6), Pairs(APPROVED, SPAM, 4)]
    told = agreement.of(pairs)
    assert (told.decided, told.alike, told.outcomes) == (100, 90, 96)
    by_ground = {one.ground or one.outcome: (one.first, one.second, one.both) for one in told.grounds}
    assert by_ground == {"approved": (84, 80, 80), "fraud": (16, 10, 10), "spam": (0, 10, 0)}
    shares = {one.ground or one.outcome: one.share for one in told.grounds}
    assert shares == pytest.approx({"approved": 160 / 164, "fraud": 20 / 26, "spam": 0.0})
    chance = (84 * 80 + 16 * 10) / 100**2
    assert told.kappa == pytest.approx((0.9 - chance) / (1 - chance))
    assert [one.first + one.second for one in told.grounds] == [164, 26, 10]  # the most frequent first


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    assert agreement.of([]) == (0, 0, 0, None, [])
    assert agreement.of([Pairs(APPROVED, APPROVED, 7)]).kappa is None  # chance alone makes all alike


def test_what_was_decided_in_the_span_is_counted(desk: Desk) -> None:
    moments = []
    for number, outcome in enumerate(("refused", "approved", "approved")):
        done(desk, f"m{number}")
        sample = take(desk, "bob")
        assert sample is not None
        ground = "article 5" if outcome == "refused" else ""
        samples.decide(desk.session, sample.id, desk.who("bob"), outcome, ground=ground, now=desk.now)
        moments.append(desk.now)
    done(desk, "waits")
    told = agreement.agreement(desk.session, moments[0], moments[2])
    assert (told.decided, told.alike) == (2, 1)
    refused = next(one for one in told.grounds if one.outcome == "refused")
    assert (refused.ground, refused.first, refused.second, refused.both) == ("article 5", 2, 1, 1)
    assert agreement.agreement(desk.session, moments[2], moments[2] + 1).decided == 1
