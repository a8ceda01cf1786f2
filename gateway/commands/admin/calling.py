"""What every command of the admin API has in common: where control is, who calls, why, and how answers are shown.

A command is a coroutine ``async def listed(caller: Caller, …)``; ``asks`` makes it one of the command line, with the
options that all of them have. Exit codes: 0 well, 1 refused or something is wrong, 2 usage.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import typer
from pydantic import ValidationError

from gateway.commands import places, terminal
from gateway.commands.places import WRONG, ConfigOption, DataDirOption, Written
from gateway.commands.terminal import Column
from gateway.common.units import duration
from gateway.config.consistency.replaced import replaced
from gateway.config.sections.control import Control
from gateway.config.sections.file import Config
from gateway.control.api.client import (
    TOKEN,
    TOKEN_FILE,
    CallRefused,
    ControlAddress,
    ControlClient,
    address_named,
    address_of,
    token,
)

URL = "TIDEGATE_URL"

UrlOption = Annotated[
    str,
    typer.Option(
        "--url", envvar=URL, show_envvar=False,
        help=f"Where control is: https://host:port, or unix:/path; else {URL}, else as the configuration has it.",
    ),
]  # fmt: skip
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", show_default=False,
        help=f"File with your token; else {TOKEN}, else {TOKEN_FILE}, else the first person's in the data folder.",
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, as in a pipe.")]
Reason = Annotated[
    str, typer.Option("--reason", help="Why; goes on record with your name. A terminal is asked for it.")
]
Ground = Annotated[str, typer.Option("--ground", help="The article or clause it rests on.", show_default=False)]

REASON_MOST = 256

REMEDIES: Mapping[str, str] = {
    "control.token_refused": f"name yours with --token-file, {TOKEN} or {TOKEN_FILE}; somebody else can add you anew",
    "control.peer_refused": "call from an address that control.allow holds",
    "control.account_unknown": "“tidegate accounts set” makes one",
    "control.act_unknown": "“tidegate acts list” shows them",
    "control.appeal_unknown": "“tidegate appeals list” shows them",
    "control.block_unknown": "“tidegate blocks list” shows them",
    "control.callback_unknown": "“tidegate callbacks list” shows them",
    "control.case_unknown": "“tidegate review list” shows them",
    "control.copy_unknown": "“tidegate takedowns copies list” shows them",
    "control.incident_longer": "“tidegate incidents end” ends it before its time",
    "control.incident_stands": "“tidegate incidents end” ends it",
    "control.incident_unknown": "“tidegate incidents list --state all” shows them",
    "control.line_unknown": "write it as the list's file has it",
    "control.list_unknown": "“tidegate words list” shows them",
    "control.message_unknown": "name our id, or with --route (where taken) the platform's; “journal query” finds it",
    "control.node_unknown": "“tidegate node list” shows them",
    "control.number_unknown": "numbers are those that “list” shows",
    "control.own_sender_unknown": "“tidegate review senders list” shows them",
    "control.person_unknown": "“tidegate people list” shows them",
    "control.receiver_unknown": "the configuration in force names them in [[callbacks]]; on-call is [desk.on_call]",
    "control.role_refused": "“tidegate tokens show” tells what you may",
    "control.route_unknown": "name one of the configuration in force",
    "control.scope_refused": "“tidegate tokens make” makes one that has it",
    "control.sample_unknown": "“tidegate review samples list” shows them",
    "control.switch_unknown": "“tidegate switches list” shows them",
    "control.takedown_unknown": "“tidegate takedowns list” shows them",
    "control.text_unknown": "without --copies it can be taken down",
    "control.token_unknown": "“tidegate tokens list” shows them",
    "control.urgent_word_unknown": "“tidegate words urgent list” shows them",
    "review.changed": "“tidegate review show” tells what there is, “tidegate appeals show” of an appeal",
    "review.ground_unknown": "“tidegate review desk” shows them",
    "review.not_claimed": "“tidegate review claim” makes it yours, “tidegate appeals claim” an appeal",
}
"""What helps, by reason code, where control cannot know who asks it by which means."""


def _common(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    url: UrlOption = "",
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """The options that every command here has."""


COMMON = [
    parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(_common, eval_str=True).parameters.values()
]
"""Them, as typer reads them."""


class Caller:
    """Who asks, whom, and for whom the answer is written. ``as_json``: for a program; ``written``: the configuration of
    the node, where this machine has it."""

    def __init__(self, client: ControlClient, *, as_json: bool, written: Written | None = None) -> None:
        self.client = client
        self.as_json = as_json
        self.written = written

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str | int | None
    ) -> dict[str, Any]:
        """The answer; a query parameter that is None or empty is left out. Raises CallRefused."""
        asked = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return await self.client.call(method, path, body, asked)

    def rows(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], none: str) -> None:
        """Rows of an answer; ``none`` says that there are none, to a person."""
        if not rows:
            typer.echo(none, err=self.as_json)
        elif self.as_json:
            terminal.lines(rows)
        else:
            terminal.table(rows, columns)

    def known(self, name: str, section: str, option: str) -> str:
        """``name``, where the configuration on this machine has a list or route of that name, or cannot say. Ends the
        command otherwise."""
        told = self.written.table.get(section) if self.written is not None else None
        rows = told if isinstance(told, list) else ()
        names = list(told) if isinstance(told, dict) else [str(one["name"]) for one in rows if "name" in one]
        if names and name not in names:
            places.refuse(f"{option}: there is no “{name}” in [{section}]{places.nearest(name, names)}")
        return name

    def done(self, answer: Mapping[str, Any], told: str) -> None:
        """An act: the whole answer for a program, ``told`` and where it is not in force yet for a person."""
        if self.as_json:
            terminal.lines([answer])
        else:
            typer.echo(f"{terminal.visible(told)} (act {answer['act']})")
        if not answer["in_force"]:
            late = [f"not yet in {where}" for where in late_in(answer)]
            typer.echo(f"it is on record, and still on its way: {', '.join(late) or 'it takes its time'}", err=True)


def late_in(answer: Mapping[str, Any]) -> list[str]:
    """Where an act has not arrived yet."""
    places_of = {"journalled": "the journal", "projected": "state"}
    found = [told for name, told in places_of.items() if not answer[name]]
    found += [worker for worker, has in (answer.get("workers") or {}).items() if not has]
    reload = answer.get("reload")
    return found + (["the lists in force"] if reload is not None and not reload["ok"] else [])


def path(template: str, *parts: object) -> str:
    """A path with what people name in it; nothing that they write changes its shape. Ends the command for an empty
    name."""
    if "" in parts:
        places.refuse("an empty name names nobody and nothing: write one")
    return template.format(*(quote(str(part), safe="") for part in parts))


def seconds(text: str, option: str) -> int:
    """Whole seconds from ``7d``. Ends the command where it is no time."""
    try:
        return round(duration(text))
    except ValueError as error:
        places.refuse(f"{option}: “{text}” {error}")


def wanted(reason: str) -> str:
    """Why: as it was given, else as a person at the terminal says. Ends the command where nobody says."""
    told = reason.strip()
    if not told and not reason and sys.stdin.isatty():
        told = str(typer.prompt("reason (goes on record with your name)")).strip()
    if not told:
        places.refuse("--reason must say why: it goes on record with your name")
    if not told.isprintable():
        places.refuse("--reason has a line end or another control character: write one line")
    if len(told) > REASON_MOST:
        places.refuse(f"--reason is too long: at most {REASON_MOST} characters")
    return told


def called_by(named: Path | None, kept: Path | None) -> str:
    """The caller's token, see ``token``. Ends the command where there is none: nothing was asked."""
    try:
        return token(named, kept)
    except CallRefused as error:
        places.refuse(str(error))


def refusal(error: CallRefused) -> str:
    """Why control did not do it, and what helps."""
    remedy = REMEDIES.get(error.reason)
    return f"{error}: {remedy}" if remedy else str(error)


class Located(NamedTuple):
    """Where control is. ``kept``: the file with the first person's token; None where it must not be sent there.
    ``written``: the node's configuration, where this machine has it."""

    address: ControlAddress
    kept: Path | None
    written: Written | None


def located(config: Path | None, data_dir: Path | None, url: str) -> Located:
    """Where control is. The configuration in force says it better than a file that may have been changed since.

    Ends the command where nothing says it.
    """
    held = places.folders(config, data_dir)
    written = places.in_force(held) or places.read(config if config is not None else places.USUAL_CONFIG)
    if url:
        try:
            address = address_named(url)
        except ValueError as error:
            places.refuse(f"--url: “{url}” {error}")
        if not address.near:
            return Located(address, None, None)
        control = _section(written) if written is not None else None
    elif written is None:
        told = f"{held.root} is not the data folder of a gateway"
        places.refuse(f"{told}: name it with --data-dir, or the configuration with --config, or control with --url")
    else:
        control = _section(written)
        address = address_of(control)
    kept = control.first_token if control is not None else None
    return Located(address, kept or held.control / "first-token", written)


def _section(written: Written) -> Control:
    try:
        context = {"base": written.base, "environ": os.environ}
        # All of it, so that each value is read as its key wants it; only this section must be well.
        document = replaced({"control": written.section("control")}, Config, context).document
        return Control.model_validate(document.get("control", {}), context=context)
    except ValidationError:
        places.refuse("[control] of the configuration cannot be read: see “tidegate config check”", WRONG)


Work = Callable[..., Awaitable[None]]


def asks(app: typer.Typer, name: str, *, within: float = 60.0) -> Callable[[Work], Work]:
    """Make a coroutine a command of ``app``. Its first parameter is the Caller; one of the name ``reason`` is asked for
    on a terminal and required elsewhere. ``within``: seconds for one call."""

    def decorate(work: Work) -> Work:
        app.command(name)(runner(work, within))
        return work

    return decorate


def runner(work: Work, within: float = 60.0) -> Callable[..., None]:
    """``work`` with the options that all commands here have, as a plain function for typer."""
    own = inspect.signature(work, eval_str=True)
    mine = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in list(own.parameters.values())[1:]]

    def run(**given: Any) -> None:
        common = {one.name: given.pop(one.name) for one in COMMON}
        if "reason" in given:
            given["reason"] = wanted(given["reason"])
        try:
            found = located(common["config"], common["data_dir"], common["url"])
            told = called_by(common["token_file"], found.kept)
            asyncio.run(_run(work, given, found, told, within, terminal.for_programs(common["as_json"])))
        except CallRefused as error:
            places.refuse(refusal(error), WRONG)

    parameters = [*mine, *COMMON]
    setattr(run, "__signature__", own.replace(parameters=parameters, return_annotation=None))  # noqa: B010 - mypy knows no such name
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__name__, run.__doc__ = work.__name__, work.__doc__
    return run


async def _run(work: Work, given: Mapping[str, Any], found: Located, told: str, within: float, as_json: bool) -> None:
    async with ControlClient(found.address, told, within=within) as client:
        await work(Caller(client, as_json=as_json, written=found.written), **given)


def group(meaning: str) -> typer.Typer:
    """A command that has commands of its own."""
    return typer.Typer(no_args_is_help=True, help=meaning)
