"""So many in a window, in bounded memory."""

from __future__ import annotations

from gateway.common.units import Rate
from gateway.control.appeals.asking_pace import AskingPace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_quota_of_a_window_and_then_the_next() -> None:
    clock = Clock()
    pace = AskingPace(lambda: Rate(2, 60.0), clock)
    assert [pace.wait("a"), pace.wait("a"), pace.wait("a"), pace.wait("b")] == [0.0, 0.0, 60.0, 0.0]
    clock.now += 59
    assert pace.wait("a") == 1.0
    clock.now += 1
    assert pace.wait("a") == 0.0


def test_the_oldest_window_is_forgotten_where_there_are_too_many() -> None:
    pace = AskingPace(lambda: Rate(1, 60.0), Clock(), most=2)
    for key in ("a", "b", "c"):
        assert pace.wait(key) == 0.0
    assert pace.wait("c") > 0
    assert pace.wait("a") == 0.0
