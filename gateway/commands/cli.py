"""The ``tidegate`` command. Exit codes: 0 well, 1 found something wrong, 2 usage.

One table says where each command lives. Only the one that was asked for is imported: control's libraries would cost
every start of a node a second that it does not need.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import typer


class Command(NamedTuple):
    """``attribute`` of ``module`` is a function, or a typer app where the command has commands of its own."""

    module: str
    attribute: str
    help: str = ""


COMMANDS: dict[str, Command] = {
    "run": Command("gateway.commands.run", "run"),
    "demo": Command("gateway.commands.run", "demo"),
    "config": Command("gateway.commands.config", "app", "Check a configuration, or describe all of it."),
    "words": Command("gateway.commands.words", "words", "Check and compile word lists."),
    "filter": Command("gateway.commands.words", "filter_", "Explain what is found in a text."),
    "takedown": Command("gateway.commands.takedown", "takedown"),
    "state": Command("gateway.commands.state", "app", "The state server and what is projected to it."),
    "journal": Command("gateway.commands.journal", "app", "Read the record, and prove it whole."),
    "mirror": Command(
        "gateway.commands.mirror", "app", "The static versions of bullets: verify them, rebuild, import."
    ),
    "loadtest": Command("gateway.commands.loadtest", "loadtest"),
}


def build(names: Sequence[str]) -> typer.Typer:
    """The command line with these commands."""
    made = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a rich traceback shows local variables, and those may hold a text
        help="A moderation gateway for comments, bullet comments and group messages.",
    )
    made.callback()(_nothing)  # keeps the command's name while it is the only one
    for name in names:
        command = COMMANDS[name]
        found = getattr(import_module(command.module), command.attribute)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name, help=command.help)
        else:
            made.command(name)(found)
    return made


def _nothing() -> None:
    """A moderation gateway for comments, bullet comments and group messages."""


def main() -> None:
    """Entry point: builds the command that the arguments name, or all of them to show."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    build([asked] if asked in COMMANDS else list(COMMANDS))()
