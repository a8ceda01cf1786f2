"""One cookie from a Cookie header (RFC 6265, sections 4.2.1 and 5.4), strictly.

Two cookies of one name, or of names that differ only in case, are refused: which one a platform reads depends on its
library. So are the characters that some libraries decode and others do not: quotes, backslashes and ``%``; and ``&``,
behind which the CGI libraries of Perl and Ruby see another value.

Where one cookie ends is read in several ways as well. RFC 2109 parts them by commas too (old servlet containers do),
and Python's SimpleCookie by blanks; it also takes a quoted value to its closing quote, semicolons included; Werkzeug
read ``=user=bob`` as the cookie ``user`` (CVE-2023-23934). Whatever one of them could take for the cookie is a second
one.
"""

from __future__ import annotations

import re

from gateway.surfaces.input.field_names import Names
from gateway.surfaces.input.pointer import MISSING, _Missing
from gateway.surfaces.input.reasons import Refused

_VALUE = re.compile(rb"[!#$'-+\--:<-\[\]-~]*")  # cookie-octet without "%" and "&"
_BREAKS = re.compile(rb"[,\s]+").split
_PIECES = re.compile(rb"[;,\s]+").split
_unusual = re.compile(rb'[,"\t]').search
MAX_COOKIES = 100
MAX_PIECES = 500
_alike: dict[str, Names] = {}  # by the names that the configuration reads


def cookie(header: bytes, name: str) -> str | _Missing:
    """The value of the cookie ``name``, or MISSING. ``Refused("fact.twice")`` or ``("fact.malformed")``."""
    found = _found(header, name)
    if found is None:
        return MISSING
    if _VALUE.fullmatch(found) is None:
        raise Refused("fact.malformed")
    return found.decode("ascii")


def raw_cookie(header: bytes, name: str) -> bytes:
    """The same, as it was sent, for whoever reads no name in it and passes it on; empty for none."""
    found = _found(header, name)
    return found.strip(b" \t") if found is not None else b""


def cookies_like(header: bytes, name: str) -> list[bytes]:
    """Whatever some reader could take for the value of the cookie ``name``: of a request that nobody refuses."""
    alike = _alike.get(name)
    if alike is None:
        alike = _alike[name] = Names((name,))
    found = []
    for piece in _PIECES(header, MAX_PIECES):
        key, equals, value = piece.partition(b"=")
        if equals and alike.means(key.strip().decode("latin-1")):
            found.append(value.strip())
    return found


def _found(header: bytes, name: str) -> bytes | None:
    found: bytes | None = None
    wanted = name.encode()
    alike = _alike.get(name)
    if alike is None:
        alike = _alike[name] = Names((name,))
    if header.count(b" ") != header.count(b"; ") or _unusual(header):
        _check_breaks(header, alike)
    pairs = header.split(b";", MAX_COOKIES)
    if len(pairs) > MAX_COOKIES:
        raise Refused("fact.malformed")
    for pair in pairs:
        key, _, value = pair.partition(b"=")
        key = key.strip(b" \t")
        if key == wanted:
            if found is not None:
                raise Refused("fact.twice")
            found = value  # PHP and Rack keep a blank in front of it
        elif alike.means(key.decode("latin-1")) or (not key and _named(value, alike)):
            raise Refused("fact.twice")
    return found


def _named(pair: bytes, alike: Names) -> bool:
    """Whether ``pair``, as a cookie of its own, would have the name that is read."""
    key, equals, _ = pair.partition(b"=")
    return bool(equals) and alike.means(key.decode("latin-1"))


def _check_breaks(header: bytes, alike: Names) -> None:
    """Refuse a cookie within another one's value, and a quote that is not closed where its cookie ends."""
    if header.count(b",") + header.count(b" ") + header.count(b"\t") > MAX_PIECES:
        raise Refused("fact.malformed")
    for pair in header.split(b";", MAX_COOKIES):
        value = pair.partition(b"=")[2].strip(b" \t")
        if value[:1] == b'"' and (len(value) < 2 or value[-1:] != b'"' or value[-2:] == b'\\"'):
            raise Refused("fact.malformed")
        if any(_named(piece, alike) for piece in _BREAKS(pair.strip())[1:]):
            raise Refused("fact.twice")
