"""``tidegate review``: cases that wait for a person: seen, claimed, decided."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import Caller, Reason, asks, group, path
from gateway.commands.deciding import samples
from gateway.commands.terminal import Column

app = group("Cases that wait for a person: see, claim and decide them.")
senders = group("Accounts at the platform that are somebody's here: nobody decides on their own messages.")
app.add_typer(senders, name="senders")
app.add_typer(samples.app, name="samples")

CASE = typer.Argument(metavar="CASE", min=1)
Case = Annotated[int, CASE]
Seen = Annotated[
    int | None,
    typer.Option("--seen", min=1, help="The version of the case that you have read; else what you were shown last."),
]
Second = Annotated[bool, typer.Option("--second", help="Ask for a second person.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before deciding on many.")]
Over = Annotated[
    Literal["sender", "campaign"] | None,
    typer.Option("--over", help="On all that wait of the same sender, or with the same text."),
]


def _causes(causes: Any) -> str:
    return ", ".join(f"{one['cause']} ({one['reason']})" if one["reason"] else str(one["cause"]) for one in causes)


def _span(seconds: Any) -> str:
    whole = round(float(seconds))
    return f"{whole // 3600}h{whole % 3600 // 60:02}m" if whole >= 3600 else f"{whole // 60}m{whole % 60:02}s"


def _moment(micros: Any) -> str:
    return terminal.when(micros) if micros else ""


PLACES = (Column("route"), Column("room"), Column("count"))
COLUMNS = (
    Column("id", whole=True),
    Column("age", shown=_span),
    Column("route"),
    Column("room"),
    Column("causes", shown=_causes),
    Column("words", shown=", ".join),
    Column("expires_at", shown=_moment, title="expires"),
    Column("desk"),
    Column("claimed_by"),
)
SENDER = (
    Column("sender", whole=True),
    Column("credit"),
    Column("verified"),
    Column("blocked"),
    Column("waiting"),
    Column("refused"),
    Column("approved"),
)
SHOWN = (
    Column("id", whole=True),
    Column("state"),
    Column("desk"),
    Column("message_id", whole=True, title="message"),
    Column("route"),
    Column("room"),
    Column("sender"),
    Column("causes", shown=_causes),
    Column("words", shown=", ".join),
    Column("age", shown=_span),
    Column("serve_by", shown=_moment),
    Column("expires_at", shown=_moment, title="expires"),
    Column("version"),
    Column("claimed_by"),
    Column("claimed_until", shown=_moment),
    Column("proposed_by"),
    Column("proposed_outcome", title="who wants it"),
    Column("outcome"),
    Column("ground"),
    Column("decided_by"),
)
TRACE = (Column("at", shown=terminal.when), Column("event"), Column("person"), Column("outcome"), Column("note"))
MESSAGES = (
    Column("message_id", whole=True, title="message"),
    Column("case"),
    Column("route"),
    Column("room"),
    Column("state"),
    Column("reason"),
    Column("changed_at", shown=_moment, title="since"),
)
SENDERS = (Column("sender", whole=True), Column("person", whole=True))
CAME_TO = {
    "decided": "decided",
    "proposed": "passed to a second person, who has to agree",
    "agreed": "agreed, and decided",
    "disagreed": "passed to a lead: the first person wants something else",
}


@asks(app, "waiting")
async def waiting(caller: Caller) -> None:
    """Show what waits that you may claim, by route and room."""
    told = await caller.ask("GET", "/v1/review/waiting")
    caller.rows(told["places"], PLACES, "nothing waits for you")
    if told["more"] and not caller.as_json:
        typer.echo("there is more than was looked at", err=True)


@asks(app, "desk")
async def desk(caller: Caller) -> None:
    """Show how much waits, whether the desk is open, and the grounds by their digits."""
    told = await caller.ask("GET", "/v1/review")
    if caller.as_json:
        terminal.lines([told])
        return
    waiting = ", ".join(f"{count} at the {name} desk" for name, count in sorted(told["waiting"].items())) or "none"
    typer.echo(f"waiting: {waiting}; the oldest for {_span(told['oldest'])}; overdue: {told['overdue']}")
    typer.echo(f"claimed: {told['claimed']}; decided, and not in effect: {told['decided']}; yours: {told['mine']}")
    typer.echo("open" if told["open"] else f"closed until {terminal.when(told['opens_at'])}")
    for one in told["grounds"]:
        typer.echo(f"{one['digit']}  {terminal.visible(one['ground'])}")


@asks(app, "list")
async def listed(
    caller: Caller,
    state: Annotated[
        Literal["waiting", "claimed", "decided", "done", "void", "expired"],
        typer.Option("--state", help="Cases in this state."),
    ] = "waiting",
    at_desk: Annotated[
        Literal["first", "second", "lead"] | None, typer.Option("--desk", help="Only those that wait there.")
    ] = None,
    route: Annotated[str, typer.Option("--route", help="Only of this route.")] = "",
    sender: Annotated[str, typer.Option("--sender", help="Only of this sender.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="What you hold, and what was taken from you.")] = False,
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="With the words found; that you read them is noted.")
    ] = True,
    after: Annotated[str, typer.Option("--after", help="The page behind this place.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 50,
) -> None:
    """Show cases in the order of the queue; what has ended from the newest on."""
    if route:
        caller.known(route, "routes", "--route")
    told = await caller.ask(
        "GET", "/v1/review/cases", state=state, desk=at_desk, route=route, sender=sender, after=after, limit=limit,
        mine="true" if mine else "", words="true" if words else "",
    )  # fmt: skip
    caller.rows(told["cases"], COLUMNS, "no such cases")
    if told["next"]:
        typer.echo(f"there are more: --after {told['next']}", err=True)


@asks(app, "show")
async def show(caller: Caller, number: Case) -> None:
    """Show a case with its text; who holds it has read it then. That you read it is noted."""
    _show(caller, await caller.ask("GET", path("/v1/review/cases/{}", number)))


@asks(app, "claim")
async def claim(
    caller: Caller,
    cases: Annotated[list[int] | None, typer.Argument(metavar="CASE", help="These cases.", min=1)] = None,
    count: Annotated[
        int | None, typer.Option("--next", min=1, max=50, help="Without cases: so many of the queue; else one.")
    ] = None,
    route: Annotated[str, typer.Option("--route", help="With --next: of this route.")] = "",
) -> None:
    """Claim cases for yourself, and show them: the next ones, or those that you name."""
    if cases and (count is not None or route):
        places.refuse("--next and --route are for the queue: name cases, or say how many")
    asked: dict[str, Any] = {"cases": cases} if cases else {"count": count or 1}
    if route:
        asked["route"] = caller.known(route, "routes", "--route")
    done = await caller.ask("POST", "/v1/review/cases:claim", asked)
    for one in done["result"]["cases"]:
        _show(caller, one)
    for one in done["result"]["refused"]:
        typer.echo(f"case {one['case']}: {one['detail']}", err=True)


@asks(app, "approve")
async def approve(
    caller: Caller,
    number: Case,
    masked: Annotated[bool, typer.Option("--masked", help="With what a rule masks masked.")] = False,
    second: Second = False,
    seen: Seen = None,
    over: Over = None,
    yes: Yes = False,
) -> None:
    """Let a message appear. The case is the reason: nobody types one."""
    if over is not None:
        if masked or second or seen is not None:
            places.refuse("--over decides on each as it is: without --masked, --second and --seen")
        await _bulk(caller, number, over, {"outcome": "approved"}, sure=yes)
        return
    await _decide(
        caller, number, path("/v1/review/cases/{}:approve", number), {"masked": masked, "second": second, "seen": seen}
    )


@asks(app, "refuse")
async def refuse(
    caller: Caller,
    number: Case,
    ground: Annotated[
        str, typer.Option("--ground", help="What it rests on: a digit of “tidegate review desk”, or a text.")
    ],
    second: Second = False,
    seen: Seen = None,
    over: Over = None,
    yes: Yes = False,
) -> None:
    """Refuse a message. The ground is told to whoever wrote it."""
    told: dict[str, Any] = {"digit": int(ground)} if ground in list("123456789") else {"ground": ground}
    if over is not None:
        if second or seen is not None:
            places.refuse("--over decides on each as it is: without --second and --seen")
        await _bulk(caller, number, over, {"outcome": "refused", **told}, sure=yes)
        return
    await _decide(caller, number, path("/v1/review/cases/{}:refuse", number), {**told, "second": second, "seen": seen})


@asks(app, "escalate")
async def escalate(
    caller: Caller, number: Case, note: Annotated[str, typer.Option("--note", help="Why; the lead reads it.")]
) -> None:
    """Pass a case to a lead."""
    done = await caller.ask("POST", path("/v1/review/cases/{}:escalate", number), {"note": note})
    caller.done(done, f"case {number} waits for a lead")


@asks(app, "release")
async def release(
    caller: Caller,
    number: Annotated[int | None, typer.Argument(metavar="CASE", min=1)] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that you hold: you go.")] = False,
    note: Annotated[str, typer.Option("--note", help="For whoever has it next.")] = "",
) -> None:
    """Give a case back; or say that you have seen that it was taken from you."""
    if (number is None) != every or (every and note):
        places.refuse("name a case, or give back --all without a note")
    if number is None:
        done = await caller.ask("POST", "/v1/review/cases:release", {})
        caller.done(done, f"{done['result']['released']} cases wait again")
        return
    done = await caller.ask("POST", path("/v1/review/cases/{}:release", number), {"note": note})
    caller.done(done, f"case {number}: {done['result']['state']}")


@asks(app, "undo")
async def undo(caller: Caller, number: Case) -> None:
    """Take a decision back before it takes effect; you hold the case from then on."""
    done = await caller.ask("POST", path("/v1/review/cases/{}:undo", number), {})
    caller.done(done, f"case {number} is yours again")


@asks(app, "reopen")
async def reopen(caller: Caller, number: Case, reason: Reason = "") -> None:
    """Have a decision looked at again, by somebody who did not make it."""
    done = await caller.ask("POST", path("/v1/review/cases/{}:reopen", number), {"reason": reason})
    caller.done(done, f"case {number} is looked at again, as case {done['result']['id']}")


@asks(app, "bulk")
async def bulk(
    caller: Caller,
    outcome: Annotated[Literal["approved", "refused"], typer.Argument(help="What becomes of them.")],
    ground: Annotated[str, typer.Option("--ground", help="Of a refusal: a digit of the desk's, or a text.")] = "",
    route: Annotated[str, typer.Option("--route", help="Those of this route.")] = "",
    room: Annotated[str, typer.Option("--room", help="Those of this room.")] = "",
    category: Annotated[str, typer.Option("--category", help="Those of this category.")] = "",
    held_for: Annotated[str, typer.Option("--held-for", help="Those that a rule held on this ground.")] = "",
    in_list: Annotated[str, typer.Option("--list", help="Those in which a word of this list was found.")] = "",
    word: Annotated[
        int | None, typer.Option("--word", min=1, help="With --list: this word, by its id (words precision).")
    ] = None,
    yes: Yes = False,
) -> None:
    """Decide on all that wait and have something in common; for leads. They are counted and shown first."""
    said = {"route": route, "room": room, "category": category, "held_for": held_for, "list": in_list, "word": word}
    common = {name: value for name, value in said.items() if value}
    if not common.keys() - {"word"}:
        places.refuse("say what they have in common: --route, --room, --category, --held-for, --list")
    if (outcome == "refused") != (ground != ""):
        places.refuse("a refusal needs a --ground, and nothing else has one")
    told = {} if not ground else {"digit": int(ground)} if ground in list("123456789") else {"ground": ground}
    await _together(caller, {"over": "queue", **common}, {"outcome": outcome, **told}, sure=yes)


@asks(app, "lines")
async def lines(
    caller: Caller,
    approve: Annotated[list[int] | None, typer.Option("--approve", min=1, help="A case; again for another.")] = None,
    refuse: Annotated[
        list[str] | None, typer.Option("--refuse", help="A case with the digit of its ground, 1208:2; again.")
    ] = None,
) -> None:
    """Decide on a page of cases that you hold, each by itself; all of it is one act."""
    decided: list[dict[str, Any]] = [{"case": number, "outcome": "approved"} for number in approve or ()]
    for told in refuse or ():
        number, _, digit = told.partition(":")
        if not (number.isascii() and number.isdigit() and digit.isascii() and digit.isdigit()):
            places.refuse(f"--refuse: “{told}” is no case with a digit: write 1208:2")
        decided.append({"case": int(number), "outcome": "refused", "digit": int(digit)})
    if not decided:
        places.refuse("say what is decided: --approve CASE, --refuse CASE:DIGIT")
    done = await caller.ask("POST", "/v1/review/cases:lines", {"decisions": decided})
    left = [one for one in done["result"]["lines"] if not one["came_to"]]
    caller.done(done, f"{len(decided) - len(left)} decided")
    for one in left:
        typer.echo(f"case {one['case']}: {terminal.visible(one['detail'])} ({one['reason']})", err=True)


@asks(app, "undo-lines")
async def undo_lines(caller: Caller, number: Annotated[list[int], CASE]) -> None:
    """Take the decisions on several cases back before they take effect."""
    done = await caller.ask("POST", "/v1/review/cases:undo", {"cases": number})
    caller.done(done, f"{len(done['result']['undone'])} are yours again")


@asks(app, "sender")
async def sender(
    caller: Caller,
    number: Case,
    identity: Annotated[bool, typer.Option("--identity", help="And who it is, which is recorded.")] = False,
) -> None:
    """What is known of who sent it."""
    told = await caller.ask("GET", path("/v1/review/cases/{}/sender", number), identity="true" if identity else None)
    caller.rows([told], SENDER, "nothing")


@asks(app, "messages")
async def messages(
    caller: Caller,
    state: Annotated[
        Literal[
            "held",
            "approved",
            "releasing",
            "unknown",
            "undeliverable",
            "ticketed",
            "delivered",
            "refused",
            "expired",
            "withdrawn",
            "superseded",
            "void",
            "lapsed",
        ],
        typer.Option("--state", help="What became of them."),
    ] = "unknown",
    after: Annotated[str | None, typer.Option("--after", help="Behind this message.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 50,
) -> None:
    """List held messages; those of which nobody knows whether the platform has them, unless told otherwise."""
    told = await caller.ask("GET", "/v1/review/messages", state=state, after=after, limit=limit)
    caller.rows(told["messages"], MESSAGES, f"no message is {state}")


@asks(app, "settle")
async def settle(
    caller: Caller,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Our id of the held message.")],
    found: Annotated[
        Literal["deliver", "release", "reject"],
        typer.Option(
            "--found",
            help="It is there (deliver); it is not: its sender may send it again (reject), or ask once more (release).",
        ),
    ],
    reason: Reason = "",
) -> None:
    """Say what became of a release of which nobody knows, once you have looked at the platform."""
    done = await caller.ask("POST", path("/v1/review/messages/{}:settle", message), {"found": found, "reason": reason})
    caller.done(done, f"message {message}: {done['result']['state']}")


@asks(senders, "list")
async def senders_listed(caller: Caller, reason: Reason = "") -> None:
    """Show whose account is whose. Reading that is an act, and on record."""
    told = await caller.ask("GET", "/v1/review/senders", reason=reason)
    caller.rows(told["senders"], SENDERS, "nobody has named an account")


@asks(senders, "name")
async def name(
    caller: Caller,
    sender: Annotated[str, typer.Argument(help="The account, as the platform's messages have it.")],
    person: Annotated[str, typer.Option("--person", help="Whose it is; yours where left out.")] = "",
    reason: Reason = "",
) -> None:
    """Say that an account is yours."""
    body = {"sender": sender, "reason": reason} | ({"person": person} if person else {})
    done = await caller.ask("POST", "/v1/review/senders", body)
    caller.done(done, f"{sender} is {done['result']['person']}'s")


@asks(senders, "lift")
async def lift(
    caller: Caller, sender: Annotated[str, typer.Argument(help="The account.")], reason: Reason = ""
) -> None:
    """Take an account off somebody."""
    done = await caller.ask("DELETE", path("/v1/review/senders/{}", sender), reason=reason)
    caller.done(done, f"{sender} is nobody's here")


def _show(caller: Caller, told: dict[str, Any]) -> None:
    caller.rows([told], SHOWN, "")
    if caller.as_json:
        return
    text = told["text"]
    for one in text["texts"]:
        typer.echo(f"  | {terminal.visible(one)}")
    if text["missing"]:
        typer.echo(f"  its text: {text['missing']}")
    terminal.table(told["trace"], TRACE)


async def _decide(caller: Caller, number: int, where: str, body: dict[str, Any]) -> None:
    asked = {key: value for key, value in body.items() if value not in (None, False)}
    done = await caller.ask("POST", where, asked)
    caller.done(done, f"case {number}: {CAME_TO[done['result']['came_to']]}")


async def _bulk(caller: Caller, number: int, over: str, outcome: dict[str, Any], *, sure: bool) -> None:
    await _together(caller, {"case": number, "over": over}, outcome, sure=sure)


async def _together(caller: Caller, named: dict[str, Any], outcome: dict[str, Any], *, sure: bool) -> None:
    told = await caller.ask("POST", "/v1/review/cases:preview", named)
    out = f"left out: {told['claimed']} that others hold, {told['desk']} at other desks, {told['kept']} not yours"
    if not caller.as_json:
        terminal.table(told["cases"], COLUMNS)
        typer.echo(f"{told['count']} cases; {out}; {told['more']} beyond that", err=True)
    if not sure and terminal.shown_to_a_person():
        typer.confirm(f"Decide on {told['count']} cases: {outcome['outcome']}?", abort=True)
    done = await caller.ask("POST", "/v1/review/cases:decide", {**named, **outcome, "count": told["count"]})
    caller.done(done, f"{done['result']['decided']} cases: {outcome['outcome']}; {out}")
