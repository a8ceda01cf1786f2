"""What stands between the letters of a word, and whether it looks like evasion."""

from __future__ import annotations

import unicodedata
from typing import Final

from filters.lists.reasons import CLAUSE, NUMBER, SEPARATORS, SIGN, SPACE, STANDS
from filters.lists.shape import DIGITS, HANGUL, LETTERS, MIXED, NUMBERED, OPEN, Shape
from filters.text.signs import JOINING, QUOTES, ends_clause, ends_sentence, has_space

_ENUMERATING: Final = ("、", "\uff64")
SHORT: Final = 3  # characters; words of no more are found across a clause only where everything stands apart
_LONG_NUMBER: Final = 5  # digits; from here on people group them


class Gaps:
    """What was seen between the letters of one find."""

    __slots__ = (
        "_clauses",
        "_gapped",
        "_kinds",
        "_letters",
        "_letters_gapped",
        "_open",
        "_pairs",
        "_sentences",
        "_shape",
        "_signs",
        "_spaced",
    )

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._pairs = 0  # places between letters where the word itself has nothing
        self._gapped = 0  # of them with something between
        self._letters = 0  # the same for those between letters of a script with spaces
        self._letters_gapped = 0
        self._spaced = 0
        self._clauses = 0
        self._sentences = 0  # that end within a phrase of words with spaces
        self._kinds = [0, 0, 0, 0, 0, 0]
        self._signs = ""
        self._open = ""

    def add(self, kind: int, own: str | None, gap: str) -> None:
        if own is not None:
            if gap and ends_clause(gap) and not ends_clause(own):
                self._clauses += kind >= OPEN or self._shape.strict.clause == "strict"
            if gap and kind < OPEN and ends_sentence(gap) and not ends_sentence(own):
                self._sentences += 1
            return
        self._pairs += 1
        self._letters += kind == LETTERS
        if not gap:
            return
        self._gapped += 1
        self._kinds[kind] += 1
        if kind == LETTERS:
            self._letters_gapped += 1
            self._spaced += has_space(gap)
        if kind < DIGITS or (kind == DIGITS and self._shape.number):
            self._signs += gap
        elif (
            ends_clause(gap)
            or (kind == HANGUL and has_space(gap))
            or (kind == NUMBERED and not gap.isspace())
            or self._cut(gap)
        ):
            self._clauses += 1
        else:
            self._open += gap

    def _cut(self, gap: str) -> bool:
        return self._shape.strict.clause == "strict" and any(sign in JOINING for sign in gap)

    def reason(self, alone: bool, before: str, after: str) -> str:
        """Why these gaps are no disguise. ``alone``: something stands between the whole and its neighbours; ``before``
        and ``after`` are the characters directly beside it."""
        shape = self._shape
        apart = self._gapped == self._pairs
        if self._open and not _balanced(before + self._open + after) and not _balanced(self._open):
            self._clauses += 1  # a bracket or a quotation begins or ends within the word, and goes on beyond it
        alone = alone and before not in _ENUMERATING and after not in _ENUMERATING
        if self._clauses and shape.strict.clause != "all":
            if shape.strict.clause == "strict":
                return CLAUSE
            if shape.size <= SHORT:
                if not (apart and alone):
                    return CLAUSE
            elif self._clauses > 1 and not apart:
                return CLAUSE
        if self._sentences and shape.strict.clause != "all" and not (apart and self._pairs):
            return CLAUSE
        if not self._gapped or shape.strict.separators == "all":
            return STANDS
        if shape.strict.separators == "off":
            return SEPARATORS
        if self._spaced and self._letters_gapped < self._letters:
            return SPACE
        signs = {sign for sign in self._signs if not sign.isspace()}
        between = self._kinds[LETTERS] + self._kinds[MIXED]
        if between and signs and all(sign in JOINING for sign in signs):
            if between == 1 and len(signs) == 1:
                return SIGN
            if shape.size <= SHORT and any(map(str.isspace, self._signs)):
                return SIGN  # A, B, C
        if not shape.number or shape.size >= _LONG_NUMBER:
            return STANDS
        # Scores, dates and versions are several numbers.
        joined = any(sign in JOINING or sign == "/" for sign in signs)
        return NUMBER if not apart or shape.size == 2 or joined else STANDS


def _balanced(text: str) -> bool:
    """Is as much opened as is closed? What opens as it closes stands there an even number of times."""
    open_now = 0
    if any(sum(sign == quote for sign in text) % 2 for quote in QUOTES):
        return False
    for sign in text:
        category = unicodedata.category(sign)
        if category in {"Ps", "Pi"}:
            open_now += 1
        elif category in {"Pe", "Pf"}:
            open_now -= 1
    return not open_now
