"""Results on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.report.objectives import Answer
from benchmarks.studies.growth import flat
from benchmarks.websocket.run import PARTS

MIB = 1 << 20
Column = tuple[str, str, float, int]
"""Its title, the line of a summary, by what that is multiplied, and its decimals."""


def spread(cell: dict[str, float] | None, scale: float = 1.0, digits: int = 0) -> str:
    """``median (low–high)``, a dash where there is none."""
    if cell is None:
        return "–"
    median, low, high = (f"{cell[name] * scale:,.{digits}f}" for name in ("median", "low", "high"))
    return median if low == high else f"{median} ({low}–{high})"


PEER_COLUMNS = (
    ("CPU µs/message", "gateway_us", 1.0, 1),
    ("state µs", "state_us", 1.0, 1),
    ("messages/s", "per_second", 1.0, 0),
    ("core busy %", "gateway_busy", 100.0, 0),
    ("memory MiB", "memory", 1 / MIB, 0),
)
LATENCY_COLUMNS = tuple(
    (f"{name} at {share} %", f"{load}_{line}", 1.0, 0)
    for load, share in (("low", 30), ("high", 70))
    for name, line in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))
)
CHECK_COLUMNS = (
    ("added p50 µs", "added_p50_us", 1.0, 0),
    ("added p99 µs", "added_p99_us", 1.0, 0),
    ("check p50 µs", "check_p50_us", 1.0, 0),
    ("check p99 µs", "check_p99_us", 1.0, 0),
    ("within 1 ms %", "check_within", 100.0, 2),
    ("the rest's core busy %", "high_rest_busy", 100.0, 0),
    ("a timer late, p99 µs", "idle_p99_us", 1.0, 0),
    ("processors asleep", "asleep_p99_us", 1.0, 0),
    ("paused %", "paused", 100.0, 2),
)


FRAME_COLUMNS = (
    ("CPU µs/frame", "gateway_us", 1.0, 1),
    ("state µs", "state_us", 1.0, 1),
    ("frames/s", "per_second", 1.0, 0),
    ("core busy %", "gateway_busy", 100.0, 0),
    ("p50 µs at 50 %", "p50_us", 1.0, 0),
    ("p99 µs at 50 %", "p99_us", 1.0, 0),
    ("check p99 µs", "check_p99_us", 1.0, 0),
    ("memory MiB", "memory", 1 / MIB, 0),
)
BROADCAST_COLUMNS = (
    ("CPU µs/frame delivered", "gateway_us", 1.0, 1),
    ("frames/s", "per_second", 1.0, 0),
    ("core busy %", "gateway_busy", 100.0, 0),
    ("last viewer p50 ms", "p50_us", 1e-3, 1),
    ("last viewer p99 ms", "p99_us", 1e-3, 1),
    ("memory MiB", "memory", 1 / MIB, 0),
)
WEBSOCKET_COLUMNS = {"judged": FRAME_COLUMNS, "broadcast": BROADCAST_COLUMNS}
RATIOS = "Gateway CPU per {unit}, as ratios"
PROFILE = "Where the processor time goes, µs a message by the object the code is in"
SESSIONS, IDLE = "Judged sessions, at half the saturation", "Sessions that say nothing"


def cells(system: dict[str, Any], columns: Iterable[Column]) -> list[str]:
    """A system's row: its name, then each column."""
    summary = system["summary"]
    return [system["name"], *(spread(summary.get(line), scale, digits) for _, line, scale, digits in columns)]


def peers(console: Console, told: dict[str, Any]) -> None:
    """Three tables and the ratios."""
    for title, columns in (
        ("One pinned core, saturated", PEER_COLUMNS),
        ("Latency at fixed offered rates, µs from the schedule", LATENCY_COLUMNS),
        ("Added to the direct way at 30 %, and the gateway's own check time at 70 %", CHECK_COLUMNS),
    ):
        _systems(console, title, told, columns)
    _ratios(console, "message", told)


def websocket(console: Console, told: dict[str, Any]) -> None:
    """Both comparisons, the curve and the idle sessions."""
    for name, part in PARTS.items():
        if name in told:
            _systems(console, part.title, told[name], WEBSOCKET_COLUMNS[name])
            _ratios(console, part.unit, told[name])
    columns(console, SESSIONS, [flat(row) for row in told.get("sessions", ())])
    columns(console, IDLE, [flat(told["idle"])] if "idle" in told else [])


def _systems(console: Console, title: str, told: dict[str, Any], columns: Sequence[Column]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("system")
    for name, *_ in columns:
        table.add_column(name, justify="right")
    for system in told["systems"].values():
        table.add_row(*cells(system, columns))
    console.print(table)


def _ratios(console: Console, unit: str, told: dict[str, Any]) -> None:
    table = Table(title=RATIOS.format(unit=unit), title_justify="left")
    table.add_column("pair")
    table.add_column("median (low–high)", justify="right")
    for name, cell in told["ratios"].items():
        table.add_row(name, spread(cell, digits=2))
    console.print(table)


def columns(console: Console, title: str, points: list[dict[str, Any]]) -> None:
    """The points of a curve, one a column: they have more figures than a terminal has room."""
    if not points:
        return
    first = next(iter(points[0]))
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for point in points:
        table.add_column(_cell(point[first]), justify="right")
    for name in dict.fromkeys(name for point in points for name in point if name != first):
        table.add_row(name.replace("_", " "), *(_cell(point.get(name, "–")) for point in points))
    console.print(table)


def objectives(console: Console, told: list[Answer]) -> None:
    """What was asked for, and what came out; nothing of what was not measured."""
    table = Table(title="Objectives", title_justify="left")
    for name in ("objective", "measured", "at most", "", "others in that run"):
        table.add_column(name, justify="left" if name == "objective" else "right")
    for answer in told:
        if answer.value is not None:
            unit = answer.objective.unit
            colour = "green" if answer.told == "met" else "bold red"
            table.add_row(
                answer.objective.name, f"{answer.value:,.2f} {unit}", f"{answer.objective.most:g} {unit}",
                f"[{colour}]{answer.told}[/{colour}]",
                ", ".join(f"{name} {value:,.2f}" for name, value in answer.others.items()),
            )  # fmt: skip
    if table.row_count:
        console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def rows(console: Console, title: str, table_rows: list[dict[str, Any]]) -> None:
    """Any list of flat rows with the same keys."""
    if not table_rows:
        return
    table = Table(title=title, title_justify="left")
    for name in table_rows[0]:
        table.add_column(name, justify="left" if isinstance(table_rows[0][name], str) else "right")
    for row in table_rows:
        table.add_row(*map(_cell, row.values()))
    console.print(table)


def profile(console: Console, told: Sequence[dict[str, Any]]) -> None:
    """Where a message's time goes: one column for each system and load."""
    if not told:
        return
    table = Table(title=PROFILE, title_justify="left")
    table.add_column("object")
    for row in told:
        table.add_column(f"{row['system']}, {row['load']}", justify="right")
    for name, figures in objects(told):
        table.add_row(name, *figures)
    console.print(table)


def objects(told: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Lines of that table: the whole, then each object, the dearest of all first."""
    names = sorted({name for row in told for name in row["objects"]}, key=lambda name: _dearest(told, name))
    return [("together", [f"{row['us']:.1f}" for row in told])] + [
        (name, [f"{row['objects'][name]:.1f}" if name in row["objects"] else "–" for row in told]) for name in names
    ]


def _dearest(told: Sequence[dict[str, Any]], name: str) -> tuple[bool, float]:
    return name == "others", -max(row["objects"].get(name, 0.0) for row in told)
