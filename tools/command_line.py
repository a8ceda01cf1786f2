"""The commands as docs/command-line.md has them: one table a command, written from what typer knows of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from gateway.commands.admin.calling import COMMON
from gateway.commands.cli import COMMANDS, build

BEGIN = "<!-- commands: written by `make reference`, do not edit below -->"


def page() -> str:
    """Every command with its arguments and options; what all commands of the admin API share is told once."""
    shared = {one.name for one in COMMON}
    lines = [BEGIN, ""]
    told_common = False
    for words, command in leaves():
        mine = [one for one in command.params if one.name != "help"]
        common = shared <= {one.name for one in mine}
        if common and not told_common:
            told_common = True
            table = _table([one for one in mine if one.name in shared])
            lines[2:2] = ["### Of every command of the admin API", "", *table, ""]
        own = [one for one in mine if not (common and one.name in shared)]
        usage = " ".join(["tidegate", *words, *(_argument(one) for one in own if one.param_type_name == "argument")])
        meaning = " ".join(inspect.cleandoc(command.help or "").split())
        api = " Takes the options of the admin API." if common else ""
        lines += [f"### `{usage}`", "", f"{meaning}{api}", ""]
        if table := _table(own):
            lines += [*table, ""]
    return "\n".join(lines)


def leaves(command: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, by its words."""
    command = command or get_command(build(list(COMMANDS)))
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
    else:
        for name, one in below.items():
            yield from leaves(one, (*words, name))


def _argument(one: Any) -> str:
    name = (one.metavar or one.name.strip("_")).upper()
    name = f"{name}…" if one.nargs == -1 else name
    return name if one.required else f"[{name}]"


def _table(parameters: list[Any]) -> list[str]:
    rows = [(_names(one), _meaning(one)) for one in parameters]
    return ["| | |", "|---|---|", *(f"| {name} | {meaning} |" for name, meaning in rows)] if rows else []


def _names(one: Any) -> str:
    if one.param_type_name == "argument":
        return f"`{_argument(one).strip('[]')}`"
    return ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))


def _meaning(one: Any) -> str:
    meaning = (one.help or one.name.replace("_", " ")).replace("|", "\\|")
    words = getattr(one.type_descriptor.annotation, "__args__", ())
    choices = [f"`{word}`" for word in words if isinstance(word, str)]
    if choices:
        meaning += f" One of {', '.join(choices)}."
    if one.required and one.param_type_name == "option":
        meaning += " Required."
    elif one.default not in (None, "", (), [], False, True) and not callable(one.default) and not one.required:
        meaning += f" Default: `{one.default}`."
    return meaning
