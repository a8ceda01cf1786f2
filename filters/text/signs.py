"""The signs between letters that say whether a text evades: what ends a clause, and what joins letters in passing.

Sources: GB/T 15834-2011 (the seven pause marks 点号), Unicode's Terminal_Punctuation (PropList.txt) for what is like
them in other scripts, UAX 29 (MidLetter) and TR39 for what passes for an apostrophe.
"""

from __future__ import annotations

from typing import Final

LINE_ENDS: Final = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")

CLAUSE_MARKS: Final = LINE_ENDS | frozenset(
    ",;:!?"
    "\uff0c\u3002\uff1b\uff1a\uff01\uff1f\u3001"  # ，。；：！？、
    "\uff61\uff64\ufe50\ufe51\ufe54\ufe55\ufe56\ufe57"  # the same, half-width and small
    "\ufe10\ufe11\ufe12\ufe13\ufe14\ufe15\ufe16"  # and written downwards
    "\u203c\u2047\u2048\u2049\u203d\u2e2e"  # doubled and mixed
    "\u060c\u061b\u061f\u06d4\u061e"  # Arabic
    "\u0964\u0965"  # Devanagari and its kin
    "\u0589\u055c\u055d\u055e\u037e\u0387"  # Armenian, Greek
    "\u1361\u1362\u1363\u1364\u1365\u1366\u1367"  # Ethiopic
    "\u17d4\u17d5\u104a\u104b"  # Khmer, Myanmar
)
"""End a clause, whatever stands around them; a full stop does so only where a space stands beside it."""

FULL_STOPS: Final = frozenset(".\uff0e\ufe52\u2024")

STOPS: Final = (CLAUSE_MARKS - LINE_ENDS) | FULL_STOPS | frozenset("\u2025\u2026")

APOSTROPHES: Final = frozenset(
    "'`\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\uff07\uff40\u2039\u203a"
    "\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u02ee"  # modifier letters
    "\u055a\u055b\u05f3\u07f4\u07f5\ua78b\ua78c"  # Armenian, Hebrew, N'Ko, saltillo
    "\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u0384"  # Greek
)
"""Stand inside the words of many languages."""

JOINING: Final = STOPS | APOSTROPHES
"""One sign of these between two letters of a word is ordinary writing: ``he'll``, ``pen.is``."""


def ends_clause(gap: str) -> bool:
    """Does a clause or a line end in what stands between two letters?"""
    for place, sign in enumerate(gap):
        if sign in CLAUSE_MARKS:
            return True
        if sign in FULL_STOPS and (gap[place + 1 : place + 2].isspace() or (place > 0 and gap[place - 1].isspace())):
            return True
    return False


def has_space(gap: str) -> bool:
    """Does the gap show a space of any width?"""
    return any(map(str.isspace, gap))
