"""``tidegate loadtest``: what is asked on the command line, progress on a terminal, and the exit code.

The load test itself is the package ``loadtest``, with Locust: nothing else of the gateway needs it, so
it is imported only here, and only when asked.
"""

from __future__ import annotations

import json
import math
import signal
import socket
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from gateway.common import units

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.asked import Asked

SHORTEST = 2.0  # seconds of a load test: people have to come, write and go
NEEDED = ("locust", "loadtest", "rig")
MISSING = "The load test needs {names}: pip install 'tidegate[load]'."
VOID = 3
"""Exit code of a run that says nothing, because the load or the machine stood still."""
WEB_PORT = 8089  # Locust's own
MOST_USERS = 200_000  # each is held in memory
MOST_PROCESSES = 64  # of one machine: more would only wait for each other


class _SuiteFirst(TyperGroup):
    """``tidegate loadtest SUITE`` is short for ``tidegate loadtest run SUITE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_SuiteFirst,
    no_args_is_help=True,
    help="Load the gateway, check every answer, report; find the knee; compare two runs. "
    "`tidegate loadtest SUITE` is short for `tidegate loadtest run SUITE`.",
)


def _finite(value: float | None) -> float | None:
    """NaN and infinity pass for numbers, and are no bounds."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a number that can be kept")
    return value


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="comment-storm, live-show, group-chat, abuse-campaign or mixed-day.")],
    users: Annotated[
        int, typer.Option(min=0, max=MOST_USERS, help="People at the fullest; 0: the suite's own number.")
    ] = 0,
    rate: Annotated[
        float, typer.Option(min=0, callback=_finite, help="Messages a second of all of them; 0: the suite's own.")
    ] = 0.0,
    duration: Annotated[
        str, typer.Option(help="30s, 10m, 1h30m; a bare number is seconds. With --find-knee: of each step.")
    ] = "30s",
    shape: Annotated[str, typer.Option(help="ramp, spike, soak or steps; empty: the suite's own.")] = "",
    seed: Annotated[int, typer.Option(help="Of everything drawn; 0: another one each time.")] = 0,
    host: Annotated[str, typer.Option(help="Gateway to load; empty: a node of its own is started.")] = "",
    platform: Annotated[str, typer.Option(help="What stands behind --host, to compare with.")] = "",
    control: Annotated[str, typer.Option(help="Control address of --host, for its metrics.")] = "",
    token_file: Annotated[Path | None, typer.Option(help="Token for --control: accounts are imported.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of --host on this machine, for CPU time.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=254, help="Workers of a node of its own.")] = 1,
    pin: Annotated[bool, typer.Option("--pin", help="Workers alone on processors of their own.")] = False,
    processes: Annotated[int, typer.Option(min=1, max=MOST_PROCESSES, help="Processes that make the load.")] = 1,
    web: Annotated[bool, typer.Option("--web", help="Locust's own pages, while the gateway is loaded.")] = False,
    web_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of --web, on this machine.")] = WEB_PORT,
    direct: Annotated[bool, typer.Option(help="Load the platform alone first, to compare.")] = True,
    machine: Annotated[str, typer.Option(help="Estimate for another machine, such as “8 cores”.")] = "",
    find_knee: Annotated[
        bool, typer.Option("--find-knee", help="Raise the rate in steps until one is not carried, then halve.")
    ] = False,
    knee_from: Annotated[
        float, typer.Option(min=0, callback=_finite, help="First rate of --find-knee; 0: a quarter of the suite's own.")
    ] = 0.0,
    knee_to: Annotated[
        float, typer.Option(min=1, callback=_finite, help="Highest rate that --find-knee tries.")
    ] = 20_000.0,
    check_p99: Annotated[
        float, typer.Option(min=0, callback=_finite, help="Objective: p99 of the check, in ms.")
    ] = 1.0,
    added_p99: Annotated[
        float, typer.Option(min=0, callback=_finite, help="Objective: what the gateway adds to p99, in ms.")
    ] = 3.0,
    answer_p99: Annotated[
        float, typer.Option(min=0, callback=_finite, help="Objective: p99 of delivered messages' answers, in ms.")
    ] = 100.0,
    errors: Annotated[
        float, typer.Option(min=0, max=1, callback=_finite, help="Objective: share of errors among the answers.")
    ] = 0.001,
    late_p99: Annotated[
        float, typer.Option(min=0, callback=_finite, help="Void beyond: p99 of the load's own lateness, in ms.")
    ] = 50.0,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; data/loadtest/SUITE-TIME if unset.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh, shown first in the report; the other is a click away.")] = "",
    i_own_this_host: Annotated[
        bool, typer.Option("--i-own-this-host", help="Load a host that is not this machine.")
    ] = False,
) -> None:
    """Load the gateway with people who write, watch and misbehave, check every answer, and write a report.

    Exit code 0: objectives kept; 1: one was missed; 2: wrong usage; 3: the run is void.
    """
    _need_libraries()
    from loadtest.asked import Asked
    from loadtest.crowd.suites import SUITES
    from loadtest.finding import first_rate
    from loadtest.judging.estimate import cores_in
    from loadtest.judging.knee import Search
    from loadtest.judging.objectives import Objectives
    from loadtest.shapes import SHAPES

    language = _language(lang)
    if suite not in SUITES:
        _refuse(f"“{suite}” is no suite: choose one of {', '.join(SUITES)}.")
    if shape and shape not in SHAPES:
        _refuse(f"“{shape}” is no shape: choose one of {', '.join(SHAPES)}.")
    if token_file is not None and not control:
        _refuse("--token-file is for the address in --control.")
    for said, name in ((shape, "--shape"), (rate, "--rate"), (web, "--web"), (machine, "--machine")):
        if find_knee and said:
            _refuse(f"{name} is not for --find-knee, which tries rates of its own, one after the other.")
    if knee_from > knee_to:
        _refuse("--knee-from is above --knee-to.")
    try:
        seconds = _seconds(duration)
        cores = cores_in(machine) if machine else 0
        token = token_file.read_text(encoding="ascii").strip() if token_file is not None else ""
    except (OSError, ValueError) as error:
        _refuse(f"{type(error).__name__}: {token_file}" if isinstance(error, OSError) else str(error))
    if web and not _is_free(web_port):
        _refuse(f"Port {web_port} is taken: name another with --web-port.")
    search = None
    if find_knee:
        search = Search(
            knee_from or first_rate(SUITES[suite], users), knee_to, answer_p99_ms=answer_p99, error_share=errors
        )
    asked = Asked(
        suite=suite, out=out or Path("data/loadtest") / f"{suite}-{time.strftime('%Y%m%d-%H%M%S')}", users=users,
        rate=rate, seconds=seconds, shape=shape, seed=seed, host=host.rstrip("/"), platform=platform.rstrip("/"),
        control=control.rstrip("/"), token=token, node=data_dir, workers=workers, pin=pin, processes=processes,
        own_host=i_own_this_host, cores=cores, direct=direct, language=language, web_port=web_port if web else 0,
        objectives=Objectives(check_p99, added_p99, answer_p99, errors, late_p99), search=search,
    )  # fmt: skip
    if web:
        typer.echo(f"Locust's pages: http://127.0.0.1:{web_port}, while the gateway is loaded", err=True)
    raise typer.Exit(_carry_out(asked))


def _carry_out(asked: Asked) -> int:
    """Run, tell what was found; gives the exit code."""
    from loadtest import finding
    from loadtest import run as running
    from loadtest.judging.folder import PAGE, FolderError
    from loadtest.measuring.load import LoadError
    from loadtest.target.admin import AdminError
    from loadtest.target.target import TargetError

    place = 1 if asked.language == "zh" else 0
    signal.signal(signal.SIGTERM, _ended)
    try:
        with _progress(asked.seconds) as tell:
            if asked.search is not None:
                found = finding.find(asked, asked.search, tell)
                state, told = finding.STATES[found.knee.outcome], found.knee.told
                lines = [f"{'carried' if step.good else 'failed':<12}  {step.rate:.0f}/s" for step in found.knee.steps]
            else:
                result = running.run(asked, tell)
                state, told = result.judgement
                lines = [f"{one.state:<12}  {one.name}: {one.told}" for one in result.objectives]
    except (TargetError, FolderError) as error:
        _refuse(str(error))
    except (LoadError, AdminError) as error:
        typer.echo(str(error), err=True)
        return 1
    for line in [*lines, f"report        {asked.out / PAGE}"]:
        typer.echo(line)
    typer.echo(told[place], err=state != "kept")
    return {"kept": 0, "missed": 1, "void": VOID}[state]


def _ended(number: int, _: object) -> NoReturn:
    """End as by Ctrl-C, so that node and load end as well: they would go on with nobody to stop them."""
    raise SystemExit(128 + number)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="Folder of a run.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Folder of a later run of the same suite.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "",
) -> None:
    """Hold two runs against each other: what differs by more than chance, and whether the second is worse.

    Exit code 0: not worse; 1: worse; 2: they cannot be compared; 3: one of them is void.
    """
    _need_libraries()
    from loadtest import comparing
    from loadtest.judging.comparison import NotComparable
    from loadtest.judging.folder import FolderError

    language = _language(lang)
    place = 1 if language == "zh" else 0
    try:
        told = comparing.compare(before, after)
    except FolderError as error:
        _refuse(str(error))
    except NotComparable as error:
        typer.echo(("cannot be compared: ", "无法比较：")[place] + error.told[place], err=True)
        raise typer.Exit(VOID if error.void else 2) from None
    if html is not None:
        try:
            html.write_text(comparing.html(told, language), encoding="utf-8")
        except OSError as error:
            _refuse(f"{html} cannot be written: {error.strerror}")
    if as_json:
        typer.echo(json.dumps(comparing.plain(told), ensure_ascii=False, indent=1))
    else:
        for line in comparing.lines(told, place):
            typer.echo(line)
    raise typer.Exit(1 if told.found.worse else 0)


def _need_libraries() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        _refuse(MISSING.format(names=" and ".join(missing)))


def _language(asked: str) -> str:
    from gateway.commands.obligations import chosen

    return chosen(asked)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


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
