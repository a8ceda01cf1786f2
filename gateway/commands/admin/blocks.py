"""``tidegate blocks``: what stops a sender, a registrant, a device, an address, a range or a room."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Ground, Reason, asks, group, path, seconds
from gateway.commands.terminal import Column
from gateway.control.blocks.schemas import BlockScope

app = group("Blocks: stop a sender, a registrant, a device, an address, a range or a room.")

COLUMNS = (
    Column("id", whole=True),
    Column("scope"),
    Column("value", whole=True),
    Column("limited", shown=lambda limited: "limit" if limited else "wall", title="how"),
    Column("expires_at", shown=terminal.until, title="until"),
    Column("ground"),
    Column("reason"),
)


@asks(app, "list")
async def listed(
    caller: Caller,
    scope: Annotated[BlockScope | None, typer.Option("--scope", help="Only blocks of this kind.")] = None,
    value: Annotated[str, typer.Option("--value", help="Only of this sender, address, room …")] = "",
    after: Annotated[int, typer.Option("--after", min=0, help="Only blocks with a higher id.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 100,
    reason: Reason = "",
) -> None:
    """Show blocks. Reading them is an act, and on record."""
    told = await caller.ask("GET", "/v1/blocks", scope=scope, value=value, after=after, limit=limit, reason=reason)
    rows = told["blocks"]
    caller.rows(rows, COLUMNS, "no blocks")
    if len(rows) == limit:
        typer.echo(f"there may be more: --after {rows[-1]['id']}", err=True)


@asks(app, "add")
async def add(
    caller: Caller,
    scope: Annotated[BlockScope, typer.Argument(help="What is blocked.")],
    value: Annotated[str, typer.Argument(help="Which sender, address, range, room …")],
    ground: Ground,
    for_: Annotated[
        str, typer.Option("--for", help="For how long, such as 7d, or “ever”; else a day for what people share.")
    ] = "",
    how: Annotated[
        str, typer.Option("--as", help="“wall” or “limit”; else a limit for what people share.", metavar="HOW")
    ] = "",
    reason: Reason = "",
) -> None:
    """Block somebody or something; a newer block of the same replaces the older."""
    body: dict[str, Any] = {"scope": scope, "value": value, "ground": ground, "reason": reason}
    if how not in ("", "wall", "limit"):
        places.refuse(f"--as: “{how}” is neither wall nor limit")
    if how:
        body["limited"] = how == "limit"
    if for_:
        body["expires_at"] = 0 if for_ == "ever" else int(time.time()) + seconds(for_, "--for")
    done = await caller.ask("POST", "/v1/blocks", body)
    made = done["result"]
    what = "limited" if made["limited"] else "stopped"
    end = f"until {terminal.until(made['expires_at'])}" if made["expires_at"] else "for ever"
    caller.done(done, f"block {made['id']}: {made['scope']} {made['value']} is {what} {end}")


@asks(app, "lift")
async def lift(
    caller: Caller, number: Annotated[int, typer.Argument(metavar="ID", min=0)], reason: Reason = ""
) -> None:
    """Lift a block."""
    done = await caller.ask("DELETE", path("/v1/blocks/{}", number), reason=reason)
    caller.done(done, f"block {number} is lifted")
