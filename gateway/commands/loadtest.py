"""``tidegate loadtest``: what is asked on the command line, progress on a terminal, and the exit code.

The load test itself is the package ``loadtest``, with Locust and matplotlib: nothing else of the gateway needs them, so
they are imported only here, and only when asked.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.common import units

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST = 2.0  # seconds of a load test: people have to come, write and go
NEEDED = ("locust", "matplotlib", "loadtest", "benchmarks")
MISSING = "The load test needs {names}: pip install 'tidegate[load]', and run it from the source tree."


def loadtest(
    suite: Annotated[str, typer.Argument(help="comment-storm, live-show, group-chat, abuse-campaign or mixed-day.")],
    users: Annotated[int, typer.Option(min=0, help="People at the fullest; 0: the suite's own number.")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="Messages a second of all of them; 0: as is natural.")] = 0.0,
    duration: Annotated[str, typer.Option(help="30s, 10m, 1h30m; a bare number is seconds.")] = "30s",
    shape: Annotated[str, typer.Option(help="ramp, spike, soak or steps; empty: the suite's own.")] = "",
    seed: Annotated[int, typer.Option(help="Of everything drawn; 0: another one each time.")] = 0,
    host: Annotated[str, typer.Option(help="Gateway to load; empty: a node of its own is started.")] = "",
    platform: Annotated[str, typer.Option(help="What stands behind --host, to compare with.")] = "",
    control: Annotated[str, typer.Option(help="Control address of --host, for its metrics.")] = "",
    token_file: Annotated[Path | None, typer.Option(help="Token for --control: accounts are imported.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of --host on this machine, for CPU time.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Workers of a node of its own.")] = 1,
    pin: Annotated[bool, typer.Option("--pin", help="Workers alone on processors of their own.")] = False,
    load_processes: Annotated[int, typer.Option(min=1, help="Processes that make the load.")] = 1,
    direct: Annotated[bool, typer.Option(help="Load the platform alone first, to compare.")] = True,
    machine: Annotated[str, typer.Option(help="Estimate for another machine, such as “8 cores”.")] = "",
    check_p99: Annotated[float, typer.Option(help="Objective: p99 of the check, in ms.")] = 1.0,
    added_p99: Annotated[float, typer.Option(help="Objective: what the gateway adds to p99, in ms.")] = 3.0,
    errors: Annotated[float, typer.Option(help="Objective: share of errors among the answers.")] = 0.001,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; data/loadtest/SUITE-TIME if unset.")] = None,
    i_own_this_host: Annotated[
        bool, typer.Option("--i-own-this-host", help="Load a host that is not this machine.")
    ] = False,
) -> None:
    """Load the gateway with people who write, watch and misbehave, check every answer, and write a report."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        _refuse(MISSING.format(names=" and ".join(missing)))
    from loadtest import run
    from loadtest.crowd.suites import SUITES
    from loadtest.measuring.load import LoadError
    from loadtest.report.estimate import cores_in
    from loadtest.report.objectives import Objectives
    from loadtest.shapes import SHAPES
    from loadtest.target.admin import AdminError
    from loadtest.target.target import TargetError

    if suite not in SUITES:
        _refuse(f"“{suite}” is no suite: choose one of {', '.join(SUITES)}.")
    if shape and shape not in SHAPES:
        _refuse(f"“{shape}” is no shape: choose one of {', '.join(SHAPES)}.")
    if token_file is not None and not control:
        _refuse("--token-file is for the address in --control.")
    try:
        seconds = _seconds(duration)
        cores = cores_in(machine) if machine else 0
        token = token_file.read_text(encoding="ascii").strip() if token_file is not None else ""
    except (OSError, ValueError) as error:
        _refuse(f"{type(error).__name__}: {token_file}" if isinstance(error, OSError) else str(error))
    asked = run.Asked(
        suite, users, rate, seconds, shape, seed, host.rstrip("/"), platform.rstrip("/"), control.rstrip("/"), token,
        data_dir, workers, pin, load_processes, i_own_this_host, cores, direct,
        out or Path("data/loadtest") / f"{suite}-{time.strftime('%Y%m%d-%H%M%S')}",
        Objectives(check_p99, added_p99, errors),
    )  # fmt: skip
    try:
        with _progress(seconds) as tell:
            result = run.run(asked, tell)
    except TargetError as error:
        _refuse(str(error))
    except (LoadError, AdminError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for objective in result.objectives:
        typer.echo(f"{objective.state:<12}  {objective.name}: {objective.told}")
    typer.echo(f"report        {result.folder / 'report.md'}")
    if not result.kept:
        missed = ", ".join(objective.name for objective in result.objectives if objective.state == "missed")
        typer.echo(f"missed: {missed}", err=True)
        raise typer.Exit(1)


def _seconds(text: str) -> float:
    """As Locust's ``--run-time`` has it. Raises ValueError."""
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else units.duration(text)
    except ValueError as error:
        raise ValueError(f"--duration: “{text}” {error}") from None
    if seconds < SHORTEST:
        raise ValueError(f"--duration: “{text}” is too short: write at least {SHORTEST:g}s")
    return seconds


class _progress:  # noqa: N801 - used as a word
    """A bar on a terminal, silence in a pipe."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Callable[[str, dict[str, Any] | None], None]:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (TextColumn("{task.description:<9}"), BarColumn(), TextColumn("{task.fields[told]}"))
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _tell(self, stage: str, second: dict[str, Any] | None) -> None:
        if self._bar is None:
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=self._duration if second else None, told="")
        if second is not None:
            count = sum(sum(verdicts.values()) for verdicts in second["verdicts"].values())
            faults = sum(second["errors"].values()) + sum(second["wrong"].values())
            told = f"{second['users']} users, {count} answers/s, {faults} faults"
            self._bar.update(self._tasks[stage], advance=1, told=told)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
