"""Where in a JSON document's bytes a string stands, so that it can be replaced and all else stays as it was written.

Serialising a parsed document again would turn ``1.0`` into another spelling and reorder nothing but luck; replacing
one string token changes that token only. Used when a text is masked or an id written, or where elements of an array are
messages, so clarity counts here and not speed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orjson import dumps, loads

from gateway.surfaces.input.pointer import INDEX

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_SCALAR = re.compile(rb"[^,\]}\s]++")
_MARK = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]')


def replaced(body: bytes, texts: Sequence[tuple[tuple[str, ...], str]]) -> bytes:
    """``body`` with the strings at the given places (tokens of pointers) replaced.

    ``body`` has passed ``strict_json.parse`` and holds a string at each place; the places differ.
    """
    spans = sorted((place(body, tokens), text) for tokens, text in texts)
    for (start, end), text in reversed(spans):
        body = body[:start] + dumps(text) + body[end:]
    return body


def place(body: bytes, tokens: Sequence[str]) -> tuple[int, int]:
    """The half-open range of the string token that ``tokens`` lead to; ``LookupError`` where there is none."""
    at = _skip_space(body, 0)
    for token in tokens:
        at = _into(body, at, token)
    string = _STRING.match(body, at)
    if string is None:
        raise LookupError("no string at this place")
    return string.span()


def written(body: bytes, tokens: Sequence[str], value: bytes) -> bytes:
    """``body`` with ``value`` (JSON) at the place that ``tokens`` lead to: instead of what stands there, or as a new
    first member, together with the objects that were missing on the way. ``LookupError`` where that cannot be."""
    at = _skip_space(body, 0)
    for depth, token in enumerate(tokens):
        try:
            at = _into(body, at, token)
        except LookupError:
            if body[at : at + 1] != b"{":
                raise
            for missing in reversed(tokens[depth + 1 :]):
                value = b"{%b:%b}" % (dumps(missing), value)
            first = _skip_space(body, at + 1)
            comma = b"" if body[first : first + 1] == b"}" else b","
            return b"%b%b:%b%b%b" % (body[: at + 1], dumps(token), value, comma, body[at + 1 :])
    return body[:at] + value + body[_skip_value(body, at) :]


def elements(body: bytes, tokens: Sequence[str]) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """The half-open range of the array that ``tokens`` lead to, and of each of its elements. ``body`` has passed
    ``strict_json.parse``; ``LookupError`` where there is no array."""
    at = _skip_space(body, 0)
    for token in tokens:
        at = _into(body, at, token)
    if body[at : at + 1] != b"[":
        raise LookupError("no array at this place")
    start = at
    found: list[tuple[int, int]] = []
    at = _skip_space(body, at + 1)
    while body[at : at + 1] not in (b"]", b""):
        end = _skip_value(body, at)
        found.append((at, end))
        at = _skip_space(body, end)
        if body[at : at + 1] == b",":
            at = _skip_space(body, at + 1)
    return (start, at + 1), found


def _skip_space(body: bytes, at: int) -> int:
    space = _SPACE.match(body, at)
    return space.end() if space else at


def _into(body: bytes, at: int, token: str) -> int:
    """The position of the member or element ``token`` of the value that begins at ``at``."""
    opening = body[at : at + 1]
    if opening not in (b"{", b"["):
        raise LookupError("nothing inside this value")
    wanted = int(token) if opening == b"[" and INDEX.fullmatch(token) else -1
    index = 0
    at = _skip_space(body, at + 1)
    while body[at : at + 1] not in (b"}", b"]", b""):
        if opening == b"{":
            key = _STRING.match(body, at)
            if key is None:
                break
            at = _skip_space(body, _skip_space(body, key.end()) + 1)  # over the colon
            if loads(key.group()) == token:
                return at
        elif index == wanted:
            return at
        index += 1
        at = _skip_space(body, _skip_value(body, at))
        if body[at : at + 1] == b",":
            at = _skip_space(body, at + 1)
    raise LookupError("no such member")


def _skip_value(body: bytes, at: int) -> int:
    if body[at : at + 1] == b'"':
        string = _STRING.match(body, at)
        return string.end() if string else len(body)
    if body[at : at + 1] not in (b"{", b"["):
        scalar = _SCALAR.match(body, at)
        return scalar.end() if scalar else len(body)
    depth = 0
    for mark in _MARK.finditer(body, at):
        if mark[0] in (b"{", b"["):
            depth += 1
        elif mark[0] in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return mark.end()
    return len(body)
