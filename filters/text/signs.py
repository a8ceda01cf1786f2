"""The signs between letters that say whether a text evades: what ends a clause, and what joins letters in passing.

Sources: GB/T 15834-2011 (the seven pause marks 点号), Unicode's Terminal_Punctuation (PropList.txt) for what is like
them in other scripts, UAX 29 (MidLetter) and TR39 for what passes for an apostrophe.
"""

from __future__ import annotations

import unicodedata
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
"""End a clause, whatever stands around them; a full stop does so only where a space stands beside it, or three stand
together."""

ENUMERATING: Final = frozenset("\u3001\uff64\ufe11\ufe51")
"""、: stands between the items of a list, which are ordinary words more often than any other two halves."""

COLONS: Final = frozenset(":\uff1a\ufe13\ufe55\u2236")

_PARTING: Final = frozenset("~|/\\\u00a6\uff5e\u301c\uff0f\uff3c\uff5c\uffe4\u2016")  # ～〜／＼｜￤‖
"""Part clauses of Han in any width; to letters they are signs like others."""

ELLIPSES: Final = frozenset("\u2026\u2025\u22ef")
_DASHES: Final = frozenset("\u2014\u2015\u2500")
_LONG_DASHES: Final = frozenset("\u2e3a\u2e3b")
_LONG_STOPS: Final = 3  # full stops that are an ellipsis
_LONG_DASH: Final = 2  # dashes of one em that are the dash of Chinese (GB/T 15834); one alone joins

QUOTES: Final = frozenset("\"'\uff02\uff07")
"""Quotation marks that look alike on both sides of what they quote."""

_OPENING: Final = frozenset({"Ps", "Pi"})
_CLOSING: Final = frozenset({"Pe", "Pf"})
_WRAPPING: Final = _OPENING | _CLOSING

_SENTENCE_MARKS: Final = frozenset(
    "\u3002\uff01\uff1f\uff61\ufe12\ufe15\ufe16"  # carry their space with them
    "\u203c\u2047\u2048\u2049\u203d\u2e2e\u061f\u06d4\u0964\u0965\u0589\u1362\u1367\u17d4\u104b"
)
_SPACED_SENTENCE_MARKS: Final = frozenset("!?\u037e")

FULL_STOPS: Final = frozenset(".\uff0e\ufe52\u2024")

STOPS: Final = (CLAUSE_MARKS - LINE_ENDS) | FULL_STOPS | ELLIPSES

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
        if sign in CLAUSE_MARKS or sign in ELLIPSES or sign in _LONG_DASHES or sign in _PARTING:
            return True
        if sign in FULL_STOPS and _beside_space(gap, place):
            return True
    return len(gap) > 1 and (_together(gap, FULL_STOPS) >= _LONG_STOPS or _together(gap, _DASHES) >= _LONG_DASH)


def pauses(gap: str) -> bool:
    """Does a pause of speech or a line's end stand in the gap? Ellipses, dashes and strokes part without one."""
    return any(
        sign in CLAUSE_MARKS or (sign in FULL_STOPS and _beside_space(gap, place)) for place, sign in enumerate(gap)
    )


def wraps(sign: str) -> bool:
    """Does it begin or end a bracket or a quotation?"""
    return sign in QUOTES or unicodedata.category(sign) in _WRAPPING


def closed(text: str) -> bool:
    """Is all closed that is opened, and nothing before it? Of what opens as it closes there is an even number."""
    open_now = 0
    if any(text.count(quote) % 2 for quote in QUOTES):
        return False
    for sign in text:
        category = unicodedata.category(sign)
        if category in _OPENING:
            open_now += 1
        elif category in _CLOSING:
            open_now -= 1
            if open_now < 0:
                return False
    return not open_now


def ends_sentence(gap: str) -> bool:
    """Does a sentence end between two words of letters? A stop there without a space is spelling."""
    for place, sign in enumerate(gap):
        if sign in _SENTENCE_MARKS:
            return True
        if (sign in _SPACED_SENTENCE_MARKS or sign in FULL_STOPS or sign in ELLIPSES) and _beside_space(gap, place):
            return True
    return False


def _beside_space(gap: str, place: int) -> bool:
    return gap[place + 1 : place + 2].isspace() or (place > 0 and gap[place - 1].isspace())


def _together(gap: str, signs: frozenset[str]) -> int:
    """The longest run of ``signs``."""
    longest = run = 0
    for sign in gap:
        run = run + 1 if sign in signs else 0
        longest = max(longest, run)
    return longest


def has_space(gap: str) -> bool:
    """Does the gap show a space of any width?"""
    return any(map(str.isspace, gap))
