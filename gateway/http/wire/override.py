"""What other method or address an upstream could take a request for: ``X-HTTP-Method-Override``, ``X-Original-URL`` …

Frameworks let clients that know only GET and POST name another method in a header or, as ``_method``, in the query;
others believe the address that a rewriting server in front of them names in a header. A judged request goes on without
such headers. A request that is not judged keeps them, so it must be asked whether one of them would turn it, behind the
gate, into a request that should have been judged; so must the body of a POST, where forms (and JSON, for Symfony) have
``_method``. What a judged body names is the surface's matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.http.wire.errors import HTTPError
from gateway.http.wire.fields import cgi_name
from gateway.http.wire.head import METHOD_OVERRIDES, OVERRIDES, SCRIPT_NAMES, TARGET_OVERRIDES, RequestHead

_NONE: frozenset[bytes] = frozenset()
MOST: Final = 16
"""Methods that a request may name beside its own, and names of such a field in a body: each is work, and nobody needs
more."""
WINDOW: Final = 256
"""Bytes behind a name in which its value begins, a part's other header lines included."""
_word = re.compile(rb"[A-Z]+").findall


def _spelled(word: bytes) -> bytes:
    """An expression for ``word`` as it is, percent-encoded, or in JSON's escapes."""
    return b"".join(b"(?:%b|%%%02X|\\\\u%04X)" % (re.escape(bytes((c,))), c, c) for c in word)


# PHP makes "_" of a dot or an open bracket.
_name = re.compile(
    b"(?:" + _spelled(b"_") + rb"|(?:\A|[&;\"\n+ ]|%20)(?:[.\[]|%2E|%5B))" + _spelled(b"method"), re.IGNORECASE
).finditer
_FIELD = b"_method"
HEADER: Final = b"x-http-method-override"
"""The field that a route may be told by (``method_override``)."""
_authority = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//[^/?#]*").match


def methods(head: RequestHead, query: bytes, fields: bool = True) -> frozenset[bytes]:
    """The methods, in capitals, that headers and ``query`` name beside the request's own; mostly none. ``fields``:
    whether headers are asked. Raises ``HTTPError`` where they are too many."""
    if not (head.overrides or head.underscored or query):
        return _NONE
    found: list[bytes] = []
    if fields and (head.overrides or head.underscored):
        # CGI and its heirs read X_HTTP_Method as X-HTTP-Method.
        found += (value for name, value in head.fields.items() if cgi_name(name) in METHOD_OVERRIDES)
    if query and _FIELD in unquote_to_bytes(query).lower():
        for pair in query.replace(b";", b"&").split(b"&"):
            name, _, value = pair.partition(b"=")
            if _FIELD in unquote_to_bytes(name).lower():
                found.append(unquote_to_bytes(value))
    words = frozenset(word.strip(b" \t\"'").upper() for value in found for word in value.split(b",")) - {head.method}
    if len(words) > MOST:
        raise HTTPError("head.method_override")
    return words


def in_query(query: bytes) -> bool:
    """Whether a query names a method, in whatever spelling."""
    return b"method" in unquote_to_bytes(query).lower() and next(_name(unquote_to_bytes(query)), None) is not None


def names_any(head: RequestHead) -> bool:
    """Whether a header names a method."""
    return bool(head.overrides or head.underscored) and any(cgi_name(name) in METHOD_OVERRIDES for name in head.fields)


def in_header(head: RequestHead) -> bytes:
    """The method that X-HTTP-Method-Override names, in capitals; empty where it is not there. Raises ``HTTPError``
    where it comes twice, names no method, or stands beside another field that names a method or an address."""
    if not (head.overrides or head.underscored):
        return b""
    found = [name for name in head.fields if cgi_name(name) in OVERRIDES]
    if not found:
        return b""
    value = head.fields[found[0]].upper()
    if found != [HEADER] or HEADER in head.repeated or not value.isalpha():
        raise HTTPError("head.method_override")
    return value


def targets(head: RequestHead) -> list[bytes]:
    """The targets, in origin-form, that headers name beside the request's own; mostly none."""
    if not (head.overrides or head.underscored):
        return []
    found: list[bytes] = []
    for name, value in head.fields.items():
        plain = cgi_name(name)
        if plain not in TARGET_OVERRIDES and plain not in SCRIPT_NAMES:
            continue
        for one in {value, *value.split(b",")}:
            word = one.strip(b" \t\"'").partition(b"#")[0]
            if plain in SCRIPT_NAMES:
                prefix = word.strip(b"/").lower()
                if prefix and head.target.lstrip(b"/")[: len(prefix)].lower() == prefix:
                    found.append(b"/" + head.target.lstrip(b"/")[len(prefix) :].lstrip(b"/"))
            elif word:
                found.append(word if word[:1] == b"/" else b"/" + word)
                absolute = _authority(word)
                if absolute is not None:
                    rest = word[absolute.end() :]
                    found.append(rest if rest[:1] == b"/" else b"/" + rest)
    return found


def named(body: bytes, among: Collection[bytes]) -> frozenset[bytes]:
    """Those of the methods ``among`` that a body of any kind could name as the request's, in forms and in JSON; all,
    where it names too many to look at."""
    found: set[bytes] = set()
    for number, name in enumerate(_name(body)):
        if number == MOST:
            return frozenset(among)
        value = unquote_to_bytes(body[name.end() : name.end() + WINDOW])
        found.update(_word(value.upper()))
    return frozenset(method for method in among if method in found)


class Screen:
    """A body that streams by, unjudged, and must not name one of ``methods``."""

    __slots__ = ("_methods", "_tail")

    def __init__(self, methods: Collection[bytes]) -> None:
        self._methods = methods
        self._tail = b""

    def look(self, piece: bytes) -> None:
        """The next piece. Raises ``HTTPError`` before the name and its value have gone by."""
        data = self._tail + piece
        if named(data, self._methods):
            raise HTTPError("head.method_override")
        self._tail = data[-2 * WINDOW :]
