"""``tidegate takedown``. Exit codes: 0 the platform has deleted it, 1 it has not (yet) or something failed, 2 usage."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Set
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from gateway.common.folders import Folders
from gateway.common.units import duration
from gateway.control.api.client import CallRefused, ControlClient, token
from gateway.generation import generation

WRONG, USAGE = 1, 2
LOOK_EVERY = 0.2  # seconds


class _Wanted(NamedTuple):
    """``refuse``: seconds for which copies are refused, 0 for not at all. Times are in seconds."""

    messages: list[str]
    route: str
    reason: str
    ground: str
    refuse: int
    since: int
    wait: float
    dry_run: bool
    sure: bool


def takedown(
    messages: Annotated[list[str], typer.Argument(help="Messages, by our id; with --route by the platform's.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; goes on record with your name.", show_default=False)],
    ground: Annotated[str, typer.Option(help="The article or clause it rests on; needed with --copies.")] = "",
    route: Annotated[str, typer.Option(help="The ids are the platform's, of messages on this route.")] = "",
    copies: Annotated[bool, typer.Option("--copies", help="Show copies of the text, and refuse new ones.")] = False,
    refuse_for: Annotated[str, typer.Option(help="With --copies: for how long.")] = "30d",
    since: Annotated[str, typer.Option(help="With --copies: how far back copies are looked for.")] = "1d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and its copies; then stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before refusing copies.")] = False,
    wait: Annotated[str, typer.Option(help="How long to wait for the platform's confirmation.")] = "10s",
    data_dir: Annotated[Path, typer.Option(help="The gateway's data folder.")] = Path("data"),
) -> None:
    """Take published messages down: not shown here any more, and deleted by the platform. That cannot be undone.

    The token is taken from TIDEGATE_TOKEN, else from the first person's file in the data folder.
    """
    if not reason.strip():
        _fail("--reason must say why", USAGE)
    if copies and not ground.strip() and not dry_run:
        _fail("--copies denies people something: name what it rests on with --ground", USAGE)
    try:
        times = [duration(text) for text in (refuse_for, since, wait)]
    except ValueError as error:
        _fail(f"--refuse-for, --since, --wait: {error}", USAGE)
    refuse = round(times[0]) if copies else 0
    wanted = _Wanted(messages, route, reason.strip(), ground.strip(), refuse, round(times[1]), times[2], dry_run, yes)
    folders = Folders(data_dir)
    try:
        confirmed = asyncio.run(_run(wanted, folders))
    except CallRefused as error:
        _fail(str(error), WRONG)
    if not confirmed:
        raise typer.Exit(WRONG)


async def _run(wanted: _Wanted, folders: Folders) -> bool:
    try:
        config = generation.load(folders, folders.current()).config
    except OSError:
        raise CallRefused(f"{folders.root} is not the data folder of a gateway: name it with --data-dir") from None
    by_our_id = {route.name for route in config.routes if route.id_to}
    confirmed = True
    async with ControlClient(config, token(folders.first_token(config))) as client:
        for message in wanted.messages:
            named = {"upstream_id": message, "route": wanted.route} if wanted.route else {"id": message}
            confirmed = await _one(client, named, wanted, by_our_id) and confirmed
    return confirmed


async def _one(client: ControlClient, named: dict[str, str], wanted: _Wanted, by_our_id: Set[str]) -> bool:
    asked: dict[str, Any] = {**named, "reason": wanted.reason}
    if wanted.refuse or wanted.dry_run:
        preview = await client.call("POST", "/v1/takedowns:preview", {**asked, "since": wanted.since})
        _show(preview, by_our_id)
        if wanted.dry_run:
            return True
        if not preview["comparable"]:
            typer.echo("it was not taken down: without --copies it can be", err=True)
            return False
        if not wanted.sure and sys.stdin.isatty():
            typer.confirm("Take it down, and refuse this text from now on?", abort=True)
        asked["refuse_copies"] = wanted.refuse
    if wanted.ground:
        asked["ground"] = wanted.ground
    done = await client.call("POST", "/v1/takedowns", asked)
    number = done["result"]["id"]
    told = await _settled(client, number, wanted.wait)
    last = told["trace"][-1]
    why = last["problem"] or (f"status {last['status']}" if last["status"] else "")
    typer.echo(f"takedown {number} of {told['message_id']}: {told['state']}{f' ({why})' if why else ''}")
    if told["copy_id"]:
        typer.echo(f"copy {told['copy_id']}: the same text is refused; undo act {done['act']} to allow it again")
    return bool(told["state"] == "confirmed")


async def _settled(client: ControlClient, number: int, wait: float) -> dict[str, Any]:
    path = f"/v1/takedowns/{number}"
    told = await client.call("GET", path)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while told["state"] != "confirmed" and loop.time() < until:
        await asyncio.sleep(LOOK_EVERY)
        told = await client.call("GET", path)
    return told


def _show(told: dict[str, Any], by_our_id: Set[str]) -> None:
    message = told["message"]
    ours = "the same as ours" if message["route"] in by_our_id else "unknown"
    typer.echo(f"{_line(message)}  (the platform's id: {told['upstream_id'] or ours})")
    if not told["deletable"]:
        typer.echo("its route has no takedown: the platform cannot be asked to delete it", err=True)
    if not told["comparable"]:
        why = "its text is not in the journal, or folds to nothing"
        typer.echo(f"{why}: copies can be neither found nor refused", err=True)
        return
    for copy in told["copies"]:
        typer.echo(f"copy  {_line(copy)}")
    count = len(told["copies"]) + told["more"]
    rest = "" if told["complete"] else "; not everything could be read in time, name a shorter --since"
    typer.echo(f"{count} copies of {told['senders']} senders{rest}")


def _line(message: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(message["at"] / 1e6).astimezone().isoformat(" ", "seconds")
    room = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message["room"])
    return f"{message['id']}  {at}  {message['route']}  {room}  {message['verdict']}"


def _fail(why: str, code: int) -> Any:
    typer.echo(why, err=True)
    raise typer.Exit(code)
