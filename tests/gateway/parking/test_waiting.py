"""The bounds of what waits: what control tells and what this worker parked count together, each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.parking.settings import ReviewSettings
from gateway.parking.waiting import UNTOLD, KnownWaiting, place

SETTINGS = ReviewSettings(bytes(32), "reject", waiting_per_sender=2, waiting_per_room=4, waiting=6)
ALICE = place("news", "alice", "1")


def told(version: int, whole: bool = True, **more: Any) -> Mapping[str, Any]:
    return {"version": version, "whole": whole, "total": 0, "senders": {}, "rooms": {}, **more}


def nothing(_file: str) -> bool:
    """No file is there any more."""
    return False


def test_a_senders_own_count_whatever_control_knows() -> None:
    counts = KnownWaiting(nothing)
    assert counts.version == UNTOLD
    for _ in range(2):
        assert counts.full(ALICE, SETTINGS) == ""
        counts.begin(ALICE)
    assert counts.full(ALICE, SETTINGS) == "sender"
    assert counts.full(place("news", "bob", "1"), SETTINGS) == ""
    assert counts.full(place("forum", "alice", "1"), SETTINGS) == ""  # another route's alice
    counts.gone(ALICE)
    assert counts.full(ALICE, SETTINGS) == ""


def test_what_takes_the_place_of_another_has_room_once() -> None:
    counts = KnownWaiting(nothing)
    for _ in range(2):
        counts.begin(ALICE)
    assert counts.full(ALICE, SETTINGS, 1) == ""
    counts.begin(ALICE)
    assert counts.full(ALICE, SETTINGS, 1) == "sender"


def test_rooms_and_all() -> None:
    counts = KnownWaiting(nothing)
    for number in range(4):
        counts.begin(place("news", f"u{number}", "1"))
    assert counts.full(place("news", "u9", "1"), SETTINGS) == "room"
    assert counts.full(place("news", "u9", "2"), SETTINGS) == ""
    counts.begin(place("news", "u4", "2"))
    counts.begin(place("news", "u5", "3"))
    assert counts.full(place("news", "u9", "4"), SETTINGS) == "all"
    assert counts.total == 6


def test_what_control_took_over_is_counted_by_it_alone() -> None:
    there = {"0001.spool", "0002.spool"}
    counts = KnownWaiting(there.__contains__)
    for file in sorted(there):
        counts.begin(ALICE)
        counts.parked(file, ALICE)
    one = told(1, total=0)
    assert counts.told(one) == {"ok": True, "version": 1}
    assert counts.total == 2
    there.remove("0001.spool")
    # What is told now may have been counted before the file went: it is counted twice rather than not at all.
    counts.told(told(2, whole=False, total=1, senders={ALICE.sender: 1}, rooms={ALICE.room: 1}))
    assert counts.total == 3
    counts.told(told(3, whole=False, total=1))
    assert counts.total == 2
    assert counts.full(ALICE, SETTINGS) == "sender"
    there.clear()
    for version in (4, 5):
        counts.told(told(version, total=0))
    assert counts.total == 0
    assert counts.full(ALICE, SETTINGS) == ""


def test_a_change_that_does_not_follow_is_refused() -> None:
    counts = KnownWaiting(nothing)
    assert counts.told(told(7, whole=False)) == {"error": "version", "version": UNTOLD}
    assert counts.told(told(7, senders={"a": 2}, total=2)) == {"ok": True, "version": 7}
    assert counts.told(told(9, whole=False)) == {"error": "version", "version": 7}
    assert counts.told(told(8, whole=False, senders={"b": 1}, total=3)) == {"ok": True, "version": 8}
    assert counts.total == 3
    assert counts.told(told(1, total=1)) == {"ok": True, "version": 1}  # control began anew
    assert counts.total == 1


@pytest.mark.parametrize("broken", [{}, {"version": 1}, told(1, senders=[]), told(1, rooms={"a": "x"})])
def test_a_command_that_says_something_else_changes_nothing(broken: Mapping[str, Any]) -> None:
    counts = KnownWaiting(nothing)
    counts.begin(ALICE)
    with pytest.raises((KeyError, ValueError, AttributeError)):
        counts.told(broken)
    assert counts.version == UNTOLD
    assert counts.total == 1
