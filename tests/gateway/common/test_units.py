from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.common import units
from gateway.common.units import Rate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0B", 0),
        ("1B", 1),
        ("64KiB", 65536),
        ("1.5KiB", 1536),
        ("2 MiB", 2 << 20),
        ("1GiB", 1 << 30),
        ("1TiB", 1 << 40),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert units.size(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("50us", 50e-6), ("20ms", 0.02), ("1.5s", 1.5), ("1m30s", 90), ("1h", 3600), ("184d", 184 * 86400.0)],
)
def test_durations(text: str, value: float) -> None:
    assert units.duration(text) == pytest.approx(value)


@pytest.mark.parametrize("value", [10, 1.5, "10", "KiB", "64KB", "64kib", "-1KiB", "1e3B", "", True, None, [], "٣KiB"])
def test_sizes_without_a_known_unit_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="64KiB"):
        units.size(value)


@pytest.mark.parametrize("value", [10, 0.5, "10", "ms", "10 ms", "-5ms", "1m 30s", "1w", "٣s", "", None, {}])
def test_durations_without_a_known_unit_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="20ms"):
        units.duration(value)


def test_nothing_needs_no_unit_but_false_is_not_nothing() -> None:
    assert units.size(0) == 0
    assert units.duration(0) == 0
    with pytest.raises(ValueError, match="size"):
        units.size(False)
    with pytest.raises(ValueError, match="time"):
        units.duration(False)


def test_rates() -> None:
    assert units.rate("5/10s") == Rate(5, 10.0)
    assert units.rate("1/500ms") == Rate(1, 0.5)


@pytest.mark.parametrize("value", ["5", "0/1s", "-1/1s", "5/", "/1s", "5/0s", "5/10", "x/1s", 5, None])
def test_broken_rates_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"rate|time"):
        units.rate(value)


@given(st.integers(0, 1 << 50))
def test_a_size_is_written_as_it_is_read(value: int) -> None:
    assert units.size(units.written_size(value)) == value


def test_a_size_is_written_in_its_largest_whole_unit() -> None:
    assert [units.written_size(value) for value in (0, 1000, 1024, 1536, 3 << 20)] == [
        "0B", "1000B", "1KiB", "1536B", "3MiB",
    ]  # fmt: skip


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text()), st.binary()))
def test_whatever_is_written_is_read_or_refused_with_a_value_error(value: Any) -> None:
    for read in (units.size, units.duration, units.rate):
        try:
            read(value)
        except ValueError as refused:
            assert str(refused)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (5e-5, "50us"), (0.02, "20ms"), (1.5, "1.5s"), (90, "1m30s"), (3600, "1h"), (86400 * 184, "184d"),
        (300, "5m"), (93784.25, "1d2h3m4.25s"), (1.5e-6, "1.5us"), (0.9995, "999.5ms"),
    ],
)  # fmt: skip
def test_times_are_written_as_people_write_them(seconds: float, text: str) -> None:
    assert units.written_duration(seconds) == text
    assert units.duration(text) == seconds


@given(st.integers(0, 10**13))
def test_what_is_written_is_read_again(micros: int) -> None:
    seconds = units.duration(f"{micros}us")
    assert units.duration(units.written_duration(seconds)) == seconds


def test_a_time_is_the_number_nearest_to_what_was_written() -> None:
    assert repr(units.duration("50us")) == "5e-05"
    assert units.duration("1ms") == 0.001
