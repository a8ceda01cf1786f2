"""The load's own clock: a standstill counts as long as it lasted."""

import pytest

from loadtest.measuring.pulse import MOST, PERIOD, beat, missed


class Over(Exception):
    """The test has seen enough."""


class Clock:
    """Sleeps as long as asked and, at the wakings named, some seconds longer."""

    def __init__(self, late: dict[int, float], wakings: int) -> None:
        self.now = 100.0
        self._late = late
        self._left = wakings
        self.count = 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if self.count == self._left:
            raise Over
        self.now += seconds + self._late.get(self.count, 0.0)
        self.count += 1


def heard(late: dict[int, float], wakings: int) -> list[float]:
    clock, told = Clock(late, wakings), list[float]()
    with pytest.raises(Over):
        beat(clock, clock.sleep, told.append)
    return told


def test_who_wakes_in_time_is_not_late() -> None:
    assert heard({}, 100) == pytest.approx([0.0] * 100, abs=1e-9)


def test_a_standstill_of_a_second_counts_as_a_hundred_wakings() -> None:
    told = heard({50: 1.0}, 100)
    assert max(told) == pytest.approx(1.0)
    assert sum(late > 0.5 for late in told) == pytest.approx(50, abs=1)
    assert len(told) == pytest.approx(199, abs=1)
    assert told[:50] == pytest.approx([0.0] * 50, abs=1e-9)  # and those before are what they were


def test_a_lateness_below_a_period_stands_for_itself() -> None:
    assert list(missed(PERIOD / 2)) == [PERIOD / 2]
    assert list(missed(-0.001)) == [0.0]
    assert list(missed(2.5 * PERIOD)) == pytest.approx([0.025, 0.015, 0.005])


def test_an_endless_standstill_is_bounded() -> None:
    assert len(list(missed(1e9))) == MOST
