"""``tidegate people``: who may call control, each with a token of their own."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.terminal import Column

app = group("People who may call control, each with a token of their own.")

COLUMNS = (Column("name", whole=True), Column("created_at", shown=terminal.when, title="since"))

Name = Annotated[str, typer.Argument(help="Letters, digits, “.”, “_”, “@”, “-”; at most 64.")]


@asks(app, "list")
async def listed(caller: Caller) -> None:
    """Show who may call control."""
    caller.rows((await caller.ask("GET", "/v1/people"))["people"], COLUMNS, "nobody")


@asks(app, "add")
async def add(caller: Caller, name: Name, reason: Reason = "") -> None:
    """Add a person. Their token is shown this once: it is kept nowhere."""
    done = await caller.ask("POST", "/v1/people", {"name": name, "reason": reason})
    caller.done(done, f"{name} may call control")
    if not caller.as_json:
        typer.echo(f"token, shown this once: {done['result']['token']}")


@asks(app, "remove")
async def remove(caller: Caller, name: Name, reason: Reason = "") -> None:
    """Remove a person: their token is worth nothing from now on. The last one stays."""
    done = await caller.ask("DELETE", path("/v1/people/{}", name), reason=reason)
    caller.done(done, f"{name} may call control no more")
