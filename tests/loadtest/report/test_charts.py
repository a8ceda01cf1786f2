"""Drawings: values where they belong, gaps as gaps, and round ticks, whatever the numbers."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.judging.sentence import Sentence
from loadtest.report.charts import LEFT, SIZES, Axis, Curve, drawn, told

NAME = Sentence("a", "b")
WIDE = SIZES[0]


def curve(*ys: float, kind: str = "line") -> Curve:
    return Curve(NAME, kind, tuple(enumerate(ys)), "#123456")  # type: ignore[arg-type]


@given(st.floats(1e-3, 1e6), st.floats(1.5, 1e5), st.booleans())
def test_ticks_are_round_few_and_within(least: float, factor: float, log: bool) -> None:
    axis = Axis(least if log else 0.0, least * factor, 200.0, 10.0, log)
    ticks = axis.ticks(5)
    assert 1 <= len(ticks) <= 12 or log
    assert all(axis.least * 0.999 <= tick <= axis.most * 1.001 for tick in ticks)
    assert ticks == sorted(ticks)
    assert all(10 - 1e-6 <= axis.at(tick) <= 200 + 1e-6 for tick in ticks)


@given(
    st.lists(st.floats(0, 1e7) | st.just(math.nan), min_size=0, max_size=60),
    st.booleans(),
    st.sampled_from(["line", "area"]),
)
def test_whatever_is_drawn_lies_within_the_drawing(ys: list[float], log: bool, kind: str) -> None:
    bound = Curve(NAME, "bound", ((0.0, 5.0),), "#ff0000", "6 4")
    text = drawn([curve(*ys, kind=kind), bound], "t", "id", log=log)
    for drawing, size in zip(text.split("\n"), SIZES, strict=True):
        for path in re.findall(r' d="([^"]+)"', drawing):
            assert "nan" not in path
            for x, y in re.findall(r"[ML]([\d.-]+),([\d.-]+)", path):
                assert 0 <= float(x) <= size.width
                assert 0 <= float(y) <= size.height


def test_what_is_not_there_is_a_gap() -> None:
    text = drawn([curve(1, 2, math.nan, 3, 4)], "t", "id")
    (path,) = re.findall(r'd="([^"]+)" fill="none" stroke="#123456"', text.split("\n", maxsplit=1)[0])
    assert path.count("M") == 2
    assert path.count("L") == 2


def test_areas_stand_on_each_other() -> None:
    lower, upper = curve(10, 10, kind="area"), Curve(NAME, "area", ((0, 5.0), (1, 5.0)), "#654321")
    wide = drawn([lower, upper], "t", "id").split("\n", maxsplit=1)[0]
    paths = {colour: path for path, colour in re.findall(r'<path d="([^"]+)" fill="(#\d+)"/>', wide)}
    base = float(WIDE.height - 26)
    tops = {colour: float(re.findall(r"M[\d.]+,([\d.]+)", path)[0]) for colour, path in paths.items()}
    assert base - tops["#654321"] == pytest.approx(1.5 * (base - tops["#123456"]), abs=0.3)
    feet = re.findall(r"L[\d.]+,([\d.]+)", paths["#654321"])[-1]
    assert float(feet) == tops["#123456"]


def test_an_empty_plot_is_a_grid() -> None:
    assert f"M{LEFT}" in drawn([], "t", "id")


def test_titles_cannot_break_out() -> None:
    assert "<script>" not in drawn([curve(1)], "<script>", '"><script>')


@pytest.mark.parametrize(
    ("value", "label"), [(0.0, "0"), (0.05, "0.05"), (1.0, "1"), (1500.0, "1500"), (20000.0, "20k")]
)
def test_labels_are_short(value: float, label: str) -> None:
    assert told(value) == label
