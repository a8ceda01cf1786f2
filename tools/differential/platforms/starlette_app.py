"""Starlette, which FastAPI reads with: ``query_params``, ``form()``, ``json()``, cookies, its router; and sockets."""

from __future__ import annotations

import json
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

KINDS = ("both", "json", "form", "nested", "cookie", "who", "number")


async def read(request: Request) -> JSONResponse:
    """Every view of the message."""
    await request.body()
    nested = "/nested/" in request.url.path
    name = "comment[body]" if nested else "content"
    views: dict[str, list[str]] = {"query": request.query_params.getlist(name)}
    if request.path_params.get("kind") in KINDS:
        room = request.path_params["room"]
        views["@room: router"] = [room]
        if request.path_params["kind"] == "number":
            try:
                views["@room: int"] = [str(int(room))]
            except ValueError:
                views.pop("@room: int", None)
    try:
        async with request.form() as form:
            views["form"] = [value for value in form.getlist(name) if isinstance(value, str)]
            if "/who/" in request.url.path:
                views["@sender: form"] = [value for value in form.getlist("user") if isinstance(value, str)]
    except Exception:
        views.pop("form", None)  # refused: nothing is read
    if request.headers.get("content-type", "").split(";")[0].strip().lower().endswith("json"):
        try:
            document = await request.json()
            views["json"] = _texts(document, nested)
            if "/who/" in request.url.path and isinstance(document, dict):
                views["@sender: json"] = _scalar(document.get("user"))
        except Exception:
            views.pop("json", None)
    if "/cookie/" in request.url.path and "user" in request.cookies:
        views["@sender: cookie"] = [request.cookies["user"]]
    return JSONResponse(views, 201)


async def listen(socket: WebSocket) -> None:
    """What each frame holds, told at once."""
    await socket.accept()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        views: dict[str, list[str]] = {"@binary": ["true" if message.get("bytes") is not None else "false"]}
        try:
            views["json"] = _texts(json.loads(message.get("text") or message.get("bytes") or b""), False)
        except ValueError:
            views.pop("json", None)
        await socket.send_text(json.dumps(views))


def _scalar(value: Any) -> list[str]:
    return [str(value)] if isinstance(value, str | int | float) and not isinstance(value, bool) else []


def _texts(found: Any, nested: bool) -> list[str]:
    if nested:
        found = found.get("comment") if isinstance(found, dict) else None
    value = found.get("body" if nested else "content") if isinstance(found, dict) else None
    return [value] if isinstance(value, str) else []


METHODS = ["POST", "PUT", "PATCH", "DELETE"]
application = Starlette(
    routes=[
        WebSocketRoute("/live/{room}", listen),
        Route("/api/{kind}/{room}/comments", read, methods=METHODS),
        Route("/{path:path}", read, methods=METHODS),
    ]
)

if __name__ == "__main__":
    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
