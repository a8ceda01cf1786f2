"""Search for messages, and one message with everything that became of it. Whose it is stays hidden until asked."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

TEXTS = ("id", "code", "sender", "room", "route", "verdict", "reason_code", "text")
STATES = ("delivered", "held", "removed", "refused", "unknown", "expired", "withdrawn", "failed", "undeliverable")
BACK = {"1h": 3600, "1d": 86_400, "7d": 7 * 86_400, "31d": 31 * 86_400}  # seconds


async def form(visit: Visit) -> web.Response:
    """What can be asked."""
    return visit.show(**_form({}))


async def search(visit: Visit) -> web.Response:
    """Newest first; what was asked stands in the form again. Sent as a form, so that no text stands in an address."""
    fields = visit.fields
    given = {name: fields(name) for name in (*TEXTS, "state", "back", "reason", "identity", "cursor")}
    body: dict[str, Any] = {name: given[name] for name in (*TEXTS, "state", "cursor") if given[name]}
    if given["back"] in BACK:
        body["since"] = time.time_ns() // 1000 - BACK[given["back"]] * 1_000_000
    body |= {"reason": given["reason"], "identity": bool(given["identity"])}
    found = await visit.ask("POST /v1/messages/search", body)
    return visit.show(**_form(given) | {"found": found, "grave_categories": await grave(visit)})


async def grave(visit: Visit) -> list[str]:
    """Categories whose texts are hidden until somebody asks."""
    told: list[str] = (await visit.ask("GET /v1/review")).grave
    return told


def _form(given: dict[str, str]) -> dict[str, Any]:
    return {
        "found": None, "asked": {name: given.get(name, "") for name in (*TEXTS, "state", "back", "reason", "identity")},
        "states": STATES, "back": tuple(BACK),
    }  # fmt: skip


async def asking(visit: Visit) -> web.Response:
    """Why somebody wants to read it."""
    return visit.show("message", story=None, message_id=visit.places["id"], identity=False, takes_down=False)


async def story(visit: Visit) -> web.Response:
    """All that is known of it."""
    message_id, fields = visit.places["id"], visit.fields
    identity = bool(fields("identity"))
    query = {"reason": fields("reason"), "identity": "true" if identity else ""}
    told = await visit.ask("GET /v1/messages/{id}", places={"id": message_id}, query=query)
    shown = told.message.verdict != "reject" and told.message.state in ("", "delivered", "unknown", "held")
    return visit.show(
        "message", story=told, message_id=message_id, identity=identity,
        takes_down=shown and visit.may("POST /v1/takedowns"), grave_categories=await grave(visit),
    )  # fmt: skip


async def take_down(visit: Visit) -> web.Response:
    """It goes; the trace of the takedown is what is shown."""
    body: dict[str, Any] = {"id": visit.places["id"], "reason": visit.fields("reason")}
    if visit.fields("ground"):
        body["ground"] = visit.fields("ground")
    if visit.fields("copies"):
        body["refuse_copies"] = 30 * 86_400
    done = await visit.ask("POST /v1/takedowns", body)
    return visit.go(f"/takedowns/{done.result.id}?done={done.act}")
