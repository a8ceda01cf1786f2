"""``tidegate run`` and ``tidegate demo``: a node in the foreground, until SIGTERM."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import structlog
import typer

from gateway.commands import places
from gateway.commands.places import ConfigOption, DataDirOption
from gateway.common.listening import CannotListen
from gateway.config import ConfigError, load
from gateway.generation import conversion
from gateway.generation.generation import CompileFailed, Generation
from gateway.logs import logs
from gateway.node.folder_number import OtherNumber
from gateway.node.supervisor import AlreadyRunning, Supervisor
from gateway.node.trial import trial as trial_of
from gateway.node.upgrading import this_command
from gateway.node.worker_pool import NotReady
from gateway.senders.salt import SaltUnreadable
from gateway.state.cold.embedded import NoServer
from gateway.state.cold.eviction import EvictionRefused
from gateway.state.cold.owner import NotOurs

log = structlog.get_logger()

REFUSALS = (
    AlreadyRunning, CannotListen, CompileFailed, EvictionRefused, NoServer, NotOurs, NotReady, OtherNumber,
    SaltUnreadable,
)  # fmt: skip

MayShrink = Annotated[
    list[str] | None,
    typer.Option("--may-shrink", metavar="LIST", help="This list is meant to lose its words; repeatable."),
]


Trial = Annotated[
    bool,
    typer.Option(
        "--trial", help="Run nothing: say whether this program could take over from the one that runs (upgrade)."
    ),
]


def run(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    may_shrink: MayShrink = None,
    trial: Trial = False,
) -> None:
    """Run the gateway: every process of one node, until SIGTERM. SIGHUP reloads, SIGUSR2 upgrades."""
    if trial:
        _try(config, data_dir, may_shrink or ())
        return
    config = places.configuration(config)
    logs.own_up("supervisor")
    people = sys.stderr.isatty()
    try:
        read = load(config)
    except ConfigError as error:
        _fail(error, people)
    people = conversion.for_people(read.logs)
    conversion.configure_logs(read, "supervisor")

    def announce(generation: Generation) -> None:
        if people:
            for warning in generation.warnings:
                typer.echo(f"warning: {warning}", err=True)
            typer.echo("ready")
            return
        for warning in generation.warnings:
            log.warning("config.warning", problem=warning)
        log.info("ready", generation=generation.number)

    try:
        supervisor = Supervisor(config, data_dir or read.server.data_dir, announce, may_shrink or (), this_command())
        asyncio.run(supervisor.run())
    except REFUSALS as error:
        _fail(error, people)
    except OSError as error:
        _unusable(data_dir or read.server.data_dir, error, people)


def _try(config: Path | None, data_dir: Path | None, may_shrink: Collection[str]) -> None:
    config = places.configuration(config)
    logs.own_up("trial")
    try:
        read = load(config)
    except ConfigError as error:
        told: dict[str, Any] = {"version": version("tidegate"), "problems": [str(each) for each in error.problems]}
    else:
        told = asyncio.run(trial_of(config, data_dir or read.server.data_dir, may_shrink))
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    if told["problems"]:
        raise typer.Exit(1)


def demo(
    data_dir: Annotated[Path, typer.Option(help="Folder for all that is kept.")] = Path("data/demo"),
    listen: Annotated[str, typer.Option(help="Address of the gate.")] = "127.0.0.1:8080",
    control: Annotated[str, typer.Option(help="Address of the admin API, health and metrics.")] = "127.0.0.1:8081",
    platform: Annotated[str, typer.Option(help="Address of the demo platform.")] = "127.0.0.1:9000",
) -> None:
    """Run a small platform with the gate in front of it, to try everything by hand."""
    from gateway.demo import command

    logs.own_up("supervisor")
    try:
        asyncio.run(command.run(data_dir, command.Addresses(listen, control, platform)))
    except command.NoAddress as error:
        places.refuse(str(error))
    except REFUSALS as error:
        _fail(error, sys.stderr.isatty())
    except OSError as error:
        _unusable(data_dir, error, sys.stderr.isatty())


def _unusable(folder: Path, error: OSError, people: bool) -> NoReturn:
    """The data folder cannot be made or written; any other failure of the system is not one of usage."""
    named = Path(error.filename).absolute() if isinstance(error.filename, str) else None
    if named is None or not (named.is_relative_to(folder.absolute()) or folder.absolute().is_relative_to(named)):
        raise error
    _fail(f"{folder} cannot be the data folder: {named}: {error.strerror}: name another with --data-dir", people)


def _fail(error: Exception | str, people: bool) -> NoReturn:
    """The end of a start that failed: a sentence on a terminal, a line of the log elsewhere."""
    if people:
        typer.echo(str(error), err=True)
    else:
        log.critical("node.refused", problems=str(error).splitlines())
    raise typer.Exit(1)
