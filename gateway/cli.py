"""The ``tidegate`` command. Exit codes: 0 well, 1 found something wrong, 2 usage."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import logs
from gateway.config import ConfigError, load
from gateway.config.commands import app as config_app
from gateway.control.commands import rebuild
from gateway.control.takedown_command import takedown
from gateway.generation import CompileFailed, Generation
from gateway.journal.commands import app as journal_app
from gateway.listening import CannotListen
from gateway.loadtest_command import loadtest
from gateway.mirror.commands import app as mirror_app
from gateway.state.commands import app as state_app
from gateway.state.embedded import NoServer
from gateway.supervisor import AlreadyRunning, NotReady, Supervisor
from gateway.words.commands import filter_ as filter_app
from gateway.words.commands import words as words_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a rich traceback shows local variables, and those may hold a text
    help="A moderation gateway for comments, bullet comments and group messages.",
)
app.add_typer(config_app, name="config", help="Check a configuration, or describe all of it.")
app.add_typer(words_app, name="words", help="Check and compile word lists.")
app.add_typer(filter_app, name="filter", help="Explain what is found in a text.")
app.add_typer(journal_app, name="journal", help="Read the record, and prove it whole.")
state_app.command("rebuild")(rebuild)
app.command()(loadtest)
app.command()(takedown)
app.add_typer(mirror_app, name="mirror", help="The static versions of bullets: verify, rebuild, import, probe.")
app.add_typer(state_app, name="state", help="The state server and what is projected to it.")

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", show_default=False)]
DataDir = Annotated[Path | None, typer.Option(help="Folder for all that is kept; server.data_dir if unset.")]


@app.command()
def run(config: ConfigOption, data_dir: DataDir = None) -> None:
    """Run the gateway: every process of one node, until SIGTERM. SIGHUP reloads."""
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
        asyncio.run(Supervisor(config, where, announce).run())
    except (AlreadyRunning, CannotListen, CompileFailed, NotReady, NoServer) as error:
        _fail(str(error))


@app.command()
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
    except (AlreadyRunning, CannotListen, CompileFailed, NotReady, NoServer) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)
