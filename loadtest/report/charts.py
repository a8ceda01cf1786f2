"""Plots as SVG within the page: curves, areas and lines that were asked for, in a wide and a narrow drawing.

A drawing holds numbers only, so that it needs no language: what its axes and curves are stands around it, in the page's
words, and never on a curve. Both drawings of a plot are the same data; the page shows the one that its width can carry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from loadtest.judging.sentence import Sentence

Kind = Literal["line", "area", "bound", "mark"]


class Curve(NamedTuple):
    """``points``: (x, y), NaN where there is none. ``area``: stacked on the areas before it.

    ``bound``: one y for all x, such as an objective; ``mark``: one x for all y. Both have one point.
    """

    name: Sentence
    kind: Kind
    points: tuple[tuple[float, float], ...]
    colour: str
    dash: str = ""


class Size(NamedTuple):
    """Of a drawing, in pixels of the page it is made for. ``ticks``: of the x axis, about."""

    name: str
    width: int
    height: int
    ticks: int


SIZES = (Size("wide", 860, 250, 12), Size("narrow", 330, 210, 5))
LEFT, RIGHT, TOP, BELOW = 54, 12, 10, 26  # margins
ROOM = 1.08  # above the highest curve
SMALLEST = 1e-6  # on a logarithmic axis; what is less is drawn at its edge


class Axis(NamedTuple):
    """From values to pixels, linear or logarithmic."""

    least: float
    most: float
    first: float
    last: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; what lies outside is drawn at the edge."""
        low, high, value = (self._told(each) for each in (self.least, self.most, value))
        share = (min(max(value, low), high) - low) / (high - low)
        return round(self.first + share * (self.last - self.first), 1)

    def _told(self, value: float) -> float:
        return math.log10(max(value, self.least * 0.1)) if self.log else value

    def ticks(self, about: int) -> list[float]:
        """Round values within."""
        if self.log:
            decades = range(math.floor(math.log10(self.least)) - 1, math.ceil(math.log10(self.most)) + 1)
            spans = math.log10(self.most / self.least)
            steps = (1,) if spans > 2.2 else (1, 2, 5) if spans > 0.9 else (1, 1.5, 2, 3, 4, 5, 6, 8)
            found = [step * 10.0**decade for decade in decades for step in steps]
        else:
            step = _round_step((self.most - self.least) / about)
            found = [step * number for number in range(math.floor(self.least / step), math.ceil(self.most / step) + 1)]
        return [each for each in found if self.least * (1 - 1e-9) <= each <= self.most * (1 + 1e-9)]


def drawn(curves: Sequence[Curve], title: str, labelled_by: str, *, log: bool = False) -> Markup:
    """Both drawings. ``labelled_by``: the id of what names the plot to who does not see it; ``title``: its tool tip."""
    return Markup("\n").join(_drawing(curves, size, title, labelled_by, log=log) for size in SIZES)


def _drawing(curves: Sequence[Curve], size: Size, title: str, labelled_by: str, *, log: bool) -> Markup:
    stacked = _stacked(curves)
    across, up = _axes(curves, stacked, size, log=log)
    parts = [*_grid(across, up, size)]
    areas = [curve for curve in curves if curve.kind == "area"]
    for curve, (lower, upper) in reversed(list(zip(areas, stacked, strict=True))):
        path = _path(upper, across, up) + _path(tuple(reversed(lower)), across, up).replace("M", "L", 1) + "Z"
        parts.append(Markup('<path d="{}" fill="{}"/>').format(path, curve.colour))
    parts += [_stroke(curve, across, up, size) for curve in curves if curve.kind != "area"]
    head = Markup(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}" xmlns="http://www.w3.org/2000/svg">'
        "<title>{}</title>"
    ).format(size.name, size.width, size.height, labelled_by, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def _stroke(curve: Curve, across: Axis, up: Axis, size: Size) -> Markup:
    x, y = curve.points[0] if curve.points else (0.0, 0.0)
    if curve.kind == "bound":
        path = f"M{LEFT},{up.at(y)}H{size.width - RIGHT}"
    elif curve.kind == "mark":
        path = f"M{across.at(x)},{TOP}V{size.height - BELOW}"
    else:
        path = _path(curve.points, across, up)
        if len(curve.points) <= 25 and not curve.dash:
            dots = (Markup('<circle cx="{}" cy="{}" r="3" fill="{}"/>').format(across.at(a), up.at(b), curve.colour)
                    for a, b in curve.points if not math.isnan(b))  # fmt: skip
            return Markup("").join([_line(path, curve), *dots])
    return _line(path, curve)


def _line(path: str, curve: Curve) -> Markup:
    return Markup('<path d="{}" fill="none" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>').format(
        path, curve.colour, curve.dash or "none"
    )


def _path(points: Sequence[tuple[float, float]], across: Axis, up: Axis) -> str:
    told: list[str] = []
    pen_up = True
    for x, y in points:
        if math.isnan(y):
            pen_up = True
            continue
        told.append(f"{'M' if pen_up else 'L'}{across.at(x)},{up.at(y)}")
        pen_up = False
    return "".join(told)


def _grid(across: Axis, up: Axis, size: Size) -> list[Markup]:
    parts = []
    for value in up.ticks(5):
        y = up.at(value)
        parts.append(Markup('<path class="grid" d="M{},{}H{}"/>').format(LEFT, y, size.width - RIGHT))
        parts.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LEFT - 7, y + 4, told(value)))
    for value in across.ticks(size.ticks):
        x = across.at(value)
        parts.append(Markup('<path class="grid" d="M{},{}v5"/>').format(x, size.height - BELOW))
        anchor = "end" if x > size.width - RIGHT - 14 else "middle"
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, size.height - 6, anchor, told(value))
        )
    parts.append(
        Markup('<path class="axis" d="M{},{}V{}H{}"/>').format(LEFT, TOP, size.height - BELOW, size.width - RIGHT)
    )
    return parts


def _axes(
    curves: Sequence[Curve], stacked: Sequence[tuple[Sequence[tuple[float, float]], ...]], size: Size, *, log: bool
) -> tuple[Axis, Axis]:
    xs = [x for curve in curves if curve.kind != "bound" for x, _ in curve.points]
    ys = [y for curve in curves if curve.kind not in ("mark", "area") for _, y in curve.points]
    ys += [y for _, upper in stacked for _, y in upper]
    ys = [y for y in ys if not math.isnan(y) and (y >= SMALLEST or not log)]
    highest = max(ys, default=1.0) or 1.0
    lowest = min(ys, default=highest / 10) * 0.8 if log else 0.0
    begin, end = min(xs, default=0.0), max(xs, default=1.0)
    across = Axis(begin, end if end > begin else begin + 1.0, LEFT, size.width - RIGHT)
    return across, Axis(lowest, max(highest * ROOM, lowest * 2), size.height - BELOW, TOP, log)


def _stacked(curves: Sequence[Curve]) -> list[tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]]:
    """Lower and upper edge of each area. Areas share their x."""
    found = []
    below: dict[float, float] = {}
    for curve in curves:
        if curve.kind == "area":
            lower = tuple((x, below.get(x, 0.0)) for x, _ in curve.points)
            upper = tuple((x, below.get(x, 0.0) + (0.0 if math.isnan(y) else y)) for x, y in curve.points)
            below = dict(upper)
            found.append((lower, upper))
    return found


def _round_step(wanted: float) -> float:
    """The next of 1, 2, 5, 10, 20 …"""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted * (1 - 1e-9))


def told(value: float) -> str:
    """A tick's label: 1200 as 1.2k, without zeros that say nothing."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{float(f'{value:.6g}'):g}"
