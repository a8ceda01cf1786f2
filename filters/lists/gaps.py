"""What stands between the letters of a word, and whether it looks like evasion."""

from __future__ import annotations

from typing import Final, NamedTuple

from filters.lists.reasons import CLAUSE, NUMBER, SEPARATORS, SIGN, SPACE, STANDS
from filters.lists.shape import DIGITS, HANGUL, LETTERS, MIXED, NUMBERED, OPEN, Shape
from filters.text.signs import (
    COLONS,
    ENUMERATING,
    JOINING,
    closed,
    ends_clause,
    ends_sentence,
    has_space,
    pauses,
    wraps,
)

SHORT: Final = 3  # characters; words of no more are found across a clause only where everything stands apart
_LONG_NUMBER: Final = 5  # digits; from here on people group them


class Around(NamedTuple):
    """What stands around one find: the text, where the word begins and ends in it, and whether something stands between
    the word and its neighbour on either side, or there is none."""

    text: str
    start: int
    end: int
    left: bool
    right: bool

    @property
    def beside(self) -> tuple[str, str]:
        """The signs directly before and behind; empty at the text's ends."""
        return self.text[max(0, self.start - 1) : self.start], self.text[self.end : self.end + 1]

    @property
    def alone(self) -> bool:
        """Does nothing touch the word, and is it no item of an enumeration?"""
        before, after = self.beside
        return self.left and self.right and before not in ENUMERATING and after not in ENUMERATING


class Gaps:
    """What was seen between the letters of one find."""

    __slots__ = (
        "_clauses",
        "_gapped",
        "_kinds",
        "_letters",
        "_letters_gapped",
        "_pairs",
        "_pause",
        "_sentences",
        "_shape",
        "_signs",
        "_spaced",
        "_wrapped",
        "_wrapping",
    )

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._pairs = 0  # places between letters where the word itself has nothing
        self._gapped = 0  # of them with something between
        self._letters = 0  # the same for those between letters of a script with spaces
        self._letters_gapped = 0
        self._spaced = 0
        self._clauses = 0
        self._pause = ""  # one of them that is a pause of speech
        self._sentences = 0  # that end within a phrase of words with spaces
        self._kinds = [0, 0, 0, 0, 0, 0]
        self._signs = ""
        self._wrapped = 0  # with a bracket or a quotation mark, and with nothing that parts clauses
        self._wrapping = ""  # these marks

    def add(self, kind: int, own: str | None, gap: str) -> None:
        """What stands between two letters, of which the word itself has ``own`` there, or nothing."""
        if own is not None:
            if gap and ends_clause(gap) and not ends_clause(own) and (kind >= OPEN or self._strict):
                self._parts(gap)
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
        elif ends_clause(gap) or (kind == HANGUL and has_space(gap)) or (self._strict and set(gap) & JOINING):
            self._parts(gap if kind != NUMBERED or COLONS.isdisjoint(gap) else "")  # 加群：520 is said in one breath
        elif (wrapping := "".join(filter(wraps, gap))) and not closed(wrapping):  # 赌【】博 quotes nothing
            self._wrapped += 1
            self._wrapping += wrapping
        elif kind == NUMBERED and not gap.isspace():
            self._clauses += 1

    @property
    def _strict(self) -> bool:
        return self._shape.strict.clause == "strict"

    def _parts(self, gap: str) -> None:
        self._clauses += 1
        if pauses(gap):
            self._pause = gap

    def _two_clauses(self, around: Around) -> bool:
        """Do two clauses meet inside a word of Han or its like, rather than that somebody parts the word?"""
        asked = self._shape.strict.clause
        short = self._shape.size <= SHORT
        wrapped = bool(self._wrapping) and (short or not closed(self._wrapping))
        clauses = self._clauses + wrapped
        if not clauses or asked == "all":
            return False
        if asked == "strict":
            return True
        apart = self._gapped == self._pairs
        if short:
            return not (apart and around.alone) or (wrapped and self._quotes(around)) or self._listed(around)
        if apart or clauses > 1 or asked == "long":
            return clauses > 1 and not apart
        if wrapped:
            return not around.alone or self._quotes(around)
        return bool(self._pause) and not self._odd(around)

    def _quotes(self, around: Around) -> bool:
        """Is one part of the word quoted or bracketed, and the other not? Each by itself is 【赌】【博】."""
        before, after = around.beside
        if closed(before + self._wrapping + after) and before and after and wraps(before) and wraps(after):
            gap = self._wrapping[: len(self._wrapping) // self._wrapped]
            return around.text.startswith(gap, around.end) or around.text.endswith(gap, 0, around.start)
        return closed(before + self._wrapping) or closed(self._wrapping + after)

    def _listed(self, around: Around) -> bool:
        """Is it a whole enumeration in brackets, 省（区、市）?"""
        return not ENUMERATING.isdisjoint(self._pause) and all(map(wraps, "".join(around.beside) or "x"))

    def _odd(self, around: Around) -> bool:
        """Is the one pause in a longer word an odd one: does one of the two clauses that it parts lie wholly in the
        word? Of an enumeration both must, and nothing may be enumerated besides."""
        if not ENUMERATING.isdisjoint(self._pause):
            return around.alone and not any(map(wraps, self._pause))
        before, after = around.beside
        if around.text.endswith(self._pause, 0, around.start) and around.text.startswith(self._pause, around.end):
            return False
        return (around.left and before not in ENUMERATING) or (around.right and after not in ENUMERATING)

    def reason(self, around: Around) -> str:
        """Why these gaps are no disguise."""
        shape = self._shape
        apart = self._gapped == self._pairs
        if self._two_clauses(around):
            return CLAUSE
        if self._sentences and shape.strict.clause != "all" and not (apart and self._pairs):
            return CLAUSE
        if not self._gapped or shape.strict.separators == "all":
            return STANDS
        if shape.strict.separators == "off":
            return SEPARATORS
        if self._spaced and (self._letters_gapped < self._letters or any(map(str.isdecimal, around.beside))):
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
