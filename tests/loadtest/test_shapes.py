"""Shapes are arithmetic on a clock that the test holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.shapes import SHAPES, steps

durations = st.floats(2.0, 1000.0)
users = st.integers(1, 5000)


@given(st.sampled_from(sorted(SHAPES)), durations, users, st.floats(0.0, 0.999))
def test_there_is_always_somebody_and_never_too_many(shape: str, duration: float, users: int, at: float) -> None:
    now = SHAPES[shape](at * duration, duration, users)
    assert now is not None
    assert 1 <= now <= users


@given(st.sampled_from(sorted(SHAPES)), durations, users)
def test_everybody_is_there_at_some_time_and_it_ends(shape: str, duration: float, users: int) -> None:
    seen = {SHAPES[shape](duration * number / 100, duration, users) for number in range(100)}
    assert users in seen
    assert SHAPES[shape](duration, duration, users) is None
    assert SHAPES[shape](duration + 1, duration, users) is None


@given(st.sampled_from(["ramp", "steps"]), durations, users)
def test_a_climb_never_goes_down(shape: str, duration: float, users: int) -> None:
    climb = [SHAPES[shape](duration * number / 100, duration, users) or 0 for number in range(100)]
    assert climb == sorted(climb)


@pytest.mark.parametrize(
    ("elapsed", "there"), [(0.0, 20), (1.9, 20), (2.0, 40), (5.9, 60), (6.0, 80), (8.0, 100), (9.99, 100), (10.0, None)]
)
def test_five_equal_steps(elapsed: float, there: int | None) -> None:
    assert steps.users_at(elapsed, 10.0, 100) == there


def test_a_spike_comes_and_goes() -> None:
    assert [SHAPES["spike"](second, 10.0, 100) for second in (0, 2.9, 3.0, 5.9, 6.0, 9.0)] == [20, 20, 100, 100, 20, 20]
