"""The marks that a letter carries, for words that need theirs: göt is no got, but gọ̈t is a göt."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_BARE: Final[frozenset[str]] = frozenset()
_DOT: Final = "\u0307"  # over i and j it says nothing new
# Arabic letters with a mark whose names do not say so (ArabicShaping.txt does).
_MARKED: Final = "\u0620\u06ad\u06c5\u06c6\u06c7\u06c8\u06c9\u06cb\u06d0"
_REMEMBERED: Final = 64  # code points; longer stretches are heaps of marks, and not kept


def diacritics(letter: str) -> frozenset[str]:
    """The marks of one letter as it stands in a text, with what clings to it.

    Strokes count as well (``đ`` and ``ø`` are no ``d`` and ``o``), and so do the signs that make another letter of an
    Arabic one (``ڭ`` is no ``ك``). What Arabic and Hebrew leave out in ordinary writing does not: harakat, the hamza
    over a letter, niqqud.
    """
    if letter.isascii():
        return _BARE
    return _kept(letter) if len(letter) <= _REMEMBERED else _of(letter)


def _of(letter: str) -> frozenset[str]:
    marks: set[str] = set()
    base = ""
    for char in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", letter).casefold()):
        category = unicodedata.category(char)
        if category in {"Mn", "Mc"}:
            if not _optional(ord(char)) and not (char == _DOT and base in ("i", "j", "\u0131")):
                marks.add(char)
        else:
            base = char
            if char > "\x7f" and category[0] == "L" and _stroked(char):
                marks.add(char)
    return frozenset(marks) if marks else _BARE


_kept = lru_cache(maxsize=8192)(_of)


def _optional(code: int) -> bool:
    return (
        0x0591 <= code <= 0x05C7
        or 0x0610 <= code <= 0x061A
        or 0x064B <= code <= 0x065F
        or code == 0x0670
        or 0x06D6 <= code <= 0x06ED
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0100 <= code <= 0xE01EF
        or code in (0x034F, 0x3099, 0x309A)
    )


def _stroked(char: str) -> bool:
    """A letter that Unicode does not take apart although it is another with something across it."""
    name = unicodedata.name(char, "")
    return (" WITH " in name and name.startswith(("LATIN ", "ARABIC LETTER "))) or char in _MARKED
