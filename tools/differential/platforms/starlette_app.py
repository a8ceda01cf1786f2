"""Starlette, which FastAPI reads with: ``query_params``, ``form()`` and ``json()``."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def read(request: Request) -> JSONResponse:
    """Every view of the message."""
    await request.body()
    nested = "/nested/" in request.url.path
    name = "comment[body]" if nested else "content"
    views: dict[str, list[str]] = {"query": request.query_params.getlist(name)}
    try:
        async with request.form() as form:
            views["form"] = [value for value in form.getlist(name) if isinstance(value, str)]
    except Exception:
        views.pop("form", None)  # refused: nothing is read
    if request.headers.get("content-type", "").split(";")[0].strip().lower().endswith("json"):
        try:
            views["json"] = _texts(await request.json(), nested)
        except Exception:
            views.pop("json", None)
    return JSONResponse(views, 201)


def _texts(found: Any, nested: bool) -> list[str]:
    if nested:
        found = found.get("comment") if isinstance(found, dict) else None
    value = found.get("body" if nested else "content") if isinstance(found, dict) else None
    return [value] if isinstance(value, str) else []


application = Starlette(routes=[Route("/{path:path}", read, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
