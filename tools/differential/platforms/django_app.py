"""Django: ``request.GET``, ``request.POST``, ``request.COOKIES``, its router, and ``json.loads`` of the body."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import re_path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none", DEBUG=False)
django.setup()


def comments(request: HttpRequest, kind: str, room: str) -> JsonResponse:
    """A message, by its address."""
    views = {"@room: router": [room]}
    if kind == "number":
        attempt(views, "@room: int", lambda: [str(int(room))])
    return read(request, views)


def read(request: HttpRequest, known: dict[str, list[str]] | None = None) -> JsonResponse:
    """Every view of the message."""
    views: dict[str, list[str]] = known or {}
    body = request.body
    nested = "/nested/" in request.path
    attempt(views, "query", lambda: of_form(request.GET, nested))
    attempt(views, "form", lambda: of_form(request.POST, nested))
    if (request.content_type or "").lower().endswith("json"):
        attempt(views, "json", lambda: of_json(json.loads(body), nested))
        if "/who/" in request.path:
            attempt(views, "@sender: json", lambda: scalar(json.loads(body).get("user")))
    if "/who/" in request.path:
        attempt(views, "@sender: form", lambda: request.POST.getlist("user"))
    if "/cookie/" in request.path and "user" in request.COOKIES:
        views["@sender: cookie"] = [request.COOKIES["user"]]
    return JsonResponse(views, status=201)


def attempt(views: dict[str, list[str]], name: str, found: Callable[[], list[str]]) -> None:
    """What the parser refuses is left out."""
    try:
        views[name] = found()
    except Exception:
        return


def of_form(fields: Any, nested: bool) -> list[str]:
    """Every value of the name that counts."""
    return list(fields.getlist("comment[body]" if nested else "content"))


def of_json(found: Any, nested: bool) -> list[str]:
    """The text of a document."""
    if nested:
        found = found.get("comment") if isinstance(found, dict) else None
    value = found.get("body" if nested else "content") if isinstance(found, dict) else None
    return [value] if isinstance(value, str) else []


def scalar(value: Any) -> list[str]:
    """What an application would write into its tables."""
    return [str(value)] if isinstance(value, str | int | float) and not isinstance(value, bool) else []


KINDS = "both|json|form|nested|cookie|who|number"
urlpatterns = [re_path(rf"^api/(?P<kind>{KINDS})/(?P<room>[^/]+)/comments$", comments), re_path(r"^.*$", read)]


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), handler_class=Quiet).serve_forever()
