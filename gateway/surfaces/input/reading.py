"""One request, or one frame of a socket, while it is being read: what the sources look into."""

from __future__ import annotations

from typing import Any

from gateway.surfaces.input.forms import Form
from gateway.surfaces.input.request import Request


class ParsedRequest:
    """The head, and the body once it is parsed: ``document`` for JSON, ``form`` for forms."""

    __slots__ = ("document", "fields", "form", "repeated", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.fields = request.fields
        self.repeated = request.repeated
        self.document: Any = None
        self.form: Form | None = None
