"""Hand-over (交接班): what is open and what changed, and a note for whoever leads next."""

from __future__ import annotations

import time

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

HOUR_US = 3600 * 1_000_000
SPANS = (8, 24, 72)  # hours
MOST_HOURS = 24 * 366


async def handover(visit: Visit) -> web.Response:
    """Since the last note, or for some hours."""
    hours = visit.fields.number("hours")
    since = time.time_ns() // 1000 - min(hours, MOST_HOURS) * HOUR_US if hours else None
    told = await visit.ask("GET /v1/handover", query={"since": since})
    return visit.show(
        told=told, hours=hours, spans=SPANS, done=visit.fields.number("done"), may=visit.may("POST /v1/handover"),
        may_appeals=visit.may("POST /v1/appeals/{id}:claim"),
    )  # fmt: skip


async def note(visit: Visit) -> web.Response:
    """For whoever leads next."""
    text = visit.fields.raw("note").replace("\r\n", "\n").strip()
    done = await visit.ask("POST /v1/handover", {"note": text})
    return visit.go(f"/handover?done={done.act}")
