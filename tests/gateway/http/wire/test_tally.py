"""Bounds on what is cheap to send: how many in a time."""

from __future__ import annotations

from gateway.common.units import Rate
from gateway.http.wire.tally import Tally


def test_more_than_the_quota_in_one_window_exceeds() -> None:
    tally = Tally()
    rate = Rate(3, 10.0)
    assert [tally.exceeds(rate, 1, 5.0 + step) for step in range(4)] == [False, False, False, True]
    assert tally.exceeds(rate, 1, 14.9)
    assert not tally.exceeds(rate, 3, 15.0)
    assert tally.exceeds(rate, 1, 15.0)


def test_many_at_once_count_each() -> None:
    assert not Tally().exceeds(Rate(3, 1.0), 3, 0.0)
    assert Tally().exceeds(Rate(3, 1.0), 4, 0.0)
