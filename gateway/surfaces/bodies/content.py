"""Content-Type and Content-Encoding of a judged body (RFC 9110, sections 8.3 and 8.4)."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

import brotli

from gateway.surfaces.input.reasons import Refused

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"({_WORD}/{_WORD})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*({_WORD})=({_WORD}|"[^"\\\x00-\x1f]*")[ \t]*')
_UTF8 = frozenset(("utf-8", "utf8"))
_SAID = ("boundary", "charset")
_BODIES = ("application/x-www-form-urlencoded", "multipart/")  # of which some readers look at the beginning only


class MediaType(NamedTuple):
    """``kind`` is one of json, form, multipart, text. ``ascii``: it says that all of it is US-ASCII."""

    kind: str
    boundary: str = ""
    ascii: bool = False


def media_type(header: bytes) -> MediaType:
    """What a Content-Type header says the body is; ``Refused`` for what cannot be judged.

    A merge patch (RFC 7396) reads as any JSON. A JSON Patch (RFC 6902) is refused: its texts stand at places that only
    the upstream knows.

    Readers differ in where they find a parameter. PHP takes the first ``boundary`` that stands anywhere, Rack the last;
    many split at each ``;``, in quotes or not; Django and Werkzeug read ``boundary*=`` (RFC 2231) as ``boundary=``. So
    each of the two that say how a body is read stands where it is read, or nowhere.
    """
    try:
        value = header.decode("ascii")
    except UnicodeDecodeError:
        raise Refused("type.unsupported") from None
    match = _TYPE.match(value)
    if match is None:
        raise Refused("type.unsupported")
    name = match[1].lower()
    parameters: dict[str, str] = {}
    own = 0, 0  # where the boundary stands, which may be any word: WebKit's is ----WebKitFormBoundary…
    at = match.end()
    while at < len(value):
        match = _PARAMETER.match(value, at)
        if match is None or match[1].lower() in parameters or "*" in match[1]:
            raise Refused("type.unsupported")
        parameters[match[1].lower()] = match[2].strip('"')
        if match[1].lower() == "boundary":
            own = match.span(2)
        at = match.end()
    if parameters:
        lowered = value.lower()
        rest = f"{lowered[: own[0]]} {lowered[own[1] :]}"
        for said in _SAID:
            times = int(said in parameters)
            if rest.count(said) != times or lowered.count(said + "=") != times:
                raise Refused("type.unsupported")
    charset = parameters.get("charset", "utf-8").lower()
    # Who takes a form for US-ASCII at its word decodes its escapes by that, too.
    if charset not in _UTF8 and (charset != "us-ascii" or name.startswith(_BODIES)):
        raise Refused("charset.unsupported")
    if name == "application/json-patch+json":
        raise Refused("type.unsupported")
    if name == "application/json" or (
        name.startswith("application/") and name.endswith("+json") and not name.startswith(_BODIES)
    ):
        return MediaType("json", "", charset == "us-ascii")
    if name == "application/x-www-form-urlencoded":
        return MediaType("form")
    if name == "multipart/form-data" and "boundary" in parameters:
        return MediaType("multipart", parameters["boundary"])
    if name == "text/plain":
        return MediaType("text", "", charset == "us-ascii")
    raise Refused("type.unsupported")


def undone(body: bytes, coding: bytes, limit: int) -> bytes:
    """The body without its Content-Encoding, at most ``limit`` bytes of it.

    One coding, one whole stream, nothing behind it: readers differ in what they do with the rest.
    """
    coding = coding.lower()
    if coding in (b"gzip", b"x-gzip"):
        return inflated(body, limit, zlib.MAX_WBITS | 16)
    if coding == b"deflate":
        return inflated(body, limit, zlib.MAX_WBITS)
    if coding == b"br":
        return unbrotlied(body, limit)
    if coding == b"identity":
        return body
    raise Refused("coding.unsupported")


def inflated(body: bytes, limit: int, window_bits: int) -> bytes:
    """One zlib or gzip stream (RFC 1950, RFC 1952)."""
    stream = zlib.decompressobj(window_bits)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error:
        raise Refused("coding.malformed") from None
    if len(plain) > limit:
        raise Refused("body.inflates")
    if not stream.eof or stream.unused_data:
        raise Refused("coding.malformed")
    return plain


def unbrotlied(body: bytes, limit: int) -> bytes:
    """One Brotli stream (RFC 7932)."""
    stream = brotli.Decompressor()
    plain = bytearray()
    rest = body
    try:
        while not stream.is_finished():
            chunk = stream.process(rest, output_buffer_limit=limit + 1)
            plain += chunk
            if len(plain) > limit:
                raise Refused("body.inflates")
            if not chunk and not rest:
                raise Refused("coding.malformed")  # the stream ends early
            rest = b""
    except brotli.error:
        raise Refused("coding.malformed") from None
    return bytes(plain)
