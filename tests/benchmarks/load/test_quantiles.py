"""Quantiles, checked against the definition and against what Prometheus says of the same buckets."""

import math
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.quantiles import Histogram, Spread, of_sorted

TEXT = """\
# HELP tidegate_check_seconds From decoding to verdict.
# TYPE tidegate_check_seconds histogram
tidegate_check_seconds_bucket{le="0.0005"} 40.0
tidegate_check_seconds_bucket{le="0.001"} 90.0
tidegate_check_seconds_bucket{le="0.01"} 100.0
tidegate_check_seconds_bucket{le="+Inf"} 100.0
tidegate_check_seconds_count 100.0
tidegate_check_seconds_sum 0.05
tidegate_upstream_seconds_bucket{le="0.001",upstream="a"} 1.0
tidegate_upstream_seconds_bucket{le="+Inf",upstream="a"} 3.0
tidegate_upstream_seconds_bucket{upstream="b",le="0.001"} 2.0
tidegate_upstream_seconds_bucket{upstream="b",le="+Inf"} 2.0
"""


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_is_the_least_value_that_its_share_does_not_exceed(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = of_sorted(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered)
    below = [value for value in ordered if value < found]
    assert not below or len(below) < share * len(ordered)


def test_of_nothing_there_is_no_quantile() -> None:
    assert math.isnan(of_sorted([], 0.5))


def test_of_a_thousand_the_last_thousandth_is_the_greatest() -> None:
    ordered = [float(number) for number in range(1, 1001)]
    assert [of_sorted(ordered, share) for share in (0.5, 0.99, 0.999, 1.0)] == [500, 990, 999, 1000]


def test_spread_is_median_and_ends() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)


def test_a_histogram_is_read_without_its_cumulation() -> None:
    found = Histogram.parse(TEXT, "tidegate_check_seconds")
    assert found == ((0.0005, 0.001, 0.01, math.inf), (40, 50, 10, 0))
    assert found.total == 100


def test_series_of_one_name_are_added_and_other_names_left_out() -> None:
    found = Histogram.parse(TEXT, "tidegate_upstream_seconds")
    assert found == ((0.001, math.inf), (3, 2))


def test_an_absent_histogram_is_an_error() -> None:
    with pytest.raises(LookupError, match="tidegate_journal_seconds"):
        Histogram.parse(TEXT, "tidegate_journal_seconds")


def test_what_came_after_is_the_difference() -> None:
    before, after = Histogram((1.0, math.inf), (3, 1)), Histogram((1.0, math.inf), (10, 2))
    assert after.since(before) == ((1.0, math.inf), (7, 1))
    with pytest.raises(ValueError, match="bounds"):
        after.since(Histogram((2.0, math.inf), (3, 1)))


def test_quantiles_are_interpolated_as_prometheus_does() -> None:
    found = Histogram.parse(TEXT, "tidegate_check_seconds")
    assert found.quantile(0.2) == pytest.approx(0.00025)
    assert found.quantile(0.65) == pytest.approx(0.00075)
    assert found.quantile(0.99) == pytest.approx(0.0091)
    assert found.share_within(0.001) == 0.9


def test_above_the_last_bound_the_last_bound_is_told() -> None:
    assert Histogram((0.5, math.inf), (1, 9)).quantile(0.9) == 0.5


def test_an_empty_histogram_has_no_quantile() -> None:
    empty = Histogram((0.5, math.inf), (0, 0))
    assert math.isnan(empty.quantile(0.5))
    assert math.isnan(empty.share_within(0.5))


@given(st.lists(st.floats(1e-6, 0.99), min_size=20, max_size=200))
def test_a_fine_histogram_says_nearly_what_the_values_say(values: list[float]) -> None:
    bounds = tuple(number / 100 for number in range(1, 101))
    counts = [sum(low < value <= high for value in values) for low, high in zip((0.0, *bounds), bounds, strict=False)]
    found = Histogram((*bounds, math.inf), (*counts, 0))
    exact = of_sorted(sorted(values), 0.5)
    assert abs(found.quantile(0.5) - exact) <= 0.011
    assert quantiles(values, n=2)  # the statistics module agrees that there is a middle
