"""``tidegate rooms``: open, slow, muted or closed."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gateway.commands import places
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.terminal import Column
from gateway.common.units import duration

app = group("Rooms: open them, slow them down, mute or close them.")

COLUMNS = (Column("room", whole=True), Column("status"), Column("interval", shown=lambda value: f"{value:g} s"))

Room = Annotated[str, typer.Argument(help="The room's name, on whatever route.")]


@asks(app, "get")
async def get(caller: Caller, room: Room) -> None:
    """Read a room's status."""
    caller.rows([await caller.ask("GET", path("/v1/rooms/{}", room))], COLUMNS, "")


@asks(app, "set")
async def set_(
    caller: Caller,
    room: Room,
    status: Annotated[Literal["open", "slow", "muted", "closed"], typer.Argument(help="What it is from now on.")],
    interval: Annotated[
        str, typer.Option("--interval", help="With slow: time between two messages of one sender, such as 5s.")
    ] = "",
    reason: Reason = "",
) -> None:
    """Open a room, slow it down, mute or close it."""
    if (status == "slow") != bool(interval):
        places.refuse("--interval belongs to slow, and slow needs one")
    try:
        pause = duration(interval) if interval else 0.0
    except ValueError as error:
        places.refuse(f"--interval: “{interval}” {error}")
    body = {"status": status, "interval": pause, "reason": reason}
    done = await caller.ask("PUT", path("/v1/rooms/{}", room), body)
    caller.done(done, f"room {room}: {status}{f', a message every {pause:g} s' if pause else ''}")
