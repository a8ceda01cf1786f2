"""``tidegate handover``: what whoever leads next has to know, and a note for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from gateway.commands import terminal
from gateway.commands.admin.calling import Caller, asks, group
from gateway.commands.journal import moment
from gateway.commands.terminal import Column

app = group("Hand-over: what is open, what changed, and a note for whoever leads next.")

CASES = (
    Column("id", whole=True, title="case"),
    Column("route"),
    Column("room"),
    Column("category"),
    Column("opened_at", shown=terminal.when, title="since"),
    Column("claimed_by"),
    Column("note"),
)
PARTS: Final[Sequence[tuple[str, str, Sequence[Column]]]] = (
    ("escalated", "wait for a lead", CASES),
    ("overdue", "cases are overdue", CASES),
    (
        "appeals",
        "appeals are open",
        (
            Column("id", whole=True, title="appeal"),
            Column("route"),
            Column("reason"),
            Column("state"),
            Column("due_at", shown=terminal.when, title="due"),
        ),
    ),
    (
        "incidents",
        "incidents stand",
        (
            Column("id", whole=True, title="incident"),
            Column("scope"),
            Column("places", shown=", ".join),
            Column("opened_by"),
            Column("ends_at", shown=terminal.when, title="ends"),
            Column("reason"),
        ),
    ),
    (
        "words",
        "words were changed",
        (
            Column("at", shown=terminal.when),
            Column("person"),
            Column("list"),
            Column("effect"),
            Column("line"),
            Column("undone"),
            Column("reason"),
        ),
    ),
    (
        "releases",
        "releases are unknown or undeliverable",
        (
            Column("message_id", whole=True, title="message"),
            Column("route"),
            Column("room"),
            Column("state"),
            Column("changed_at", shown=terminal.when, title="since"),
        ),
    ),
    (
        "callbacks",
        "calls were given up",
        (
            Column("id", whole=True, title="call"),
            Column("receiver"),
            Column("event"),
            Column("problem"),
            Column("changed_at", shown=terminal.when, title="since"),
        ),
    ),
    (
        "takedowns",
        "takedowns are not confirmed",
        (
            Column("id", whole=True, title="takedown"),
            Column("message_id", whole=True, title="message"),
            Column("route"),
            Column("created_at", shown=terminal.when, title="since"),
        ),
    ),
)


@asks(app, "show")
async def show(
    caller: Caller,
    since: Annotated[
        str, typer.Option("--since", help="8h, or a time such as 2026-11-21T08:00; else since the last note.")
    ] = "",
) -> None:
    """Show what is open now, and what changed since the last note."""
    told = await caller.ask("GET", "/v1/handover", since=moment(since) if since else None)
    if caller.as_json:
        terminal.lines([told])
        return
    typer.echo(f"since {terminal.when(told['since'])}")
    for note in reversed(told["notes"]):
        typer.echo(f"{terminal.when(note['at'])} {terminal.visible(note['person'])}:")
        for line in note["note"].split("\n"):
            typer.echo(f"  | {terminal.visible(line)}")
    for name, what, columns in PARTS:
        count = _count(told["counts"], name)
        typer.echo(f"{count} {what}")
        if told[name]:
            terminal.table(told[name], columns)
    typer.echo(f"{told['counts']['disagreed']} decisions are seen differently by two people")


@asks(app, "note")
async def note(
    caller: Caller, text: Annotated[str, typer.Argument(metavar="NOTE", help="For whoever leads next.")]
) -> None:
    """Write a note for whoever leads next; it goes on record with your name."""
    done = await caller.ask("POST", "/v1/handover", {"note": text})
    caller.done(done, "noted")


def _count(counts: Mapping[str, Any], name: str) -> int:
    return int(counts["unknown"] + counts["undeliverable"] if name == "releases" else counts[name])
