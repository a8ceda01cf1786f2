"""Opening hours, and how much of them has passed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.values.opening_hours import OpeningHours

S = 1_000_000


def at(text: str) -> int:
    """A moment of UTC in µs; 2026-11-30 is a Monday."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


def test_without_any_it_is_always_open() -> None:
    always = OpeningHours()
    assert always.is_open(0)
    assert always.opens_at(5) == 5
    assert always.due(7 * S, 60) == 67 * S
    assert always.since(67 * S, 60) == 7 * S


def test_hours_are_those_of_the_zone() -> None:
    hours = OpeningHours(["mon-fri 08:00-22:00"], "+08:00")
    assert not hours.is_open(at("2026-11-29T23:59:59"))  # 07:59:59 of Monday there
    assert hours.is_open(at("2026-11-30T00:00:00"))
    assert hours.is_open(at("2026-11-30T13:59:59"))
    assert not hours.is_open(at("2026-11-30T14:00:00"))
    assert not hours.is_open(at("2026-12-05T03:00:00"))  # a Saturday
    assert hours.opens_at(at("2026-12-05T03:00:00")) == at("2026-12-07T00:00:00")
    assert OpeningHours(["mon 08:00-09:00"], "Asia/Shanghai").is_open(at("2026-11-30T00:30:00"))


def test_service_time_passes_in_opening_hours_only() -> None:
    hours = OpeningHours(["mon-fri 08:00-18:00"], "+00:00")
    friday = at("2026-12-04T17:30:00")
    assert hours.due(friday, 1800) == at("2026-12-04T18:00:00")
    assert hours.due(friday, 1801) == at("2026-12-07T08:00:01")
    assert hours.due(at("2026-12-05T12:00:00"), 60) == at("2026-12-07T08:01:00")
    assert hours.since(at("2026-12-07T08:00:01"), 1801) == friday
    assert hours.since(at("2026-12-06T12:00:00"), 60) == at("2026-12-04T17:59:00")


def test_over_midnight_and_two_that_overlap() -> None:
    night = OpeningHours(["sun 22:00-06:00", "mon 05:00-07:00"], "+00:00")
    assert night.is_open(at("2026-11-30T03:00:00"))
    assert night.due(at("2026-11-29T21:00:00"), 9 * 3600) == at("2026-11-30T07:00:00")
    assert OpeningHours(["fri-mon 00:00-24:00"]).is_open(at("2026-11-29T12:00:00"))


@pytest.mark.parametrize(
    "line",
    ["", "mon", "mon 8:00-9:00", "moon 08:00-09:00", "mon 08:00-08:00", "mon 24:00-08:00", "mon 08:60-09:00",
     "mon- 08:00-09:00"],
)  # fmt: skip
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        OpeningHours([line])


@pytest.mark.parametrize("zone", ["", "8", "+15:00", "Nowhere/Nothing", "../etc/passwd"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is no offset"):
        OpeningHours([], zone)


@given(st.integers(at("2026-01-01T00:00:00"), at("2027-01-01T00:00:00")), st.integers(1, 500_000))
def test_what_is_due_then_came_before_that_much_time(now: int, seconds: int) -> None:
    hours = OpeningHours(["mon-fri 08:00-12:00", "mon-sat 13:00-18:00"])
    due = hours.due(now, seconds)
    assert due >= now + seconds * S
    assert hours.since(due, seconds) >= now
    assert hours.due(hours.since(due, seconds), seconds) == due


def test_when_the_day_began() -> None:
    hours = OpeningHours((), "+08:00")
    assert hours.midnight(at("2026-12-04T15:59:00")) == at("2026-12-03T16:00:00")
    assert hours.midnight(at("2026-12-04T16:00:00")) == at("2026-12-04T16:00:00")
