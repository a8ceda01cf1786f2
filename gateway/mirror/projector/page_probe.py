"""Is the static version on the platform's page? “同一平台和页面”: the list itself has to stand there, a link is not it.

What counts, all of it for this very room:

    include   an element with ``data-tidegate-mirror`` of the room, with items of its list where the room has bullets
    frame     an ``iframe`` (or ``object``, ``embed``) that shows the room's mirror
    script    our ``embed.js``, together with a no-script fallback that is an include or a frame

The page is read as a browser reads it: what stands in comments, templates or hidden elements does not count.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from gateway.mirror.pages.names import SCRIPT, folder_name

Result = Literal["contained", "linked", "absent", "unreachable"]

_VOID: Final = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - as HTML lists them
)
_INERT: Final = frozenset(("template", "noframes", "textarea", "title", "select"))
_FRAMES: Final = {"iframe": "src", "frame": "src", "embed": "src", "object": "data"}


class Seen(NamedTuple):
    """``how``: what made the result, for the log: include, frame, script, or what is missing."""

    result: Result
    how: str


def examine(html: str, address: str, prefix: str, room: str, *, filled: bool) -> Seen:
    """Look for the room's list in a page. ``address``: the page's own, absolute; ``prefix``: ``mirror.path``;
    ``filled``: the room has bullets, so that an include has to show some."""
    reader = _Reader(address, prefix, room, filled=filled)
    reader.feed(html)
    reader.close()
    if reader.included:
        return Seen("contained", "include")
    if reader.framed:
        return Seen("contained", "frame")
    if reader.script and reader.fallback:
        return Seen("contained", "script")
    if reader.script:
        return Seen("linked", "script without a no-script fallback")
    if reader.emptied:
        return Seen("absent", "an include without its bullets")
    return Seen("linked", "link") if reader.linked else Seen("absent", "nothing of it")


class _Reader(HTMLParser):
    def __init__(self, address: str, prefix: str, room: str, *, filled: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.included = self.framed = self.script = self.fallback = self.linked = self.emptied = False
        self._address = address
        self._prefix = prefix
        self._room = room
        self._folder = folder_name(room)
        self._filled = filled
        self._open: list[tuple[str, bool, bool]] = []  # tag, hides what is in it, is an include of ours
        self._without_script = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        hidden = self._hidden or tag in _INERT or _is_hidden(fields)
        include = fields.get("data-tidegate-mirror") == self._folder
        if tag not in _VOID:
            self._open.append((tag, hidden, include))
        if tag == "noscript":
            self._without_script += 1
        if hidden:
            return
        if include:
            if self._filled:
                self.emptied = True
            else:
                self._contains(include=True)
        elif "data-id" in fields and tag == "li" and any(one[2] for one in self._open):
            self._contains(include=True)
        elif tag in _FRAMES and self._is_mirror(fields.get(_FRAMES[tag], "")):
            self._contains(include=False)
        elif tag == "script":
            path = self._path(fields.get("src", ""))
            if path == self._prefix + SCRIPT and fields.get("data-room") in (self._room, self._folder):
                self.script = True
        elif tag in ("a", "link") and self._is_mirror(fields.get("href", "")):
            self.linked = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # HTML has no empty elements but the void ones: the slash means nothing

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                self._without_script -= sum(one[0] == "noscript" for one in self._open[place:])
                del self._open[place:]
                return

    @property
    def _hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _contains(self, *, include: bool) -> None:
        if self._without_script:
            self.fallback = True
        elif include:
            self.included = True
        else:
            self.framed = True

    def _path(self, reference: str) -> str:
        try:
            own, there = urlsplit(self._address), urlsplit(urljoin(self._address, reference.strip()))
        except ValueError:
            return ""
        same = (own.scheme, own.netloc) == (there.scheme, there.netloc)
        return there.path if reference and same else ""  # “the same platform”

    def _is_mirror(self, reference: str) -> bool:
        path = self._path(reference)
        if not path.startswith(self._prefix):
            return False
        name, _, rest = path[len(self._prefix) :].partition("/")
        named = name == self._folder or unquote(name) == self._room
        return named and (not rest or rest in ("index.html", "fragment") or rest.removesuffix(".html").isdigit())


def _is_hidden(fields: dict[str, str]) -> bool:
    style = fields.get("style", "").replace(" ", "").lower()
    small = fields.get("width") == "0" or fields.get("height") == "0"
    return "hidden" in fields or "display:none" in style or "visibility:hidden" in style or small
