"""The mirror as a worker serves it: from a path under ``mirror.path`` to an answer.

    ROOM/                    the head: newest bullets, links to the pages      changes
    ROOM/fragment            the list alone, to be included in a page          changes
    ROOM/index.json          how many bullets and pages there are             changes
    ROOM/N.html, ROOM/N      a page                                            the last one changes
    ROOM/N.json              the same
    embed.js                 puts the fragment onto the platform's page

A room that has no bullets yet has an empty list, because its page is to show one. A room may be named as it is,
percent-encoded, or by its folder (``names``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from markupsafe import Markup

from gateway.mirror.pages.names import SCRIPT, folder_name, is_folder_name
from gateway.mirror.pages.pages import Pages, fragment, head_json, items_of, page_json, script, total_of
from gateway.mirror.serving.access import Access, Permission, Question
from gateway.mirror.serving.file_cache import CachedFile, FileCache
from gateway.mirror.serving.negotiation import accepted, matches
from gateway.mirror.store.sealed import Damaged
from gateway.mirror.store.shelf import INDEX, ROUTES, read_room, routes

HTML, JSON, SCRIPT_TYPE = b"text/html; charset=utf-8", b"application/json", b"text/javascript; charset=utf-8"
NEWEST: Final = 50  # bullets that a head shows
SUFFIXES: Final = {"br": ".br", "gzip": ".gz"}  # in the order of preference

_page = re.compile(r"([1-9][0-9]{0,8})(\.html|\.json)?").fullmatch
_ALWAYS: Final = b"X-Robots-Tag: noindex\r\nX-Content-Type-Options: nosniff\r\n"
_ASKED: Final = b"no-cache"
"""What grows is kept and asked for each time (RFC 9111, section 5.2.2.4): with a strong ETag that is mostly a 304, and
neither a new bullet nor a takedown waits for a cache. A full page changes by removal only."""

Fields = Mapping[bytes, bytes]


class Answer(NamedTuple):
    """``lines``: header lines, each with its line end, without length and type: as ``Exchange.answer`` takes them."""

    status: int
    lines: bytes
    body: bytes = b""
    content_type: bytes = HTML


class MirrorFiles:
    """Serves one mirror. Immutable but for its copies, so made anew with each generation.

    ``root`` is the mirror's folder, ``prefix`` and ``max_age`` (seconds) the configured ``mirror.path`` and
    ``mirror.max_age``. ``access`` says which rooms need asking; None where no route does.
    """

    def __init__(self, root: Path, prefix: str, pages: Pages, max_age: float, access: Access | None = None) -> None:
        self._root = root
        self._prefix = prefix.encode("ascii")
        self._pages = pages
        self._lasting = b"max-age=%d, must-revalidate" % round(max_age)
        self._access = access
        self._copies = FileCache()
        self._script = CachedFile(script())
        self._policy = f"{pages.policy}; frame-ancestors 'self'".encode("ascii")

    def answer(self, path: bytes, query: bytes, fields: Fields, method: bytes = b"GET") -> Answer:
        """What is at ``path``, for somebody who may see it: the room's own question is not asked here. ``query`` is
        not read; a cache may use it. ``fields``: the request's, by lower-case name."""
        return self._answer(path, fields, method, private=False)

    def request(
        self, method: bytes, path: bytes, query: bytes, fields: Fields, then: Callable[[Answer], object]
    ) -> None:
        """What ``answer`` says, once it is known that the reader may see it. ``then`` is called once, maybe at once."""
        access = self._access
        if access is None:
            then(self._answer(path, fields, method, private=False))
            return
        try:
            question = self._question(access, path)
        except (Damaged, OSError):
            then(_unavailable())
            return
        if question is None:
            then(self._answer(path, fields, method, private=False))
            return

        def told(permission: Permission) -> None:
            if permission == "allowed":
                then(self._answer(path, fields, method, private=True))
            else:
                then(_denied() if permission == "denied" else _unavailable())

        access.ask(question, fields, told)

    # -- finding

    def _question(self, access: Access, path: bytes) -> Question | None:
        segment, slash, _ = path[len(self._prefix) :].partition(b"/")
        if not slash and segment == SCRIPT.encode():
            return None
        found = self._room(segment)
        if found is None:
            return None  # answered with 404
        name, folder = found
        known = self._known(folder)
        return access.question(*known) if known is not None else access.question(name, frozenset())

    def _room(self, segment: bytes) -> tuple[str, Path] | None:
        """A room's name as it was asked for and its folder, which may not be there; None for what names no room."""
        if is_folder_name(segment) and segment != SCRIPT.encode():
            name = segment.decode("ascii")
            folder = self._root / name
            if folder_name(name) == name or folder.is_dir():
                return name, folder
        try:
            name = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            return None
        if not name or not name.isprintable() or len(name) > 256:
            return None
        return name, self._root / folder_name(name)

    def _name(self, asked: str, folder: Path) -> str:
        """A room's own name, which may not be the one it was asked for by."""
        known = self._known(folder)
        return known[0] if known is not None else asked

    def _known(self, folder: Path) -> tuple[str, frozenset[str]] | None:
        """A room's name and the routes that feed it; None where there is no such room."""
        copy = self._copies.file(folder / ROUTES)
        return routes(folder.name, copy.data) if copy is not None else None

    def _answer(self, path: bytes, fields: Fields, method: bytes, *, private: bool) -> Answer:
        if method not in (b"GET", b"HEAD"):
            return Answer(405, _ALWAYS + b"Allow: GET, HEAD\r\n")
        segment, slash, rest = path[len(self._prefix) :].partition(b"/")
        try:
            if not slash and segment == SCRIPT.encode():
                return self._served(self._script, SCRIPT_TYPE, "", fields, self._lasting)
            found = self._room(segment) if path.startswith(self._prefix) else None
            if found is None:
                return _absent()
            if not slash:
                place = self._prefix + segment + b"/"
                return Answer(308, _ALWAYS + b"Location: %b\r\n" % place)
            return self._in_room(*found, rest, fields, private=private)
        except (Damaged, OSError):
            return _unavailable()

    def _in_room(self, name: str, folder: Path, rest: bytes, fields: Fields, *, private: bool) -> Answer:
        if rest in (b"", b"index.html"):
            copy = self._copies.made(folder / INDEX, "head", lambda html: self._head(name, folder, html))
            return self._served(copy or CachedFile(self._empty(name)), HTML, "", fields, _ASKED, private=private)
        if rest == b"fragment":
            copy = self._copies.made(folder / INDEX, "fragment", lambda html: fragment(self._head(name, folder, html)))
            return self._served(
                copy or CachedFile(fragment(self._empty(name))), HTML, "", fields, _ASKED, private=private
            )
        if rest == b"index.json":
            copy = self._copies.made(
                folder / INDEX, "json", lambda html: _head_json(self._name(name, folder), folder, html)
            )
            return self._served(copy or CachedFile(head_json(name, 0, 0)), JSON, "", fields, _ASKED, private=private)
        page = _page(rest.decode("latin-1"))
        if page is None:
            return _absent()
        return self._numbered(folder, int(page[1]), page[2] or ".html", fields, private=private)

    def _numbered(self, folder: Path, number: int, kind: str, fields: Fields, *, private: bool) -> Answer:
        content_type = JSON if kind == ".json" else HTML
        coding = accepted(fields.get(b"accept-encoding"), tuple(SUFFIXES))
        if coding:
            copy = self._copies.file(folder / f"{number}{kind}{SUFFIXES[coding]}")
            if copy is not None:
                return self._served(copy, content_type, coding, fields, self._caching(folder, number), private=private)
        copy = self._copies.file(folder / f"{number}{kind}")
        if copy is None and kind == ".json":
            copy = self._copies.made(folder / f"{number}.html", "json", lambda html: _open_json(folder, number))
        if copy is None:
            return _absent()
        return self._served(copy, content_type, "", fields, self._caching(folder, number), private=private)

    # -- answering

    def _caching(self, folder: Path, number: int) -> bytes:
        return self._lasting if number < _open_number(folder) else _ASKED

    def _served(
        self,
        copy: CachedFile,
        content_type: bytes,
        coding: str,
        fields: Fields,
        caching: bytes,
        *,
        private: bool = False,
    ) -> Answer:
        lines = b"ETag: %b\r\nCache-Control: %b%b\r\nVary: Accept-Encoding%b\r\n%b" % (
            copy.etag,
            b"private, " if private else b"",
            caching,
            b", Cookie, Authorization" if private else b"",
            _ALWAYS,
        )
        if matches(fields.get(b"if-none-match"), copy.etag):
            return Answer(304, lines)
        if content_type is HTML:
            lines += b"Content-Security-Policy: %b\r\n" % self._policy
        if coding:
            lines += b"Content-Encoding: %b\r\n" % coding.encode()
        return Answer(200, lines, copy.data, content_type)

    def _head(self, name: str, folder: Path, html: bytes) -> bytes:
        """The head, out of the open page and, where that has just begun, the page before it."""
        name = self._name(name, folder)
        number = _open_number(folder)
        items = items_of(html, NEWEST)
        if len(items) < NEWEST and number > 1:
            before = self._copies.file(folder / f"{number - 1}.html")
            if before is not None:
                items = items_of(before.data, NEWEST - len(items)) + items
        return self._pages.head(name, Markup("").join(reversed(items)), total_of(html), number)

    def _empty(self, name: str) -> bytes:
        return self._pages.head(name, Markup(""), 0, 0)


def _open_number(folder: Path) -> int:
    """The number of the open page: what the head's symbolic link points to."""
    return int((folder / INDEX).readlink().stem)


def _head_json(name: str, folder: Path, html: bytes) -> bytes:
    return head_json(name, total_of(html), _open_number(folder))


def _open_json(folder: Path, number: int) -> bytes | None:
    room = read_room(folder)
    if room is None or room.number != number:
        return None
    bullets = room.open_bullets()
    return page_json(room.name, number, bullets, len(room.open) - len(bullets), complete=False)


def _absent() -> Answer:
    return Answer(404, _ALWAYS + b"Cache-Control: no-store\r\n")


def _denied() -> Answer:
    return Answer(403, _ALWAYS + b"Cache-Control: no-store\r\n")


def _unavailable() -> Answer:
    return Answer(503, _ALWAYS + b"Cache-Control: no-store\r\nRetry-After: 2\r\n")
