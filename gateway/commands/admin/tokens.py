"""``tidegate tokens``: what a token may, and tokens of machines, each with scopes and a person who answers for it."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.terminal import Column
from gateway.control.access.roles import told

app = group("What a token may, and tokens of machines.")

COLUMNS = (
    Column("name", whole=True),
    Column("scopes", shown=told),
    Column("idle", shown=lambda names: told(names) if names else "", title="of no use"),
    Column("made_by", whole=True, title="answers for it"),
    Column("created_at", shown=terminal.when, title="since"),
)
MINE = (
    Column("person", whole=True),
    Column("roles", shown=told),
    Column("token", whole=True),
    Column("scopes", shown=told),
    Column("may", shown=", ".join),
)

Name = Annotated[str, typer.Argument(help="Letters, digits, “.”, “_”, “@”, “-”; at most 64.")]


@asks(app, "list")
async def listed(caller: Caller) -> None:
    """Show the tokens of your machines; leads, auditors and admins see everybody's."""
    caller.rows((await caller.ask("GET", "/v1/tokens"))["tokens"], COLUMNS, "no tokens of machines")


@asks(app, "show")
async def show(
    caller: Caller, name: Annotated[str, typer.Argument(help="Of a machine's token; else your own.")] = ""
) -> None:
    """Show what a token may: the one that you call with, or a machine's."""
    if name:
        caller.rows([await caller.ask("GET", path("/v1/tokens/{}", name))], COLUMNS, "")
    else:
        caller.rows([await caller.ask("GET", "/v1/me")], MINE, "")


@asks(app, "make")
async def make(
    caller: Caller,
    name: Name,
    scope: Annotated[
        list[str], typer.Option("--scope", help="What it may, such as accounts:write; again for another one.")
    ],
    reason: Reason = "",
) -> None:
    """Make a token for a machine, for which you answer: it may no more than its scopes, nor than you at any time. It is
    shown this once, and kept nowhere."""
    done = await caller.ask("POST", "/v1/tokens", {"name": name, "scopes": scope, "reason": reason})
    caller.done(done, f"{name} may {told(done['result']['scopes'])}")
    if not caller.as_json:
        typer.echo(f"token, shown this once: {done['result']['token']}")


@asks(app, "revoke")
async def revoke(caller: Caller, name: Name, reason: Reason = "") -> None:
    """Revoke a machine's token: it is worth nothing from now on. Admins revoke any, others their own."""
    done = await caller.ask("DELETE", path("/v1/tokens/{}", name), reason=reason)
    caller.done(done, f"the token {name} is revoked")
