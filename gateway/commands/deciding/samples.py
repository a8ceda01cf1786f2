"""``tidegate review samples``: decisions made once more by somebody who does not know them; how far people agree."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.journal import moment
from gateway.commands.terminal import Column

app = group("Decisions made once more by somebody who does not know them, and how far people agree.")

Sample = Annotated[int, typer.Argument(metavar="SAMPLE", min=1)]


def _share(share: Any) -> str:
    return f"{float(share) * 100:.0f} %"


COLUMNS = (
    Column("id", whole=True),
    Column("case", whole=True),
    Column("route"),
    Column("category"),
    Column("state"),
    Column("first_by", title="first"),
    Column("first_outcome", title="decided"),
    Column("first_ground", title="on"),
    Column("decided_by", title="second"),
    Column("outcome", title="would have"),
    Column("ground", title="on"),
    Column("differs"),
    Column("settled_by"),
)
SHOWN = (
    Column("id", whole=True),
    Column("route"),
    Column("room"),
    Column("category"),
    Column("words", shown=", ".join),
    Column("claimed_until", shown=terminal.when),
)
GROUNDS = (
    Column("outcome"),
    Column("ground"),
    Column("first"),
    Column("second"),
    Column("both"),
    Column("share", shown=_share, title="alike"),
)


@asks(app, "list")
async def listed(
    caller: Caller,
    state: Annotated[
        Literal["disagreed", "waiting", "claimed", "decided", "void"],
        typer.Option("--state", help="disagreed: those that wait for a lead to look."),
    ] = "disagreed",
    before: Annotated[int | None, typer.Option("--before", min=1, help="Only those with a lower number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many.")] = 50,
) -> None:
    """Show both decisions on what was decided twice, the newest first."""
    told = await caller.ask("GET", "/v1/review/samples", state=state, before=before, limit=limit)
    rows = told["samples"]
    caller.rows(rows, COLUMNS, f"none is {state}")
    if not caller.as_json:
        typer.echo(f"{told['waiting']} wait for somebody, {told['disagreed']} for a lead", err=True)
    if len(rows) == limit:
        typer.echo(f"there may be more: --before {rows[-1]['id']}", err=True)


@asks(app, "claim")
async def claim(
    caller: Caller,
    route: Annotated[str, typer.Option("--route", help="Of this route.")] = "",
    category: Annotated[str, typer.Option("--category", help="Of this category.")] = "",
) -> None:
    """Claim the next decision to make once more, and show its text. What was decided is not told."""
    asked = {"route": caller.known(route, "routes", "--route")} if route else {}
    done = await caller.ask("POST", "/v1/review/samples:claim", asked | ({"category": category} if category else {}))
    shown = done["result"]
    caller.rows([shown], SHOWN, "")
    if not caller.as_json:
        for one in shown["text"]["texts"]:
            typer.echo(f"  | {terminal.visible(one)}")


@asks(app, "decide")
async def decide(
    caller: Caller,
    number: Sample,
    outcome: Annotated[Literal["approved", "masked", "refused"], typer.Argument(help="What you would have decided.")],
    ground: Annotated[
        str, typer.Option("--ground", help="Of a refusal: a digit of “tidegate review desk”, or a text.")
    ] = "",
) -> None:
    """Say what you would have decided. Nothing of the message changes."""
    if (outcome == "refused") != (ground != ""):
        places.refuse("a refusal needs a --ground, and nothing else has one")
    told = {} if not ground else {"digit": int(ground)} if ground in list("123456789") else {"ground": ground}
    done = await caller.ask("POST", path("/v1/review/samples/{}:decide", number), {"outcome": outcome, **told})
    caller.done(done, f"sample {number}: noted")


@asks(app, "release")
async def release(caller: Caller, number: Sample) -> None:
    """Give a sample back: somebody else decides."""
    done = await caller.ask("POST", path("/v1/review/samples/{}:release", number), {})
    caller.done(done, f"sample {number} waits again")


@asks(app, "settle")
async def settle(caller: Caller, number: Sample, reason: Reason = "") -> None:
    """Leave a decision on which somebody disagrees as it is; otherwise reopen its case."""
    done = await caller.ask("POST", path("/v1/review/samples/{}:settle", number), {"reason": reason})
    caller.done(done, f"sample {number} is settled")


@asks(app, "agreement")
async def agreement(
    caller: Caller,
    since: Annotated[str, typer.Option("--since", help="30d, or a time such as 2026-11-21T08:00.")] = "",
    until: Annotated[str, typer.Option("--until", help="The same.")] = "",
) -> None:
    """Show how far two people decide alike, by ground. Nobody is told of apart."""
    told = await caller.ask(
        "GET", "/v1/review/agreement", since=moment(since) if since else None, until=moment(until) if until else None
    )
    if caller.as_json:
        terminal.lines([told])
        return
    if not told["decided"]:
        typer.echo("nothing was decided twice")
        return
    kappa = "" if told["kappa"] is None else f"; kappa {told['kappa']:.2f}"
    typer.echo(
        f"decided twice: {told['decided']}; alike: {_share(told['alike'] / told['decided'])}; "
        f"the same outcome: {_share(told['outcomes'] / told['decided'])}{kappa}"
    )
    terminal.table(told["grounds"], GROUNDS)
