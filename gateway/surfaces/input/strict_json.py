"""JSON read so that whatever reads the same bytes after us reads the same values.

RFC 8259 leaves duplicate keys, number ranges and lone surrogates open, and parsers differ in each of them; a
difference is a way past the checks. So a document is refused when it holds a key twice in one object, two keys that
differ only in case, an integer beyond 64 bits, a number beyond a double, half a surrogate pair, U+0000, a byte order
mark, bytes that are not UTF-8, or more nesting than the bound. (RFC 7493, I-JSON, section 2, asks nearly the same.)

Two paths give the same answers. The careful one hands every object's pairs and every number to Python. The quick one
serves the flat bodies that nearly all messages are. orjson keeps the last of two equal keys, so the quick path proves
from the bytes that none was dropped:

* Each member of each object has one ``:`` byte outside strings. So the number of ``:`` bytes in the body is at least
  the number of members written, which is at least the number of top-level members that survived. Where the first
  equals the last, nothing was dropped, at any level, and no string holds a colon.
* Where strings do hold colons and the body holds no backslash, each string's bytes are its value's UTF-8. Then the
  colons in surviving keys and string values are accounted for as well. A dropped member would leave at least its own
  colon over.

In both cases all surviving values must be strings, integers within 64 bits (orjson turns others into floats), true,
false or null, which leaves numbers and depth nothing to go wrong with; and U+0000 can only be written ``\\u0000``.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from orjson import JSONDecodeError, loads

from gateway.surfaces.input.reasons import Refused

MAX_DEPTH: Final = 32

_PLAIN: Final = frozenset((str, int, bool, type(None)))
_EXACT: Final = 2**53


def parse(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """The document in ``body``, or ``Refused``. ``max_depth`` counts objects and arrays within each other."""
    try:
        document = loads(body)
    except JSONDecodeError:
        return _careful(body, max_depth, parsed=False)
    if type(document) is dict and max_depth > 0:
        for value in document.values():
            kind = type(value)
            # An integer beyond 64 bits comes from orjson as a float, and a large one.
            if kind not in _PLAIN and not (kind is float and -_EXACT < value < _EXACT):
                break
        else:
            members = len(document)
            colons = body.count(b":")
            escapes = body.find(b"\\") >= 0
            if (
                (colons == members or (not escapes and colons == members + _colons(document)))
                and not (escapes and b"\\u0000" in body)
                and (members < 2 or _distinct(document))
            ):
                return document
    return _careful(body, max_depth, parsed=True)


def _distinct(document: dict[str, Any]) -> bool:
    """Whether no two keys differ only in case. ASCII without capitals folds to itself, and dict keys differ."""
    keys = "".join(document)
    if keys.isascii() and keys == keys.lower():
        return True
    return len({key.casefold() for key in document}) == len(document)


def _colons(document: dict[str, Any]) -> int:
    count = 0
    for key, value in document.items():
        count += key.count(":")
        if type(value) is str:
            count += value.count(":")
    return count


def _careful(body: bytes, max_depth: int, *, parsed: bool) -> Any:
    """The same answers for every document, a few microseconds later; ``parsed``: orjson has accepted the bytes."""
    if not parsed:
        if body.startswith(b"\xef\xbb\xbf"):
            raise Refused("body.bom")
        if b"\x00" in body[:4] or body.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 and UTF-32, RFC 4627, section 3
            raise Refused("body.not_utf8")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused("body.not_utf8") from None
    try:
        document = _decode(text)
    except RecursionError:
        raise Refused("body.too_deep") from None
    except ValueError:
        raise Refused("body.not_json") from None
    if body.count(b"{") + body.count(b"[") > max_depth:
        _check_depth(document, max_depth)
    if not parsed:
        # The standard library accepts, of what orjson refuses, lone surrogates, and documents that are very deep.
        raise Refused("body.surrogate" if b"\\u" in body else "body.not_json")
    if b"\\u0000" in body:
        _check_nul(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("body.duplicate_key")
    if len(members) > 1 and not _distinct(members):
        raise Refused("body.key_case")
    return members


def _integer(token: str) -> int:
    if len(token) > 20 or not -(1 << 63) <= (value := int(token)) < 1 << 64:
        raise Refused("body.number")
    return value


def _float(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        raise Refused("body.number")
    return value


def _constant(token: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
).decode


def _check_depth(document: Any, max_depth: int) -> None:
    level = [document] if isinstance(document, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > max_depth:
            raise Refused("body.too_deep")
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]


def _check_nul(document: Any) -> None:
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            if "\x00" in value:
                raise Refused("body.nul")
        elif isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, dict):
            rest.extend(value)
            rest.extend(value.values())
