"""``tidegate takedowns``: what was taken down, texts that are refused for it, and deletions elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Ground, Reason, asks, group, path, seconds
from gateway.commands.terminal import Column

app = group("Takedowns: what became of them, texts that are refused for them, deletions elsewhere.")
copies = group("Texts that are refused because they were taken down.")
app.add_typer(copies, name="copies")

COLUMNS = (
    Column("id", whole=True),
    Column("message_id", whole=True, title="message"),
    Column("state"),
    Column("restored"),
    Column("tries"),
    Column("route"),
    Column("room"),
    Column("ground"),
    Column("reason"),
    Column("created_at", shown=terminal.when, title="asked"),
)
TRACE = (Column("at", shown=terminal.when), Column("event"), Column("status"), Column("problem"))
COPIES = (
    Column("id", whole=True),
    Column("message_id", whole=True, title="message"),
    Column("ground"),
    Column("expires_at", shown=terminal.until, title="until"),
)


@asks(app, "list")
async def listed(
    caller: Caller,
    state: Annotated[
        Literal["requested", "confirmed", "unconfirmed"] | None, typer.Option("--state", help="Only these.")
    ] = None,
    before: Annotated[int | None, typer.Option("--before", min=1, help="Only takedowns with a lower number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 50,
) -> None:
    """Show takedowns, the newest first."""
    rows = (await caller.ask("GET", "/v1/takedowns", state=state, before=before, limit=limit))["takedowns"]
    caller.rows(rows, COLUMNS, "no such takedowns")
    if len(rows) == limit:
        typer.echo(f"there may be more: --before {rows[-1]['id']}", err=True)


@asks(app, "show")
async def show(caller: Caller, number: Annotated[int, typer.Argument(metavar="ID", min=0)]) -> None:
    """Show one takedown and everything that the platform said."""
    told = await caller.ask("GET", path("/v1/takedowns/{}", number))
    caller.rows([told], COLUMNS, "")
    if not caller.as_json:
        terminal.table(told["trace"], TRACE)


@asks(app, "restore")
async def restore(
    caller: Caller,
    number: Annotated[int, typer.Argument(metavar="ID", min=0)],
    text: Annotated[
        str, typer.Option("--text", help="A file with the text as its sender entered it again, where nobody kept it.")
    ] = "",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="A label that goes along; may be repeated.")
    ] = None,
    reason: Reason = "",
) -> None:
    """Bring back what was taken down: it is published again, or its sender may send it again. Copies of its text are
    refused no more."""
    body: dict[str, Any] = {"reason": reason, "labels": label or []}
    if text:
        body["text"] = _read(text)
    done = await caller.ask("POST", path("/v1/takedowns/{}:restore", number), body)
    made = done["result"]
    how = "the platform is asked to publish it" if made["way"] == "publish" else "its sender may send it again"
    copies = f"; {made['copies']} text is refused no more" if made["copies"] else ""
    caller.done(done, f"takedown {number}: {how}, as {made['restoration']}{copies}")


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeError) as error:
        places.refuse(f"--text: {file} cannot be read ({type(error).__name__})")


@asks(app, "tell")
async def tell(
    caller: Caller,
    message: Annotated[str, typer.Argument(help="The message, by our id; with --route by the platform's.")],
    by: Annotated[Literal["user", "platform", "erasure"], typer.Option("--by", help="Who deleted it.")],
    route: Annotated[str, typer.Option("--route", help="The id is the platform's, of a message on this route.")] = "",
    reason: Reason = "",
) -> None:
    """Tell of a message that was deleted elsewhere: it is shown here no more."""
    if route:
        caller.known(route, "routes", "--route")
    body: dict[str, Any] = {"upstream_id": message, "route": route} if route else {"id": message}
    done = await caller.ask("POST", "/v1/removals", {**body, "by": by, "reason": reason})
    caller.done(done, f"{done['result']['message_id']}: deleted by {by}")


@asks(copies, "list")
async def copies_listed(caller: Caller) -> None:
    """Show texts that are refused, and until when."""
    caller.rows((await caller.ask("GET", "/v1/copies"))["copies"], COPIES, "no text is refused")


@asks(copies, "refuse")
async def refuse(
    caller: Caller,
    message: Annotated[str, typer.Argument(help="Our id of a message with this text.")],
    ground: Ground,
    for_: Annotated[str, typer.Option("--for", help="For how long.")] = "30d",
    reason: Reason = "",
) -> None:
    """Refuse a text that was sent before, without taking anything down."""
    within = seconds(for_, "--for")
    if not within:
        places.refuse("--for: at least a minute")
    body = {"id": message, "ground": ground, "refuse_copies": within, "reason": reason}
    done = await caller.ask("POST", "/v1/copies", body)
    made = done["result"]
    caller.done(done, f"copy {made['id']}: the text is refused until {terminal.until(made['expires_at'])}")


@asks(copies, "lift")
async def lift(
    caller: Caller, number: Annotated[int, typer.Argument(metavar="ID", min=0)], reason: Reason = ""
) -> None:
    """Let a text be sent again."""
    done = await caller.ask("DELETE", path("/v1/copies/{}", number), reason=reason)
    caller.done(done, f"copy {number} is lifted: the text may be sent again")
