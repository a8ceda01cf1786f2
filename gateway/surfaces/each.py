"""An array in a body, each element of which is a message of its own: JSON-RPC and GraphQL batches, lists of events.

Each element is read as if it had come alone, by the very code that reads single ones: its bytes are a body, with the
head of the request around it. So there is one reading, and no second set of rules. What is changed in an element is
changed in its bytes, and the rest stays as it was written.

With ``/*`` the array is the whole body, and a body that is none is one message. With ``/events/*`` it stands within an
object, of which ``whole:`` sources read the rest.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from filters.model.message import Message
from gateway.surfaces.bodies import json_place
from gateway.surfaces.bodies.content import media_type, undone
from gateway.surfaces.input import pointer
from gateway.surfaces.input.decoded import (
    Changes,
    Decoded,
    Encode,
    Malformed,
    Messages,
    SeveralMessages,
    Unasked,
    Untouched,
    malformed,
)
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import ElementRequest, Request
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.input.strict_json import parse
from gateway.surfaces.surface import SocketDecoder, Surface

_Span = tuple[int, int]


class Each(Surface):
    """The surface of a route with ``each``, around that which reads one element. Raises ``SurfaceError``."""

    __slots__ = ("_inner", "_max_depth", "_max_unpacked", "_most", "_tokens")

    def __init__(self, inner: Surface, settings: SurfaceSettings) -> None:
        # Of what a surface has by itself nothing is needed: it is the inner one that reads.
        self.name = settings.name
        self.surface = settings.surface
        try:
            tokens = pointer.tokens(settings.each)
        except ValueError as error:
            raise SurfaceError(f"each: {error}") from None
        if not tokens or tokens[-1] != pointer.EVERY or pointer.EVERY in tokens[:-1]:
            raise SurfaceError(f"each = {settings.each!r}: write “/*”, or “/key/*” for an array within an object")
        self._inner = inner
        self._tokens = tokens[:-1]
        self._most = settings.max_elements
        self._max_depth = settings.max_json_depth
        self._max_unpacked = settings.max_inflated

    def decode(self, request: Request, body: bytes) -> Decoded:
        """See Surface."""
        inner = self._inner
        try:
            fields = request.fields
            if not body or not request.repeated.isdisjoint(_SAY_HOW):
                return inner.decode(request, body)
            media = media_type(fields.get(b"content-type", b""))
            if media.kind != "json":
                return inner.decode(request, body)
            coding = fields.get(b"content-encoding")
            whole = body if coding is None else undone(body, coding, self._max_unpacked)
            if media.ascii and not whole.isascii():
                raise Refused("charset.unsupported")
            document = parse(whole, self._max_depth)
            array = self._array(document)
            if array is None:
                return inner.decode(request, body)
            inner.check_whole(document, whole)
            return self._batch(request, document, array, whole, coding)
        except Refused as refused:
            return malformed(refused.reason)

    def attach(self, request: Request) -> SocketDecoder:
        """See Surface."""
        raise SurfaceError("each: is for HTTP: frames that hold several messages have a format")

    def upstream_id(self, body: bytes) -> str:
        """See Surface. Which part of an answer belongs to which message is known to the platform alone."""
        return ""

    def _array(self, document: Any) -> list[Any] | None:
        """The array; None for a body that is none, and so one message."""
        if not self._tokens and type(document) is not list:
            return None
        found = document
        for token in self._tokens:
            found = pointer.step(found, token)
        if type(found) is not list:
            raise Refused("body.not_array")
        if not found:
            raise Refused("text.missing")
        if len(found) > self._most:
            raise Refused("body.too_many")
        return found

    def _batch(self, request: Request, document: Any, array: list[Any], body: bytes, coding: bytes | None) -> Decoded:
        outer, spans = json_place.elements(body, self._tokens)
        fields = request.fields
        if coding is not None:
            fields = {name: value for name, value in fields.items() if name != b"content-encoding"}
        messages: list[Message] = []
        kinds: list[int] = []
        places: list[int] = []
        encodes: list[Encode] = []
        stamped = pending = False
        named = b""
        for at, (start, end) in enumerate(spans):
            decoded = self._inner.decode(ElementRequest(request, fields, document, at > 0), body[start:end])
            if isinstance(decoded, Malformed):
                return decoded
            assert not isinstance(decoded, SeveralMessages), "an element is one message"
            if decoded.method and named and decoded.method != named:
                raise Refused("form.twice")
            named = decoded.method or named
            if isinstance(decoded, Messages):
                messages.append(decoded.messages[0])
                kinds.append(decoded.kind)
                places.append(at)
                encodes.append(decoded.encode)
                stamped = decoded.stamped or stamped
            elif isinstance(decoded, Unasked):
                pending = True
        if pending:
            return Unasked(named)
        identity = coding is not None and coding != b"identity"
        if not messages:
            return Untouched(body, identity, named)
        return SeveralMessages(
            tuple(messages), tuple(kinds), tuple(places), array, not self._tokens, body,
            partial(_encode, encodes, places, outer, spans, stamped), identity, stamped, named,
        )  # fmt: skip


_SAY_HOW: Final = (b"content-type", b"content-encoding")


def _encode(
    encodes: list[Encode], places: list[int], outer: _Span, spans: list[_Span], stamped: bool, body: bytes,
    changes: Changes,
) -> bytes | None:  # fmt: skip
    """The body with what changed in its elements; where one is left out, the array is joined anew from the others."""
    written: dict[int, bytes | None] = {}
    for index, (encode, place) in enumerate(zip(encodes, places, strict=True)):
        if index in changes or stamped:
            start, end = spans[place]
            written[place] = encode(body[start:end], {0: changes[index]} if index in changes else {})
    kept: list[bytes] = []
    whole = True
    for at, (start, end) in enumerate(spans):
        one = written.get(at, body[start:end])
        if one is None:
            whole = False
        else:
            kept.append(one)
    if not kept:
        return None
    if not whole:
        return b"%b[%b]%b" % (body[: outer[0]], b",".join(kept), body[outer[1] :])
    for (start, end), one in zip(reversed(spans), reversed(kept), strict=True):
        body = b"%b%b%b" % (body[:start], one, body[end:])
    return body
