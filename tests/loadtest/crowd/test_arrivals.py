"""Schedules: their mean, their waves, and that they do not depend on when they are asked."""

import math
from random import Random

import pytest

from loadtest.crowd.arrivals import Arrivals, Wave
from loadtest.crowd.rooms import Rooms


def count(schedule: Arrivals, until: float) -> int:
    number = 0
    while schedule.next() < until:
        number += 1
    return number


@pytest.mark.parametrize("wave", [Wave(1.0, 0.5, 1.0), Wave(6.0, 0.25, 3.0), Wave(20.0, 0.2, 3.0)])
def test_the_mean_rate_is_what_was_asked(wave: Wave) -> None:
    # 4,000 expected: four standard deviations are 253.
    assert abs(count(Arrivals(10.0, Random(1), wave), 400.0) - 4000) < 253


def test_waves_have_a_crest() -> None:
    wave = Wave(10.0, 0.2, 4.0)
    schedule = Arrivals(20.0, Random(2), wave)
    crest = sum(schedule.next() % 10.0 < 2.0 for _ in range(5000))
    assert wave.factor(1.0) == 4.0
    assert wave.factor(5.0) == pytest.approx(0.25)
    assert crest / 5000 == pytest.approx(0.8, abs=0.03)


def test_who_never_writes_is_never_due() -> None:
    assert Arrivals(0.0, Random(3)).due == math.inf


def test_times_only_rise_and_a_late_start_skips_what_was_due() -> None:
    schedule = Arrivals(5.0, Random(4))
    times = [schedule.next() for _ in range(100)]
    assert times == sorted(times)
    schedule.skip_to(1000.0)
    assert schedule.next() > 1000.0


def test_few_rooms_draw_nearly_everybody() -> None:
    rooms, draw = Rooms("r", 100, 1.0), Random(5)
    drawn = [rooms.choose(draw) for _ in range(20_000)]
    assert sum(rooms.share(number) for number in range(1, 101)) == pytest.approx(1.0)
    assert drawn.count("r-1") / 20_000 == pytest.approx(rooms.share(1), abs=0.015)
    assert drawn.count("r-1") > 5 * drawn.count("r-10")
    assert set(drawn) <= set(rooms.names)


def test_one_room_is_always_chosen() -> None:
    assert Rooms("r", 1).choose(Random(6)) == "r-1"
    with pytest.raises(ValueError, match="at least one"):
        Rooms("r", 0)
