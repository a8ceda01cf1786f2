"""A decision made once more, unseen: what was decided is nowhere on the page."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.console.shell.console_page import Visit
from gateway.control.console.shell.shown_text import pieces, spans_of

CLAIM, SAMPLE = "POST /v1/review/samples:claim", "/v1/review/samples/{id}"


async def desk(visit: Visit) -> web.Response:
    """Nothing is claimed by looking."""
    return visit.show(shown=None, texts=[], desk=None, done=visit.fields.number("done"), why="", grave=False)


async def take(visit: Visit) -> web.Response:
    """The next one, or the one that one holds."""
    return await _taken(visit, None)


async def decide(visit: Visit) -> web.Response:
    """What one would have decided; the next one loads itself."""
    fields, places = visit.fields, {"id": visit.places["id"]}
    digit = fields.number("digit")
    body = {"outcome": "refused", "digit": digit} if digit else {"outcome": fields("outcome")}
    done = await visit.ask(f"POST {SAMPLE}:decide", body, places=places)
    return await _taken(visit, done.act)


async def give_back(visit: Visit) -> web.Response:
    """Somebody else decides."""
    await visit.ask(f"POST {SAMPLE}:release", {}, places={"id": visit.places["id"]})
    return visit.go("/sample")


async def _taken(visit: Visit, done: int | None) -> web.Response:
    told = await visit.ask("GET /v1/review")
    shown: Any = None
    why = ""
    try:
        shown = (await visit.ask(CLAIM, {})).result
    except ControlError as error:
        why = error.reason
    texts = shown.text.texts if shown is not None else []
    drawn = [pieces(text, spans_of(shown.text.findings, at)) for at, text in enumerate(texts)]
    grave = shown is not None and shown.category in told.grave
    return visit.show(shown=shown, texts=drawn, desk=told, done=done, why=why, grave=grave)
