"""What is left of a text once a platform has undone its markup, with the way back to the original.

``html``: character references (HTML Living Standard, section 13.2.5.72: named and numeric, the old ones without their
semicolon), tags and comments. ``markdown``: that, and CommonMark's backslash escapes, code spans, emphasis, links,
images and autolinks, for Markdown lets HTML through. Each is undone once, as browsers do: ``&amp;#32593;`` shows
``&#32593;``.

What nobody sees still reaches readers' browsers: targets of links, other attributes, comments, unknown tags. It is
read as a text of its own (``Unmarked.hidden``), so that nothing in it joins with what is seen, and nothing can hide in
it. Of elements that a browser does not show (scripts, templates, titles, ``hidden``) a platform may drop the content or
the tags alone, so such a text is read in both ways: with the content in its place (``seen``), and without
(``shown``, where the content is read by itself as well).

An image is seen, and parts what stands on both sides: an object replacement character stands for it. What describes it
stands in its place where it cannot be loaded, so it is read there (``seen``), and as nothing of the line (``shown``).

Whatever is no markup stays as it is: ``a < b``, ``AT&T``, ``<3``, ``1 * 2``, ``snake_case``. One pass; what is looked
for ahead without being found is looked for a bounded number of times, so the work is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from html.entities import html5
from typing import Final, Literal, NamedTuple

from filters.text.elements import (
    BARS,
    ENDED_BY,
    IMAGES,
    INLINE,
    LINES,
    LOOKS,
    RAW,
    RAW_END,
    UNSHOWN,
    VOID,
    is_unseen,
)
from filters.text.markdown import Marks, marks_of
from filters.text.spans import Span

Markup = Literal["html", "markdown", "off"]

SIGNS: Final = "&<\\`*_~["
"""One of these is in every text with markup of any kind."""
_SIGNS: Final = re.compile(f"[{re.escape(SIGNS)}]")
_REFERENCE: Final = re.compile(r"&(?:#[xX]([0-9a-fA-F]+)|#([0-9]+)|([0-9A-Za-z]{1,32}));?")
_LONGEST_OLD: Final = max(len(name) for name in html5 if not name.endswith(";"))
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?=[\s/>])")
_ATTRIBUTE: Final = re.compile(r"""([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")
_TAG_STOP: Final = re.compile("[>\"']")
_TAG_BEGINS: Final = re.compile("[&<]")
_DECLARATION_ENDS: Final = re.compile(">")
_COMMENT_ENDS: Final = re.compile("--!?>")
_IMAGE: Final = "\ufffc"
_OPEN_MAX: Final = 128  # elements that wait for their end
_FAILURES: Final = 16  # openings without an end; from then on openings of their kind are text
_TAG_MAX: Final = 2_048  # code points

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
    """What people see, and what only browsers do, a line each; and what people see where the platform drops what
    browsers do not show, if that is something else."""

    seen: Plain
    hidden: Plain
    shown: Plain | None = None

    @property
    def parts(self) -> tuple[Plain, ...]:
        """All that is read."""
        return (self.seen, self.hidden) if self.shown is None else (self.seen, self.shown, self.hidden)


def is_marked(text: str, markup: Markup) -> bool:
    """Could there be any? All that a text without its signs pays."""
    if markup == "html":
        return "&" in text or "<" in text
    return markup == "markdown" and _SIGNS.search(text) is not None


def unmarked(text: str, markup: Markup) -> Unmarked | None:
    """The text without its markup; None where it has none, which is quickly said. Total."""
    if not is_marked(text, markup):
        return None
    marks = marks_of(text) if markup == "markdown" else None
    reader = _Reader(text, marks)
    reader.read()
    if not reader.changed:
        return None
    if not reader.unshown:
        return Unmarked(Plain().add(reader.seen), Plain().add(reader.hidden))
    browser = _Browser(text, marks)
    browser.read()
    shown = Plain().add(browser.seen)
    hidden = Plain().add(browser.hidden)
    seen = Plain().add(reader.seen)
    return Unmarked(seen, hidden, None if shown.text == seen.text else shown)


class _Reader:
    """Takes the tags away, and leaves what stands between them."""

    __slots__ = ("_ends", "_failures", "_marks", "_stays", "_text", "changed", "hidden", "seen", "unshown")

    def __init__(self, text: str, marks: Marks | None) -> None:
        self._text = text
        self._marks = marks
        self._stays = 0  # what stands from here on is not yet in ``seen``
        self._failures = 0
        self._ends = {True: True, False: True}  # is there an end of a comment ahead, is there one of a declaration?
        self.changed = False
        self.unshown = False  # does an element begin whose content browsers do not show, or do not parse?
        self.seen: list[tuple[str, int, int, bool]] = []
        self.hidden: list[tuple[str, int, int, bool]] = []

    def read(self) -> None:
        text = self._text
        marks = self._marks or {}
        ahead = sorted(marks, reverse=True)
        size = len(text)
        sign = -1  # the next place of a reference or a tag
        open_images: list[bool] = []  # for each bracket that waits for its end: is it an image's?
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
                # An image parts words at both ends: its description is no part of the word behind it.
                image = text[place] == "!"
                ends = False
                if image or (text[place] == "[" and mark[0] == place + 1):
                    open_images.append(image)
                elif text[place] == "]" and open_images:
                    ends = open_images.pop()
                if ends:
                    self._description_ends(place)
                self._drop(place, mark[0], image=image or ends)
                if image:
                    self._description_begins()
                for first, last in mark[1]:
                    self._hide(first, last)
                place = mark[0]
        self._keep(size)

    def _keep(self, end: int) -> None:
        if self._stays < end:
            self.seen.append((self._text[self._stays : end], self._stays, end, True))
        self._stays = end

    def _drop(self, start: int, end: int, shown: str = "", line: bool = False, image: bool = False) -> None:
        """``shown`` stands for the stretch, or a line end or an image does, which is nobody's to mask."""
        self._keep(start)
        self.changed = True
        if shown:
            self.seen.append((shown, start, end, False))
        elif line or image:
            self.seen.append(("\n" if line else _IMAGE, start, start, False))
        self._stays = end

    def _description_begins(self) -> None:
        """Behind the mark of an image of Markdown."""
        self.unshown = True

    def _description_ends(self, place: int) -> None:
        """Before the mark that ends it."""

    def _image(self, start: int, end: int, described: Span | None) -> None:
        """An image of HTML, with the place of its description."""
        self._drop(start, end, image=True)
        if described is not None:
            self.unshown = True
            self._undone(self.seen, *described)
            self.seen.append((_IMAGE, end, end, False))

    def _hide(self, start: int, end: int) -> None:
        """A line of what is not seen."""
        self._undone(self.hidden, start, end)
        self.hidden.append(("\n", end, end, False))

    def _undone(self, pieces: list[tuple[str, int, int, bool]], start: int, end: int) -> None:
        """Adds the stretch to ``pieces``, its references undone."""
        text = self._text
        place = start
        while (found := text.find("&", place, end)) >= 0:
            match = _REFERENCE.match(text, found, end)
            shown = _shown(match) if match else None
            if shown is None:
                place = found + 1
                continue
            if start < found:
                pieces.append((text[start:found], start, found, True))
            char, length = shown
            pieces.append((char, found, found + length, False))
            place = start = found + length
        if start < end:
            pieces.append((text[start:end], start, end, True))

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
        opens = after != "/"
        attributes = [*_ATTRIBUTE.finditer(text, name.end(), end - 1)] if name else []
        unseen = opens and is_unseen(known, attributes)
        self._keep(place)
        self._before(known, opens)
        if known in LINES and not self._is_nothing(known, unseen):
            self._drop(place, end, line=True)
        elif opens and known in IMAGES and not unseen:
            self._image(place, end, _description(attributes))
        else:
            self._drop(place, end)
        if known not in LINES and known not in INLINE:
            self._hide(inside, end - 1)
        else:
            for attribute in attributes:
                kind = attribute[1].lower()
                group = next((number for number in (2, 3, 4) if attribute[number] is not None), 1)
                if kind not in LOOKS or not attribute[group].isascii():
                    self._hide(*attribute.span(group))
        return self._element(known, opens, unseen, end)

    def _before(self, name: str, opens: bool) -> None:
        """What ends where the tag begins."""

    def _is_nothing(self, name: str, unseen: bool) -> bool:
        """Does the tag part no lines, because nothing of its element is there?"""
        return False

    def _element(self, name: str, opens: bool, unseen: bool, end: int) -> int:
        """What the tag that ends there means for what follows; where to go on."""
        if opens and ((unseen and name not in VOID) or name in RAW or name in UNSHOWN or name == "plaintext"):
            self.unshown = True
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


class _Browser(_Reader):
    """Leaves out what a browser does not show, and parses nothing where a browser parses nothing."""

    __slots__ = ("_images", "_open", "_sinks")

    def __init__(self, text: str, marks: Marks | None) -> None:
        super().__init__(text, marks)
        self._open: list[str] = []  # elements that have begun, the innermost last
        self._sinks: list[tuple[int, list[tuple[str, int, int, bool]]]] = []
        # how many elements were open where an unseen one began, and what was seen until then
        self._images: list[tuple[list[tuple[str, int, int, bool]], int]] = []  # where descriptions begin

    def read(self) -> None:
        super().read()
        self._close(0)

    def _description_begins(self) -> None:
        self._images.append((self.seen, len(self.seen)))

    def _description_ends(self, place: int) -> None:
        self._keep(place)
        seen, begins = self._images.pop()
        if seen is self.seen:  # unless an element ended or began within it
            inside = seen[begins:]
            del seen[begins - 1 :]  # and one of the two images that stand around it
            self.hidden += [*inside, ("\n", place, place, False)]

    def _image(self, start: int, end: int, described: Span | None) -> None:
        self._drop(start, end, image=True)

    def _before(self, name: str, opens: bool) -> None:
        if not opens:
            return
        for place in range(len(self._open) - 1, -1, -1):
            inner = self._open[place]
            if inner in BARS:
                break
            closers = ENDED_BY.get(inner)
            if closers is not None and name in closers:
                self._close(place)

    def _is_nothing(self, name: str, unseen: bool) -> bool:
        return unseen or name == "title"

    def _element(self, name: str, opens: bool, unseen: bool, end: int) -> int:
        if not opens:
            if name in self._open:
                self._close(len(self._open) - 1 - self._open[::-1].index(name))
            return end
        if name == "plaintext":
            return len(self._text)
        if name in RAW:
            return self._raw(name, unseen or not RAW[name], end)
        if name in VOID or len(self._open) >= _OPEN_MAX:
            return end
        if unseen or name in UNSHOWN:
            self._sinks.append((len(self._open), self.seen))
            self.seen = []
        self._open.append(name)
        return end

    def _raw(self, name: str, unseen: bool, start: int) -> int:
        """Nothing is parsed up to the end of the element; references are in some, and undone here in all."""
        text = self._text
        match = RAW_END[name].search(text, start)
        stop = match.start() if match else len(text)
        if unseen:
            self._drop(start, stop)
            self._hide(start, stop)
            return stop
        place = start
        while (found := text.find("&", place, stop)) >= 0:
            place = self._reference(found)
        self._keep(stop)
        return stop

    def _close(self, place: int) -> None:
        """End the elements from ``place`` on: what was kept of unseen ones is a line of its own. All text up to here
        is kept."""
        while self._sinks and self._sinks[-1][0] >= place:
            inside = self.seen
            _, self.seen = self._sinks.pop()
            if inside:
                self.hidden += inside
                end = inside[-1][2]
                self.hidden.append(("\n", end, end, False))
        del self._open[place:]


def _description(attributes: Sequence[re.Match[str]]) -> Span | None:
    """Where the description of an image stands that has one."""
    for attribute in attributes:
        if attribute[1].lower() == "alt":
            return next((attribute.span(group) for group in (2, 3, 4) if attribute[group]), None)
    return None


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
