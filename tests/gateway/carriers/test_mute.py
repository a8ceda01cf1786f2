"""What mutes a socket, and what is told of it: once when it begins, once when it ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.mute import Mute
from gateway.common.sweep import NEVER
from gateway.common.units import Rate
from gateway.websocket.habits import Habits

THREE = Habits(mute_after=Rate(3, 60), mute_for=30)


def test_so_many_refusals_in_a_period_mute():
    mute = Mute()
    assert [mute.refused(now, THREE) for now in (0, 30, 60)] == [False, False, True]
    assert mute.muted(60)
    assert mute.muted(89.9)
    assert not mute.muted(90)


def test_refusals_far_apart_do_not():
    mute = Mute()
    assert not any(mute.refused(now, THREE) for now in (0, 31, 61, 92, 122))


def test_while_muted_refusals_count_no_further():
    mute = Mute()
    for now in (0, 0, 0):
        mute.refused(now, THREE)
    assert not any(mute.refused(now, THREE) for now in (1, 2, 3, 4))
    assert mute.ends == 30
    assert not mute.over(29)
    assert mute.over(30)
    assert not mute.over(30)
    assert mute.ends == NEVER
    assert not mute.refused(31, THREE)


def test_a_quota_of_zero_never_mutes():
    mute = Mute()
    assert not any(mute.refused(0, Habits(mute_after=None)) for _ in range(1000))


def test_what_stands_is_told_once():
    mute = Mute()
    assert mute.found("block.sender")
    assert not mute.found("block.sender")
    assert mute.found("switch.frozen")
    assert mute.passed() == "switch.frozen"
    assert mute.passed() == ""


def test_a_snapshot_ends_only_what_a_snapshot_has_shown():
    mute = Mute()
    assert mute.found("block.sender")
    assert mute.listed("") == ("", "")
    assert mute.listed("block.sender") == ("", "")
    assert mute.listed("") == ("", "block.sender")
    assert mute.listed("switch.frozen") == ("switch.frozen", "")
    assert mute.listed("block.sender") == ("block.sender", "")
    assert mute.listed("") == ("", "block.sender")


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(1, 6))
def test_it_mutes_exactly_when_the_quota_falls_into_one_period(gaps, quota):
    """Against the plain definition, over refusals that are not interrupted by a mute."""
    habits = Habits(mute_after=Rate(quota, 30), mute_for=0.001)
    mute = Mute()
    now, seen = 0.0, []
    for gap in gaps:
        now += gap + 0.01
        seen.append(now)
        wanted = sum(now - one <= 30 for one in seen) >= quota
        assert mute.refused(now, habits) == wanted
        if wanted:
            seen.clear()
