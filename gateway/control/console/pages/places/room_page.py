"""A room: its status, whether it is frozen, its last messages; slowed down, muted, closed, opened, frozen, thawed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.control.console.pages.places.messages_page import grave
from gateway.control.console.shell.console_page import Visit

LAST = 25
LONGEST = 256  # characters of a room's name
STATUSES = ("open", "slow", "muted", "closed")


async def room(visit: Visit) -> web.Response:
    """By its name; what is frozen anywhere stands here too."""
    return await _shown(visit, visit.fields("room"), None)


async def messages(visit: Visit) -> web.Response:
    """With the last messages, which takes a reason."""
    name = visit.fields("room")
    body = {"room": name, "reason": visit.fields("reason"), "limit": LAST}
    return await _shown(visit, name, await visit.ask("POST /v1/messages/search", body))


async def _shown(visit: Visit, name: str, found: Any) -> web.Response:
    told = await visit.ask("GET /v1/rooms/{room}", places={"room": name}) if name else None
    switches = (await visit.ask("GET /v1/switches")).switches
    own = [one for one in switches if one.scope == "room" and one.value == name]
    return visit.show(
        "room", room=name, told=told, frozen=own[0] if own else None, switches=switches, found=found,
        statuses=STATUSES, may_set=visit.may("PUT /v1/rooms/{room}"), may_freeze=visit.may("POST /v1/switches"),
        may_read=visit.may("POST /v1/messages/search"), done=visit.fields.number("done"),
        grave_categories=await grave(visit),
    )  # fmt: skip


async def put(visit: Visit) -> web.Response:
    """Another status."""
    fields = visit.fields
    body: dict[str, Any] = {"status": fields("status"), "reason": fields("reason")}
    if fields("status") == "slow":
        body["interval"] = float(fields.number("interval") or 0)
    done = await visit.ask("PUT /v1/rooms/{room}", body, places={"room": fields("room")})
    return visit.go(f"/rooms?{_named(fields('room'))}&done={done.act}")


async def freeze(visit: Visit) -> web.Response:
    """Nothing appears there."""
    fields = visit.fields
    body = {"scope": fields("scope"), "value": fields("room"), "ground": fields("ground"), "reason": fields("reason")}
    done = await visit.ask("POST /v1/switches", body)
    shown = _named(fields("room")) if fields("scope") == "room" else ""
    return visit.go(f"/rooms?{shown}&done={done.act}")


async def thaw(visit: Visit) -> web.Response:
    """Messages are judged there again."""
    query = {"reason": visit.fields("reason")}
    done = await visit.ask("DELETE /v1/switches/{id}", places={"id": visit.places["id"]}, query=query)
    return visit.go(f"/rooms?{_named(visit.fields('room'))}&done={done.act}")


def _named(name: str) -> str:
    """In an address, which has an end: what is longer is the name of no room."""
    return urlencode({"room": name[:LONGEST]})
