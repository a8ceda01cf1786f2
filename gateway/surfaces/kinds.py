"""Several kinds of message at one address: which of them a body or a frame is, and how that one is read.

The first kind whose condition holds is it. It is decided on the body, parsed strictly, and then that kind's own
surface reads it, as if the route had no other. What is no kind is refused, or relayed where the route says so (law 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

from gateway.surfaces.bodies import when
from gateway.surfaces.bodies.ambiguity import Ambiguity
from gateway.surfaces.bodies.content import MediaType, media_type, undone
from gateway.surfaces.bodies.elsewhere import Elsewhere
from gateway.surfaces.bodies.multipart import multipart
from gateway.surfaces.bodies.when import When
from gateway.surfaces.formats import FORMATS
from gateway.surfaces.input import named_method
from gateway.surfaces.input.decoded import Decoded, Messages, Untouched, malformed
from gateway.surfaces.input.forms import Wanted, urlencoded
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Request, following
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.input.strict_json import parse
from gateway.surfaces.surface import SocketDecoder, Surface

UNKNOWN: Final = "frame.unknown"
_RELAYED: Final = -1


class KindSettings(NamedTuple):
    """One kind. ``surface`` is None for what is relayed untouched."""

    when: When
    surface: SurfaceSettings | None


class Kinds(Surface):
    """The surface of a route with several kinds. ``Messages.kind`` says which one it was: its place among those that
    are judged.

    ``route`` is what the route itself says, without a kind. Raises ``SurfaceError`` for settings that make no sense.
    """

    __slots__ = ("_choices", "_chooser", "_kinds", "_otherwise")

    def __init__(
        self, route: SurfaceSettings, kinds: Sequence[KindSettings], otherwise: Literal["refuse", "relay"],
        compiled: Callable[[SurfaceSettings], Surface], new_id: Callable[[], str], now_us: Callable[[], int],
    ) -> None:  # fmt: skip
        judged = [kind.surface for kind in kinds if kind.surface is not None]
        if not judged:
            raise SurfaceError("messages: judge at least one kind, or leave surface out")
        if not FORMATS[route.format].kinds:
            raise SurfaceError(f"messages: frames of format {route.format!r} have no kinds")
        super().__init__(judged[0], new_id, now_us)
        self._kinds = [compiled(settings) for settings in judged]
        self._choices: list[tuple[when.Holds, int]] = []
        place = 0
        for kind in kinds:
            self._choices.append((when.compiled(kind.when), _RELAYED if kind.surface is None else place))
            place += kind.surface is not None
        self._otherwise = otherwise
        self._chooser = _Chooser(route, [source for kind in kinds for source in when.read_by(kind.when)])

    def decode(self, request: Request, body: bytes) -> Decoded:
        """See Surface."""
        try:
            reading = ParsedRequest(request)
            whole = self._chooser.load(reading, body)
            kind = self._choice(reading)
            if kind == _RELAYED:
                coded = request.fields.get(b"content-encoding", b"identity") != b"identity"
                return Untouched(whole, coded, self._chooser.named(reading))
        except Refused as refused:
            return malformed(_own(refused))
        return _of(self._kinds[kind].decode(request, body), kind)

    def attach(self, request: Request) -> SocketDecoder:
        """See Surface."""
        return KindsDecoder(self, request, [kind.attach(request) for kind in self._kinds])

    def choice(self, request: Request, frame: bytes) -> int:
        """Which kind a frame is; negative for what is relayed. ``Refused`` for what is none, or cannot be read."""
        reading = ParsedRequest(request)
        reading.document = parse(frame, self._chooser.max_depth)
        return self._choice(reading)

    def check_whole(self, document: Any, body: bytes) -> None:
        """See Surface."""
        self._chooser.check_whole(document, body)
        for kind in self._kinds:
            kind.check_whole(document, body)

    def _choice(self, reading: ParsedRequest) -> int:
        if self._chooser.lists or type(reading.document) is not list:
            for holds, kind in self._choices:
                if holds(reading):
                    return kind
        if self._otherwise == "relay":
            return _RELAYED
        raise Refused(UNKNOWN)


class KindsDecoder(SocketDecoder):
    """The decoder of one socket of such a route."""

    __slots__ = ("_arrived", "_decoders", "_kinds")

    def __init__(self, kinds: Kinds, request: Request, decoders: list[SocketDecoder]) -> None:
        first = decoders[0]
        super().__init__(kinds, request, first._format, first._carrier)
        self._kinds = kinds
        self._arrived = request
        self._decoders = decoders

    def decode(self, frame: bytes, binary: bool) -> Decoded:
        """See SocketDecoder."""
        if binary:
            return malformed("frame.type")
        try:
            kind = self._kinds.choice(self._arrived, frame)
        except Refused as refused:
            return malformed(_own(refused))
        if kind == _RELAYED:
            return Untouched(frame)
        decoder = self._decoders[kind]
        decoder.told = self.told
        return _of(decoder.decode(frame, binary), kind)


class _Chooser:
    """Reads what the conditions look at, and refuses what a platform could read in another place.

    ``lists``: a list may be one of the kinds. Where only members of objects decide, a list has none of them, and what
    is relayed because they are absent could be a batch of what is judged.
    """

    __slots__ = ("_ambiguity", "_elsewhere", "_forms", "_max_fields", "_max_inflated", "lists", "max_depth")

    def __init__(self, route: SurfaceSettings, read: Sequence[str]) -> None:
        body = tuple(dict.fromkeys(source for source in read if source.partition(":")[0] in ("json", "form")))
        pointers = [source[5:] for source in body if source.startswith("json:")]
        self.lists = not pointers or any(not name or name[1:2].isdigit() for name in pointers)
        body = tuple(source for source in body if source != when.WHOLE)
        query = tuple(dict.fromkeys(source for source in read if source.startswith("query:")))
        whole = tuple(dict.fromkeys(source for source in read if source.startswith("whole:")))
        self._ambiguity = Ambiguity(replace(_BARE, text=body, sender=(*query, *whole)))
        self._elsewhere = Elsewhere(body, query)
        try:
            self._forms = Wanted(dict.fromkeys(source[5:] for source in body if source.startswith("form:")))
        except ValueError as error:
            raise SurfaceError(f"when: {error}") from None
        self.max_depth = route.max_json_depth
        self._max_fields = route.max_fields
        self._max_inflated = route.max_inflated

    def load(self, reading: ParsedRequest, body: bytes) -> bytes:
        """Parse a body into ``reading``; what it is without its coding. An empty one holds nothing, whatever type
        it names: clients of JSON do so with each of their requests."""
        fields = reading.fields
        for name in (b"content-type", b"content-encoding"):
            if name in reading.repeated:
                raise Refused("type.unsupported" if name == b"content-type" else "coding.unsupported")
        query = reading.request.query
        if query and not following(reading.request):
            self._ambiguity.check_query(query)
        if not body and fields.get(b"content-encoding") is None:
            return body
        media = media_type(fields.get(b"content-type", b""))
        coding = fields.get(b"content-encoding")
        if coding is not None:
            body = undone(body, coding, self._max_inflated)
        self._parse(reading, body, media)
        self._ambiguity.check(media.kind, reading.document, body)
        return body

    def check_whole(self, document: Any, body: bytes) -> None:
        """See Surface."""
        self._ambiguity.check("json", document, body)

    def _parse(self, reading: ParsedRequest, body: bytes, media: MediaType) -> None:
        if media.ascii and not body.isascii():
            raise Refused("charset.unsupported")
        query = reading.request.query
        if media.kind == "json":
            reading.document = parse(body, self.max_depth)
            if type(reading.document) is dict:
                self._elsewhere.check_document(reading.document, query)
        elif media.kind == "text":
            self._elsewhere.check_text(body)
        else:
            if media.kind == "form":
                fields = urlencoded(body, self._max_fields)
            else:
                fields = multipart(body, media.boundary, self._max_fields)
            reading.form = self._forms.select(fields)
            self._elsewhere.check_form(fields, query)

    def named(self, reading: ParsedRequest) -> bytes:
        """The method that the body or the query names."""
        named = b""
        document = reading.document
        if type(document) is dict:
            named = named_method.of_document(document)
        elif reading.form is not None:
            named = named_method.of_values(reading.form.methods)
        return named or (named_method.of_query(reading.request.query) if reading.request.query else b"")


_BARE: Final = SurfaceSettings(name="", surface="", sender=(), text=())


def _of(decoded: Decoded, kind: int) -> Decoded:
    return decoded._replace(kind=kind) if isinstance(decoded, Messages) else decoded


def _own(refused: Refused) -> str:
    """A condition's own reasons, as those of a message that is of no known kind."""
    return UNKNOWN if refused.reason in ("fact.twice", "fact.malformed") else refused.reason
