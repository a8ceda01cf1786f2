"""``tidegate people``: who may call control, each with a token of their own, and in which roles."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.terminal import Column
from gateway.control.access.roles import Role, told

app = group("People who may call control, each with a token of their own, and their roles.")

COLUMNS = (
    Column("name", whole=True),
    Column("roles", shown=told),
    Column("created_at", shown=terminal.when, title="since"),
    Column("password"),
)

Name = Annotated[str, typer.Argument(help="Letters, digits, “.”, “_”, “@”, “-”; at most 64.")]
Roles = Annotated[list[Role], typer.Option("--role", help="What they are here for; again for another one.")]


@asks(app, "list")
async def listed(caller: Caller) -> None:
    """Show who may call control, and in which roles."""
    rows = (await caller.ask("GET", "/v1/people"))["people"]
    caller.rows(rows, COLUMNS, "nobody")
    ungiven = [row["name"] for row in rows if not row["roles_given"]]
    if ungiven:
        told_ = terminal.visible(", ".join(ungiven))
        typer.echo(
            f"admin since before there were roles: {told_}; say what they are: “tidegate people roles”", err=True
        )


@asks(app, "add")
async def add(caller: Caller, name: Name, role: Roles, reason: Reason = "") -> None:
    """Add a person in one role or several. Their token is shown this once: it is kept nowhere."""
    done = await caller.ask("POST", "/v1/people", {"name": name, "roles": role, "reason": reason})
    caller.done(done, f"{name} may call control as {told(done['result']['roles'])}")
    if not caller.as_json:
        typer.echo(f"token, shown this once: {done['result']['token']}")


@asks(app, "roles")
async def roles(caller: Caller, name: Name, role: Roles, reason: Reason = "") -> None:
    """Give a person these roles and no other, at once. Nobody gives themselves one; the last admin stays."""
    done = await caller.ask("PUT", path("/v1/people/{}/roles", name), {"roles": role, "reason": reason})
    caller.done(done, f"{name} is {told(done['result']['roles'])}")


@asks(app, "remove")
async def remove(caller: Caller, name: Name, reason: Reason = "") -> None:
    """Remove a person: their token is worth nothing from now on, nor are those of their machines. The last admin
    stays."""
    done = await caller.ask("DELETE", path("/v1/people/{}", name), reason=reason)
    tokens = done["result"]["tokens"]
    machines = f", and neither may {told(tokens)}" if tokens else ""
    caller.done(done, f"{name} may call control no more{machines}")


@asks(app, "password")
async def password(caller: Caller, name: Name, reason: Reason = "") -> None:
    """Give a person a password for the console, which they change at once. Shown this once: it is kept nowhere."""
    done = await caller.ask("PUT", path("/v1/people/{}/password", name), {"reason": reason})
    caller.done(done, f"{name} may log in at the console, and chooses another password there")
    if not caller.as_json:
        typer.echo(f"password, shown this once: {done['result']['password']}")


@asks(app, "log-out")
async def log_out(caller: Caller, name: Name, reason: Reason = "") -> None:
    """End every session of a person at the console. They may log in again; “people remove” is for good."""
    done = await caller.ask("DELETE", path("/v1/people/{}/sessions", name), reason=reason)
    caller.done(done, f"{name} is logged out everywhere ({done['result']['ended']})")
