"""Ejection: when, for how long, and never all."""

from __future__ import annotations

import pytest

from gateway.http.upstream.server_health import ServerHealth, may_eject_one_more
from gateway.http.upstream.settings import CheckSettings, EjectionSettings

SETTINGS = EjectionSettings(failures=3, pause=10.0, longest_pause=25.0)


def fail(health, now, times=3):
    return [health.fail(now, SETTINGS, True) for _ in range(times)]


def test_failures_in_a_row_eject():
    health = ServerHealth()
    assert fail(health, 0.0) == [False, False, True]
    assert not health.usable(9.9)
    assert health.usable(10.0)


def test_a_success_between_starts_the_row_again():
    health = ServerHealth()
    fail(health, 0.0, 2)
    health.failures = 0  # what a completed answer does
    assert fail(health, 0.0, 2) == [False, False]
    assert health.usable(0.0)


def test_the_pause_grows_to_its_bound():
    health = ServerHealth()
    now = 0.0
    pauses = []
    for _ in range(4):
        fail(health, now)
        pauses.append(health.ejected_until - now)
        now = health.ejected_until
    assert pauses == [10.0, 20.0, 25.0, 25.0]


def test_calm_takes_the_growth_back():
    health = ServerHealth()
    fail(health, 0.0)
    fail(health, 10.0)  # out until 30
    fail(health, 30.0 + 1000.0)
    assert health.ejected_until == 1040.0


def test_failures_of_calls_that_were_under_way_do_not_lengthen_the_pause():
    health = ServerHealth()
    fail(health, 0.0)
    assert fail(health, 1.0, 9) == [False] * 9
    assert health.ejected_until == 10.0


def test_zero_turns_it_off():
    health = ServerHealth()
    assert not any(health.fail(0.0, EjectionSettings(failures=0), True) for _ in range(100))


@pytest.mark.parametrize(
    ("ejected", "servers", "share", "may"),
    [
        (0, 1, 0.5, False),
        (0, 1, 1.0, False),
        (0, 2, 0.5, True),
        (1, 2, 1.0, False),
        (0, 3, 0.1, True),  # at least one may go
        (1, 3, 0.1, False),
        (2, 4, 0.5, False),
        (1, 4, 0.5, True),
    ],
)
def test_never_more_than_the_share_and_never_all(ejected, servers, share, may):
    assert may_eject_one_more(ejected, servers, share) is may


def test_checks_need_several_results_of_one_kind():
    health = ServerHealth()
    check = CheckSettings("/up", healthy_after=2, unhealthy_after=3)
    results = [False, False, True, False, False, False, True, False, True, True]
    changes = [health.checked(well, check) for well in results]
    assert changes == [False] * 5 + [True] + [False] * 3 + [True]
    assert health.usable(0.0)


def test_a_check_that_finds_a_server_well_ends_its_pause():
    health = ServerHealth()
    check = CheckSettings("/up", healthy_after=1, unhealthy_after=1)
    fail(health, 0.0)
    health.checked(False, check)
    assert not health.usable(100.0)
    health.checked(True, check)
    assert health.usable(1.0)


def test_without_checks_their_last_word_does_not_count():
    health = ServerHealth()
    health.checked(False, CheckSettings("/up", unhealthy_after=1))
    health.unchecked()
    assert health.usable(0.0)
