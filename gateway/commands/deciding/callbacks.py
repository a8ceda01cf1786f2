"""``tidegate callbacks``: what the platform, and whoever is on call, was told, and was not."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.terminal import Column

app = group("Calls to the platform and to whoever is on call: what was sent, what waits, what was given up.")

COLUMNS = (
    Column("id", whole=True),
    Column("receiver"),
    Column("event"),
    Column("subject"),
    Column("state"),
    Column("at", shown=terminal.when, title="happened"),
    Column("tries"),
    Column("status"),
    Column("problem"),
    Column("due_at", shown=terminal.when, title="next try"),
)

Number = Annotated[int, typer.Argument(metavar="ID", min=0)]


@asks(app, "list")
async def listed(
    caller: Caller,
    state: Annotated[Literal["waiting", "sent", "dead"] | None, typer.Option("--state", help="Only these.")] = None,
    receiver: Annotated[str, typer.Option("--receiver", help="Only to this receiver.")] = "",
    message: Annotated[str, typer.Option("--message", help="Only about this message of ours.")] = "",
    after: Annotated[int | None, typer.Option("--after", min=0, help="Only calls with a higher number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 100,
) -> None:
    """Show calls, the oldest first."""
    told = await caller.ask(
        "GET", "/v1/callbacks", state=state, receiver=receiver, message=message, after=after, limit=limit
    )
    rows = told["callbacks"]
    caller.rows(rows, COLUMNS, "no such calls")
    if len(rows) == limit:
        typer.echo(f"there may be more: --after {rows[-1]['id']}", err=True)


@asks(app, "show")
async def show(caller: Caller, number: Number) -> None:
    """Show one call, and what it says; who sent the message is left out."""
    told = await caller.ask("GET", path("/v1/callbacks/{}", number))
    if caller.as_json:
        terminal.lines([told])
        return
    terminal.table([told], COLUMNS)
    for name, value in _said(told["body"]):
        typer.echo(f"{name}: {terminal.visible(str(value))}")


@asks(app, "resend")
async def resend(
    caller: Caller,
    number: Annotated[int | None, typer.Argument(metavar="ID", min=0, show_default=False)] = None,
    receiver: Annotated[str, typer.Option("--receiver", help="All of this receiver instead, 1000 at once.")] = "",
    state: Annotated[Literal["dead", "sent"], typer.Option("--state", help="Of those: which.")] = "dead",
    event: Annotated[str, typer.Option("--event", help="Of those: only this event.")] = "",
    reason: Reason = "",
) -> None:
    """Send a call again at once, under the id that it had; or all that a receiver has not taken."""
    if (number is None) == (receiver == ""):
        places.refuse("name one call by its number, or with --receiver all of a receiver")
    if number is not None:
        done = await caller.ask("POST", path("/v1/callbacks/{}:resend", number), {"reason": reason})
        caller.done(done, f"call {number} is sent again")
        return
    body: dict[str, Any] = {"reason": reason, "receiver": receiver, "state": state}
    done = await caller.ask("POST", "/v1/callbacks:resend", body | ({"event": event} if event else {}))
    result = done["result"]
    caller.done(done, f"{result['count']} calls to {receiver} are sent again")
    if result["more"]:
        typer.echo("there are more: do it again", err=True)


@asks(app, "test")
async def test(
    caller: Caller,
    receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="Its name; on-call for [desk.on_call].")],
    reason: Reason = "",
) -> None:
    """Send a call that tells nothing, to see whether a receiver takes it; “show” tells what came of it."""
    done = await caller.ask("POST", "/v1/callbacks:test", {"reason": reason, "receiver": receiver})
    caller.done(done, f"call {done['result']['id']} is on its way to {receiver}")


def _said(body: dict[str, Any], under: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in body.items():
        if isinstance(value, dict):
            found += _said(value, f"{under}{name}.")
        elif value is not None:
            found.append((f"{under}{name}", value))
    return found
