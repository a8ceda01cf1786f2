"""Appeals, one by one: what was decided, what the message said, what its sender says to it, and a decision with reasons
for them. Nobody decides who had a part in it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.console.shell.console_page import Visit
from gateway.control.console.shell.console_words import told_of
from gateway.control.console.shell.shown_text import pieces

APPEAL = "/v1/appeals/{id}"


async def listed(visit: Visit) -> web.Response:
    """Those that wait, the late ones first; mine before all."""
    mine = (await visit.ask("GET /v1/appeals", query={"mine": "true"})).appeals
    rows = []
    for state in ("overdue", "waiting"):
        rows += (await visit.ask("GET /v1/appeals", query={"state": state})).appeals
    own = {one.id for one in mine}
    return visit.show(
        mine=mine, rows=[one for one in rows if one.id not in own],
        may=visit.may(f"POST {APPEAL}:claim"), why=_why(visit),
    )  # fmt: skip


async def claim(visit: Visit) -> web.Response:
    """Mine for half an hour."""
    return await _moved(visit, "claim", None, f"/appeals/{visit.places['id']}")


async def appeal(visit: Visit) -> web.Response:
    """All of one that is mine."""
    shown = await visit.ask(f"GET {APPEAL}", places=visit.places, query={"reason": "read at the console"})
    desk = await visit.ask("GET /v1/review")
    return visit.show(
        "appeal", appeal=shown, desk=desk, texts=[pieces(text, ()) for text in shown.texts or ()], why=_why(visit),
        mine=shown.claimed_by == visit.person,
        undoable=bool(shown.outcome) and shown.decided_by == visit.person and shown.state in ("waiting", "overdue"),
    )  # fmt: skip


async def decide(visit: Visit) -> web.Response:
    """With a ground by its digit, and reasons."""
    fields = visit.fields
    body: dict[str, Any] = {"outcome": fields("outcome"), "answer": fields("answer"), "seen": fields.number("seen")}
    if fields("ground"):
        body["ground"] = fields("ground")
    return await _moved(visit, "decide", body, f"/appeals/{visit.places['id']}")


async def skip(visit: Visit) -> web.Response:
    """Somebody else shall have it; nobody asks why."""
    return await _moved(visit, "release", {}, "/appeals")


async def escalate(visit: Visit) -> web.Response:
    """A lead shall have it."""
    return await _moved(visit, "escalate", {"note": visit.fields("note")}, "/appeals")


async def undo(visit: Visit) -> web.Response:
    """While it has not been told."""
    return await _moved(visit, "undo", None, f"/appeals/{visit.places['id']}")


async def _moved(visit: Visit, what: str, body: dict[str, Any] | None, then: str) -> web.Response:
    try:
        await visit.ask(f"POST {APPEAL}:{what}", body, places=visit.places)
    except ControlError as error:
        if error.status not in (400, 403, 409):
            raise
        back = "/appeals" if what == "claim" else f"/appeals/{visit.places['id']}"
        return visit.go(f"{back}?why={error.reason}")
    return visit.go(then)


def _why(visit: Visit) -> str:
    reason = visit.fields("why")
    return told_of(reason, visit.language, visit.words.not_done) if reason else ""
