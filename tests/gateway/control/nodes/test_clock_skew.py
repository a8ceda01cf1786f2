"""The figure, what it may be wrong by, and when it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.control.nodes.clock_skew import ClockSkew, measured

SECOND = 1_000_000


class Clocks:
    """A machine whose time of day is ``ahead`` µs of the database's; a question takes so long there, and back."""

    def __init__(self, ahead: int, there: int = 0, back: int = 0) -> None:
        self.true = 1_800_000_000 * SECOND
        self.ahead, self.there, self.back = ahead, there, back

    def wall(self) -> int:
        return (self.true + self.ahead) * 1000

    def steady(self) -> int:
        return self.true * 1000

    def ask(self) -> int:
        self.true += self.there
        told = self.true
        self.true += self.back
        return told


@given(
    st.integers(-100 * SECOND, 100 * SECOND), st.integers(0, 10 * SECOND), st.integers(0, 10 * SECOND)
)  # fmt: skip
def test_the_truth_lies_within_what_is_told(ahead: int, there: int, back: int) -> None:
    """Whichever way takes the longer: that is what half of the round trip is for."""
    clocks = Clocks(ahead, there, back)
    told, skew = measured(clocks.ask, clocks.wall, clocks.steady)
    assert told == clocks.true - back
    assert skew.ahead - skew.within <= ahead <= skew.ahead + skew.within
    assert skew.within <= (there + back) // 2 + 1


@pytest.mark.parametrize(
    ("ahead", "there", "back", "beyond"),
    [
        (0, 0, 0, False),
        (2 * SECOND, 0, 0, True),
        (-2 * SECOND, 0, 0, True),
        (SECOND, 1000, 1000, False),
        (0, 8 * SECOND, 0, False),  # it looks 4 s behind, and may be wrong by 4
        (0, 0, 8 * SECOND, False),
        (-30 * SECOND, 8 * SECOND, 0, True),
    ],
)
def test_what_a_slow_answer_may_be_is_not_told(ahead: int, there: int, back: int, beyond: bool) -> None:
    clocks = Clocks(ahead, there, back)
    skew = ClockSkew(lambda: 1.0, clocks.wall, clocks.steady)
    skew.ask(clocks.ask)
    assert skew.beyond is beyond
    assert bool(skew.note) is beyond


def test_the_log_tells_once_and_again_when_it_is_over() -> None:
    clocks = Clocks(30 * SECOND)
    most: list[float] = [1.0]
    bound: Callable[[], float] = lambda: most[0]  # noqa: E731  # as configured now
    skew = ClockSkew(bound, clocks.wall, clocks.steady)
    with capture_logs() as told:
        skew.ask(clocks.ask)
        skew.ask(clocks.ask)
        clocks.ahead = 0
        skew.ask(clocks.ask)
        skew.ask(clocks.ask)
    assert [(one["event"], one["seconds"]) for one in told] == [("clock.apart", 30.0), ("clock.agrees", 0.0)]
    clocks.ahead = -2 * SECOND
    most[0] = 5.0
    skew.ask(clocks.ask)
    assert skew.note == ""
