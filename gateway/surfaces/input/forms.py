"""Form fields: ``application/x-www-form-urlencoded`` (WHATWG URL, section 5), strictly, and which fields are read.

Readers of forms differ more than readers of JSON (``field_names``). A field that is read here is therefore refused when
it comes twice, or when another field's name could be taken for it; and so is any field whose name readers would end or
decode in different ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote_plus, unquote_to_bytes

from gateway.surfaces.input.field_names import LONGEST, METHOD, Names, comparable, odd, plain
from gateway.surfaces.input.reasons import Refused

MAX_FIELDS = 256
EVERY: Final = "*"
"""In place of a field's name: the uploads of every field."""

# Raw spaces and UTF-8 are what curl --data sends; ";" separates pairs for some readers, so it must be escaped.
_BODY = re.compile(rb"(?:[^%;\x00-\x1f\x7f]|%[0-9A-Fa-f]{2})*+")


class FileName(NamedTuple):
    """What an upload is called, as it stands at ``body[start:end]``. ``extended``: by ``filename*`` (RFC 8187)."""

    raw: bytes
    start: int
    end: int
    extended: bool = False


class Field(NamedTuple):
    """One field: the bytes of its value stand at ``body[start:end]``. ``file``: an upload, or not plain text.
    ``called``: an upload's own name, by one parameter or by two."""

    name: str
    value: str
    start: int
    end: int
    file: bool = False
    called: tuple[FileName, ...] = ()


class Form(NamedTuple):
    """The fields that the route reads, by name; the names of uploads in it; the methods that ``_method`` names; the
    uploads whose own names are read, in order."""

    fields: dict[str, Field]
    files: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    uploads: tuple[Field, ...] = ()


class Wanted:
    """The names that a route reads from forms, and what else could be taken for one of them. ``elsewhere``: names of
    texts that are read from other kinds of body. ``uploads``: fields of uploads whose own names are read; of these
    there may be several. ``ValueError`` where one of ``names`` could be taken for another."""

    __slots__ = ("_called", "_elsewhere", "_means", "_uploads", "names")

    def __init__(self, names: Iterable[str], elsewhere: Iterable[str] = (), uploads: Iterable[str] = ()) -> None:
        self._uploads = frozenset(uploads)
        self._called = Names(() if EVERY in self._uploads else self._uploads)
        self.names = frozenset(names)
        self._means = Names(self.names)
        self._elsewhere = Names(elsewhere)
        for name in self.names:
            if odd(name):
                raise ValueError(f"{name!r} holds quotes, “;” or controls, which no form is taken with")
            if Names(self.names - {name}).means(name):
                raise ValueError(f"{name!r} is for some readers the same field as another that is read here")

    def select(self, fields: Sequence[Field]) -> Form:
        """The wanted ones of ``fields``; ``Refused`` where there is any doubt which value a reader takes."""
        chosen: dict[str, Field] = {}
        files: list[str] = []
        methods: tuple[str, ...] = ()
        uploads: list[Field] = []
        for field in fields:
            name = field.name
            if field.file:
                files.append(name)
                if self._uploads and (name in self._uploads or EVERY in self._uploads):
                    uploads.append(field)
            if name in self.names:
                if name in chosen:
                    raise Refused("form.twice")
                chosen[name] = field
                continue
            if len(name) > LONGEST and odd(name):
                raise Refused("form.name")
            text = name if plain(name) else comparable(name)  # once, whoever asks
            if self._means.means_comparable(text):
                raise Refused("form.alias")
            if field.called and name not in self._uploads and self._called.means_comparable(text):
                raise Refused("form.alias")
            if METHOD.means_comparable(text):
                methods += (field.value,)
            elif odd(name):
                raise Refused("form.name")
            elif self._elsewhere.means_comparable(text):
                raise Refused("text.elsewhere")
            elif name == "_charset_" and field.value.lower() not in ("utf-8", "utf8", ""):
                raise Refused("charset.unsupported")
        return Form(chosen, tuple(files), methods, tuple(uploads))


def urlencoded(body: bytes, max_fields: int = MAX_FIELDS) -> list[Field]:
    """All pairs of a body or a query, in order."""
    if _BODY.fullmatch(body) is None:
        raise Refused("form.malformed")
    if body.count(b"&") >= max_fields:
        raise Refused("form.too_many")
    fields = []
    at = 0
    for pair in body.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            end = at + len(pair)
            fields.append(Field(_decoded(name), _decoded(value), end - len(value), end))
        at += len(pair) + 1
    return fields


def encoded(text: str) -> bytes:
    """A value as it stands in a body."""
    return quote_plus(text).encode()


def _decoded(raw: bytes) -> str:
    if b"%" in raw or b"+" in raw:
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused("body.not_utf8") from None
