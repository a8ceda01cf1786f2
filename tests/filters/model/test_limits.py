"""GCRA: never more than the quota at once, never more than the rate for long, waits that are exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.model.limits import Limit, LimitError, charge, conform, pace, pace_of, parse_limit

QUOTAS = st.integers(1, 2000)
PERIODS = st.integers(2000, 10**12)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("sender 5/10s", Limit("sender", 5, 10_000_000)),
        (" room  500/1s ", Limit("room", 500, 1_000_000)),
        ("global 1/m", Limit("global", 1, 60_000_000)),
        ("ip 1000/250ms", Limit("ip", 1000, 250_000)),
        ("device 3/2h", Limit("device", 3, 7_200_000_000)),
        ("route 9/1d", Limit("route", 9, 86_400_000_000)),
    ],
)
def test_limits_are_read(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("5/10s", "such as"),
        ("sender 5", "such as"),
        ("sender 5/10", "such as"),
        ("sender -5/10s", "such as"),
        ("sender 5/10y", "such as"),
        ("people 5/10s", "sender, ip"),
        ("sender 0/10s", "at least 1"),
        ("sender 5/0s", "at least 1ms"),
        ("sender 1001/1ms", "leave the limit out"),
    ],
)
def test_what_is_wrong_says_what_would_be_right(text: str, remedy: str) -> None:
    with pytest.raises(LimitError, match=remedy):
        parse_limit(text)


@given(QUOTAS, PERIODS)
def test_a_burst_is_the_quota_exactly(quota: int, period: int) -> None:
    arrival = None
    for _ in range(quota):
        wait, arrival = conform(arrival, 5, pace(quota, period))
        assert wait == 0
    assert conform(arrival, 5, pace(quota, period))[0] > 0


@given(QUOTAS, PERIODS, st.lists(st.integers(0, 10**7), max_size=50))
def test_the_rate_holds(quota: int, period: int, steps: list[int]) -> None:
    """In any time, at most the quota and what the rate adds."""
    now = 0
    sent = 0
    arrival = None
    for step in steps:
        now += step
        wait, following = conform(arrival, now, pace(quota, period))
        if wait == 0:
            arrival = following
            sent += 1
        assert sent <= quota + now * quota // period


@given(QUOTAS, PERIODS, st.integers(0, 10**9))
def test_the_wait_is_exact(quota: int, period: int, ahead: int) -> None:
    now = 10**12
    ahead = min(ahead, pace(quota, period).burst)
    wait, _ = conform(now + ahead, now, pace(quota, period))
    if wait:
        assert conform(now + ahead, now + wait, pace(quota, period))[0] == 0
        assert conform(now + ahead, now + wait - 1, pace(quota, period))[0] == 1


def test_all_are_charged_or_none() -> None:
    strict, loose = pace(1, 1000), pace(5, 1000)
    waits, arrivals = charge([None, None], [strict, loose], 0)
    assert waits == (0, 0)
    assert arrivals == (1000, 200)
    waits, after = charge(arrivals, [strict, loose], 0)
    assert waits == (1000, 0)
    assert after == arrivals


@given(QUOTAS, PERIODS, st.integers(1, 10**16))
def test_a_clock_set_back_stops_nobody_and_gives_nobody_a_burst(quota: int, period: int, back: int) -> None:
    """However far ahead a count lies: one message goes, and the next waits for its interval."""
    one = pace(quota, period)
    now = 10**16
    (wait,), (kept,) = charge([now + one.burst + back], [one], now)
    assert (wait, kept) == (0, now + one.burst)
    (wait,), _ = charge([kept], [one], now)
    assert wait == one.interval <= one.burst


@given(QUOTAS, PERIODS, st.integers(0, 10**17))
def test_no_wait_is_longer_than_the_burst(quota: int, period: int, arrival: int) -> None:
    one = pace(quota, period)
    wait, following = conform(arrival, 10**16, one)
    assert wait <= one.interval
    assert following <= 10**16 + one.burst + one.interval


def test_scaling() -> None:
    limit = Limit("sender", 10, 1_000_000, ((20, 0.01), (60, 0.5)))
    assert pace_of(limit, 0) == pace(1, 1_000_000)  # never nothing
    assert pace_of(limit, 20) == pace_of(limit, 59) == pace(5, 1_000_000)
    assert pace_of(limit, 60) == pace_of(limit, None) == pace(10, 1_000_000)
