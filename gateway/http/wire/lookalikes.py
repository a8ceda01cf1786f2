"""What other paths an upstream could read in one: the spellings behind which a judged address could hide.

Frameworks answer ``…/comments.json`` as ``…/comments`` (Rails, Spring, Tastypie), Windows and some routers forget dots
and blanks at the end of a name, ``/index.php/api/…`` and ``/index.php?s=/api/…`` are the front controllers of PHP
(PATH_INFO, RFC 3875 section 4.1.5), two slashes begin an authority for who takes the target for a reference (RFC 3986
section 4.2; PHP's parse_url, Python's urlsplit), and percent-encoding is undone twice by whoever stands behind a proxy.
ASP.NET leaves out ``/(S(…))/``, where it keeps sessions without cookies; old decoders take UTF-8 in more bytes than it
needs, Windows a division slash, and some leave out what is no UTF-8. Sans-I/O, and asked only for what is written to an
address that no route names.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from filters.text.folded_names import fold_name
from gateway.http.wire.path import shadow

SCRIPTS: Final = 8
"""Segments from the first that may be front controllers, and fields of a query that may hold a path."""
_BLANKS: Final = " \t\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u2060\ufeff+" + "".join(
    chr(code) for code in range(0x2000, 0x200B)
)
_CONTROLS: Final = dict.fromkeys((*range(32), 127))
_script = re.compile(rb".+\.[a-z][a-z0-9]*|index").fullmatch
_overlong = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x81][\x80-\xbf]").sub
_sessions = re.compile(r"\((?:[a-z]\([^()]*\))+\)").fullmatch
_authority = re.compile(rb"(?:[/\\]|%2[fF]|%5[cC]){2}").match
_ALIKE: Final = {0x2044: "/", 0x2215: "/", 0x29F8: "/", 0x2216: "/", 0x29F5: "/", 0x130: "i", 0x131: "i"}
_suffix = re.compile(rb"[a-z][a-z0-9_\-]*").fullmatch


def segments(path: bytes) -> list[bytes]:
    """The segments of ``path`` as the most obliging reader has them: decoded to the end, compatibility forms and case
    folded, without controls, parameters, empty segments, and blanks or dots at an edge."""
    return _segments(shadow(path).decode("utf-8", "surrogateescape"))


def _segments(text: str) -> list[bytes]:
    if not text.isascii():
        text = fold_name(text.translate(_ALIKE)).translate(_ALIKE)
        if "/" in text:
            text = shadow(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    # What stands behind an encoded “?” or “#” is no part of the path to whoever decodes first.
    text = text.translate(_CONTROLS).partition("?")[0].partition("#")[0].partition("::")[0].partition(":$")[0]
    trimmed = (segment.strip(_BLANKS).rstrip(_BLANKS + ".") for segment in text.split("/"))
    return [segment.encode("utf-8", "surrogateescape") for segment in trimmed if segment and not _sessions(segment)]


def _shortest(sequence: re.Match[bytes]) -> bytes:
    """The ASCII character that a sequence of UTF-8 with too many bytes stands for (RFC 3629 section 3)."""
    lead, last = sequence[0][-2:]
    return bytes(((lead & 1) << 6 | last & 0x3F,))


def bare(path: list[bytes]) -> list[bytes]:
    """Segments without suffixes: ``comments.json`` is ``comments``; at the end whatever follows the first dot goes, as
    Rails takes any word there for a format."""
    if not path:
        return path
    last, dot, _ = path[-1].partition(b".")
    return [*map(_unsuffixed, path[:-1]), last if dot and last else path[-1]]


def _unsuffixed(segment: bytes) -> bytes:
    """``segment`` without the suffixes at its end, all but its first character."""
    if b"." not in segment:
        return segment
    parts = segment.split(b".")
    first = 1 if parts[0] else 2
    count = len(parts)
    while count > first and _suffix(parts[count - 1]):
        count -= 1
    return b".".join(parts[:count])


def readings(path: bytes, query: bytes) -> list[list[bytes]]:
    """Every path that an upstream could read in a request, as lists of segments; the plainest first."""
    plain = segments(path)
    found = [plain]
    raw = shadow(path)
    if not raw.isascii():
        forgiving = _segments(shadow(_overlong(_shortest, raw)).decode("utf-8", "ignore"))
        if forgiving != plain:
            found.append(forgiving)
    if len(plain) > 1 and _authority(path):
        found.append(plain[1:])
    for at, segment in enumerate(plain[: min(SCRIPTS, len(plain) - 1)] if plain else ()):
        if _script(segment):
            found += (plain[at + 1 :], plain[:at] + plain[at + 1 :])
    if query and (not plain or _script(plain[-1])):
        for field in query.replace(b";", b"&").split(b"&", SCRIPTS)[:SCRIPTS]:
            for part in field.partition(b"=")[::2]:
                if b"/" in part or b"%2" in part:
                    named = segments(b"/" + unquote_to_bytes(part).partition(b"?")[0])
                    found += (named, plain[:-1] + named)
    for one in found[:]:
        stripped = bare(one)
        if stripped != one:
            found.append(stripped)
    return found
