"""``tidegate takedown``: a message goes, here and from the platform, and if wanted its copies are refused."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Set
from typing import Annotated, Any, NamedTuple

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Reason, path, runner, seconds
from gateway.commands.places import WRONG
from gateway.common.units import duration

LOOK_EVERY = 0.2  # seconds


class _Wanted(NamedTuple):
    """``refuse``: seconds for which copies are refused, 0 for not at all. Times are in seconds."""

    route: str
    reason: str
    ground: str
    refuse: int
    since: int
    wait: float
    dry_run: bool
    sure: bool


async def _takedown(
    caller: Caller,
    messages: Annotated[list[str], typer.Argument(help="Messages, by our id; with --route by the platform's.")],
    *,
    reason: Reason = "",
    ground: Annotated[str, typer.Option(help="The article or clause it rests on; needed with --copies.")] = "",
    route: Annotated[str, typer.Option(help="The ids are the platform's, of messages on this route.")] = "",
    copies: Annotated[bool, typer.Option("--copies", help="Show copies of the text, and refuse new ones.")] = False,
    refuse_for: Annotated[str, typer.Option(help="With --copies: for how long.")] = "30d",
    since: Annotated[str, typer.Option(help="With --copies: how far back copies are looked for.")] = "1d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and its copies; then stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before refusing copies.")] = False,
    wait: Annotated[str, typer.Option(help="How long to wait for the platform's confirmation.")] = "10s",
) -> None:
    """Take published messages down: not shown here, and deleted by the platform. “takedowns restore” brings it back.

    Exit code 0 where the platform has deleted them, 1 where it has not, or not yet.
    """
    if copies and not ground.strip() and not dry_run:
        places.refuse("--copies denies people something: name what it rests on with --ground")
    if route:
        caller.known(route, "routes", "--route")
    refused, back = seconds(refuse_for, "--refuse-for"), seconds(since, "--since")
    try:
        patience = duration(wait)
    except ValueError as error:
        places.refuse(f"--wait: “{wait}” {error}")
    wanted = _Wanted(route, reason, ground.strip(), refused if copies else 0, back, patience, dry_run, yes)
    routes = caller.written.table.get("routes") if caller.written is not None else None
    by_our_id = {
        str(one.get("name"))
        for one in (routes if isinstance(routes, list) else ())
        if isinstance(one, dict) and one.get("id_to")
    }
    confirmed = True
    for message in messages:
        named = {"upstream_id": message, "route": route} if route else {"id": message}
        confirmed = await _one(caller, named, wanted, by_our_id) and confirmed
    if not confirmed:
        raise typer.Exit(WRONG)


async def _one(caller: Caller, named: dict[str, str], wanted: _Wanted, by_our_id: Set[str]) -> bool:
    asked: dict[str, Any] = {**named, "reason": wanted.reason}
    if wanted.refuse or wanted.dry_run:
        preview = await caller.ask("POST", "/v1/takedowns:preview", {**asked, "since": wanted.since})
        if caller.as_json:
            terminal.lines([preview])
        else:
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
    done = await caller.ask("POST", "/v1/takedowns", asked)
    number = done["result"]["id"]
    told = await _settled(caller, number, wanted.wait)
    if caller.as_json:
        terminal.lines([{**told, "act": done["act"]}])
        return bool(told["state"] == "confirmed")
    last = told["trace"][-1]
    why = last["problem"] or (f"status {last['status']}" if last["status"] else "")
    typer.echo(f"takedown {number} of {told['message_id']}: {told['state']}{f' ({why})' if why else ''}")
    if told["copy_id"]:
        typer.echo(f"copy {told['copy_id']}: the same text is refused; undo act {done['act']} to allow it again")
    return bool(told["state"] == "confirmed")


async def _settled(caller: Caller, number: int, wait: float) -> dict[str, Any]:
    where = path("/v1/takedowns/{}", number)
    told = await caller.ask("GET", where)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while told["state"] != "confirmed" and loop.time() < until:
        await asyncio.sleep(LOOK_EVERY)
        told = await caller.ask("GET", where)
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
    room = terminal.visible(message["room"])
    return f"{message['id']}  {terminal.when(message['at'])}  {message['route']}  {room}  {message['verdict']}"


takedown = runner(_takedown)
