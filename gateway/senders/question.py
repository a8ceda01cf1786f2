"""One question to the platform: who presents these credentials?

What counts as which answer. 2xx with an id: somebody. 2xx without one (the value is missing, null, false or empty),
3xx (a login page), 401, 403, 404 and 410: nobody. Everything else, an answer that is too long, no JSON where an id is
read from JSON, or an id that is no name, says nothing: that is a failure, and costs what ``on_error`` says (law 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from orjson import JSONDecodeError, loads

from gateway.http.upstream.short_answer import ShortAnswer
from gateway.surfaces.input import pointer
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.facts import LARGEST, MAX_NAME

if TYPE_CHECKING:
    from gateway.http.upstream.failure import UpstreamError
    from gateway.http.wire.head import ResponseHead

NOBODY: Final = frozenset((301, 302, 303, 307, 308, 401, 403, 404, 410))

Then = Callable[[str, str], object]
"""Told once: (sender, cause of a failure); both empty where the platform knows nobody."""


class IdReader:
    """Where an answer names the sender: ``json:/pointer`` or ``header:NAME``."""

    __slots__ = ("_find", "_header")

    def __init__(self, source: str) -> None:
        kind, _, name = source.partition(":")
        self._header = name.lower().encode() if kind == "header" else b""
        self._find = pointer.compiled(name) if kind == "json" else None

    @property
    def of_head(self) -> bool:
        """Whether the body says nothing of it."""
        return self._find is None

    def read(self, head: ResponseHead, body: bytes) -> str:
        """The id; empty for nobody. ``ValueError`` for what cannot be read as one."""
        if self._find is None:
            value = head.fields.get(self._header, b"")
            if self._header in head.repeated:
                raise ValueError("the field came twice")
            return _name(value.decode("utf-8"))
        if head.fields.get(b"content-encoding", b"identity").lower() != b"identity":
            raise ValueError("the answer is coded, which nobody asked for")
        try:
            return _name(self._find(loads(body)))
        except (JSONDecodeError, Refused):
            raise ValueError("it is no JSON, or not plainly one value") from None


def _name(value: Any) -> str:
    if value is MISSING or value is None or value is False or value == "":
        return ""
    if type(value) is int and -LARGEST <= value < LARGEST:
        return str(value)
    if type(value) is not str or len(value) > MAX_NAME or not value.isprintable() or value.strip() != value:
        raise ValueError("it is no name")
    return value


class SenderQuestion(ShortAnswer):
    """Asked once, told once, unless it is given up."""

    __slots__ = ("_body", "_head", "_read", "_then")

    def __init__(self, read: IdReader, most: int, then: Then) -> None:
        super().__init__(most)
        self._read = read
        self._then: Then | None = then
        self._head: ResponseHead | None = None
        self._body = b""

    def give_up(self) -> None:
        self._then = None
        super().give_up()

    def on_head(self, head: ResponseHead, more: bool) -> None:
        """The head of the answer."""
        status = head.status
        if 200 <= status < 300:
            self._head = head
            if self._read.of_head:
                self._answered(head)
        elif status in NOBODY:
            self._done("", "")
        else:
            self._done("", "status")

    def on_data(self, data: bytes) -> None:
        if self._then is not None and len(data) <= self._left:
            self._body += data
        super().on_data(data)

    def on_too_long(self) -> None:
        self._done("", "garbage")

    def on_end(self) -> None:
        if self._head is not None:
            self._answered(self._head)

    def on_error(self, error: UpstreamError) -> None:
        """No answer, or half of one."""
        self._done("", "unreachable")

    def _answered(self, head: ResponseHead) -> None:
        if self._then is None:
            return
        try:
            sender = self._read.read(head, self._body)
        except ValueError:
            self._done("", "garbage")
        else:
            self._done(sender, "")

    def _done(self, sender: str, cause: str) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(sender, cause)
