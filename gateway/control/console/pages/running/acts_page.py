"""Acts: what people did and why, and taking it back."""

from __future__ import annotations

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

PAGE = 50


async def form(visit: Visit) -> web.Response:
    """Why somebody reads them."""
    return visit.show(found=None, why="", kind="", more=None, may=False, done=visit.fields.number("done"))


async def listed(visit: Visit) -> web.Response:
    """The newest first."""
    fields = visit.fields
    query = {"reason": fields("reason"), "kind": fields("kind"), "before": fields.number("before"), "limit": PAGE}
    found = (await visit.ask("GET /v1/acts", query=query)).acts
    return visit.show(
        found=found, why=fields("reason"), kind=fields("kind"), more=found[-1].act if len(found) == PAGE else None,
        may=visit.may("POST /v1/acts/{act}:undo"), done=None,
    )  # fmt: skip


async def undo(visit: Visit) -> web.Response:
    """Everything that it changed, as long as nothing has changed it again."""
    body = {"reason": visit.fields("reason")}
    done = await visit.ask("POST /v1/acts/{act}:undo", body, places={"act": visit.places["act"]})
    return visit.go(f"/acts?done={done.act}")
