"""The plots of a report, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from loadtest.report.figures import Moment
from loadtest.report.saturation import Saturation

SIZE = (8.0, 3.0)  # inches
STYLE = {"svg.hashsalt": "tidegate", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3, "axes.axisbelow": True}


def draw(out: Path, moments: Sequence[Moment], saturation: Saturation | None) -> list[str]:
    """Write the plots into ``out``; gives their file names."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    written: list[str] = []
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]  # its keys are a closed list of literals

        def save(figure: Any, name: str) -> None:
            figure.tight_layout()
            figure.savefig(out / name, metadata={"Date": None})
            plt.close(figure)
            written.append(name)

        at = [moment.at - moments[0].at + 1 for moment in moments]
        figure, axes = plt.subplots(figsize=SIZE)
        axes.plot(at, [moment.rate for moment in moments], label="messages/s")
        axes.set(xlabel="seconds", ylabel="messages/s", title="Throughput", ylim=(0, None))
        beside = axes.twinx()
        beside.plot(at, [moment.users for moment in moments], color="grey", linestyle=":", drawstyle="steps-pre")
        beside.set(ylabel="users (dotted)", ylim=(0, None))
        beside.grid(visible=False)
        save(figure, "throughput.svg")

        figure, axes = plt.subplots(figsize=SIZE)
        for name in ("p50", "p95", "p99"):
            axes.plot(at, [getattr(moment, name) * 1000 for moment in moments], label=name)
        axes.set(xlabel="seconds", ylabel="ms", title="Time to the answer of delivered messages", yscale="log")
        axes.legend(loc="upper right", ncols=3)
        save(figure, "latency.svg")

        verdicts = sorted({verdict for moment in moments for verdict in moment.verdicts})
        figure, axes = plt.subplots(figsize=SIZE)
        rates = [[moment.verdicts.get(verdict, 0.0) for moment in moments] for verdict in verdicts]
        if verdicts:
            axes.stackplot(at, rates, labels=verdicts, step="pre")
            axes.legend(loc="upper left", ncols=3, fontsize=7)
        axes.set(xlabel="seconds", ylabel="messages/s", title="Verdicts", ylim=(0, None))
        save(figure, "verdicts.svg")

        if saturation is not None and saturation.steps:
            figure, axes = plt.subplots(figsize=SIZE)
            offered = [step.offered for step in saturation.steps]
            axes.plot(offered, offered, color="grey", linestyle=":", label="all that is offered")
            axes.plot(offered, [step.answered for step in saturation.steps], marker="o", label="answered")
            axes.set(xlabel="messages/s offered", ylabel="messages/s answered", title="Saturation", ylim=(0, None))
            axes.legend(loc="upper left")
            save(figure, "saturation.svg")
    return written
