"""Hangul written letter by letter (ㅂㅕㅇㅅㅣㄴ), composed to syllables (Unicode Standard, section 3.12).

Keyboards and evaders write the letters of the compatibility block, where nothing says which consonant ends a syllable.
A consonant before a vowel begins the next one; another one ends the last, alone or as half of a double final. What
people laugh with is no final: ㅋ and ㅎ at the end of a run, and a consonant that is written twice (ㅂㅏㅂㅗㅋㅋ).
Syllables written as such take nothing on: 바보ㅋ stays 바보 and ㅋ.
"""

from __future__ import annotations

from typing import Final

Unit = tuple[int, int, str]
"""Start and end in the original, and what it folds to."""

_FIRST: Final = 0xAC00
_FINALS: Final = 28  # syllables to one pair of consonant and vowel
_VOWELS: Final = 21

# Leading consonants (U+1100 and on) to the final that looks the same; ㄸ ㅃ ㅉ have none.
_FINAL_OF: Final = {
    0x1100 + lead: final
    for lead, final in enumerate((1, 2, 4, 7, 0, 8, 16, 17, 0, 19, 20, 21, 22, 0, 23, 24, 25, 26, 27))
    if final
}
_DOUBLE_FINALS: Final = {
    (1, 19): 3,
    (4, 22): 5,
    (4, 27): 6,
    (8, 1): 9,
    (8, 16): 10,
    (8, 17): 11,
    (8, 19): 12,
    (8, 25): 13,
    (8, 26): 14,
    (8, 27): 15,
    (17, 19): 18,
}
_DOUBLE_VOWELS: Final = {(8, 0): 9, (8, 1): 10, (8, 20): 11, (13, 4): 14, (13, 5): 15, (13, 20): 16, (18, 20): 19}
_LAUGHS: Final = (0x110F, 0x1112)  # ㅋ ㅎ


def is_letter_vowel(char: str) -> bool:
    """A vowel of the compatibility block or its half-width forms, which no normal form makes of a syllable."""
    return "\u314f" <= char <= "\u3163" or "\uffc2" <= char <= "\uffdc"


def is_vowel(char: str) -> bool:
    """As a letter of its own, or as the middle of a syllable that was taken apart."""
    return is_letter_vowel(char) or "\u1160" <= char <= "\u11a7" or "\ud7b0" <= char <= "\ud7c6"


def is_leading(char: str) -> bool:
    """A consonant that a syllable can begin with, of any block: only behind one does a vowel make a syllable. ㅠㅠ
    behind a word cries."""
    return (
        "\u3131" <= char <= "\u314e"
        or "\uffa1" <= char <= "\uffbe"
        or "\u1100" <= char <= "\u115f"
        or "\ua960" <= char <= "\ua97c"
    )


def composed(units: list[Unit], letters: list[bool]) -> list[Unit]:
    """With the letters that follow taken into each syllable whose vowel was a letter of its own (``letters``)."""
    told = [
        (start, end, char, apart) for (start, end, folded), apart in zip(units, letters, strict=True) for char in folded
    ]
    found: list[Unit] = []
    place = 0
    while place < len(told):
        start, end, char, apart = told[place]
        place += 1
        code = ord(char)
        if not apart or not _is_open(code):
            found.append((start, end, char))
            continue
        if place < len(told) and 0x1161 <= ord(told[place][2]) <= 0x1175:
            own = (code - _FIRST) // _FINALS % _VOWELS
            vowel = _DOUBLE_VOWELS.get((own, ord(told[place][2]) - 0x1161))
            if vowel is not None:
                code += (vowel - own) * _FINALS
                end = told[place][1]
                place += 1
        final = _final_at(told, place)
        if final:
            end = told[place][1]
            place += 1
            double = _DOUBLE_FINALS.get((final, _final_at(told, place)))
            if double is not None:
                final = double
                end = told[place][1]
                place += 1
        found.append((start, end, chr(code + final)))
    return found


def _is_open(code: int) -> bool:
    return _FIRST <= code <= 0xD7A3 and (code - _FIRST) % _FINALS == 0


def _final_at(told: list[tuple[int, int, str, bool]], place: int) -> int:
    """The number of the final that the letter there makes, 0 for none."""
    if place >= len(told):
        return 0
    char = told[place][2]
    last = place + 1 == len(told)
    if not last and told[place + 1][2] == char:
        return 0
    if ord(char) in _LAUGHS and (last or not (told[place + 1][3] and _is_open(ord(told[place + 1][2])))):
        return 0
    return _FINAL_OF.get(ord(char), 0)
