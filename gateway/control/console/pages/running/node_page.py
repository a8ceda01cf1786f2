"""The state of things: whether this node is well, what its processes do, what waits inside it."""

from __future__ import annotations

from aiohttp import web

from gateway.control.console.shell.console_page import Visit


async def node(visit: Visit) -> web.Response:
    """As ``tidegate status`` has it."""
    return visit.show(status_of=await visit.ask("GET /v1/status"))
