"""``tidegate acts``: what people did, and taking it back."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.terminal import Column

app = group("Acts: what people did, and taking it back.")

COLUMNS = (
    Column("act", whole=True),
    Column("at", shown=terminal.when),
    Column("person"),
    Column("kind"),
    Column("subject", whole=True),
    Column("reason"),
    Column("undone_by", whole=True),
)


@asks(app, "list")
async def listed(
    caller: Caller,
    kind: Annotated[str, typer.Option("--kind", help="Only acts such as block.create.")] = "",
    before: Annotated[int | None, typer.Option("--before", min=1, help="Only acts with a lower number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 50,
    reason: Reason = "",
) -> None:
    """Show acts, the newest first. Reading them is an act, and on record."""
    told = await caller.ask("GET", "/v1/acts", kind=kind, before=before, limit=limit, reason=reason)
    rows = told["acts"]
    caller.rows(rows, COLUMNS, "no such acts")
    if len(rows) == limit:
        typer.echo(f"there may be more: --before {rows[-1]['act']}", err=True)


@asks(app, "undo")
async def undo(
    caller: Caller, number: Annotated[int, typer.Argument(metavar="ACT", min=0)], reason: Reason = ""
) -> None:
    """Put back everything that an act changed, as long as no later act has changed it again."""
    done = await caller.ask("POST", path("/v1/acts/{}:undo", number), {"reason": reason})
    lasting = done["result"]["lasting"]
    kept = f"; nobody can undo its {', '.join(lasting)}" if lasting else ""
    caller.done(done, f"act {number} is undone{kept}")
