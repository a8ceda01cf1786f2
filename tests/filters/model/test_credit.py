"""Credit that comes back."""

from hypothesis import given
from hypothesis import strategies as st

from filters.model.credit import DAY_US, recover

CREDIT = st.integers(0, 100)


@given(CREDIT, st.integers(0, 20), st.lists(st.integers(0, 2 * DAY_US), max_size=20))
def test_recovery_is_the_same_however_often_it_is_asked(credit: int, per_day: int, steps: list[int]) -> None:
    often, since, now = credit, 0, 0
    for step in steps:
        now += step
        often, since = recover(often, since, now, per_day)
    at_once, _ = recover(credit, 0, now, per_day)
    # A part of a point may be lost to rounding up the time of each whole one, never gained.
    assert at_once - 1 <= often <= at_once


def test_recovery_has_a_ceiling_and_a_clock_that_may_go_back() -> None:
    assert recover(50, 0, 10 * DAY_US, 2) == (70, 10 * DAY_US)
    assert recover(50, 0, DAY_US // 2, 1) == (50, 0)
    assert recover(99, 0, 10 * DAY_US, 2) == (100, 10 * DAY_US)
    assert recover(95, 0, 10 * DAY_US, 2, ceiling=80) == (95, 10 * DAY_US)
    assert recover(50, DAY_US, 0, 2) == (50, DAY_US)
    assert recover(50, 0, DAY_US, 0) == (50, 0)
