"""The ``tidegate`` command. Exit codes: 0 well, 1 found something wrong, 2 usage.

One table says where each command lives. Only the one that was asked for is imported: control's libraries would cost
every start of a node a second that it does not need. The others stand in for themselves where names and meanings are
enough: in the help, and while a shell completes a name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, NamedTuple, NoReturn

import typer


class Command(NamedTuple):
    """``attribute`` of ``module`` is a function, or a typer app where the command has commands of its own."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, Command] = {
    "run": Command("gateway.commands.run", "run", "Run the gateway: every process of one node, until SIGTERM."),
    "init": Command("gateway.commands.init", "init", "Write a configuration for a platform that many people run."),
    "demo": Command("gateway.commands.run", "demo", "Run a small platform with the gate in front of it."),
    "status": Command("gateway.commands.admin.status", "status", "This node at a glance, once or live."),
    "reload": Command("gateway.commands.admin.reload", "reload", "Compile configuration and lists anew, and swap."),
    "upgrade": Command("gateway.commands.upgrade", "upgrade", "Let another version take over the running node."),
    "config": Command("gateway.commands.config", "app", "Check a configuration, or describe all of it."),
    "words": Command(
        "gateway.commands.admin.words", "app", "Word lists: check and compile files, change what is in force."
    ),
    "filter": Command("gateway.commands.words", "filter_", "Explain what is found in a text."),
    "accounts": Command("gateway.commands.admin.accounts", "app", "What the platform says of its senders."),
    "blocks": Command("gateway.commands.admin.blocks", "app", "Stop a sender, a device, an address, a range, a room."),
    "rooms": Command("gateway.commands.admin.rooms", "app", "Open rooms, slow them down, mute or close them."),
    "switches": Command("gateway.commands.admin.switches", "app", "Freeze a room or a route at once, everywhere."),
    "incidents": Command(
        "gateway.commands.admin.incidents", "app", "Hold, slow down or freeze everywhere, until an end that you give."
    ),
    "messages": Command(
        "gateway.commands.deciding.messages", "app", "Search for messages, and read what became of one."
    ),
    "takedown": Command("gateway.commands.admin.takedown", "takedown", "Take published messages down."),
    "takedowns": Command(
        "gateway.commands.admin.takedowns", "app", "What became of takedowns; texts that are refused for them."
    ),
    "appeals": Command("gateway.commands.admin.appeals", "app", "Appeals against refusals: read, claim, decide."),
    "review": Command(
        "gateway.commands.deciding.review", "app", "Cases that wait for a person: see, claim, decide them."
    ),
    "handover": Command(
        "gateway.commands.deciding.handover", "app", "What whoever leads next has to know, and a note for them."
    ),
    "obligations": Command(
        "gateway.commands.deciding.standing",
        "obligations",
        "What the running node keeps of the regulations, and what is missing.",
    ),
    "own": Command("gateway.commands.deciding.own", "app", "Your own side of the console: password, language, look."),
    "callbacks": Command(
        "gateway.commands.deciding.callbacks", "app", "Calls to the platform and to who is on call: look, send again."
    ),
    "people": Command("gateway.commands.admin.people", "app", "Who may call control, and in which roles."),
    "tokens": Command("gateway.commands.admin.tokens", "app", "What a token may, and tokens of machines."),
    "acts": Command("gateway.commands.admin.acts", "app", "What people did, and taking it back."),
    "node": Command("gateway.commands.direct.nodes", "app", "Nodes that share a control database."),
    "state": Command("gateway.commands.direct.state", "app", "The state server and what is projected to it."),
    "journal": Command("gateway.commands.journal", "app", "Read the record, and prove it whole."),
    "mirror": Command(
        "gateway.commands.mirror", "app", "The static versions of bullets: verify them, rebuild, import."
    ),
    "backup": Command("gateway.commands.backup", "app", "Back up a node: journal, database, lists, configuration."),
    "restore": Command("gateway.commands.backup", "restore", "Put a backup into an empty data folder, or acts back."),
    "loadtest": Command(
        "gateway.commands.loadtest", "app", "Load the gateway, check every answer, report; compare runs."
    ),
}

COMPLETING = "_TIDEGATE_COMPLETE"  # set by the shell that asks what could come next
HANDED = "TIDEGATE_HANDOVER"  # set by ``gateway.node.handover``, which is imported only where there is one
LINES = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")  # and the line so far


def build(names: Collection[str], *, others: bool = False) -> typer.Typer:
    """The command line with these commands; ``others``: the rest too, by name and meaning."""
    made = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # a rich traceback shows local variables, and those may hold a text
        context_settings={"help_option_names": ["-h", "--help"]},
        help="A moderation gateway for comments, bullet comments and group messages.",
    )
    made.callback()(_root)
    for name, command in COMMANDS.items():
        if name in names:
            _add(made, name, command)
        elif others:
            made.command(name, help=command.help)(_stand_in)
    return made


def _add(made: typer.Typer, name: str, command: Command) -> None:
    found = getattr(import_module(command.module), command.attribute)
    if isinstance(found, typer.Typer):
        made.add_typer(found, name=name, help=command.help)
    else:
        made.command(name)(found)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tidegate {version('tidegate')}")
        raise typer.Exit


def _root(
    version_: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """A moderation gateway for comments, bullet comments and group messages."""


def _stand_in() -> None:
    """Named, and never run: whatever is run was asked for by its name."""


def named(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The commands that are asked for: the first argument that is no option; while a shell completes, the first word of
    its line that is one."""
    if COMPLETING in environ:
        told = next((environ[name] for name in LINES if name in environ), "")
        arguments = told.split()[1:]
    return [one for one in arguments if not one.startswith("-")][:1]


def main() -> None:
    """Entry point: imports the command that the arguments name, and no other.

    What stands for a byte that is no UTF-8 could be neither asked nor recorded. A file or folder that fails where no
    command expects it is told in one line; any other failure is a fault of ours, and shows where.
    """
    for number, argument in enumerate(sys.argv[1:], start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            _end(f"argument {number} is not UTF-8: write it in a terminal that speaks UTF-8", 2)
    try:
        build(named(sys.argv[1:], os.environ), others=True)()
    except OSError as error:
        _give_back(f"it failed: {error.filename}: {error.strerror}")
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}", 1)
    except BaseException as error:
        _give_back(f"it ended as soon as it was executed: {type(error).__name__}: {error}; the log says why")
        raise


def _give_back(problem: str) -> None:
    """Where this program was executed in the place of a running node's, and cannot go on with it (an upgrade)."""
    if HANDED in os.environ:
        from gateway.node.handover import give_back

        give_back(problem)


def _end(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    sys.exit(code)
