"""``python -m benchmarks``: measure, show, record.

The peers by default; ``--growth`` measures how cost grows instead, ``--websocket`` frames in place of requests,
``--profile`` where the time goes, ``--all`` does everything. A system that answers anything but what it should ends the
run with exit code 1 and no record.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import Any

from rich.console import Console

from benchmarks import micro
from benchmarks.load.faults import WrongAnswer
from benchmarks.measuring import bench
from benchmarks.measuring.points import Run
from benchmarks.report import record, table
from benchmarks.report.objectives import answers
from benchmarks.studies import growth, peers, profile
from benchmarks.websocket import run as websocket
from rig.process import ROOT


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of 1.5 s a measurement: to see that it works")
    parser.add_argument("--rounds", type=int, help="rounds over all systems (5, or 1 with --quick)")
    parser.add_argument("--seconds", type=float, help="of one measurement (4, or 1.5 with --quick)")
    parser.add_argument("--only", default=",".join(peers.SYSTEMS), help=f"systems, of {', '.join(peers.SYSTEMS)}")
    parser.add_argument("--growth", action="store_true", help="how cost grows, instead of the peers")
    parser.add_argument("--curves", default=",".join(growth.CURVES), help=f"of {', '.join(growth.CURVES)}")
    parser.add_argument("--micro", action="store_true", help="the parts alone, instead of the peers")
    parser.add_argument(
        "--websocket", action="store_true", help="frames, broadcasts and sessions, instead of the peers"
    )
    parser.add_argument("--profile", action="store_true", help="where the processor time goes, instead of the peers")
    parser.add_argument("--all", action="store_true", help="peers, growth, frames, parts and profile")
    parser.add_argument("--no-record", action="store_true", help="show only")
    parser.add_argument("--trial", action="store_true", help="mark the record as a trial: no report is made from it")
    chosen = parser.parse_args(arguments)
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 5)
    chosen.seconds = chosen.seconds or (1.5 if chosen.quick else 4.0)
    chosen.only = _known(parser, chosen.only, peers.SYSTEMS)
    chosen.curves = _known(parser, chosen.curves, growth.CURVES)
    return chosen


def _known(parser: argparse.ArgumentParser, text: str, known: Any) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            parser.error(f"{name!r} is none of {', '.join(known)}")
    return names


def run(chosen: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Everything that was asked for, as one record."""
    kept = record.begin(vars(chosen))
    plain = not (chosen.growth or chosen.micro or chosen.websocket or chosen.profile)
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.0f} s  {what}[/dim]", highlight=False)

    if chosen.all or plain:
        with bench.opened() as place:
            kept["peers"] = peers.run(
                place.setting, place.bench, chosen.only, place.word,
                rounds=chosen.rounds, seconds=chosen.seconds, tell=tell,
            )  # fmt: skip
        table.peers(console, kept["peers"])
    if chosen.all or chosen.growth:
        kept["growth"] = growth.run(
            chosen.curves, rounds=chosen.rounds, seconds=chosen.seconds, quick=chosen.quick, tell=tell
        )
        for name, told in kept["growth"].items():
            table.columns(console, growth.CURVES[name].title, [growth.flat(row) for row in told])
    if chosen.all or chosen.websocket:
        kept["websocket"] = websocket.run(
            chosen.only, rounds=chosen.rounds, seconds=chosen.seconds, quick=chosen.quick, tell=tell
        )
        table.websocket(console, kept["websocket"])
    if chosen.all or chosen.micro:
        tell("the parts alone")
        kept["micro"] = micro.run(quick=chosen.quick)
        table.rows(console, "The parts alone, µs a call", kept["micro"])
    if chosen.all or chosen.profile:
        with bench.opened() as place:
            kept["profile"] = profile.run(place, Run(chosen.rounds, chosen.seconds, chosen.quick, tell))
        table.profile(console, kept["profile"])
    table.objectives(console, answers(kept))
    kept["seconds"] = round(time.monotonic() - began)
    return kept


def main() -> int:
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)  # a file has no width of its own, and the tables have many columns
    chosen = options()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # what was started is stopped
    try:
        kept = run(chosen, console)
    except WrongAnswer as error:
        console.print(f"[bold red]wrong answer: {error}[/bold red]")
        return 1
    if not chosen.no_record:
        console.print(f"recorded in {record.write(kept, trial=chosen.trial).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
