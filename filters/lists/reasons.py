"""Why a find does not stand: stable codes, and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STANDS: Final = ""
FEWER: Final = "fewer"
REPEATS: Final = "repeats"
INSIDE_WORD: Final = "inside-word"
INSIDE_NUMBER: Final = "inside-number"
SPACE: Final = "space"
SIGN: Final = "one-sign"
CLAUSE: Final = "clause"
NUMBER: Final = "number-apart"
NUMERAL: Final = "no-numeral"
SEPARATORS: Final = "separators"
MARKS: Final = "marks"
OTHER_SCRIPT: Final = "other-script"
NO_LETTER: Final = "no-letter"
INSERTED: Final = "inserted"
ALLOWED: Final = "allowed"
REFUSED_PART: Final = "refused-part"
PART_MISSING: Final = "part-missing"

SENTENCES: Final[Mapping[str, str]] = {
    FEWER: "a letter stands there less often than in the word",
    REPEATS: "letters are repeated, but not as somebody repeats them who evades",
    INSIDE_WORD: "it is the inside of a longer word",
    INSIDE_NUMBER: "it is the inside of a longer number",
    SPACE: "a space stands inside: two words",
    SIGN: "the stop or apostrophe inside is ordinary writing",
    CLAUSE: "a clause ends inside",
    NUMBER: "what stands between the digits makes them several numbers",
    NUMERAL: "a numeral of cheques is a letter of an everyday word here, or the other way round",
    SEPARATORS: "something stands between, and the list takes no separators",
    MARKS: "it has other marks over its letters than the word",
    OTHER_SCRIPT: "it is a word of another script, which only looks like this one",
    NO_LETTER: "digits and signs alone, without one letter",
    INSERTED: "a foreign character stands inside, and more than that",
    ALLOWED: "an allow phrase covers it",
    REFUSED_PART: "a part is there that the rule refuses",
    PART_MISSING: "not every part of the rule is there",
}
