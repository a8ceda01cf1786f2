"""A sender: account, credit, blocks and last messages, asked for by name and with a reason; a block to put in force."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.console.pages.places.messages_page import grave
from gateway.control.console.shell.console_page import Visit

LAST = 25
FOREVER = "0"
UNTIL = {"1h": 3600, "1d": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400, FOREVER: 0}  # seconds


async def form(visit: Visit) -> web.Response:
    """Who."""
    return visit.show(
        sender="", account=None, blocks=[], found=None, until=tuple(UNTIL), done=visit.fields.number("done")
    )


async def shown(visit: Visit) -> web.Response:
    """Whatever of it can be told: a platform may have said nothing of somebody who wrote."""
    sender, reason = visit.fields("sender"), visit.fields("reason")
    account: Any = None
    if visit.may("GET /v1/accounts/{sender}"):
        try:
            account = await visit.ask("GET /v1/accounts/{sender}", places={"sender": sender}, query={"reason": reason})
        except ControlError as error:
            if error.status != 404:
                raise
    blocks = await visit.ask("GET /v1/blocks", query={"scope": "sender", "value": sender, "reason": reason})
    found: Any = None
    try:
        body = {"sender": sender, "reason": reason, "limit": LAST}
        found = await visit.ask("POST /v1/messages/search", body)
    except ControlError as error:
        if error.reason not in ("control.index_off", "control.index_unavailable"):
            raise
    return visit.show(
        sender=sender, account=account, blocks=blocks.blocks, found=found, until=tuple(UNTIL), done=None,
        grave_categories=await grave(visit),
    )  # fmt: skip


async def block(visit: Visit) -> web.Response:
    """From now on, until somebody's end."""
    fields = visit.fields
    body = {"scope": "sender", "value": fields("sender"), "ground": fields("ground"), "reason": fields("reason")}
    done = await visit.ask("POST /v1/blocks", {**body, "expires_at": expiry(fields("until"))})
    return visit.go(f"/senders?done={done.act}")


def expiry(told: str) -> int:
    """Seconds since the epoch; 0 for never."""
    seconds = UNTIL.get(told, 0)
    return int(time.time()) + seconds if seconds else 0
