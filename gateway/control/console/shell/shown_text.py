"""A text as a person has to see it to judge it: what was found is marked, and what would hide or turn it is shown.

Offsets are code points, as findings have them. A character that has no shape of its own (a zero-width one, one that
turns the direction of writing, a control character) is told by its number; of marks heaped upon one letter a few stay.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from markupsafe import Markup, escape

HEAPED: Final = 4
"""Marks upon one letter that are drawn; no writing needs more."""
JOINER: Final = "\u200d"
PICTURED: Final = frozenset("\ufe0e\ufe0f")  # behind a picture or a sign: how that is drawn
VIRAMA: Final = 9  # combining class: behind one a joiner is a part of the writing
BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))
)
"""Letters and marks that nobody sees."""
LONGEST: Final = 20_000  # code points of a text that are shown

Kind = Literal["plain", "hit", "odd"]


class TextPiece(NamedTuple):
    kind: Kind
    text: str


def pieces(text: str, spans: Iterable[Sequence[int]]) -> list[TextPiece]:
    """The text cut where it changes from found to not, with what has no shape told."""
    hit = bytearray(len(text))
    for start, end in spans:
        first, last = max(0, start), min(end, len(text))
        hit[first:last] = b"\1" * max(0, last - first)
    found: list[TextPiece] = []
    heap = 0
    for at, one in enumerate(text[:LONGEST]):
        if unicodedata.category(one) in ("Mn", "Me") and one not in BLANK and one not in PICTURED:
            heap += 1
            if heap > HEAPED:
                continue
        else:
            _left_out(found, heap)
            heap = 0
        _add(found, *_drawn(one, text[at - 1] if at else "", "hit" if hit[at] else "plain"))
    _left_out(found, heap)
    if len(text) > LONGEST:
        found.append(TextPiece("odd", f"+{len(text) - LONGEST}"))
    return found


def shown(told: object) -> Markup:
    """What somebody wrote, or what something is named, in which nothing was found: for a template."""
    text = str(told)
    if text.isascii() and text.isprintable():
        return escape(text)
    return Markup().join(
        Markup('<span class="odd">{}</span>').format(piece.text) if piece.kind == "odd" else escape(piece.text)
        for piece in pieces(text, ())
    )


def _drawn(one: str, before: str, kind: Kind) -> tuple[Kind, str]:
    category = unicodedata.category(one)
    if one == JOINER or one in PICTURED:
        hidden = not _joins(one, before)
    else:
        hidden = one in BLANK or (one not in "\n\t" and category in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
    return ("odd", f"U+{ord(one):04X}") if hidden else (kind, one)


def _joins(one: str, before: str) -> bool:
    """Whether what has no shape of its own changes that of what stands before it."""
    if not before:
        return False
    if one == JOINER:
        pictured = before in PICTURED or unicodedata.category(before) in ("So", "Sk")
        return pictured or unicodedata.combining(before) == VIRAMA
    return unicodedata.category(before)[0] in "SNP"


def _add(found: list[TextPiece], kind: Kind, text: str) -> None:
    if found and kind != "odd" and found[-1].kind == kind:
        found[-1] = TextPiece(kind, found[-1].text + text)
    else:
        found.append(TextPiece(kind, text))


def _left_out(found: list[TextPiece], heap: int) -> None:
    if heap > HEAPED:
        found.append(TextPiece("odd", f"+{heap - HEAPED}"))


def spans_of(findings: Iterable[Mapping[str, Any]], field: int) -> list[Sequence[int]]:
    """Where something was found in one of a message's texts."""
    return [span for finding in findings if finding.get("field", 0) == field for span in finding.get("spans", ())]
