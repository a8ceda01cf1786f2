"""One case after the other: large, with all that is needed to decide, and the next one loads itself.

    /review             the case that one holds, else what waits, and a button to take the next
    /review/N           the case; what one has decided just before can be taken back (``done``)
    /review/N/now       asked by the page itself: is it still mine, is there more to read

Whatever is refused because things have changed meanwhile leads back to the case, with the reason.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from gateway.control.acts.refusal import ControlError, missing
from gateway.control.console.shell.console_forms import whole
from gateway.control.console.shell.console_page import Visit
from gateway.control.console.shell.console_words import told_of
from gateway.control.console.shell.shown_text import pieces, spans_of

CASE, CASES = "/v1/review/cases/{id}", "/v1/review/cases"
WORKED_AGAIN = 300  # seconds for which a reminder to rest stays


async def desk(visit: Visit) -> web.Response:
    """Nothing is claimed by looking."""
    mine = await _mine(visit)
    if mine and not visit.fields("why"):
        return visit.go(f"/review/{mine[0].id}{_done(visit)}")
    told = await visit.ask("GET /v1/review")
    waits = await visit.ask("GET /v1/review/waiting")
    return visit.show(
        "single_desk", desk=told, waits=waits, done=await _undoable(visit), why=_why(visit),
        **_before(visit), rest=_rest(visit), rooms=visit.may("POST /v1/review/cases:lines"),
        kept_back=sum(told.waiting.values()) - waits.count,
    )  # fmt: skip


async def take(visit: Visit) -> web.Response:
    """The next one."""
    return await _next(visit)


async def case(visit: Visit) -> web.Response:
    """All of a case. Whoever it is not may read it where their role lets them."""
    number = visit.places["id"]
    shown = await visit.ask(f"GET {CASE}", places={"id": number})
    told = await visit.ask("GET /v1/review")
    sender = await visit.ask(f"GET {CASE}/sender", places={"id": number})
    texts = [pieces(text, spans_of(shown.text.findings, at)) for at, text in enumerate(shown.text.texts)]
    return visit.show(
        case=shown, desk=told, sender=sender, texts=texts, done=await _undoable(visit), why=_why(visit),
        mine=shown.state == "claimed" and shown.claimed_by == visit.person, rest=_rest(visit), **_before(visit),
        several=len(await _mine(visit)) > 1 and visit.may("POST /v1/review/cases:lines"),
        grave=shown.category in told.grave,
        own_decision=shown.state == "decided" and shown.decided_by == visit.person,
    )  # fmt: skip


async def now(visit: Visit) -> web.Response:
    """Nothing where all is as it was."""
    number, seen = whole(visit.places["id"]), visit.fields.number("seen")
    if number is None:
        raise missing("case")
    found = next((one for one in await _mine(visit, told=True) if one.id == number), None)
    if found is not None and found.state == "claimed" and not found.taken_from_you and found.version == seen:
        return web.Response(status=204)
    return visit.show("single_now", case=found, number=number)


async def sender(visit: Visit) -> web.Response:
    """Who it is, for whoever asked."""
    told = await visit.ask(f"GET {CASE}/sender", places=visit.places, query={"identity": "true"})
    return visit.show("single_sender", sender=told)


async def approve(visit: Visit) -> web.Response:
    body: dict[str, Any] = {"seen": visit.fields.number("seen"), "masked": visit.fields("how") == "masked"}
    return await _decide(visit, "approve", body)


async def refuse(visit: Visit) -> web.Response:
    """On the ground of a digit."""
    fields = visit.fields
    return await _decide(visit, "refuse", {"seen": fields.number("seen"), "digit": fields.number("digit")})


async def escalate(visit: Visit) -> web.Response:
    """A lead decides."""
    return await _decide(visit, "escalate", {"note": visit.fields("note")})


async def skip(visit: Visit) -> web.Response:
    """Nobody asks why; it goes to somebody else, or comes back last. Also: seen that it was taken."""
    return await _decide(visit, "release", {})


async def undo(visit: Visit) -> web.Response:
    """It is mine again."""
    number = visit.places["id"]
    try:
        await visit.ask(f"POST {CASE}:undo", {}, places={"id": number})
    except ControlError as error:
        if error.status not in (403, 404, 409):
            raise
        return visit.go(f"/review?why={error.reason}")
    return visit.go(f"/review/{number}")


async def _decide(visit: Visit, what: str, body: dict[str, Any]) -> web.Response:
    number = visit.places["id"]
    try:
        await visit.ask(f"POST {CASE}:{what}", body, places={"id": number})
    except ControlError as error:
        if error.status not in (400, 403, 404, 409):
            raise
        return visit.go(f"/review/{number}?why={error.reason}")
    how = {"escalate": "passed", "release": "" if visit.fields("taken") else "skipped"}.get(what, "done")
    return await _next(visit, f"?{how}={number}" if how else "")


async def _next(visit: Visit, told: str = "") -> web.Response:
    """What one holds already, else the next of the queue, else the desk; ``told``: what became of the one before."""
    mine = await _mine(visit)
    if mine:
        return visit.go(f"/review/{mine[0].id}{told}")
    try:
        claimed = await visit.ask(f"POST {CASES}:claim", {"count": 1})
    except ControlError as error:
        if error.reason not in ("review.nothing_waits", "review.capped"):
            raise
        sign = "&" if told else "?"
        return visit.go(f"/review{told}{sign}why={error.reason}")
    return visit.go(f"/review/{claimed.result.cases[0].id}{told}")


async def _mine(visit: Visit, *, told: bool = False) -> list[Any]:
    """What the visitor holds; ``told``: and what was taken from them and they have not seen."""
    held = (await visit.ask(f"GET {CASES}", query={"mine": "true"})).cases
    return [one for one in held if one.kind == "message" and (told or one.state == "claimed")]


def _done(visit: Visit) -> str:
    done = visit.fields.number("done")
    return f"?done={done}" if done else ""


def _before(visit: Visit) -> dict[str, Any]:
    """The case before, where it was passed on to a lead or skipped."""
    return {how: visit.fields.number(how) for how in ("passed", "skipped")}


async def _undoable(visit: Visit) -> dict[str, Any] | None:
    """The decision of just before, while it can be taken back; what was escalated cannot."""
    number = visit.fields.number("done")
    if not number:
        return None
    rows = (await visit.ask(f"GET {CASES}", query={"state": "decided", "limit": 500})).cases
    found = next((one for one in rows if one.id == number and one.decided_by == visit.person), None)
    if found is None:
        return {"number": number, "outcome": "", "left": 0.0, "until": 0}
    left = max(0.0, (found.effective_at - found.opened_at) / 1e6 - found.age)
    return {"number": number, "outcome": found.outcome, "left": left, "until": found.effective_at}


def _why(visit: Visit) -> str:
    """The sentence for a reason that the page itself has put into the address; any other is none."""
    return told_of(visit.fields("why"), visit.language)


def _rest(visit: Visit) -> int:
    """Minutes that somebody has worked, where they want to be reminded about now; else 0."""
    wanted = visit.who.choice.rest * 60
    worked = time.time() - visit.who.opened_at / 1e6
    return round(worked / 60) if wanted and worked >= wanted and worked % wanted < WORKED_AGAIN else 0
