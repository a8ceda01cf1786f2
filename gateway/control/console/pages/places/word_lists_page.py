"""Word lists: what is in force, what people changed, a text tried; lines added and left out."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.console.shell.console_page import Visit

DRAFT = ("add", "leave_out")
BACK_TEST = "POST /v1/lists/{name}:backtest"


async def listed(visit: Visit) -> web.Response:
    """All of them."""
    return await _shown(visit, "", "", None)


async def attempt(visit: Visit) -> web.Response:
    """Which words a text hits, and where."""
    name, text = visit.fields("list"), visit.fields("text")
    told = await visit.ask("POST /v1/lists/{name}:try", {"text": text}, places={"name": name})
    return await _shown(visit, name, text, told)


async def draft(visit: Visit) -> web.Response:
    """What lines more and lines less would change over the record; in force with the button below it."""
    fields = visit.fields
    name, body = fields("list"), _drafted(visit)
    if fields("how") == "apply":
        done = await visit.ask(
            "POST /v1/lists/{name}:apply", body | {"reason": fields("reason")}, places={"name": name}
        )
        return visit.go(f"/lists?done={done.act}")
    days = fields.number("days") or 7
    tested = await visit.ask("POST /v1/lists/{name}:backtest", body | {"days": days}, places={"name": name})
    return await _shown(visit, name, "", None, tested)


def _drafted(visit: Visit) -> dict[str, Any]:
    return {key: [line.strip() for line in visit.fields.raw(key).splitlines() if line.strip()] for key in DRAFT}


async def _shown(visit: Visit, name: str, text: str, told: Any, tested: Any = None) -> web.Response:
    lists = (await visit.ask("GET /v1/lists")).lists
    of = visit.fields("worth")
    worth = None
    if visit.may("GET /v1/precision"):
        worth = await visit.ask("GET /v1/precision", query={"list": of, "limit": 50})
    return visit.show(
        "word_lists", lists=lists, name=name, text=text, told=told, marked=_marked(text, told) if told else [],
        may_try=visit.may("POST /v1/lists/{name}:try"), may_edit=visit.may("POST /v1/lists/{name}/words"),
        done=visit.fields.number("done"), worth=worth, of=of,
        tested=tested, drafted={key: visit.fields.raw(key) for key in DRAFT}, may_draft=visit.may(BACK_TEST),
    )  # fmt: skip


def _marked(text: str, told: Any) -> list[tuple[bool, str]]:
    """The text in pieces: whether each was hit."""
    hit = [False] * len(text)
    for one in told.hits:
        for begin, end in one.spans:
            hit[begin:end] = [True] * (min(end, len(text)) - begin)
    pieces: list[tuple[bool, str]] = []
    for marked, character in zip(hit, text, strict=True):
        if pieces and pieces[-1][0] is marked:
            pieces[-1] = (marked, pieces[-1][1] + character)
        else:
            pieces.append((marked, character))
    return pieces


async def change(visit: Visit) -> web.Response:
    """A line more, or one less; in force with the reload that follows."""
    fields = visit.fields
    places, line, reason = {"name": fields("list")}, fields("line"), fields("reason")
    if fields("how") == "remove":
        query = {"line": line, "reason": reason}
        done = await visit.ask("DELETE /v1/lists/{name}/words", places=places, query=query)
    else:
        done = await visit.ask("POST /v1/lists/{name}/words", {"line": line, "reason": reason}, places=places)
    return visit.go(f"/lists?done={done.act}")
