"""What an answer may repeat of the request or frame that it answers (``{json:/id}`` in a route's ``refusal``).

Read when something is refused, and not before; nothing here is judged. What cannot be read is None: somebody whose body
is broken gets an answer without the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from orjson import loads

from gateway.http.wire.errors import HTTPError
from gateway.surfaces.bodies.content import MediaType, media_type, undone
from gateway.surfaces.bodies.multipart import multipart
from gateway.surfaces.input import pointer
from gateway.surfaces.input.forms import urlencoded
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_INFLATED: Final = 1 << 20
_FRAME: Final = MediaType("json")


class Echo:
    """``Values`` (``http/server/shapes``) of one request, or with ``frame`` of one payload of a socket's frame.

    ``parameters`` is called where one of the path's is asked for. ``body``: as it came; None while there is none.
    """

    __slots__ = ("_document", "_fields", "_form", "_frame", "_parameters", "_query", "body")

    def __init__(
        self, fields: Mapping[bytes, bytes], query: bytes, parameters: Callable[[], Mapping[str, str]],
        body: bytes | None = None, frame: bool = False,
    ) -> None:  # fmt: skip
        self._fields = fields
        self._query = query
        self._parameters = parameters
        self._frame = frame
        self._document: Any = MISSING
        self._form: dict[str, str] | None = None
        self.body = body

    def about(self, element: Any) -> Echo:
        """The same where ``element`` of a JSON body is what is answered."""
        made = Echo(self._fields, self._query, self._parameters, b"")
        made._document = element
        return made

    def __call__(self, source: str) -> Any:
        kind, _, name = source.partition(":")
        try:
            return self._read(kind, name)
        except (Refused, HTTPError, ValueError):  # of JSON, of UTF-8, and a path that is not UTF-8
            return None

    def _read(self, kind: str, name: str) -> Any:
        if kind == "path":
            return self._parameters().get(name)
        if kind == "header":
            value = self._fields.get(name.lower().encode())
            return None if value is None else value.decode()
        if kind == "query":
            return next((field.value for field in urlencoded(self._query) if field.name == name), None)
        if self.body is None:
            return None
        if kind == "form":
            return self._forms().get(name)
        if self._document is MISSING:
            self._document = loads(self._whole()) if self._kind().kind == "json" else None
        found = pointer.compiled(name)(self._document)
        return None if found is MISSING else found

    def _forms(self) -> dict[str, str]:
        if self._form is None:
            self._form = {}
            media = self._kind()
            if media.kind == "form":
                fields = urlencoded(self._whole())
            else:
                fields = multipart(self._whole(), media.boundary) if media.kind == "multipart" else []
            for field in fields:
                if not field.file:
                    self._form.setdefault(field.name, field.value)
        return self._form

    def _kind(self) -> MediaType:
        return _FRAME if self._frame else media_type(self._fields.get(b"content-type", b""))

    def _whole(self) -> bytes:
        assert self.body is not None
        coding = None if self._frame else self._fields.get(b"content-encoding")
        return self.body if coding is None else undone(self.body, coding, MAX_INFLATED)
