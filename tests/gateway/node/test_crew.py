"""One of a crew is always up, or being started."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.node.crew import APART, Crew


class FakeMember:
    """Up, unless it died; then it pauses until it is resumed."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.up = True
        self.resumes_at = inf
        self.served = False
        self.started_at_once = 0
        crew.join(self)

    def die(self, until: float, served: bool) -> None:
        self.up = False
        self.resumes_at = self.crew.staggered(self, until)
        self.crew.paused(self, served)

    def resume(self) -> None:
        self.up = True
        self.resumes_at = inf
        self.started_at_once += 1


def crew_of(size: int) -> list[FakeMember]:
    crew = Crew()
    return [FakeMember(crew) for _ in range(size)]


def test_a_lonely_one_never_pauses() -> None:
    (one,) = crew_of(1)
    for served in (True, False, False):
        one.die(5.0, served)
        assert one.up


def test_who_dies_beside_another_pauses() -> None:
    one, other = crew_of(2)
    one.die(5.0, True)
    assert not one.up
    other.die(5.0, True)
    assert other.up, "it was the last, and it can serve"
    assert not one.up


def test_one_that_cannot_start_hands_its_turn_to_the_next() -> None:
    one, two, three = crew_of(3)
    one.die(2.0, False)
    two.die(1.0, False)
    three.die(3.0, False)
    assert (one.up, two.up, three.up) == (False, True, False), "whose pause was nearest to its end"
    two.die(4.0, False)
    assert (one.up, two.up, three.up) == (True, False, False)
    one.die(9.0, False)
    assert (one.up, two.up, three.up) == (False, False, True)


def test_pauses_do_not_end_together() -> None:
    members = crew_of(5)
    for member in members[:-1]:
        member.die(5.0, True)
    ends = sorted(member.resumes_at for member in members[:-1])
    assert [after - before for before, after in pairwise(ends)] == [pytest.approx(APART)] * 3


@given(st.integers(1, 6), st.lists(st.tuples(st.integers(0, 5), st.floats(0, 10), st.booleans()), max_size=60))
def test_whoever_dies_somebody_is_up(size: int, deaths: list[tuple[int, float, bool]]) -> None:
    members = crew_of(size)
    for number, until, served in deaths:
        member = members[number % size]
        if member.up:
            member.die(until, served)
        else:
            member.up, member.resumes_at = True, inf  # its pause is over
        assert any(one.up for one in members)
