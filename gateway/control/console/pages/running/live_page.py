"""The node as it moves: plots that the page draws itself, from the figures that the API tells."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

PLOTS: Final = {
    "verdicts": ("pass", "label", "mask", "hold", "reject"),
    "times": ("check", "state", "journal"),
    "troubles": ("degraded", "unread"),
    "clients": ("connections", "sockets"),
    "cases": ("waiting", "claimed"),
    "behind": ("lag", "mirror"),
    "acts": ("outbox",),
    "memory": ("memory",),
    "processes": ("processes",),
}
"""What is drawn together, by the names of series in ``static/live.js``."""


async def live(visit: Visit) -> web.Response:
    """Empty plots; the script fills them."""
    return visit.show(plots=PLOTS)


async def figures(visit: Visit) -> web.Response:
    """What the script asks for, every two seconds: it keeps nobody logged in."""
    told = await visit.ask("GET /v1/status")
    return web.Response(text=told.model_dump_json(), content_type="application/json")
