"""One request, or one frame of a socket, while it is being read: what the sources look into."""

from __future__ import annotations

from typing import Any

from gateway.surfaces.input.forms import Form
from gateway.surfaces.input.request import Request


class ParsedRequest:
    """The head, and the body once it is parsed: ``document`` for JSON, ``form`` for forms.

    What the sources of the sender leave here, beside the name that they give: ``weak``, it names no person;
    ``degraded``, as in ``Told``; ``pending``, the platform has to be asked first, and the name means nothing.
    """

    __slots__ = ("degraded", "document", "fields", "form", "pending", "repeated", "request", "told", "weak")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.fields = request.fields
        self.repeated = request.repeated
        self.document: Any = None
        self.form: Form | None = None
        self.told = request.told
        self.weak = False
        self.degraded = ""
        self.pending = False
