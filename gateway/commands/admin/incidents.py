"""``tidegate incidents``: 应急处置, begun with an end; and what is made of the messages that one held."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Ground, Reason, asks, group, path, seconds
from gateway.commands.terminal import Column

app = group("Incidents: hold, slow down or freeze everywhere at once, until an end that you give.")

Number = Annotated[int, typer.Argument(metavar="ID", min=1)]
Lasting = Annotated[str, typer.Option("--for", help="How long it stands from now on, such as 2h.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before deciding on all of them.")]


def _measures(row: dict[str, Any]) -> str:
    told = [name for name in ("freeze", "hold") if row[name]]
    told += [f"one every {row['pace']:g} s"] if row["pace"] else []
    told += [f"members from level {row['level']}"] if row["level"] is not None else []
    return ", ".join(told)


def _rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "where": ", ".join(row["places"]) or "everywhere", "measures": _measures(row)} for row in found]


COLUMNS = (
    Column("id", whole=True),
    Column("state"),
    Column("where"),
    Column("measures"),
    Column("ends_at", shown=terminal.when, title="ends"),
    Column("waiting"),
    Column("opened_by", title="by"),
    Column("reason"),
)
LOG = (
    Column("act", whole=True),
    Column("at", shown=terminal.when),
    Column("person"),
    Column("kind"),
    Column("reason"),
    Column("undone", shown=lambda undone: "undone" if undone else "", title=" "),
)


@asks(app, "list")
async def listed(
    caller: Caller,
    state: Annotated[Literal["standing", "over", "all"], typer.Option("--state", help="Which.")] = "standing",
) -> None:
    """Show incidents, those that stand in the order of their ends."""
    found = (await caller.ask("GET", "/v1/incidents", state=state))["incidents"]
    if caller.as_json:
        terminal.lines(found)
    else:
        caller.rows(_rows(found), COLUMNS, "no incident stands" if state == "standing" else "there was none")


@asks(app, "begin")
async def begin(
    caller: Caller,
    scope: Annotated[Literal["all", "routes", "rooms"], typer.Argument(help="Where: everywhere, or in these.")],
    ground: Ground,
    lasting: Lasting,
    named: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Of routes or rooms.")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="What would pass waits for a person.")] = False,
    freeze: Annotated[bool, typer.Option("--freeze", help="Nothing is published.")] = False,
    pace: Annotated[str, typer.Option("--pace", help="One message of a sender on a route every so long: 10s.")] = "",
    level: Annotated[
        int | None, typer.Option("--level", min=0, max=100, help="Only members from this credit level on write.")
    ] = None,
    reason: Reason = "",
) -> None:
    """Begin an incident; it is in force in every worker within a second."""
    body: dict[str, Any] = {"scope": scope, "places": list(named or ()), "hold": hold, "freeze": freeze}
    body |= {"pace": seconds(pace, "--pace") if pace else 0, "level": level, "seconds": seconds(lasting, "--for")}
    if scope == "routes":
        for name in body["places"]:
            caller.known(name, "routes", "NAME")
    touched = await caller.ask("POST", "/v1/incidents:preview", body)
    done = await caller.ask("POST", "/v1/incidents", {**body, "ground": ground, "reason": reason})
    made = done["result"]
    caller.done(done, f"incident {made['id']} stands until {terminal.when(made['ends_at'])}")
    if touched["unheld"]:
        where = ", ".join(map(terminal.visible, touched["unheld"]))
        typer.echo(f"nothing can wait on {where}: the hold refuses messages there", err=True)


@asks(app, "show")
async def show(caller: Caller, number: Number) -> None:
    """Show one, with what it held and who did what."""
    told = await caller.ask("GET", path("/v1/incidents/{}", number))
    if caller.as_json:
        terminal.lines([told])
        return
    caller.rows(_rows([told]), COLUMNS, "")
    became = ", ".join(f"{state} {count}" for state, count in sorted(told["became"].items()))
    typer.echo(f"held by it: {became or 'nothing'}")
    typer.echo(_counts(told["held"]))
    caller.rows(told["log"], LOG, "")


@asks(app, "extend")
async def extend(caller: Caller, number: Number, lasting: Lasting, reason: Reason = "") -> None:
    """Let one stand longer."""
    body = {"seconds": seconds(lasting, "--for"), "reason": reason}
    done = await caller.ask("POST", path("/v1/incidents/{}:extend", number), body)
    caller.done(done, f"incident {number} stands until {terminal.when(done['result']['ends_at'])}")


@asks(app, "end")
async def end(caller: Caller, number: Number, reason: Reason = "") -> None:
    """End one before its time. What it held waits."""
    done = await caller.ask("POST", path("/v1/incidents/{}:end", number), {"reason": reason})
    caller.done(done, f"incident {number} is over; {done['result']['waiting']} messages that it held wait")


@asks(app, "release")
async def release(caller: Caller, number: Number, yes: Yes = False, reason: Reason = "") -> None:
    """Approve what one held that is over, as many as one act may."""
    where = path("/v1/incidents/{}:release", number)
    await _decided(caller, number, where, "approve", reason, sure=yes)


@asks(app, "expire")
async def expire(caller: Caller, number: Number, yes: Yes = False, reason: Reason = "") -> None:
    """Let what one held expire, as many as one act may: not published, and may be sent again."""
    where = path("/v1/incidents/{}:expire", number)
    await _decided(caller, number, where, "let expire", reason, sure=yes)


async def _decided(caller: Caller, number: int, where: str, words: str, reason: str, *, sure: bool) -> None:
    counts = (await caller.ask("GET", path("/v1/incidents/{}", number)))["held"]
    if not counts["ready"]:
        places.refuse(f"there is nothing to {words}: {_counts(counts)}", places.WRONG)
    if not sure and terminal.shown_to_a_person():
        most = min(counts["ready"], counts["at_once"])
        typer.confirm(f"{_counts(counts)}. {words.capitalize()} {most} now?", abort=True)
    body = {"count": counts["ready"], "reason": reason}
    done = await caller.ask("POST", where, body)
    left = done["result"]["left"]
    caller.done(done, f"{done['result']['done']} done; {_counts(left)}")


def _counts(counts: dict[str, Any]) -> str:
    told = f"{counts['ready']} wait"
    words = {"claimed": "claimed", "decided": "decided", "apart": "to be looked at one by one", "kept": "not yours"}
    left = ", ".join(f"{counts[name]} {word}" for name, word in words.items() if counts[name])
    return f"{told} (left out: {left})" if left else told
