"""``tidegate obligations``: how each route of the running node stands to each article of the regulations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, runner
from gateway.commands.obligations import chosen
from gateway.commands.terminal import Column


def _columns(tongue: str) -> tuple[Column, ...]:
    return (
        Column("route"),
        Column("document"),
        Column("article", whole=True),
        Column("grade"),
        Column(f"asks{tongue}", title="asks"),
        Column("means", shown=lambda means: "; ".join(one[f"mechanism{tongue}"] for one in means), title="by what"),
        Column(f"lacks{tongue}", shown="; ".join, title="missing"),
    )


async def _obligations(
    caller: Caller,
    grade: Annotated[Literal["kept", "partly", "not"] | None, typer.Option("--grade", help="Only these.")] = None,
    language: Annotated[str, typer.Option("--lang", help="zh or en; unset: the terminal's.")] = "",
) -> None:
    """Show each route and each article by the configuration in force. A file is checked by “config check”."""
    tongue = "_zh" if chosen(language) == "zh" else ""
    told = await caller.ask("GET", "/v1/obligations")
    if caller.as_json:
        terminal.lines([told])
        return
    typer.echo(", ".join(f"{count} {name}" for name, count in told["totals"].items()))
    rows: list[dict[str, Any]] = [row for row in told["rows"] if grade in (None, row["grade"])]
    caller.rows(rows, _columns(tongue), "none")


obligations = runner(_obligations)
