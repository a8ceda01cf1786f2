"""What is left of a text once a platform has undone its markup, with the way back to the original.

``html``: character references (HTML Living Standard, section 13.2.5.72: named and numeric, the old ones without their
semicolon), tags and comments. ``markdown``: that, and CommonMark's backslash escapes, code spans, emphasis, links,
images and autolinks, for Markdown lets HTML through. Each is undone once, as browsers do: ``&amp;#32593;`` shows
``&#32593;``.

What nobody sees still reaches readers' browsers: targets of links, other attributes, comments, unknown tags. It is
read as a text of its own (``Unmarked.hidden``), so that nothing in it joins with what is seen, and nothing can hide in
it.

Whatever is no markup stays as it is: ``a < b``, ``AT&T``, ``<3``, ``1 * 2``, ``snake_case``. One pass; what is looked
for ahead without being found is looked for a bounded number of times, so the work is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from html.entities import html5
from typing import Final, Literal, NamedTuple

from filters.text.markdown import Marks, marks_of
from filters.text.spans import Span

Markup = Literal["html", "markdown", "off"]

_SIGNS: Final = re.compile(r"[&<\\`*_~\[]")
_REFERENCE: Final = re.compile(r"&(?:#[xX]([0-9a-fA-F]+)|#([0-9]+)|([0-9A-Za-z]{1,32}));?")
_LONGEST_OLD: Final = max(len(name) for name in html5 if not name.endswith(";"))
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?=[\s/>])")
_ATTRIBUTE: Final = re.compile(r"""([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")
_TAG_STOP: Final = re.compile("[>\"']")
_TAG_BEGINS: Final = re.compile("[&<]")
_DECLARATION_ENDS: Final = re.compile(">")
_COMMENT_ENDS: Final = re.compile("--!?>")
_FAILURES: Final = 16  # openings without an end; from then on openings of their kind are text
_TAG_MAX: Final = 2_048  # code points

# Elements that begin a line of their own, so that words on both sides are two.
_LINES: Final = frozenset(
    """
    address article aside blockquote br center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 header hr legend li main nav ol option p pre section summary table tbody td tfoot th thead title tr ul
    """.split()  # noqa: SIM905  # a list would be a word a line
)
_INLINE: Final = frozenset(
    """
    a abbr acronym audio b bdi bdo big button caption cite code col colgroup data del dfn em embed font i iframe img
    input ins kbd label map mark marquee nobr noscript object param picture q rp rt ruby s samp script select small
    source span strike strong style sub sup svg template textarea time track tt u var video wbr
    """.split()  # noqa: SIM905  # a list would be a word a line
)
# Attributes that say how something looks or behaves.
_LOOKS: Final = frozenset(
    """
    align alink async autofocus autoplay bgcolor border cellpadding cellspacing checked class cols colspan color
    compact controls decoding dir disabled download draggable face frameborder height hidden hspace id lang loading
    loop muted noshade nowrap open readonly rel required reversed role rows rowspan selected size span start style
    tabindex target type valign vspace width
    """.split()  # noqa: SIM905  # a list would be a word a line
)

# What browsers make of references to the C1 controls: Windows-1252 (section 13.2.5.80).
_C1: Final = dict(zip(range(0x80, 0xA0), bytes(range(0x80, 0xA0)).decode("cp1252", "replace"), strict=True))


class Plain:
    """A text made of stretches of an original and of what stands for others of its stretches."""

    __slots__ = ("_ends", "_exact", "_places", "_starts", "text")

    def __init__(self) -> None:
        self.text = ""
        self._places: list[int] = []  # in ``text``, where each piece begins
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._exact: list[bool] = []  # does the piece stand in the original character by character?

    def add(self, pieces: list[tuple[str, int, int, bool]]) -> Plain:
        """Of text, start and end in the original, and whether it is that stretch itself."""
        place = 0
        for text, start, end, exact in pieces:
            self._places.append(place)
            self._starts.append(start)
            self._ends.append(end)
            self._exact.append(exact)
            place += len(text)
        self.text = "".join([text for text, *_ in pieces])
        return self

    def spans(self, start: int, end: int) -> list[Span]:
        """The stretches of the original for what stands from ``start`` to before ``end``, the markup between left out.

        Such as touch are one. Empty where the characters stand for markup alone.
        """
        found: list[Span] = []
        piece = max(bisect_right(self._places, start) - 1, 0)
        while piece < len(self._places) and self._places[piece] < end:
            first, last = self._starts[piece], self._ends[piece]
            if self._exact[piece]:
                place = self._places[piece]
                first, last = first + max(start - place, 0), min(last, first + end - place)
            if first < last:
                if found and found[-1][1] == first:
                    found[-1] = (found[-1][0], last)
                else:
                    found.append((first, last))
            piece += 1
        return found


class Unmarked(NamedTuple):
    """What people see, and what only browsers do, a line each."""

    seen: Plain
    hidden: Plain


def is_marked(text: str, markup: Markup) -> bool:
    """Could there be any? All that a text without its signs pays."""
    if markup == "html":
        return "&" in text or "<" in text
    return markup == "markdown" and _SIGNS.search(text) is not None


def unmarked(text: str, markup: Markup) -> Unmarked | None:
    """The text without its markup; None where it has none, which is quickly said. Total."""
    if not is_marked(text, markup):
        return None
    reader = _Reader(text, marks_of(text) if markup == "markdown" else None)
    reader.read()
    if not reader.changed:
        return None
    return Unmarked(Plain().add(reader.seen), Plain().add(reader.hidden))


class _Reader:
    __slots__ = ("_ends", "_failures", "_marks", "_stays", "_text", "changed", "hidden", "seen")

    def __init__(self, text: str, marks: Marks | None) -> None:
        self._text = text
        self._marks = marks
        self._stays = 0  # what stands from here on is not yet in ``seen``
        self._failures = 0
        self._ends = {True: True, False: True}  # is there an end of a comment ahead, is there one of a declaration?
        self.changed = False
        self.seen: list[tuple[str, int, int, bool]] = []
        self.hidden: list[tuple[str, int, int, bool]] = []

    def read(self) -> None:
        text = self._text
        marks = self._marks or {}
        ahead = sorted(marks, reverse=True)
        size = len(text)
        sign = -1  # the next place of a reference or a tag
        place = 0
        while True:
            if sign < place:
                found = _TAG_BEGINS.search(text, place)
                sign = found.start() if found else size
            while ahead and ahead[-1] < place:
                ahead.pop()
            place = min(sign, ahead[-1]) if ahead else sign
            if place >= size:
                break
            mark = marks.get(place)
            if mark is None:
                place = self._reference(place) if text[place] == "&" else self._tag(place)
            elif mark[0] < 0:
                place = -mark[0]  # code, or a sign after a backslash: nothing in it is markup
            else:
                self._drop(place, mark[0])
                for first, last in mark[1]:
                    self._hide(first, last)
                place = mark[0]
        self._keep(size)

    def _keep(self, end: int) -> None:
        if self._stays < end:
            self.seen.append((self._text[self._stays : end], self._stays, end, True))
        self._stays = end

    def _drop(self, start: int, end: int, shown: str = "", line: bool = False) -> None:
        """``shown`` stands for the stretch, or a line end does, which is nobody's to mask."""
        self._keep(start)
        self.changed = True
        if shown:
            self.seen.append((shown, start, end, False))
        elif line:
            self.seen.append(("\n", start, start, False))
        self._stays = end

    def _hide(self, start: int, end: int) -> None:
        """A line of what is not seen, its references undone."""
        text = self._text
        place = start
        while (found := text.find("&", place, end)) >= 0:
            match = _REFERENCE.match(text, found, end)
            shown = _shown(match) if match else None
            if shown is None:
                place = found + 1
                continue
            if start < found:
                self.hidden.append((text[start:found], start, found, True))
            char, length = shown
            self.hidden.append((char, found, found + length, False))
            place = start = found + length
        if start < end:
            self.hidden.append((text[start:end], start, end, True))
        self.hidden.append(("\n", end, end, False))

    def _reference(self, place: int) -> int:
        match = _REFERENCE.match(self._text, place)
        shown = _shown(match) if match else None
        if shown is None:
            return place + 1
        char, length = shown
        self._drop(place, place + length, char)
        return place + length

    def _tag(self, place: int) -> int:
        text = self._text
        after = text[place + 1 : place + 2]
        if after in ("!", "?"):
            return self._comment(place)
        if after == "/" and not _is_letter(text[place + 2 : place + 3]):
            return place + 1
        if (after != "/" and not _is_letter(after)) or self._failures >= _FAILURES:
            return place + 1
        end = _tag_end(text, place + 1)
        if end < 0:
            self._failures += 1
            return place + 1
        inside = place + (2 if after == "/" else 1)
        name = _NAME.match(text, inside, end)
        known = name[0].lower() if name else ""
        if known not in _LINES and known not in _INLINE:
            self._drop(place, end)
            self._hide(inside, end - 1)
            return end
        self._drop(place, end, line=known in _LINES)
        assert name is not None
        for attribute in _ATTRIBUTE.finditer(text, name.end(), end - 1):
            kind = attribute[1].lower()
            group = next((number for number in (2, 3, 4) if attribute[number] is not None), 1)
            if kind not in _LOOKS or not attribute[group].isascii():
                self._hide(*attribute.span(group))
        return end

    def _comment(self, place: int) -> int:
        """``<!-- -->``, and what else browsers drop up to the next sign: ``<!x>``, ``<?x>``."""
        text = self._text
        is_comment = text.startswith("<!--", place)
        if not self._ends[is_comment]:
            return place + 1
        match = _COMMENT_ENDS.search(text, place + 2) if is_comment else _DECLARATION_ENDS.search(text, place)
        if match is None:
            self._ends[is_comment] = False
            return place + 1
        found, end = match.span()
        self._drop(place, end)
        self._hide(min(place + (4 if is_comment else 2), found), found)
        return end


def _tag_end(text: str, place: int) -> int:
    """Behind the sign that ends a tag; one in a quoted value does not. -1 where there is none near."""
    limit = place + _TAG_MAX
    while match := _TAG_STOP.search(text, place, limit):
        at = match.start()
        if text[at] == ">":
            return at + 1
        place = at + 1
        if text[max(at - 8, 0) : at].rstrip().endswith("="):
            place = text.find(text[at], place, limit) + 1
            if place == 0:
                return -1
    return -1


def _shown(match: re.Match[str]) -> tuple[str, int] | None:
    """What a reference stands for, and how many characters of the text it is long; None for what is none."""
    whole, name = match[0], match[3]
    if name is None:
        digits = (match[1] or match[2]).lstrip("0")
        code = int(digits or "0", 16 if match[1] else 10) if len(digits) <= 8 else 0x110000
        return _numbered(code), len(whole)
    if (char := html5.get(whole[1:])) is not None:
        return char, len(whole)
    for length in range(min(len(name), _LONGEST_OLD), 1, -1):
        if (char := html5.get(name[:length])) is not None:
            return char, 1 + length
    return None


def _numbered(code: int) -> str:
    if code in _C1:
        return _C1[code] if _C1[code] != "\ufffd" else chr(code)
    if code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return "\ufffd"
    return chr(code)


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()
