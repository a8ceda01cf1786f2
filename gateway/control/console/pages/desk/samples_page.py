"""Decisions that two people made, for who leads: where they differ, and how far people agree by
ground. Nobody is ranked."""

from __future__ import annotations

import time

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

SAMPLE = "/v1/review/samples/{id}"
DAY_US = 86_400 * 1_000_000
SPANS = (7, 30, 90)  # days


async def samples(visit: Visit) -> web.Response:
    """No text of a message, and no sender."""
    days = visit.fields.number("days") or 30
    told = await visit.ask("GET /v1/review/samples", query={"limit": 50})
    since = max(time.time_ns() // 1000 - days * DAY_US, 0)
    agreement = await visit.ask("GET /v1/review/agreement", query={"since": since})
    return visit.show(
        told=told, agreement=agreement, days=days, spans=SPANS, done=visit.fields.number("done"),
        may=visit.may(f"POST {SAMPLE}:settle"),
    )  # fmt: skip


async def settle(visit: Visit) -> web.Response:
    """The decision stays, or its case is looked at again."""
    fields = visit.fields
    body = {"reason": fields("reason")}
    if fields("how") == "reopen":
        done = await visit.ask("POST /v1/review/cases/{id}:reopen", body, places={"id": fields("case")})
    else:
        done = await visit.ask(f"POST {SAMPLE}:settle", body, places={"id": visit.places["id"]})
    return visit.go(f"/samples?done={done.act}")
