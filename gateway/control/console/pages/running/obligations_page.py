"""Obligations: each route and each article, how far it is kept, by what, and which test holds that."""

from __future__ import annotations

from aiohttp import web

from gateway.control.console.shell.console_page import Visit


async def obligations(visit: Visit) -> web.Response:
    """By the configuration in force, in the reader's language."""
    table = await visit.ask("GET /v1/obligations")
    rows: dict[tuple[str, str], list[object]] = {}
    for row in table.rows:
        rows.setdefault((row.route, row.document), []).append(row)
    return visit.show(
        table=table, rows=rows, documents={one.id: one for one in table.documents}, zh=visit.language == "zh"
    )
