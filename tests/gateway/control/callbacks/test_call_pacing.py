"""How long until a call is tried again."""

from __future__ import annotations

from gateway.control.callbacks.call_pacing import LONGEST, REST_AT_MOST, pause, rest, retry_after


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause(tries, 0.0, lambda: 1.0) for tries in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]
    assert pause(13, 0.0, lambda: 1.0) == pause(10**6, 0.0, lambda: 1.0) == LONGEST


def test_they_are_drawn_from_the_upper_half() -> None:
    assert (pause(4, 0.0, lambda: 0.0), pause(4, 0.0, lambda: 0.5)) == (4.0, 6.0)


def test_a_receiver_may_ask_for_longer_and_not_for_ever() -> None:
    assert pause(1, 30.0, lambda: 1.0) == 30.0
    assert pause(8, 1.0, lambda: 1.0) == 128.0
    assert pause(1, 1e9, lambda: 1.0) == LONGEST


def test_a_receiver_that_is_away_is_looked_at_every_minute() -> None:
    assert [rest(failures, 0.0, lambda: 1.0) for failures in (1, 2, 7, 1000)] == [1.0, 2.0, REST_AT_MOST, REST_AT_MOST]
    assert rest(1, 300.0, lambda: 1.0) == 300.0


def test_retry_after_in_both_forms_and_neither() -> None:
    assert retry_after("120", 0.0) == 120.0
    assert retry_after("Fri, 15 Jan 2027 08:01:00 GMT", 1_800_000_000.0) == 60.0
    assert retry_after("Fri, 15 Jan 2027 07:59:00 GMT", 1_800_000_000.0) == 0.0
    for nothing in (None, "", "soon", "-5", "1.5", "9" * 40, "٣"):
        assert retry_after(nothing, 1_800_000_000.0) == 0.0
