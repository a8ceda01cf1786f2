"""Bytes to messages and back, compiled once per route.

One request or one payload of a frame is read in this order, and each step may refuse: the media type and its coding,
the body itself, whether it is a message at all, who sends it and where to, its parts, its texts. Nothing is kept
between messages but the verified tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from orjson import JSONDecodeError, loads

from filters.model.message import Message
from gateway.surfaces.bodies import bodies, conditions, id_place
from gateway.surfaces.bodies.ambiguity import Ambiguity
from gateway.surfaces.bodies.bodies import AsciiBody, Body
from gateway.surfaces.bodies.content import MediaType, media_type, undone
from gateway.surfaces.bodies.id_place import IdPlace
from gateway.surfaces.formats import FORMATS
from gateway.surfaces.formats.format import Format
from gateway.surfaces.formats.single import Single
from gateway.surfaces.input import named_method, pointer
from gateway.surfaces.input.decoded import (
    UNASKED,
    Changes,
    Decoded,
    Encode,
    Malformed,
    Messages,
    Unasked,
    Untouched,
    malformed,
)
from gateway.surfaces.input.named_method import FIELD
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Request, following
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.sources import playback, sources
from gateway.surfaces.sources.facts import MAX_NAME, FactReaders
from gateway.surfaces.sources.jwt import Tokens

EDITS: Final = frozenset((b"PUT", b"PATCH"))
MAX_TYPES: Final = 256  # spellings of Content-Type that are remembered

# What NamedTuple's own constructor does, without its frame: 0.4 µs less for a Message of 15 fields.
_new: Final = tuple.__new__

_Known = tuple[MediaType, Body, Encode]


class Surface:
    """A route's surface. ``new_id`` gives a message's id, ``now_us`` the time in microseconds since the epoch."""

    __slots__ = (
        "_ambiguity",
        "_bare",
        "_bodies",
        "_edit",
        "_edits",
        "_facts",
        "_format",
        "_id_place",
        "_is_message",
        "_max_inflated",
        "_new_id",
        "_now_us",
        "_payload",
        "_playback",
        "_read_ip",
        "_types",
        "_upstream_id",
        "name",
        "surface",
    )

    def __init__(self, settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> None:
        tokens = Tokens(settings.token, now_us) if settings.token is not None else None
        for part in settings.parts:
            if part.partition(":")[0] not in ("json", "form"):
                raise SurfaceError(f"parts = {part!r}: write “json:/pointer” or “form:field”")
        if settings.format not in FORMATS:
            raise SurfaceError(f"format = {settings.format!r} is unknown: write one of {', '.join(FORMATS)}")
        self.name = settings.name
        self.surface = settings.surface
        self._new_id = new_id
        self._now_us = now_us
        self._facts = FactReaders(settings, tokens)
        self._bodies = bodies.compiled(settings)
        self._ambiguity = Ambiguity(settings)
        entry = FORMATS[settings.format]
        self._format = entry.compiled(settings)
        self._payload = entry.payload
        self._is_message = (
            conditions.compiled(settings.message_when, settings.relay_when)
            if settings.message_when or settings.relay_when
            else None
        )
        self._playback = (
            playback.compiled(sources.first(settings.playback, "playback", tokens), settings.playback_unit)
            if settings.playback
            else None
        )
        self._upstream_id = _upstream_id(settings.upstream_id)
        self._id_place = id_place.compiled(settings.id_to, settings.text)
        self._read_ip = settings.read_ip
        facts = self._facts
        # Of the sender nothing is read but who it is: most routes.
        self._bare = not any(
            (self._playback, facts.device, facts.registrant, facts.location, facts.vouched, facts.shown_sender)
        )
        self._edit = settings.edit is True
        self._edits = EDITS if settings.edit is None else frozenset[bytes]()
        self._max_inflated = settings.max_inflated
        self._types: dict[bytes, _Known] = {}

    def decode(self, request: Request, body: bytes) -> Decoded:
        """What one HTTP request holds."""
        try:
            reading = ParsedRequest(request)
            fields = reading.fields
            header = fields.get(b"content-type", b"")
            known = self._types.get(header)
            if known is None:
                known = self._learn(header)
            if reading.repeated and b"content-type" in reading.repeated:
                raise Refused("type.unsupported")
            media, carrier, encode = known
            coding = fields.get(b"content-encoding")
            identity = coding is not None and coding != b"identity"
            if coding is not None:
                if b"content-encoding" in reading.repeated:
                    raise Refused("coding.unsupported")
                body = undone(body, coding, self._max_inflated)
            carrier.load(reading, body, media)
            named = b""
            document = reading.document
            if type(document) is dict:
                if FIELD in document:
                    named = named_method.of_document(document)
            elif reading.form is not None and reading.form.methods:
                named = named_method.of_values(reading.form.methods)
            if request.query and not following(request):
                self._ambiguity.check_query(request.query)
                named = named or named_method.of_query(request.query)
            if self._ambiguity.mixed:
                self._ambiguity.check(media.kind, document, body)
            if self._is_message is not None and not self._is_message(document):
                return Untouched(body, identity, named)
            place = self._id_place
            if place is not None:
                place.check(document)
            message = self._message(reading, carrier, named or request.method)
            if reading.pending:
                return Unasked(named) if named else UNASKED
            if place is not None:
                encode = partial(_stamp, carrier, media, place, message.id)
            return _new(Messages, ((message,), body, encode, identity, place is not None, named, -1))
        except Refused as refused:
            return malformed(refused.reason)

    def attach(self, request: Request) -> SocketDecoder:
        """The decoder for the frames of a socket that ``request`` opened. Who sends is asked per message, because
        those who only watch need not say (law 7)."""
        carrier = self._bodies.get(self._payload)
        if carrier is None:
            raise SurfaceError(f"text: name a source that reads {self._payload} frames")
        return SocketDecoder(self, request, self._format, carrier)

    def check_whole(self, document: Any, body: bytes) -> None:
        """Refuse a JSON body whose elements are messages, and which reads as another kind of body."""
        if self._ambiguity.mixed:
            self._ambiguity.check("json", document, body)

    def upstream_id(self, body: bytes) -> str:
        """The platform's own id of a message, from its answer; empty where it does not tell one."""
        if self._upstream_id is None:
            return ""
        try:
            value = self._upstream_id(loads(body))
        except (JSONDecodeError, Refused):
            return ""
        if type(value) is int:
            return str(value)
        return value if type(value) is str and len(value) <= MAX_NAME and value.isprintable() else ""

    def _learn(self, header: bytes) -> _Known:
        media = media_type(header)
        carrier = self._bodies.get(media.kind)
        if carrier is None:
            raise Refused("type.unsupported")
        if media.ascii:
            carrier = AsciiBody(carrier)
        known = media, carrier, partial(_encode, carrier, media)
        if media.kind != "multipart" and len(self._types) < MAX_TYPES:  # each multipart has a boundary of its own
            self._types[header] = known
        return known

    def _message(self, reading: ParsedRequest, carrier: Body, method: bytes) -> Message:
        facts = self._facts
        sender = facts.sender(reading)
        room = "" if facts.room is None else facts.room(reading)
        parts = carrier.parts(reading)
        if self._bare:
            return _new(
                Message,
                (
                    self._new_id(), self.surface, self.name, room, sender,
                    carrier.texts(reading, parts, method == b"PATCH"), self._now_us(),
                    "", reading.request.peer_ip if self._read_ip else "", "", "", None,
                    parts, self._edit or method in self._edits, -1, "", reading.weak, reading.degraded,
                ),
            )  # fmt: skip
        return _new(
            Message,
            (
                self._new_id(),
                self.surface,
                self.name,
                room,
                sender,
                carrier.texts(reading, parts, method == b"PATCH"),
                self._now_us(),
                "" if facts.device is None else facts.device(reading),
                reading.request.peer_ip if self._read_ip else "",
                "" if facts.registrant is None else facts.registrant(reading),
                "" if facts.location is None else facts.location(reading),
                None if facts.vouched is None else facts.vouched(reading),
                parts,
                self._edit or method in self._edits,
                -1 if self._playback is None else self._playback(reading),
                "" if facts.shown_sender is None else facts.shown_sender(reading),
                reading.weak,
                reading.degraded,
            ),
        )


class SocketDecoder:
    """Decodes the frames of one socket: ``surface.attach(handshake)``. ``told``: what the platform says now of who has
    opened it."""

    __slots__ = ("_carrier", "_encode", "_format", "_request", "_single", "_surface", "told")

    def __init__(self, surface: Surface, request: Request, format: Format, carrier: Body) -> None:
        self._surface = surface
        self._request = request
        self._format = format
        self._carrier = carrier
        self.told = request.told
        self._single = isinstance(format, Single) and surface._id_place is None
        self._encode = partial(_encode_frame, format, carrier, [0])

    @property
    def binary(self) -> bool:
        """Whether frames are binary ones."""
        return self._format.binary

    def notice(self, text: bytes) -> bytes:
        """The payload of a frame that tells ``text`` to the client."""
        return self._format.notice(text)

    def payload(self, frame: bytes, index: int) -> bytes | None:
        """The payload of that message of a frame; None where there is none."""
        surface = self._surface
        try:
            for payload in self._format.split(frame):
                if payload.judged:
                    reading = ParsedRequest(self._request)
                    self._carrier.load(reading, payload.data, FRAME)
                    if surface._is_message is None or surface._is_message(reading.document):
                        if index == 0:
                            return payload.data
                        index -= 1
        except Refused:
            pass
        return None

    def who(self) -> tuple[str, str]:
        """Sender and room as far as the handshake alone tells them; empty where only a message does, and where no
        person is named."""
        facts = self._surface._facts
        reading = ParsedRequest(self._request)
        told = []
        for read in (facts.sender, facts.room):
            try:
                told.append("" if read is None else read(reading))
            except Refused:
                told.append("")
        return "" if reading.weak or reading.pending else told[0], told[1]

    def decode(self, frame: bytes, binary: bool) -> Decoded:
        """What one complete data frame (fragments joined) holds. ``binary``: its opcode is 2.

        One payload that cannot be judged refuses the whole frame: who batches answers for the batch.
        """
        surface = self._surface
        format = self._format
        carrier = self._carrier
        place = surface._id_place
        if binary is not format.binary:
            return malformed("frame.type")
        if self._single:
            return self._decode_single(frame)
        messages: list[Message] = []
        places: list[int] = []
        pending = False
        try:
            for index, payload in enumerate(format.split(frame)):
                if not payload.judged:
                    continue
                reading = ParsedRequest(self._request)
                reading.told = self.told
                carrier.load(reading, payload.data, FRAME)
                if surface._is_message is None or surface._is_message(reading.document):
                    if place is not None:
                        place.check(reading.document)
                    messages.append(surface._message(reading, carrier, b""))
                    places.append(index)
                    pending = pending or reading.pending
        except Refused as refused:
            return malformed(refused.reason)
        if pending:
            return UNASKED
        if not messages:
            return Untouched(frame)
        if place is not None:
            ids = [message.id for message in messages]
            return Messages(
                tuple(messages), frame, partial(_stamp_frame, format, carrier, places, place, ids), stamped=True
            )
        return Messages(tuple(messages), frame, partial(_encode_frame, format, carrier, places))

    def _decode_single(self, frame: bytes) -> Decoded:
        """The frame is one payload and nothing is written into it: nearly every socket."""
        surface = self._surface
        carrier = self._carrier
        try:
            reading = ParsedRequest(self._request)
            reading.told = self.told
            carrier.load(reading, frame, FRAME)
            if surface._is_message is not None and not surface._is_message(reading.document):
                return Untouched(frame)
            message = surface._message(reading, carrier, b"")
            if reading.pending:
                return UNASKED
        except Refused as refused:
            return malformed(refused.reason)
        return _new(Messages, ((message,), frame, self._encode, False, False, b"", -1))


FRAME = MediaType("frame")


def _encode(carrier: Body, media: MediaType, body: bytes, changes: Changes) -> bytes | None:
    if 0 not in changes:
        return body
    texts = changes[0]
    return None if texts is None else carrier.encode(body, media, texts)


def _stamp(
    carrier: Body, media: MediaType, place: IdPlace, message_id: str, body: bytes, changes: Changes
) -> bytes | None:
    encoded = _encode(carrier, media, body, changes)
    return None if encoded is None else place.write(encoded, message_id)


def _encode_frame(format: Format, carrier: Body, places: list[int], frame: bytes, changes: Changes) -> bytes | None:
    payloads = format.split(frame)
    return format.join(
        frame,
        {
            places[index]: None if texts is None else carrier.encode(payloads[places[index]].data, FRAME, texts)
            for index, texts in changes.items()
        },
    )


def _stamp_frame(
    format: Format,
    carrier: Body,
    places: list[int],
    place: IdPlace,
    ids: list[str],
    frame: bytes,
    changes: Changes,
) -> bytes | None:
    payloads = format.split(frame)
    stamped: dict[int, bytes | None] = {}
    for index, (at, message_id) in enumerate(zip(places, ids, strict=True)):
        data: bytes | None = payloads[at].data
        if index in changes:
            texts = changes[index]
            data = None if texts is None else carrier.encode(payloads[at].data, FRAME, texts)
        stamped[at] = None if data is None else place.write(data, message_id)
    return format.join(frame, stamped)


def _upstream_id(source: str) -> Callable[[Any], Any] | None:
    if not source:
        return None
    kind, _, name = source.partition(":")
    try:
        if kind == "json":
            return pointer.compiled(name)
    except ValueError:
        pass
    raise SurfaceError(f"upstream_id = {source!r}: write “json:” and a JSON Pointer into the platform's answer")


__all__ = ["Malformed", "Messages", "SocketDecoder", "Surface", "Untouched"]
