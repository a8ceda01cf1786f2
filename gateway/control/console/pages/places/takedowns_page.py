"""Takedowns (停止传输、消除): what was asked of the platform, and what it said."""

from __future__ import annotations

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

STATES = ("requested", "confirmed", "unconfirmed")
PAGE = 50


async def listed(visit: Visit) -> web.Response:
    """The newest first."""
    state = visit.fields("state") if visit.fields("state") in STATES else ""
    query = {"state": state, "before": visit.fields.number("before"), "limit": PAGE}
    found = (await visit.ask("GET /v1/takedowns", query=query)).takedowns
    more = found[-1].id if len(found) == PAGE else None
    return visit.show(found=found, state=state, states=STATES, more=more)


async def one(visit: Visit) -> web.Response:
    """With its trace."""
    told = await visit.ask("GET /v1/takedowns/{id}", places={"id": visit.places["id"]})
    return visit.show("takedown", told=told, done=visit.fields.number("done"))
