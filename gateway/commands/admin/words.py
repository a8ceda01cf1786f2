"""``tidegate words`` while the gateway runs: lists in force, what people change in them, and urgent words.

Files of lists are checked and compiled by ``gateway.commands.words``, which asks nobody; one command has both.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Ground, Reason, asks, group, path
from gateway.commands.admin.reload import WITHIN
from gateway.commands.journal import moment
from gateway.commands.terminal import Column
from gateway.commands.words import words as app

urgent = group("Urgent words: refused at once, in every worker and on every route.")
app.add_typer(urgent, name="urgent")

COLUMNS = (
    Column("name", whole=True),
    Column("kind"),
    Column("words", shown=lambda count: f"{count:,}"),
    Column("changes", shown=lambda changes: f"{len(changes)}"),
    Column("digest", whole=True),
)
URGENT = (
    Column("id", whole=True),
    Column("word", whole=True),
    Column("ground"),
    Column("created_at", shown=terminal.when, title="since"),
)

ListName = Annotated[str, typer.Argument(metavar="LIST", help="A list of the configuration.")]
Line = Annotated[str, typer.Argument(help="A line as the list's file would hold it.")]


PRECISION = (
    Column("list"),
    Column("word_id", whole=True),
    Column("word"),
    Column("hits"),
    Column("decided"),
    Column("upheld"),
    Column("masked"),
    Column("passed"),
    Column("share", shown=lambda share: f"{share * 100:.0f} %", title="precision"),
)


@asks(app, "precision")
async def precision(
    caller: Caller,
    name: Annotated[str, typer.Argument(metavar="[LIST]", help="With the words of this list.")] = "",
    since: Annotated[str, typer.Option("--since", help="30d, or a time such as 2026-11-21T08:00.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Words, those found most often first.")] = 50,
) -> None:
    """Show what reviewers made of what lists held, and of a list what each word is worth."""
    told = await caller.ask("GET", "/v1/precision", list=name, since=moment(since) if since else None, limit=limit)
    if caller.as_json:
        terminal.lines([told])
        return
    lists = [one for one in told["lists"] if not name or one["list"] == name]
    caller.rows([*lists, *told["words"]], PRECISION, "no word held anything")
    if not told["complete"]:
        typer.echo("there are more than 20000 hits: the newest were looked at", err=True)


HIT = (
    Column("how"),
    Column("at", shown=terminal.when, title="time"),
    Column("id", whole=True),
    Column("route"),
    Column("room"),
    Column("verdict"),
    Column("words", shown=", ".join),
)
Add = Annotated[list[str] | None, typer.Option("--add", help="A line more; again for another.")]
LeaveOut = Annotated[list[str] | None, typer.Option("--leave-out", help="A line less; again for another.")]


@asks(app, "draft")
async def draft(
    caller: Caller,
    name: ListName,
    add_lines: Add = None,
    leave_out: LeaveOut = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Of the record.")] = 7,
    messages: Annotated[int, typer.Option("--messages", min=1, max=100_000, help="The newest so many.")] = 10_000,
) -> None:
    """Show which recorded messages a draft of a list would hit newly, and which no longer. Nothing is changed."""
    body = {"add": add_lines or [], "leave_out": leave_out or [], "days": days, "messages": messages}
    told = await caller.ask("POST", path("/v1/lists/{}:backtest", name), body)
    if caller.as_json:
        terminal.lines([told])
        return
    more = "" if told["complete"] else "; there are more in this span"
    typer.echo(f"{told['looked_at']:,} looked at{more}: {told['newly']} newly hit, {told['no_longer']} no longer")
    rows = [{"how": how, **one} for how in ("newly", "no_longer") for one in told[f"{how}_hit"]]
    if rows:
        terminal.table(rows, HIT)


@asks(app, "apply", within=WITHIN)
async def apply(
    caller: Caller, name: ListName, add_lines: Add = None, leave_out: LeaveOut = None, reason: Reason = ""
) -> None:
    """Put a draft of a list in force, as one act."""
    body = {"add": add_lines or [], "leave_out": leave_out or [], "reason": reason}
    done = await caller.ask("POST", path("/v1/lists/{}:apply", name), body)
    caller.done(done, f"{done['result']['changed']} lines of {name} are changed")


@asks(app, "list")
async def listed(caller: Caller) -> None:
    """Show the lists in force, and what people changed in them."""
    rows = (await caller.ask("GET", "/v1/lists"))["lists"]
    caller.rows(rows, COLUMNS, "there is no list")
    if not caller.as_json:
        for change in (change for row in rows for change in row["changes"]):
            typer.echo(f"{change['list']}: {change['effect']} {terminal.visible(change['line'])}")


@asks(app, "add", within=WITHIN)
async def add(caller: Caller, name: ListName, line: Line, reason: Reason = "") -> None:
    """Add a line to a list, compile and reload."""
    done = await caller.ask(
        "POST", path("/v1/lists/{}/words", caller.known(name, "lists", "LIST")), {"line": line, "reason": reason}
    )
    _changed(caller, done, f"{name}: added {line}")


@asks(app, "remove", within=WITHIN)
async def remove(caller: Caller, name: ListName, line: Line, reason: Reason = "") -> None:
    """Leave a line out of a list, compile and reload."""
    done = await caller.ask(
        "DELETE", path("/v1/lists/{}/words", caller.known(name, "lists", "LIST")), line=line, reason=reason
    )
    _changed(caller, done, f"{name}: left out {line}")


def _changed(caller: Caller, done: dict[str, Any], told: str) -> None:
    caller.done(done, told)
    reload = done.get("reload")
    if reload is not None and not reload["ok"]:
        for problem in reload["problems"]:
            typer.echo(terminal.visible(problem), err=True)
        raise typer.Exit(1)


@asks(app, "try")
async def attempt(
    caller: Caller,
    name: ListName,
    text: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
) -> None:
    """What a text would meet in a list in force. Nothing is recorded. Exit code 1 where the list cannot read it."""
    text = places.text_of(text)
    told = await caller.ask("POST", path("/v1/lists/{}:try", caller.known(name, "lists", "LIST")), {"text": text})
    if caller.as_json:
        terminal.lines([told])
    else:
        for hit in told["hits"]:
            where = ", ".join(f"{start}-{end}" for start, end in hit["spans"])
            matched = ", ".join(hit["matched"])
            typer.echo(terminal.visible(f"{matched} ({hit['category']}, severity {hit['severity']}) at {where}"))
        if not told["hits"] and not told["failed"]:
            typer.echo("nothing found")
    if told["failed"]:
        typer.echo(f"the text could not be read with this list: {told['failed']}", err=True)
        raise typer.Exit(1)


@asks(urgent, "list")
async def urgent_listed(caller: Caller) -> None:
    """Show urgent words."""
    caller.rows((await caller.ask("GET", "/v1/urgent-words"))["words"], URGENT, "no urgent word")


@asks(urgent, "add")
async def urgent_add(
    caller: Caller, word: Annotated[str, typer.Argument(help="The word.")], ground: Ground, reason: Reason = ""
) -> None:
    """Refuse a word at once, everywhere."""
    done = await caller.ask("POST", "/v1/urgent-words", {"word": word, "ground": ground, "reason": reason})
    caller.done(done, f"urgent word {done['result']['id']}: {word}")


@asks(urgent, "lift")
async def urgent_lift(
    caller: Caller, number: Annotated[int, typer.Argument(metavar="ID", min=0)], reason: Reason = ""
) -> None:
    """Lift an urgent word."""
    done = await caller.ask("DELETE", path("/v1/urgent-words/{}", number), reason=reason)
    caller.done(done, f"urgent word {number} is lifted")
