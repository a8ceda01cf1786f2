"""``tidegate accounts``: what the platform says of its senders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.places import WRONG
from gateway.commands.terminal import Column
from gateway.control.api.client import problem_at

app = group("Accounts: what the platform says of its senders.")

CHUNK = 1 << 16  # bytes of an import that are read at once
COLUMNS = (
    Column("sender", whole=True),
    Column("verified", shown=terminal.yes),
    Column("verified_until", shown=terminal.until),
    Column("credit"),
    Column("approved"),
)

ENTRIES = (
    Column("id", whole=True, title="entry"),
    Column("at", shown=terminal.when),
    Column("points"),
    Column("message_id", whole=True, title="message"),
    Column("reverses"),
)

Sender = Annotated[str, typer.Argument(help="The platform's id of the sender.")]


@asks(app, "get")
async def get(caller: Caller, sender: Sender, reason: Reason = "") -> None:
    """Read an account. Reading is an act, and on record."""
    told = await caller.ask("GET", path("/v1/accounts/{}", sender), reason=reason)
    caller.rows([told], COLUMNS, "")
    if not caller.as_json and told["entries"]:
        terminal.table(told["entries"], ENTRIES)


@asks(app, "set")
async def set_(
    caller: Caller,
    sender: Sender,
    verified: Annotated[
        bool, typer.Option("--verified/--unverified", help="Whether the platform has verified who it is.")
    ],
    until: Annotated[
        str, typer.Option("--until", help="When that ends, such as 2027-01-01 or 2027-01-01T08:00; else never.")
    ] = "",
    credit: Annotated[int, typer.Option("--credit", min=0, max=100, help="0 to 100.")] = 100,
    approved: Annotated[
        int | None,
        typer.Option(min=0, max=100, help="Messages approved by a person, for the check newcomer; else as it is."),
    ] = None,
    message: Annotated[
        str, typer.Option("--message", help="Because of which message it is lowered: an upheld appeal gives it back.")
    ] = "",
    reason: Reason = "",
) -> None:
    """Set an account, whatever it was before, but for what was approved of it."""
    body: dict[str, object] = {"verified": verified, "verified_until": ends(until), "credit": credit, "reason": reason}
    if approved is not None:
        body["approved"] = approved
    if message:
        body["message"] = message
    done = await caller.ask("PUT", path("/v1/accounts/{}", sender), body)
    caller.done(done, f"{sender}: {'verified' if verified else 'not verified'}, credit {credit}")


@asks(app, "delete")
async def delete(caller: Caller, sender: Sender, reason: Reason = "") -> None:
    """Forget an account."""
    done = await caller.ask("DELETE", path("/v1/accounts/{}", sender), reason=reason)
    caller.done(done, f"{sender}: forgotten")


@asks(app, "import")
async def import_(
    caller: Caller,
    file: Annotated[
        Path,
        typer.Argument(help="NDJSON: sender, verified, and verified_until, credit and approved where they matter."),
    ],
    reason: Reason = "",
) -> None:
    """Set many accounts. The same file may be sent again. Exit code 1 where a line was refused."""
    last: dict[str, object] = {}
    try:
        source = file.open("rb")
    except OSError as error:
        places.refuse(f"{file} cannot be read: {error.strerror}")
    with source:

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := source.read(CHUNK):
                yield chunk

        async for last in caller.client.stream("POST", "/v1/accounts:import", chunks(), {"reason": reason}):
            if caller.as_json:
                terminal.lines([last])
    errors = last.get("errors")
    for one in errors if isinstance(errors, list) else ():
        typer.echo(
            terminal.visible(f"{file}: line {one['line']}: {'; '.join(map(problem_at, one['problems']))}"), err=True
        )
    if not caller.as_json:
        typer.echo(
            f"{last.get('lines', 0)} lines, {last.get('accepted', 0)} accepted, {last.get('refused', 0)} refused"
        )
    if last.get("stopped"):
        places.refuse(f"the import ended before its file did: {last['stopped']}", WRONG)
    if not last.get("in_force"):
        typer.echo("it is on record, and some of it still on its way", err=True)
    if last.get("refused") or not last.get("done"):
        raise typer.Exit(WRONG)


def ends(text: str) -> int:
    """Seconds since the epoch, 0 for nothing said; local time where no zone is named. Ends the command otherwise."""
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        places.refuse(f"--until: “{text}” is no moment: write one such as 2027-01-01 or 2027-01-01T08:00")
