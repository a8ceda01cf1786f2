"""``tidegate own``: one's own side of the console: the password, how one wants to have it, logging out everywhere."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from gateway.commands import places
from gateway.commands.admin.calling import Caller, Reason, asks, group
from gateway.commands.terminal import Column

app = group("Your own side of the console: password, language, look, what you do not want to see.")

COLUMNS = (
    Column("language"),
    Column("theme"),
    Column("declined", shown=", ".join),
    Column("cap"),
    Column("rest"),
)


@asks(app, "show")
async def show(caller: Caller) -> None:
    """Show how you want to have the console."""
    caller.rows([await caller.ask("GET", "/v1/me/console")], COLUMNS, "nothing")


@asks(app, "set")
async def choose(
    caller: Caller,
    language: Annotated[
        Literal["browser", "zh", "en"] | None, typer.Option("--language", help="Of the pages; browser: as it says.")
    ] = None,
    theme: Annotated[
        Literal["browser", "light", "dark"] | None, typer.Option("--theme", help="Of the pages; browser: as it says.")
    ] = None,
    decline: Annotated[
        list[str] | None, typer.Option("--decline", help="A category that is not given to you; again for another.")
    ] = None,
    decline_none: Annotated[bool, typer.Option("--decline-none", help="Take every category again.")] = False,
    cap: Annotated[
        int | None, typer.Option("--cap", min=0, help="Decisions of a day, then no more are given to you; 0: no cap.")
    ] = None,
    rest: Annotated[
        int | None, typer.Option("--rest", min=0, help="Minutes after which you are reminded to rest; 0: never.")
    ] = None,
) -> None:
    """Say how you want to have the console; what is left out stays as it is."""
    told = {"browser": ""}
    given = {
        "language": told.get(language, language) if language else None,
        "theme": told.get(theme, theme) if theme else None,
        "declined": [] if decline_none else decline or None,
        "cap": cap,
        "rest": rest,
    }
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        places.refuse("say what is to change: --language, --theme, --decline, --decline-none, --cap, --rest")
    done = await caller.ask("PUT", "/v1/me/console", body)
    caller.done(done, f"noted: {', '.join(sorted(body))}")


@asks(app, "password")
async def password(caller: Caller) -> None:
    """Choose the password with which you log in to the console. Asked for on a terminal, else read from the standard
    input."""
    if sys.stdin.isatty():
        told = str(typer.prompt("password (12 characters at least)", hide_input=True, confirmation_prompt=True))
    else:
        told = sys.stdin.readline().rstrip("\r\n")
    if not told:
        places.refuse("the standard input has no password: write one line")
    done = await caller.ask("PUT", "/v1/me/password", {"password": told})
    caller.done(done, "your password at the console is another one; what was opened with the one before is closed")


@asks(app, "log-out")
async def log_out(caller: Caller, reason: Reason = "") -> None:
    """End every session of yours at the console, on every machine."""
    done = await caller.ask("DELETE", "/v1/me/sessions", reason=reason)
    count = done["result"]["ended"]
    caller.done(done, f"{count} ended")
