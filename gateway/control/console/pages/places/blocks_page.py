"""Blocks (封禁): those in force, a new one, and lifting one."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.console.pages.places.sender_page import UNTIL, expiry
from gateway.control.console.shell.console_page import Visit

SCOPES = ("sender", "registrant", "device", "ip", "cidr", "room")
PAGE = 100


async def form(visit: Visit) -> web.Response:
    """Whose blocks, and why somebody reads them."""
    return _shown(visit, None, "")


async def listed(visit: Visit) -> web.Response:
    """Of one kind, of one subject, or all."""
    fields = visit.fields
    asked = {name: fields(name) for name in ("scope", "value", "reason", "after")}
    found = (await visit.ask("GET /v1/blocks", query={**asked, "limit": PAGE})).blocks
    return _shown(visit, found, asked["reason"], asked)


def _shown(visit: Visit, found: Any, reason: str, asked: dict[str, str] | None = None) -> web.Response:
    return visit.show(
        "blocks", found=found, why=reason, asked=asked or {"scope": "", "value": ""}, scopes=SCOPES, until=tuple(UNTIL),
        may=visit.may("POST /v1/blocks"), more=found[-1].id if found and len(found) == PAGE else None,
        done=visit.fields.number("done"),
    )  # fmt: skip


async def create(visit: Visit) -> web.Response:
    """In force at once."""
    fields = visit.fields
    body = {name: fields(name) for name in ("scope", "value", "ground", "reason")}
    done = await visit.ask("POST /v1/blocks", {**body, "expires_at": expiry(fields("until"))})
    return visit.go(f"/blocks?done={done.act}")


async def lift(visit: Visit) -> web.Response:
    """Gone at once."""
    query = {"reason": visit.fields("reason")}
    done = await visit.ask("DELETE /v1/blocks/{id}", places={"id": visit.places["id"]}, query=query)
    return visit.go(f"/blocks?done={done.act}")
