"""``tidegate appeals``: who was refused and says that it was wrong; read, claim, uphold, reject."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, asks, group, path, wanted
from gateway.commands.terminal import Column

app = group("Appeals: who was refused and says that it was wrong; decided by somebody who had no part in it.")

COLUMNS = (
    Column("id", whole=True),
    Column("state"),
    Column("filed_at", shown=terminal.when, title="filed"),
    Column("due_at", shown=terminal.when, title="due"),
    Column("claimed_by", title="claimed by"),
    Column("outcome"),
    Column("decided_by", title="decided by"),
    Column("reason", title="against"),
    Column("route"),
    Column("language"),
)
TRACE = (Column("at", shown=terminal.when), Column("event"), Column("person"))

Number = Annotated[int, typer.Argument(metavar="ID", min=0)]
Note = Annotated[str, typer.Option("--note", help="For whoever has it next.")]
Reasons = Annotated[str, typer.Option("--answer", help="The reasons, for the appellant, in the appellant's language.")]
Why = Annotated[str, typer.Option("--reason", help="Why you read it; needed where you have not claimed it.")]


@asks(app, "list")
async def listed(
    caller: Caller,
    state: Annotated[
        Literal["explained", "waiting", "overdue", "upheld", "partly", "rejected", "withdrawn"] | None,
        typer.Option("--state", help="Only these."),
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you have claimed.")] = False,
    after: Annotated[int | None, typer.Option("--after", min=0, help="Only appeals with a higher number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 100,
) -> None:
    """Show appeals in the order in which they were filed, without what is in them."""
    own = "true" if mine else None
    rows = (await caller.ask("GET", "/v1/appeals", state=state, mine=own, after=after, limit=limit))["appeals"]
    caller.rows(rows, COLUMNS, "no such appeals")
    if len(rows) == limit:
        typer.echo(f"there may be more: --after {rows[-1]['id']}", err=True)


@asks(app, "show")
async def show(caller: Caller, number: Number, why: Why = "") -> None:
    """Show one appeal with the message that it is about; this is recorded."""
    # Not of the name “reason”: whoever has claimed it is asked for none.
    told = await caller.ask("GET", path("/v1/appeals/{}", number), reason=wanted(why) if why else "")
    if caller.as_json:
        terminal.lines([told])
        return
    terminal.table([told], COLUMNS)
    for name, value in _facts(told):
        typer.echo(f"{name}: {terminal.visible(value)}")
    terminal.table(told["trace"], TRACE)


@asks(app, "claim")
async def claim(caller: Caller, number: Number) -> None:
    """Claim an appeal for half an hour: until then nobody else decides it."""
    done = await caller.ask("POST", path("/v1/appeals/{}:claim", number))
    caller.done(done, f"appeal {number} is yours")


@asks(app, "release")
async def release(caller: Caller, number: Number, note: Note = "") -> None:
    """Give an appeal back."""
    done = await caller.ask("POST", path("/v1/appeals/{}:release", number), {"note": note})
    caller.done(done, f"appeal {number} waits again")


@asks(app, "escalate")
async def escalate(caller: Caller, number: Number, note: Note = "") -> None:
    """Hand an appeal to a lead."""
    done = await caller.ask("POST", path("/v1/appeals/{}:escalate", number), {"note": note})
    caller.done(done, f"appeal {number} waits for a lead")


@asks(app, "uphold")
async def uphold(
    caller: Caller,
    number: Number,
    answer: Reasons = "",
    in_part: Annotated[bool, typer.Option("--in-part", help="Only a part of it is right.")] = False,
) -> None:
    """Uphold an appeal: the decision was wrong."""
    await _decided(caller, number, {"outcome": "partly" if in_part else "upheld", "answer": answer})


@asks(app, "reject")
async def reject(
    caller: Caller,
    number: Number,
    ground: Annotated[str, typer.Option("--ground", help="The article or clause it rests on.", show_default=False)],
    answer: Reasons = "",
) -> None:
    """Reject an appeal, with reasons that the appellant is told."""
    if not answer.strip():
        places.refuse("--answer must say why: whoever is rejected is told")
    await _decided(caller, number, {"outcome": "rejected", "ground": ground, "answer": answer})


@asks(app, "undo")
async def undo(caller: Caller, number: Number) -> None:
    """Take a decision back while it has not taken effect."""
    done = await caller.ask("POST", path("/v1/appeals/{}:undo", number))
    caller.done(done, f"appeal {number} is yours again")


async def _decided(caller: Caller, number: int, body: dict[str, Any]) -> None:
    done = await caller.ask("POST", path("/v1/appeals/{}:decide", number), body)
    caller.done(done, f"appeal {number} is {body['outcome']}")


def _facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    texts = told["texts"]
    whole = "; ".join(texts) if texts is not None else "nobody kept it"
    return [
        ("message", told["message_id"]),
        ("room", told["room"]),
        ("sender", told["sender"]),
        ("ground", told["ground"]),
        ("text", whole if told["proved"] or texts is None else f"{whole} (as entered again, not proved)"),
        ("statement", told["statement"]),
        ("had a part", ", ".join(told["parties"]) or "nobody"),
    ]
