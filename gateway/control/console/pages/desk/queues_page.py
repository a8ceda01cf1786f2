"""The queues, for who leads: what waits, since when, what is late, who has what. Nobody is ranked."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

DESKS = ("first", "second", "lead")
SHOWN = 25


async def queues(visit: Visit) -> web.Response:
    """No text of a message, and no sender."""
    desk = await visit.ask("GET /v1/review")
    waiting: list[Any] = []
    claimed: list[Any] = []
    if visit.may("GET /v1/review/cases"):
        waiting = (await visit.ask("GET /v1/review/cases", query={"limit": SHOWN})).cases
        claimed = (await visit.ask("GET /v1/review/cases", query={"state": "claimed", "limit": 200})).cases
    appeals: list[Any] = []
    if visit.may("GET /v1/appeals"):
        for state in ("overdue", "waiting"):
            appeals += (await visit.ask("GET /v1/appeals", query={"state": state, "limit": SHOWN})).appeals
    holders: dict[str, int] = {}
    for case in claimed:
        holders[case.claimed_by] = holders.get(case.claimed_by, 0) + 1
    return visit.show(
        desk=desk, desks=DESKS, waiting=waiting, holders=sorted(holders.items()), appeals=appeals,
        may_appeals=visit.may("POST /v1/appeals/{id}:claim"),
        total=sum(desk.waiting.values()), cases_seen=visit.may("GET /v1/review/cases"),
        lead=visit.may("POST /v1/review/cases/{id}:reopen"),
    )  # fmt: skip
