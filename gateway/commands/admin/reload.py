"""``tidegate reload``: configuration and lists compiled anew and swapped, or the reasons why not."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, Reason, runner
from gateway.commands.places import WRONG

WITHIN = 960.0  # seconds; control waits 900 for the supervisor


async def _reload(
    caller: Caller,
    may_shrink: Annotated[
        list[str] | None,
        typer.Option("--may-shrink", metavar="LIST", help="This list is meant to lose its words; repeatable."),
    ] = None,
    reason: Reason = "",
) -> None:
    """Compile configuration and lists anew, and swap. On a problem the last good ones stay, and the exit code is 1."""
    done = await caller.ask("POST", "/v1/reload", {"reason": reason, "may_shrink": may_shrink or []})
    result = done["result"]
    if caller.as_json:
        terminal.lines([done])
    else:
        for problem in result["problems"]:
            typer.echo(terminal.visible(problem), err=True)
        for warning in result["warnings"]:
            typer.echo(f"warning: {terminal.visible(warning)}", err=True)
        for one in result["lists"]:
            if one["first"] or one["added"] or one["removed"]:
                since = "new" if one["first"] else f"{one['added']:,} added, {one['removed']:,} removed"
                typer.echo(f"{one['list']}: {one['words']:,} words ({since})")
        what = "is in force" if result["ok"] else "stays in force: nothing has changed"
        typer.echo(f"generation {result['generation']} {what} (act {done['act']})", err=not result["ok"])
    if not result["ok"]:
        raise typer.Exit(WRONG)


reload = runner(_reload, WITHIN)
