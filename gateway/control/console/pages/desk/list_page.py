"""Some thirty short lines of one place on one page: all are set to pass, and what does not is marked by a digit.

The page is what its reader holds, so that a lost network or a second window loses nothing: it is there again as it
was, without the marks. Every line has been on the screen before it can be sent (``desk.js``).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.console.shell.console_forms import whole
from gateway.control.console.shell.console_page import Visit
from gateway.control.console.shell.console_words import told_of
from gateway.control.console.shell.shown_text import pieces, spans_of

CASES = "/v1/review/cases"
LINES = 30
PLACES_SHOWN = 12


async def lines(visit: Visit) -> web.Response:
    """What one holds, as lines; else the places in which something waits."""
    held = (await visit.ask(f"GET {CASES}", query={"mine": "true"})).cases
    numbers = [one.id for one in held if one.kind == "message" and one.state == "claimed"][:50]
    desk = await visit.ask("GET /v1/review")
    done = [number for part in visit.fields("done").split("-") if (number := whole(part)) is not None][:50]
    waits = await visit.ask("GET /v1/review/waiting")
    common = {
        "desk": desk, "done": done, "until": await _until(visit, done), "left": _count(visit, "left"),
        "failed": _count(visit, "failed"), "waits": waits, "most": LINES,
    }  # fmt: skip
    if not numbers:
        return visit.show("list_places", places=waits.places[:PLACES_SHOWN], why=_why(visit), **common)
    claimed = (await visit.ask(f"POST {CASES}:claim", {"cases": numbers})).result
    rows = []
    for one in claimed.cases:
        texts = [pieces(text, spans_of(one.text.findings, at)) for at, text in enumerate(one.text.texts)]
        rows.append((one, texts, one.category in desk.grave))
    return visit.show(rows=rows, why=_why(visit), **common)


async def take(visit: Visit) -> web.Response:
    """Lines of one place; as many as make a page with what one holds."""
    fields = visit.fields
    held = (await visit.ask(f"GET {CASES}", query={"mine": "true"})).cases
    asked = {
        "count": max(LINES - sum(one.state == "claimed" for one in held), 1),
        "route": fields("route") or None,
        "room": fields("room") or None,
    }
    try:
        await visit.ask(f"POST {CASES}:claim", asked)
    except ControlError as error:
        if error.reason not in ("review.nothing_waits", "review.capped"):
            raise
        return visit.go(f"/list?why={error.reason}")
    return visit.go("/list")


async def decide(visit: Visit) -> web.Response:
    """All of the page at once. What is left waits again."""
    decided: list[dict[str, Any]] = []
    left: list[int] = []
    for told in visit.fields.all("case"):
        named, _, version = told.partition(":")
        number, seen = whole(named), whole(version)
        if number is None or seen is None:
            raise ControlError(400, "control.invalid", "This form cannot be read.")
        how = visit.fields(f"to-{named}") or "pass"
        line: dict[str, Any] = {"case": number, "seen": seen}
        if how == "leave":
            left.append(number)
        elif how in ("pass", "mask"):
            decided.append(line | {"outcome": "approved" if how == "pass" else "masked"})
        else:
            decided.append(line | {"outcome": "refused", "digit": whole(how) or 0})
    done, failed = [], []
    if decided:
        answer = (await visit.ask(f"POST {CASES}:lines", {"decisions": decided})).result
        done = [one.case for one in answer.lines if one.came_to]
        failed = [one for one in answer.lines if not one.came_to]
    for given_back in left:
        with suppress(ControlError):  # its claim is over: somebody else has it already
            await visit.ask(f"POST {CASES}/{{id}}:release", {}, places={"id": given_back})
    numbers = "-".join(map(str, done))
    reasons = "-".join(sorted({one.reason for one in failed}))
    # What failed is no more, or somebody else has it.
    return visit.go(f"/list?done={numbers}&left={len(left)}&failed={len(failed)}&why={reasons}")


async def undo(visit: Visit) -> web.Response:
    """The page is there again."""
    numbers = [number for told in visit.fields.all("case") if (number := whole(told)) is not None]
    answer = (await visit.ask(f"POST {CASES}:undo", {"cases": numbers})).result
    reasons = "-".join(sorted({one.reason for one in answer.refused}))
    return visit.go(f"/list?failed={len(answer.refused)}&why={reasons}")


async def _until(visit: Visit, done: list[int]) -> int:
    """Until when the page can be taken back, µs since the epoch; 0 where it cannot any more."""
    if not done:
        return 0
    rows = (await visit.ask(f"GET {CASES}", query={"state": "decided", "limit": 500})).cases
    return max((one.effective_at for one in rows if one.id in done and one.decided_by == visit.person), default=0)


def _count(visit: Visit, name: str) -> int:
    return visit.fields.number(name) or 0


def _why(visit: Visit) -> str:
    reasons = [reason for reason in visit.fields("why").split("-") if reason][:9]
    told = [told_of(reason, visit.language, visit.words.changed) for reason in reasons]
    return " ".join(dict.fromkeys(told))
