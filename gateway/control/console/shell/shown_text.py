"""A text as a person has to see it to judge it: what was found is marked, and what would hide or turn it is shown.

Offsets are code points, as findings have them. A character that has no shape of its own (a zero-width one, one that
turns the direction of writing, a control character) is told by its number; of marks heaped upon one letter a few stay.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

HEAPED: Final = 4
"""Marks upon one letter that are drawn; no writing needs more."""
JOINED: Final = frozenset("\u200d\ufe0e\ufe0f")  # within one emoji
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
        if unicodedata.combining(one):
            heap += 1
            if heap > HEAPED:
                continue
        else:
            _left_out(found, heap)
            heap = 0
        _add(found, *_drawn(one, "hit" if hit[at] else "plain"))
    _left_out(found, heap)
    if len(text) > LONGEST:
        found.append(TextPiece("odd", f"+{len(text) - LONGEST}"))
    return found


def _drawn(one: str, kind: Kind) -> tuple[Kind, str]:
    category = unicodedata.category(one)
    if one in "\n\t" or one in JOINED or category not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
        return kind, one
    return "odd", f"U+{ord(one):04X}"


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
