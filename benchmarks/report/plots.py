"""Plots of a record as SVG; the same record gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend was chosen
from matplotlib.figure import Figure

from benchmarks.report.table import SESSIONS
from benchmarks.studies.growth import CURVES

INK, SECOND, THIRD = "#1f5a8a", "#c4672b", "#5b8f4a"
STYLE: dict[Any, Any] = {"svg.hashsalt": "tidegate", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
         "axes.spines.right": False}  # fmt: skip
LOGARITHMIC = frozenset(("words", "characters", "connections", "sessions"))


def draw(record: dict[str, Any], folder: Path) -> dict[str, str]:
    """Write every plot the record has figures for; file names by what they show."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    with mpl.rc_context(STYLE):
        if "peers" in record:
            systems = record["peers"]["systems"]
            drawn["peers"] = _save(_costs(systems), folder, "peers")
            drawn["latency"] = _save(_latencies(systems), folder, "latency")
        for name, rows in record.get("growth", {}).items():
            if len(rows) > 1 and "gateway_us" in rows[0]:
                drawn[name] = _save(_curve(CURVES[name].title, CURVES[name].x, rows), folder, name)
        sessions = record.get("websocket", {}).get("sessions", ())
        if len(sessions) > 1:
            drawn["sessions"] = _save(_curve(SESSIONS, "sessions", sessions), folder, "sessions")
    return drawn


def _save(figure: Figure, folder: Path, name: str) -> str:
    file = f"{name}.svg"
    figure.tight_layout()
    figure.savefig(folder / file, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return file


def _bounds(cells: Sequence[dict[str, float]]) -> list[list[float]]:
    return [[c["median"] - c["low"] for c in cells], [c["high"] - c["median"] for c in cells]]


def _costs(systems: dict[str, Any]) -> Figure:
    figure, axes = plt.subplots(figsize=(7, 0.5 * len(systems) + 1.2))
    names = [system["name"] for system in systems.values()][::-1]
    for offset, line, label, colour in (
        (0.19, "gateway_us", "gateway", INK),
        (-0.19, "state_us", "state server", SECOND),
    ):
        cells = [system["summary"][line] for system in systems.values()][::-1]
        places = [place + offset for place in range(len(names))]
        bars = axes.barh(
            places, [cell["median"] for cell in cells], 0.36, xerr=_bounds(cells), color=colour, label=label
        )
        axes.bar_label(bars, [f"{cell['median']:.0f}" if cell["median"] >= 0.5 else "" for cell in cells], padding=4)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("CPU µs per message, saturated; bars: lowest to highest round")
    axes.legend(frameon=False)
    return figure


def _latencies(systems: dict[str, Any]) -> Figure:
    figure, columns = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    for axes, load, share in zip(columns, ("low", "high"), (30, 70), strict=True):
        for system in systems.values():
            summary = system["summary"]
            values = [summary[f"{load}_{line}"]["median"] / 1000 for line in ("p50_us", "p99_us", "p999_us")]
            axes.plot(("p50", "p99", "p99.9"), values, marker="o", label=system["name"])
        axes.set_yscale("log")
        axes.set_title(f"at {share} % of each one's saturation")
    columns[0].set_ylabel("ms from the schedule")
    columns[1].legend(frameon=False, fontsize=8)
    return figure


def _curve(title: str, x: str, rows: Sequence[dict[str, Any]]) -> Figure:
    figure, axes = plt.subplots(figsize=(5.5, 3))
    places = [row[x] for row in rows]
    for line, label, colour in (
        ("gateway_us", "gateway", INK), ("state_us", "state server", SECOND), ("nginx_us", "bare nginx", THIRD)
    ):  # fmt: skip
        cells = [row[line] for row in rows]
        axes.errorbar(
            places, [c["median"] for c in cells], yerr=_bounds(cells), marker="o", color=colour, label=label, capsize=2
        )
    if x in LOGARITHMIC:
        axes.set_xscale("log")
    else:
        axes.set_xticks(places)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(title)
    axes.set_ylabel("CPU µs per message")
    axes.legend(frameon=False)
    return figure
