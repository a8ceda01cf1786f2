"""Cases that have something in common decided together: counted and shown first."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

COMMON = ("route", "room", "category", "held_for", "list")


async def form(visit: Visit) -> web.Response:
    """What they have in common."""
    return await _shown(visit, None, visit.fields.number("done"))


async def preview(visit: Visit) -> web.Response:
    """Nothing is changed."""
    return await _shown(visit, await visit.ask("POST /v1/review/cases:preview", _asked(visit)), None)


async def decide(visit: Visit) -> web.Response:
    """As many as the preview told, or none."""
    fields, digit = visit.fields, visit.fields.number("digit")
    outcome = {"outcome": "refused", "digit": digit} if digit else {"outcome": "approved"}
    body = _asked(visit) | outcome | {"count": fields.number("count") or 0}
    done = await visit.ask("POST /v1/review/cases:decide", body)
    return visit.go(f"/bulk?done={done.act}")


def _asked(visit: Visit) -> dict[str, Any]:
    given = {name: visit.fields(name) for name in COMMON} | {"word": visit.fields.number("word")}
    return {"over": "queue", **{name: value for name, value in given.items() if value}}


async def _shown(visit: Visit, told: Any, done: int | None) -> web.Response:
    desk = await visit.ask("GET /v1/review")
    given = {name: visit.fields(name) for name in (*COMMON, "word")}
    return visit.show(told=told, desk=desk, given=given, done=done)
