"""``tidegate run`` and ``tidegate demo``: a node in the foreground, until SIGTERM."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import places
from gateway.commands.places import ConfigOption, DataDirOption
from gateway.common import logs
from gateway.common.listening import CannotListen
from gateway.config import ConfigError, load
from gateway.generation.generation import CompileFailed, Generation
from gateway.node.supervisor import AlreadyRunning, NotReady, Supervisor
from gateway.state.cold.embedded import NoServer
from gateway.state.cold.eviction import EvictionRefused
from gateway.state.cold.owner import NotOurs

REFUSALS = (AlreadyRunning, CannotListen, CompileFailed, EvictionRefused, NoServer, NotOurs, NotReady)

MayShrink = Annotated[
    list[str] | None,
    typer.Option("--may-shrink", metavar="LIST", help="This list is meant to lose its words; repeatable."),
]


def run(config: ConfigOption = None, data_dir: DataDirOption = None, may_shrink: MayShrink = None) -> None:
    """Run the gateway: every process of one node, until SIGTERM. SIGHUP reloads."""
    config = places.configuration(config)
    logs.configure(process="supervisor", console=sys.stderr.isatty())
    try:
        where = data_dir or load(config).server.data_dir
    except ConfigError as error:
        _fail(str(error))

    def announce(generation: Generation) -> None:
        for warning in generation.warnings:
            typer.echo(f"warning: {warning}", err=True)
        typer.echo("ready")

    try:
        asyncio.run(Supervisor(config, where, announce, may_shrink or ()).run())
    except REFUSALS as error:
        _fail(str(error))


def demo(
    data_dir: Annotated[Path, typer.Option(help="Folder for all that is kept.")] = Path("data/demo"),
    listen: Annotated[str, typer.Option(help="Address of the gate.")] = "127.0.0.1:8080",
    control: Annotated[str, typer.Option(help="Address of the admin API, health and metrics.")] = "127.0.0.1:8081",
    platform: Annotated[str, typer.Option(help="Address of the demo platform.")] = "127.0.0.1:9000",
) -> None:
    """Run a small platform with the gate in front of it, to try everything by hand."""
    from gateway.demo import command

    logs.configure(process="supervisor", console=sys.stderr.isatty())
    try:
        asyncio.run(command.run(data_dir, command.Addresses(listen, control, platform)))
    except REFUSALS as error:
        _fail(str(error))


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)
