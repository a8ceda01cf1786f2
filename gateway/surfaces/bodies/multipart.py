"""``multipart/form-data`` (RFC 7578, RFC 2046 section 5.1), strictly.

Refused, because readers differ: text before the first or after the last delimiter, line ends other than CRLF, folded
or repeated headers of a part, a transfer encoding that changes bytes, backslashes in quoted names, ``name*=``;
another ``name=`` anywhere in a part's head, because readers that search for it (Rack's expression takes the last) find
that one; a Content-Length that is not the part's (aiohttp reads so much, over the delimiter), any other framing or
coding of a part, and a multipart within. A boundary that stands anywhere but in a delimiter (RFC 2046 says it must not)
is refused as well: PHP takes one behind a bare line feed.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from gateway.surfaces.input.forms import MAX_FIELDS, Field, FileName
from gateway.surfaces.input.reasons import Refused

MAX_PART_HEAD = 4096  # bytes
MAX_PART_HEADERS = 8

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")  # RFC 2046, section 5.1.1
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_DISPOSITION = re.compile(
    rb'form-data; ?name="([^"\\]*)"(; ?filename="([^"\\]*)")?(; ?filename\*=UTF-8\'[0-9A-Za-z-]*\'([^\s;"\\]*))?',
    re.IGNORECASE,
)
_PLAIN = re.compile(rb'text/plain(?:; ?charset=(?:"utf-8"|utf-8|"us-ascii"|us-ascii))?', re.IGNORECASE)
_KNOWN = (b"content-disposition", b"content-type", b"content-transfer-encoding")
_RECODED = frozenset((b"content-encoding", b"content-range", b"transfer-encoding"))
_COMPOSITE = (b"multipart/", b"message/")
_SECOND_NAME = re.compile(rb"\bname[ \t]*+\*?[0-9]*+\*?[ \t]*+=|content-disposition|=\?", re.IGNORECASE).search
_IDENTITY = (b"7bit", b"8bit", b"binary")
_unquotable = re.compile(r'["\\\x00-\x1f\x7f]').sub


def multipart(body: bytes, boundary: str, max_fields: int = MAX_FIELDS) -> list[Field]:
    """All parts, in order. The value of an upload is left empty: nothing here reads it."""
    if _BOUNDARY.fullmatch(boundary) is None:
        raise Refused("form.malformed")
    delimiter = b"\r\n--" + boundary.encode()
    if not body.startswith(delimiter[2:]):
        raise Refused("form.malformed")
    fields: list[Field] = []
    at = len(delimiter) - 2
    while True:
        follows = body[at : at + 2]
        if follows == b"--":
            if body[at + 2 :] not in (b"", b"\r\n") or body.count(delimiter[2:]) != len(fields) + 1:
                raise Refused("form.malformed")
            return fields
        if follows != b"\r\n" or len(fields) >= max_fields:
            raise Refused("form.malformed" if follows != b"\r\n" else "form.too_many")
        head_end = body.find(b"\r\n\r\n", at, at + MAX_PART_HEAD)
        value_start = head_end + 4
        end = body.find(delimiter, value_start - 2)
        if head_end < 0 or end < value_start:
            raise Refused("form.malformed")
        name, file, ascii, called = _part_head(body[at + 2 : head_end], end - value_start, at + 2)
        value = b"" if file else body[value_start:end]
        if ascii and not value.isascii():
            raise Refused("charset.unsupported")
        fields.append(Field(name, _text(value), value_start, end, file, called))
        at = end + len(delimiter)


def replacement(text: str, boundary: str) -> bytes:
    """A field's value as it stands in a body. ``ValueError`` when it would end the part early."""
    value = text.encode()
    if b"--" + boundary.encode() in value:
        raise ValueError("the text holds the form's boundary")
    return value


def readings(upload: Field) -> list[tuple[str, FileName]]:
    """What readers make of an upload's name, each with the parameter that it is read from. Browsers write quotes and
    line ends as ``%22``, ``%0D`` and ``%0A`` (HTML, section 4.10.21.8); some readers undo every ``%``, some none."""
    found: list[tuple[str, FileName]] = []
    for name in upload.called:
        decoded = unquote_to_bytes(name.raw)
        if not name.extended:
            found.append((_text(name.raw), name))
        if name.extended or decoded != name.raw:
            found.append((decoded.decode(errors="replace"), name))
    if any("\x00" in text for text, _ in found):
        raise Refused("body.nul")
    return [one for one in found if one[0]]


def renamed(text: str, name: FileName, boundary: str) -> bytes:
    """``text`` as it stands in the parameter ``name``. ``ValueError`` as with ``replacement``."""
    return replacement(quote(text, safe="!#$&+^`|") if name.extended else _unquotable(_escape, text), boundary)


def _escape(character: re.Match[str]) -> str:
    return f"%{ord(character[0]):02X}"


def _part_head(head: bytes, length: int, start: int) -> tuple[str, bool, bool, tuple[FileName, ...]]:
    """The part's name; whether it is something other than a text field; whether it says that it is US-ASCII; an
    upload's own name. ``length``: bytes of its value; ``start``: where the head stands in the body."""
    headers: dict[bytes, bytes] = {}
    at = disposed = start
    lines = head.split(b"\r\n")
    if len(lines) > MAX_PART_HEADERS:
        raise Refused("form.malformed")
    for line in lines:
        # No expression reads the whole line: blanks that two of its parts could take cost the cube of their number.
        spelled, colon, value = line.partition(b":")
        field = spelled.lower()
        if not colon or _TOKEN(spelled) is None or _CONTROL(value) or field in headers:
            raise Refused("form.malformed")
        headers[field] = value.strip(b" \t")
        if field == b"content-disposition":
            disposed = at + len(line) - len(value.lstrip(b" \t"))
        at += len(line) + 2
        if field not in _KNOWN and _SECOND_NAME(value):
            raise Refused("form.malformed")
    disposition = _DISPOSITION.fullmatch(headers.get(b"content-disposition", b""))
    encoding = headers.get(b"content-transfer-encoding", b"binary").lower()
    if disposition is None or b"%" in disposition[1] or encoding not in _IDENTITY:
        raise Refused("form.malformed")
    if len(headers) > 1 and (
        not _RECODED.isdisjoint(headers)
        or headers.get(b"content-length", b"%d" % length) != b"%d" % length
        or headers.get(b"content-type", b"").lower().startswith(_COMPOSITE)
    ):
        raise Refused("form.malformed")
    called: tuple[FileName, ...] = ()
    for group in (3, 5):
        raw = disposition[group]
        if raw is not None:
            if _SECOND_NAME(unquote_to_bytes(raw)):
                raise Refused("form.malformed")
            begin, end = disposition.span(group)
            called += (FileName(raw, disposed + begin, disposed + end, group == 5),)
    kind = headers.get(b"content-type", b"text/plain")
    plain = _PLAIN.fullmatch(kind) is not None
    return _text(disposition[1]), not plain or called != (), b"us-ascii" in kind.lower(), called


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused("body.not_utf8") from None
