"""Emergency (应急处置): an incident begun, seen before it is, extended, ended; what it held, and who did what."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

INCIDENT = "/v1/incidents/{id}"
SCOPES = ("all", "routes", "rooms")
MINUTES = (15, 30, 60, 120, 240, 480, 1440)
OVER = 20  # past ones that are listed


async def listed(visit: Visit) -> web.Response:
    """What stands, what is over; and the button."""
    standing = (await visit.ask("GET /v1/incidents")).incidents
    over = (await visit.ask("GET /v1/incidents", query={"state": "over", "limit": OVER})).incidents
    return visit.show(standing=standing, over=over, may=visit.may("POST /v1/incidents"))


async def form(visit: Visit) -> web.Response:
    """What is to happen, where, and until when."""
    longest = (await visit.ask("POST /v1/incidents:preview", {"scope": "all", "freeze": True, "seconds": 1})).longest
    return visit.show(
        "incident_new", scopes=SCOPES, minutes=[one for one in MINUTES if one * 60 <= longest] or [1]
    )  # fmt: skip


async def preview(visit: Visit) -> web.Response:
    """What it would touch, before it does."""
    fields, asked = visit.fields, _asked(visit)
    touched = await visit.ask("POST /v1/incidents:preview", asked)
    return visit.show(
        "incident_preview", asked=asked, touched=touched, ground=fields("ground"), why=fields("reason"),
        minutes=asked["seconds"] // 60,
    )  # fmt: skip


async def begin(visit: Visit) -> web.Response:
    """In force at once."""
    fields = visit.fields
    body = {**_asked(visit), "ground": fields("ground"), "reason": fields("reason")}
    done = await visit.ask("POST /v1/incidents", body)
    return visit.go(f"/incidents/{done.result.id}?done={done.act}")


async def one(visit: Visit) -> web.Response:
    """All of one."""
    told = await visit.ask(f"GET {INCIDENT}", places=visit.places)
    return visit.show(
        "incident_one", told=told, minutes=MINUTES, may=visit.may("POST /v1/incidents"),
        may_decide=visit.may(f"POST {INCIDENT}:release"), done=visit.fields.number("done"),
        decided=visit.fields.number("decided"),
    )  # fmt: skip


async def extend(visit: Visit) -> web.Response:
    """For so long from now on."""
    seconds = (visit.fields.number("minutes") or 0) * 60
    return await _done(visit, "extend", {"seconds": seconds})


async def end(visit: Visit) -> web.Response:
    """Before its time."""
    return await _done(visit, "end", {})


async def release(visit: Visit) -> web.Response:
    """What it held, in bulk."""
    return await _done(visit, "release", {"count": visit.fields.number("count") or 0})


async def expire(visit: Visit) -> web.Response:
    """What it held, in bulk."""
    return await _done(visit, "expire", {"count": visit.fields.number("count") or 0})


async def _done(visit: Visit, what: str, body: dict[str, Any]) -> web.Response:
    body["reason"] = visit.fields("reason")
    done = await visit.ask(f"POST {INCIDENT}:{what}", body, places=visit.places)
    decided = f"&decided={done.result.done}" if what in ("release", "expire") else ""
    return visit.go(f"/incidents/{visit.places['id']}?done={done.act}{decided}")


def _asked(visit: Visit) -> dict[str, Any]:
    """As the API wants it, of the form or of the confirmation behind it."""
    fields = visit.fields
    named = [one.strip() for told in fields.all("places") for one in told.splitlines() if one.strip()]
    return {
        "scope": fields("scope"),
        "places": named,  # also with “everywhere”: whoever wrote names did not mean that, and is asked again
        "hold": bool(fields("hold")),
        "freeze": bool(fields("freeze")),
        "pace": float(fields.number("pace") or 0),
        "level": fields.number("level"),
        "seconds": (fields.number("minutes") or 0) * 60,
    }
