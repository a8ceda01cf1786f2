"""How a word of a list is spelled, and what stands on the two sides of each gap between its letters."""

from __future__ import annotations

from filters.lists.strictness import Strictness
from filters.text.diacritics import diacritics
from filters.text.folding import Edge, Folder
from filters.text.graphemes import is_syllabic
from filters.text.numerals import is_numeral
from filters.text.signs import ends_clause

# What stands on the two sides of a gap: letters of scripts with spaces, such a letter and a digit, digits, anything
# with Han and its like, two of Hangul, a digit beside Han.
LETTERS, MIXED, DIGITS, OPEN, HANGUL, NUMBERED = range(6)


class Shape:
    """A row as it is spelled: ``text`` squeezed, how often each of its characters stands there, and everything about
    the places between its characters that the weighing asks for."""

    __slots__ = (
        "begins",
        "counts",
        "ends",
        "first",
        "last",
        "lettered",
        "marks",
        "number",
        "own",
        "parted",
        "size",
        "strict",
        "syllabic",
        "text",
    )

    def __init__(self, folder: Folder, source: str, strict: Strictness, whole: bool, numbers: bool) -> None:
        text, _, _, counts = folder.pieces(source)
        starts, ends, _ = folder.spelling(source)
        self.text = text
        self.counts = counts
        self.size = len(starts)
        self.strict = strict
        self.own = {
            place: source[ends[place] : starts[place + 1]]
            for place in range(self.size - 1)
            if ends[place] < starts[place + 1]
        }
        spelled = "".join([char * count for char, count in zip(text, counts, strict=True)])
        # Where it matters that the word itself has something there: elsewhere anything may stand between.
        self.parted = tuple(
            place
            for place, gap in self.own.items()
            if pair(folder, spelled[place], spelled[place + 1]) not in {OPEN, NUMBERED} or ends_clause(gap)
        )
        marks = [diacritics(source[start:end]) for start, end in zip(starts, ends, strict=True)]
        wanted = folder.switches.marks and (strict.marks == "off" or (strict.marks == "evading" and any(marks)))
        self.marks = marks if wanted else None
        # The borders that the two ends ask for.
        self.first: Edge = folder.bounds(text[0]) if whole or numbers else ""
        self.last: Edge = folder.bounds(text[-1]) if whole or numbers else ""
        if not whole:
            self.first = "digit" if self.first == "digit" else ""
            self.last = "digit" if self.last == "digit" else ""
        self.lettered = folder.switches.leetspeak and any(map(str.isalpha, source))
        self.number = spelled.isdecimal()
        # Does a number begin or end the word that may not go on beyond it?
        self.begins = (whole or numbers) and is_numeral(text[0])
        self.ends = (whole or numbers) and is_numeral(text[-1])
        self.syllabic = is_syllabic(text[0]) or is_syllabic(text[-1])

    def key(self) -> tuple[str, tuple[int, ...], tuple[frozenset[str], ...]]:
        """What two words have in common of which one is enough."""
        spelled = "".join([char * count for char, count in zip(self.text, self.counts, strict=True)])
        return spelled, self.parted, tuple(self.marks or ())


def pair(folder: Folder, one: str, other: str) -> int:
    first, second = folder.bounds(one), folder.bounds(other)
    if first and second:
        if first == second:
            return LETTERS if first == "letter" else DIGITS
        return MIXED
    if first == "digit" or second == "digit":
        return NUMBERED
    return HANGUL if is_hangul(one) and is_hangul(other) else OPEN


def is_hangul(char: str) -> bool:
    """Syllables and letters of Hangul, which is written with spaces between words and endings glued to them."""
    return "\uac00" <= char <= "\ud7a3" or "\u1100" <= char <= "\u11ff" or "\u3131" <= char <= "\u318e"


def is_han(char: str) -> bool:
    """A character of Han, 〇 included."""
    return "\u3400" <= char <= "\u9fff" or char == "\u3007" or "\uf900" <= char <= "\ufaff" or char >= "\U00020000"
