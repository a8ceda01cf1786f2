"""The judged texts of a body, and the body with other texts in their place: JSON, forms, plain text.

A body is loaded into a Reading first, because sources read from it as well; then its texts are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import dumps
from typing import Any, Final, Protocol

from gateway.surfaces.bodies import json_place
from gateway.surfaces.bodies.ambiguity import elsewhere
from gateway.surfaces.bodies.content import MediaType
from gateway.surfaces.bodies.multipart import multipart, readings, renamed, replacement
from gateway.surfaces.input import forms, pointer
from gateway.surfaces.input.forms import Form, Wanted, urlencoded
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.input.strict_json import parse

EMPTY: tuple[Any, ...] = (None, "", [], {}, False)  # values of a part that is not there

_NOTHING: Final[tuple[str, ...]] = ()


class Body(Protocol):
    """How one kind of body is read. ``absent_ok``: an edit that leaves the text as it was has none."""

    def load(self, reading: ParsedRequest, body: bytes, media: MediaType) -> None:
        """Parse ``body`` into ``reading``; ``Refused`` when it is not what it says."""

    def parts(self, reading: ParsedRequest) -> tuple[str, ...]:
        """The configured parts, and uploads, that are present."""

    def texts(self, reading: ParsedRequest, parts: tuple[str, ...], absent_ok: bool) -> tuple[str, ...]:
        """The judged texts in the order of the settings."""

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """``body`` with ``texts`` in place of what ``texts()`` returned."""


def compiled(settings: SurfaceSettings) -> dict[str, Body]:
    """What reads each kind of body that the settings' text sources ask for, by ``MediaType.kind``."""
    by_kind: dict[str, list[str]] = {"json": [], "form": [], "text": []}
    files = False
    for source in settings.text:
        kind, colon, name = source.partition(":")
        if kind == "body":
            kind = name
        elif kind == "filename" and name:
            by_kind["form"].append(source)
            files = True
            continue
        if not colon or kind not in by_kind or (kind == "form" and not name):
            raise SurfaceError(f"text = {source!r}: write “json:/pointer”, “form:field”, “filename:field” or “text:”")
        by_kind[kind].append(source if kind == "form" else name)
    if not settings.text:
        raise SurfaceError("text: name where it is read from, such as “json:/content”")
    if len(set(settings.text)) != len(settings.text):
        raise SurfaceError("text: a source is named twice")
    if (settings.message_when or settings.relay_when) and (by_kind["form"] or by_kind["text"]):
        raise SurfaceError("message_when, relay_when: they read JSON; give form and plain-text bodies their own route")
    bodies: dict[str, Body] = {}
    if by_kind["json"]:
        spread = any(pointer.EVERY in name.split("/") for name in by_kind["json"])
        bodies["json"] = SpreadJsonBody(by_kind["json"], settings) if spread else JsonBody(by_kind["json"], settings)
    if by_kind["form"]:
        form = FileBody(by_kind["form"], settings) if files else FormBody(by_kind["form"], settings)
        bodies["form"] = bodies["multipart"] = form
    if by_kind["text"]:
        bodies["text"] = TextBody(settings)
    return bodies


def _named(settings: SurfaceSettings, kind: str) -> list[str]:
    return [part.partition(":")[2] for part in settings.parts if part.startswith(f"{kind}:")]


def _settled(values: Sequence[Any], max_text: int, absent_ok: bool) -> tuple[str, ...]:
    """The texts of a body of which ``values`` was read; one that is absent among others, or null, is empty."""
    if len(values) > 1:
        values = [MISSING if value is None else value for value in values]
    length = 0
    texts = []
    for value in values:
        if value is MISSING or (value is None and absent_ok):
            texts.append("")
        elif isinstance(value, str):
            length += len(value)
            texts.append(value)
        else:
            raise Refused("text.not_string")
    if length > max_text:
        raise Refused("text.too_long")
    if length == 0 and not absent_ok:
        raise Refused("text.missing" if all(value is MISSING for value in values) else "text.empty")
    return tuple(texts)


class JsonBody:
    """RFC 8259, strictly; places are JSON Pointers."""

    __slots__ = ("_find", "_finds", "_max_depth", "_max_text", "_optional", "_parts", "_places")

    def __init__(self, pointers: Sequence[str], settings: SurfaceSettings) -> None:
        try:
            self._places = [pointer.tokens(name) for name in pointers]
            self._finds = [pointer.compiled(name) for name in pointers]
            self._parts = [(name, pointer.compiled(name)) for name in _named(settings, "json")]
        except ValueError as error:
            raise SurfaceError(f"text, parts: {error}") from None
        self._find = self._finds[0] if len(self._finds) == 1 else None
        self._max_depth = settings.max_json_depth
        self._max_text = settings.max_text
        self._optional = settings.optional_text

    def load(self, reading: ParsedRequest, body: bytes, media: MediaType) -> None:
        """See Body."""
        reading.document = parse(body, self._max_depth)

    def parts(self, reading: ParsedRequest) -> tuple[str, ...]:
        """See Body. Null, false, and what is empty, count as absent."""
        if not self._parts:
            return _NOTHING
        document = reading.document
        return tuple(
            name for name, find in self._parts if (value := find(document)) is not MISSING and value not in EMPTY
        )

    def texts(self, reading: ParsedRequest, parts: tuple[str, ...], absent_ok: bool) -> tuple[str, ...]:
        """See Body."""
        document = reading.document
        if self._find is not None:
            value = self._find(document)
            if type(value) is str and 0 < len(value) <= self._max_text:
                return (value,)
            values: list[Any] = [value]
        else:
            values = [find(document) for find in self._finds]
        return _settled(values, self._max_text, absent_ok or self._optional or bool(parts))

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """See Body. A text that was absent stays absent."""
        document = parse(body, self._max_depth)
        return json_place.replaced(
            body,
            [
                (place, text)
                for place, find, text in zip(self._places, self._finds, texts, strict=True)
                if isinstance(find(document), str)
            ],
        )


class SpreadJsonBody(JsonBody):
    """The same where a place may be one of several: each element of an array is a text of the one message."""

    __slots__ = ("_most", "_spreads")

    def __init__(self, pointers: Sequence[str], settings: SurfaceSettings) -> None:
        super().__init__(pointers, settings)
        alone = sum(pointer.EVERY not in name.split("/") for name in pointers)  # each is one place, there or not
        self._most = settings.max_elements + alone
        self._spreads = [pointer.spread(name, self._most) for name in pointers]

    def texts(self, reading: ParsedRequest, parts: tuple[str, ...], absent_ok: bool) -> tuple[str, ...]:
        """See Body. An element without the text is an empty one."""
        values = [value for _, value in self._placed(reading.document)]
        return _settled(values, self._max_text, absent_ok or self._optional or bool(parts))

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """See Body."""
        placed = self._placed(parse(body, self._max_depth))
        return json_place.replaced(
            body, [(place, text) for (place, value), text in zip(placed, texts, strict=True) if isinstance(value, str)]
        )

    def _placed(self, document: Any) -> list[tuple[tuple[str, ...], Any]]:
        placed = [one for find in self._spreads for one in find(document)]
        if len(placed) > self._most:
            raise Refused("body.too_many")
        return placed


class FormBody:
    """URL-encoded and multipart forms; places are the names of fields."""

    __slots__ = ("_max_fields", "_max_text", "_names", "_optional", "_parts", "_wanted")

    def __init__(self, listed: Sequence[str], settings: SurfaceSettings) -> None:
        names = self._names = [source.partition(":")[2] for source in listed if source.startswith("form:")]
        uploads = [source.partition(":")[2] for source in listed if source.startswith("filename:")]
        self._parts = _named(settings, "form")
        try:
            self._wanted = Wanted([*names, *self._parts, *_form_sources(settings)], elsewhere(settings), uploads)
        except ValueError as error:
            raise SurfaceError(f"text, parts, sources: {error}") from None
        self._max_fields = settings.max_fields
        self._max_text = settings.max_text
        self._optional = settings.optional_text

    def load(self, reading: ParsedRequest, body: bytes, media: MediaType) -> None:
        """See Body."""
        reading.form = self._form(body, media)

    def parts(self, reading: ParsedRequest) -> tuple[str, ...]:
        """See Body."""
        form = reading.form
        if form is None or not (self._parts or form.files):
            return _NOTHING
        present = [name for name in self._parts if name in form.fields and form.fields[name].value]
        return tuple(f"form:{name}" for name in dict.fromkeys((*present, *form.files)))

    def texts(self, reading: ParsedRequest, parts: tuple[str, ...], absent_ok: bool) -> tuple[str, ...]:
        """See Body."""
        return _settled(self._values(reading), self._max_text, absent_ok or self._optional or bool(parts))

    def _values(self, reading: ParsedRequest) -> list[Any]:
        """What stands in the fields, in their order."""
        fields: Mapping[str, forms.Field] = reading.form.fields if reading.form is not None else {}
        values: list[Any] = []
        for name in self._names:
            field = fields.get(name)
            if field is not None and field.file:
                raise Refused("text.not_string")
            if field is not None and "\x00" in field.value:
                raise Refused("body.nul")
            values.append(MISSING if field is None else field.value)
        return values

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """See Body."""
        fields = self._form(body, media).fields
        edits = [(fields[name], text) for name, text in zip(self._names, texts, strict=True) if name in fields]
        for field, text in sorted(edits, key=lambda edit: edit[0].start, reverse=True):
            value = replacement(text, media.boundary) if media.kind == "multipart" else forms.encoded(text)
            body = body[: field.start] + value + body[field.end :]
        return body

    def _form(self, body: bytes, media: MediaType) -> Form:
        if media.kind == "multipart":
            return self._wanted.select(multipart(body, media.boundary, self._max_fields))
        return self._wanted.select(urlencoded(body, self._max_fields))


class FileBody(FormBody):
    """Forms of which the names of uploads are judged as well: they follow the fields, upload by upload, each reading
    of a name once (``multipart.readings``)."""

    __slots__ = ()

    def _values(self, reading: ParsedRequest) -> list[Any]:
        values = super()._values(reading)
        if reading.form is not None:
            values += [text for upload in reading.form.uploads for text in _names_of(upload)]
        return values

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """See Body."""
        form = self._form(body, media)
        if not form.uploads:
            return super().encode(body, media, texts)
        edits = [
            (field.start, field.end, replacement(text, media.boundary))
            for name, text in zip(self._names, texts, strict=False)
            if (field := form.fields.get(name)) is not None
        ]
        at = len(self._names)
        for upload in form.uploads:
            names = _names_of(upload)
            shown = dict(zip(names, texts[at : at + len(names)], strict=True))
            at += len(names)
            written: dict[tuple[int, int], bytes] = {}
            for text, name in readings(upload):
                if shown[text] != text:  # of two readings of one parameter the decoded one, where both changed
                    written[name.start, name.end] = renamed(shown[text], name, media.boundary)
            edits += [(start, end, value) for (start, end), value in written.items()]
        for start, end, value in sorted(edits, reverse=True):
            body = body[:start] + value + body[end:]
        return body


def _names_of(upload: forms.Field) -> list[str]:
    return list(dict.fromkeys(text for text, _ in readings(upload)))


def _form_sources(settings: SurfaceSettings) -> list[str]:
    """The form fields that facts are read from."""
    listed = (
        *settings.sender,
        *settings.room_sources,
        *settings.device,
        *settings.registrant,
        *settings.location,
        *settings.verified,
        *settings.level,
        *settings.playback,
        *settings.shown_sender,
    )
    return [source.partition(":")[2] for source in listed if source.startswith("form:")]


def _escaped(char: str) -> str:
    """A character beyond ASCII in JSON's escapes (RFC 8259 section 7)."""
    return dumps(char)[1:-1]


class AsciiBody:
    """A body of another kind that says it is US-ASCII: some readers put other signs in place of what is not."""

    __slots__ = ("_body",)

    def __init__(self, body: Body) -> None:
        self._body = body

    def load(self, reading: ParsedRequest, body: bytes, media: MediaType) -> None:
        """See Body."""
        if not body.isascii():
            raise Refused("charset.unsupported")
        self._body.load(reading, body, media)

    def parts(self, reading: ParsedRequest) -> tuple[str, ...]:
        """See Body."""
        return self._body.parts(reading)

    def texts(self, reading: ParsedRequest, parts: tuple[str, ...], absent_ok: bool) -> tuple[str, ...]:
        """See Body."""
        return self._body.texts(reading, parts, absent_ok)

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """See Body. A text that is masked may need other signs than the body had: JSON has escapes for them."""
        encoded = self._body.encode(body, media, texts)
        if encoded.isascii() or media.kind != "json":
            return encoded
        return "".join(char if char.isascii() else _escaped(char) for char in encoded.decode()).encode()


class TextBody:
    """The whole body is the text, in UTF-8."""

    __slots__ = ("_max_text", "_optional")

    def __init__(self, settings: SurfaceSettings) -> None:
        self._max_text = settings.max_text
        self._optional = settings.optional_text

    def load(self, reading: ParsedRequest, body: bytes, media: MediaType) -> None:
        """See Body."""
        if body.startswith(b"\xef\xbb\xbf"):
            raise Refused("body.bom")
        try:
            reading.document = body.decode()
        except UnicodeDecodeError:
            raise Refused("body.not_utf8") from None
        if b"\x00" in body:
            raise Refused("body.nul")

    def parts(self, reading: ParsedRequest) -> tuple[str, ...]:
        """See Body."""
        return _NOTHING

    def texts(self, reading: ParsedRequest, parts: tuple[str, ...], absent_ok: bool) -> tuple[str, ...]:
        """See Body."""
        return _settled((reading.document,), self._max_text, absent_ok or self._optional)

    def encode(self, body: bytes, media: MediaType, texts: tuple[str, ...]) -> bytes:
        """See Body."""
        return texts[0].encode()
