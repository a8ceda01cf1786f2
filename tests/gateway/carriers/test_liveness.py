"""When a socket is idle, dead or slow, on a clock that only the test moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.liveness import PING_CLIENT, PING_UPSTREAM, Liveness
from gateway.common.sweep import NEVER
from gateway.websocket.habits import Habits

HABITS = Habits(slow_timeout=10, idle_timeout=300, ping_interval=30, ping_timeout=20)


def test_both_sides_are_pinged_and_then_blamed():
    live = Liveness(0)
    assert live.due(29.9, HABITS) == ""
    assert live.next(HABITS) == 30
    assert [live.due(30, HABITS), live.due(30, HABITS), live.due(30, HABITS)] == [PING_CLIENT, PING_UPSTREAM, ""]
    assert live.next(HABITS) == 50
    live.upstream = 31
    assert live.due(50, HABITS) == "socket.client_silent"


def test_a_client_that_is_not_read_is_not_blamed_and_begins_anew():
    live = Liveness(0)
    habits = Habits(slow_timeout=1000, idle_timeout=300, ping_interval=30, ping_timeout=20)
    assert [live.due(30, habits), live.due(30, habits)] == [PING_CLIENT, PING_UPSTREAM]
    live.client_read = False
    live.upstream = 31
    assert live.due(60, habits) == ""  # its answer may lie there unread
    assert live.next(habits) == 61
    live.read_client_again(60)
    assert live.due(60.9, habits) == ""
    live.upstream = 90
    assert live.due(90, habits) == PING_CLIENT
    live.upstream = 109
    assert live.due(110, habits) == "socket.client_silent"


def test_an_upstream_that_is_not_read_is_not_blamed_and_begins_anew():
    live = Liveness(0)
    habits = Habits(slow_timeout=1000, idle_timeout=300, ping_interval=30, ping_timeout=20)
    assert [live.due(30, habits), live.due(30, habits)] == [PING_CLIENT, PING_UPSTREAM]
    live.client_slow = 30
    live.client = 60
    assert live.due(60, habits) == ""
    live.read_upstream_again(60)
    assert live.due(60, habits) == ""
    live.client = 90
    assert live.due(90, habits) == PING_UPSTREAM


def test_a_client_that_goes_while_it_is_not_read_is_idle_in_the_end():
    live = Liveness(0)
    live.client_read = False
    live.upstream = 299
    assert live.due(299, HABITS) == ""
    assert live.due(300, HABITS) == "socket.idle"


def test_slowness_and_idleness_end():
    live = Liveness(0)
    live.client_slow = 5
    assert live.due(15, HABITS) == "socket.client_slow"
    live.client_slow, live.upstream_slow = NEVER, 5
    assert live.due(15, HABITS) == "socket.upstream_slow"
    live.upstream_slow = NEVER
    live.client = live.upstream = 299
    assert live.due(300, HABITS) == "socket.idle"


def test_without_pings_only_idleness_counts():
    habits = Habits(ping_interval=0, idle_timeout=300)
    live = Liveness(0)
    assert live.due(299, habits) == ""
    assert live.next(habits) == 300


@given(st.lists(st.tuples(st.floats(0.1, 40), st.sampled_from(["client", "upstream", "spoke", "none"])), max_size=30))
def test_asked_no_sooner_than_it_says_it_misses_nothing(events):
    """Between two moments that ``next`` names nothing is due."""
    live = Liveness(0)
    now = 0.0
    for gap, who in events:
        wanted = live.next(HABITS)
        now += gap
        if now < wanted:
            assert live.due(now, HABITS) == ""
        else:
            while live.due(now, HABITS) in (PING_CLIENT, PING_UPSTREAM):
                pass
        if who != "none":
            setattr(live, who, now)
            live.spoke = now
