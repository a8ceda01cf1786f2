"""``tidegate switches``: emergency switches, in every worker within a second."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Ground, Reason, asks, group, path
from gateway.commands.terminal import Column

app = group("Emergency switches: freeze a room or a route at once, everywhere.")

COLUMNS = (
    Column("id", whole=True),
    Column("kind"),
    Column("scope"),
    Column("value", whole=True),
    Column("ground"),
    Column("created_at", shown=terminal.when, title="since"),
)


@asks(app, "list")
async def listed(caller: Caller) -> None:
    """Show what is frozen."""
    caller.rows((await caller.ask("GET", "/v1/switches"))["switches"], COLUMNS, "nothing is frozen")


@asks(app, "freeze")
async def freeze(
    caller: Caller,
    scope: Annotated[Literal["room", "route"], typer.Argument(help="What is frozen.")],
    value: Annotated[str, typer.Argument(help="Which room or route.")],
    ground: Ground,
    reason: Reason = "",
) -> None:
    """Refuse everything in a room, or on a route."""
    if scope == "route":
        caller.known(value, "routes", "VALUE")
    body = {"scope": scope, "value": value, "ground": ground, "reason": reason}
    done = await caller.ask("POST", "/v1/switches", body)
    caller.done(done, f"switch {done['result']['id']}: {scope} {value} is frozen")


@asks(app, "lift")
async def lift(
    caller: Caller, number: Annotated[int, typer.Argument(metavar="ID", min=0)], reason: Reason = ""
) -> None:
    """Lift an emergency switch."""
    done = await caller.ask("DELETE", path("/v1/switches/{}", number), reason=reason)
    caller.done(done, f"switch {number} is lifted")
