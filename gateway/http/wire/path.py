"""Request paths: their one normal form (RFC 3986 section 6.2.2), what departs from it, and route templates.

Upstreams read paths in many ways: they merge slashes, decode twice, ignore case or a slash at the end. So there are
two forms. The normal form is what is matched and forwarded. The ``shadow`` is what the most obliging upstream could
make of the path: a path that is not normal, and whose shadow lies under a judged route, is refused.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_plain = re.compile(rb"/|(?:/[A-Za-z0-9_~\-!$&'()*+,=:@][A-Za-z0-9_~\-!$&'()*+,=:@.]*)+/?").fullmatch
_escape = re.compile(rb"%([0-9A-Fa-f]{2})")
_broken_escape = re.compile(rb"%(?![0-9A-Fa-f]{2})").search
_not_pchar = re.compile(rb"[^A-Za-z0-9_~\-.!$&'()*+,;=:@/%]").search
_variable = re.compile(r"\{([a-z_][a-z0-9_]*)\}").fullmatch
_literal = re.compile(r"[A-Za-z0-9_~\-.!$&'()*+,=:@]+").fullmatch
_host = re.compile(r"[a-z0-9.\-]+|\[[0-9a-f:.]+\]").fullmatch
_segment = re.compile(rb"(?!\.{1,2}\Z)(?:[A-Za-z0-9_~\-.!$&'()*+,=:@]|%[0-9A-F]{2})+").fullmatch


class NormalPath(NamedTuple):
    """``path``: the normal form. ``flaw``: the reason code of the first departure from it, or empty."""

    path: bytes
    flaw: str


def normalise(path: bytes) -> NormalPath:
    """The RFC 3986 normal form of ``path``: needless encodings undone, hex digits upper case, dot segments removed.

    Empty segments stay: they mean something to some upstreams. A path with a broken escape is left as it is.
    """
    if _plain(path):
        return NormalPath(path, "")
    if _broken_escape(path):
        return NormalPath(path, "path.percent")
    flaw = "path.character" if _not_pchar(path) else ""
    normal = path
    if b"%" in path:
        normal = _escape.sub(_normal_escape, path)
        if normal.count(b"%") != path.count(b"%"):
            flaw = flaw or "path.needless_encoding"
        if b"%2F" in normal or b"%5C" in normal or b"%00" in normal:
            flaw = flaw or "path.encoded_slash"
    if b"//" in normal:
        flaw = flaw or "path.empty_segment"
    if b"/." in normal:
        undotted = remove_dot_segments(normal)
        if undotted != normal:
            flaw = flaw or "path.dot_segment"
            normal = undotted
    if b";" in normal:
        flaw = flaw or "path.parameters"
    return NormalPath(normal, flaw)


def _normal_escape(escape: re.Match[bytes]) -> bytes:
    code = int(escape[1], 16)
    return bytes((code,)) if code in UNRESERVED else b"%%%02X" % code


def remove_dot_segments(path: bytes) -> bytes:
    """RFC 3986 section 5.2.4, for a path that begins with a slash."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment != b".":
            kept.append(segment)
    if segments and segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def unsure(path: bytes) -> bool:
    """Whether readers differ in what a segment “..” takes away: behind an empty segment, or one that is nothing but
    parameters, it is that one, or the one before for who has left that out already."""
    parts = _decoded(path).split(b"/")[1:]
    return any(part.partition(b";")[0] == b".." for part in parts) and any(
        not part.partition(b";")[0] for part in parts[:-1]
    )


def _decoded(path: bytes) -> bytes:
    for _ in range(3):
        if b"%" not in path:
            break
        path = unquote_to_bytes(path)
    return path.replace(b"\\", b"/").replace(b"\x00", b"")


def shadow(path: bytes) -> bytes:
    """What the most obliging upstream could read: decoded to the end, no parameters, no empty or dot segments, lower
    case, no slash at the end.
    """
    path = re.sub(rb";[^/]*", b"", _decoded(path))
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    return b"/" + b"/".join(kept).lower()


def clean_segment(segment: bytes) -> bool:
    """Whether a path segment is in normal form and can stand for a variable."""
    return segment.isalnum() or (
        _segment(segment) is not None and (b"%" not in segment or normalise(b"/" + segment) == (b"/" + segment, ""))
    )


class Template(NamedTuple):
    """A route's ``match``: methods, an optional host (lower case, no port), and segments, where None is a variable.
    ``below``: and whatever lies below that (``/**``)."""

    methods: tuple[bytes, ...]
    host: bytes
    segments: tuple[bytes | None, ...]
    names: tuple[str, ...]
    below: bool = False

    @property
    def address(self) -> str:
        """Host and path as they were written, without methods."""
        names = iter(self.names)
        segments = [f"{{{next(names)}}}" if segment is None else segment.decode() for segment in self.segments]
        return f"{self.host.decode()}/{'/'.join([*segments, '**'] if self.below else segments)}"

    @property
    def prefix(self) -> bytes:
        """The literal path before the first variable, ending in a slash; the whole path where there is none."""
        literals: list[bytes] = []
        for segment in self.segments:
            if segment is None:
                return b"/" + b"".join(literal + b"/" for literal in literals)
            literals.append(segment)
        return b"/" + b"/".join(literals)


def parse_template(text: str) -> Template:
    """Read ``POST /api/articles/{room}/comments``, ``PUT|PATCH host.example/…``, ``POST /api/comments/**``. Raises
    ValueError with a remedy."""
    methods, space, rest = text.strip().partition(" ")
    rest = rest.strip()
    host, slash, path = rest.partition("/")
    if not space or not slash:
        raise ValueError("is not a match: write a method and a path, such as “POST /api/articles/{room}/comments”")
    if not all(re.fullmatch(r"[A-Z][A-Z\-]*", method) for method in methods.split("|")):
        raise ValueError("has a malformed method: write it in capitals, several as “PUT|PATCH”")
    host = host.lower()
    if host and _host(host) is None:
        raise ValueError("has a malformed host: write a name without port, such as “forum.example/path”")
    segments: list[bytes | None] = []
    names: list[str] = []
    parts = path.split("/")
    below = parts[-1] == "**"
    if below:
        del parts[-1]
    for at, part in enumerate(parts):
        variable = _variable(part)
        if variable is not None:
            if variable[1] in names:
                raise ValueError(f"has {{{variable[1]}}} twice: give each variable its own name")
            names.append(variable[1])
            segments.append(None)
        elif part == "" and at == len(parts) - 1 and not below:
            segments.append(b"")
        elif "**" in part:
            raise ValueError("has “**” within: it stands at the end, behind a slash, for whatever lies below")
        elif part in (".", "..") or _literal(part) is None:
            raise ValueError(f"has the segment “{part}”: use letters, digits and -._~, or one {{name}} a segment")
        else:
            segments.append(part.encode())
    return Template(
        tuple(method.encode() for method in methods.split("|")), host.encode(), tuple(segments), tuple(names), below
    )
