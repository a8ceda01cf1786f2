"""``tidegate messages``: search for messages, and read one with everything that became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.journal import moment
from gateway.commands.terminal import Column

app = group("Messages: search for them, and read what became of one.")

COLUMNS = (
    Column("at", shown=terminal.when, title="time"),
    Column("id", whole=True),
    Column("route"),
    Column("room", whole=True),
    Column("verdict"),
    Column("reasons", shown=", ".join, title="why"),
    Column("state", title="became"),
    Column("texts", shown=" / ".join, title="text"),
)
SENDER = Column("sender", whole=True)
TRAIL = (
    Column("time", shown=terminal.when),
    Column("kind"),
    Column("state"),
    Column("status"),
    Column("person"),
    Column("reason"),
    Column("ground"),
)
ACTS = (
    Column("act", whole=True),
    Column("at", shown=terminal.when),
    Column("person"),
    Column("kind"),
    Column("reason"),
)
Identity = Annotated[bool, typer.Option("--identity", help="Tell whose they are; this is on record as such.")]


@asks(app, "search")
async def search(
    caller: Caller,
    message: Annotated[str, typer.Option("--id", help="Our id of one message.")] = "",
    code: Annotated[str, typer.Option("--code", help="The code with which its sender may appeal.")] = "",
    sender: Annotated[str, typer.Option("--sender", help="Only this sender's.")] = "",
    room: Annotated[str, typer.Option("--room", help="Only of this room.")] = "",
    route: Annotated[str, typer.Option("--route", help="Only of this route.")] = "",
    verdict: Annotated[
        Literal["pass", "hold", "reject", "mask", "label"] | None, typer.Option("--verdict", help="Only these.")
    ] = None,
    reason_code: Annotated[str, typer.Option("--reason-code", help="Such as keyword.match.")] = "",
    state: Annotated[str, typer.Option("--state", help="What it came to: delivered, held, removed, …")] = "",
    text: Annotated[str, typer.Option("--text", help="A piece of its text.")] = "",
    since: Annotated[str, typer.Option("--since", help="2h, 7d, or a time such as 2026-11-21T08:00.")] = "",
    until: Annotated[str, typer.Option("--until", help="The same; messages of this moment are left out.")] = "",
    cursor: Annotated[str, typer.Option("--cursor", help="The page behind this place.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many.")] = 50,
    identity: Identity = False,
    reason: Reason = "",
) -> None:
    """Show messages, the newest first. Reading them is an act, and on record."""
    named: dict[str, Any] = {
        "id": message, "code": code, "sender": sender, "room": room, "route": route, "verdict": verdict,
        "reason_code": reason_code, "state": state, "text": text, "cursor": cursor,
    }  # fmt: skip
    asked = {name: value for name, value in named.items() if value} | {"limit": limit, "identity": identity}
    if since:
        asked["since"] = moment(since)
    if until:
        asked["until"] = moment(until)
    told = await caller.ask("POST", "/v1/messages/search", {**asked, "reason": reason})
    caller.rows(told["messages"], (*COLUMNS, SENDER) if identity else COLUMNS, "no such messages")
    for line in remarks(told):
        typer.echo(line, err=True)


def remarks(told: Mapping[str, Any]) -> list[str]:
    """What a page does not say by its rows."""
    found = []
    if told["problem"]:
        found.append(f"the index stands still ({told['problem']}); the log says why")
    if told["behind"]:
        found.append(f"the index is {told['behind']} bytes behind: what is newest, or oldest, may be missing")
    if not told["complete"]:
        found.append("its time was over before all was looked at")
    if told["cursor"]:
        found.append(f"there may be more: --cursor {told['cursor']}")
    return found


@asks(app, "show")
async def show(
    caller: Caller,
    message: Annotated[str, typer.Argument(metavar="ID", help="Our id of the message.")],
    identity: Identity = False,
    reason: Reason = "",
) -> None:
    """Show one message, what was found in it, what became of it and what people did. This is an act, and on record."""
    told = await caller.ask(
        "GET", path("/v1/messages/{}", message), identity="true" if identity else None, reason=reason
    )
    if caller.as_json:
        terminal.lines([told])
        return
    caller.rows([told["message"]], (*COLUMNS, SENDER) if identity else COLUMNS, "")
    if told["trail"]:
        terminal.table(told["trail"], TRAIL)
    if told["acts"]:
        terminal.table(told["acts"], ACTS)
    if not told["whole"]:
        typer.echo("the index does not have it: what came after its outcome is not told", err=True)
