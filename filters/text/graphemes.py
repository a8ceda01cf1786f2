"""What belongs to a letter as it is read: the signs that complete its syllable, and where a stretch ends to the eye.

Sources: UAX 29 (grapheme clusters: what extends the character before it), and the character clusters of Thai, which no
word ends within (Theeramunkong et al., "Character Cluster Based Thai Information Retrieval", 2000), for Thai and Lao.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

LONG: Final = "ーｰ"
"""Lengthens the kana before it, in full and half width."""
SKIN_TONES: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
"""Emoji modifiers of UTS #51: each colours the emoji before it, and is one picture with it."""

_LEADING: Final = frozenset(
    "เแโใไ\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4"
)  # written before the consonant that they follow in speech
_FOLLOWING: Final = frozenset("\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3")  # vowels that are letters to Unicode
_SYLLABIC: Final = (0x0780, 0x07B1), (0x0900, 0x1CFF), (0xA800, 0xABFF), (0x11000, 0x11FFF)
_JOINERS: Final = "\u200c\u200d"
_KANA: Final = "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"


def is_syllabic(char: str) -> bool:
    """Is it of a script whose vowels are signs: Thaana, the scripts of India, Tibet and South-East Asia?"""
    code = ord(char)
    return (
        0x0780 <= code <= 0x07B1 or 0x0900 <= code <= 0x1CFF or 0xA800 <= code <= 0xABFF or 0x11000 <= code <= 0x11FFF
    )


def completes(before: str, sign: str) -> bool:
    """Does ``sign`` make another letter of the one before it: a vowel sign, a virama, a tone of its own script? A mark
    of another script is an ornament, and so is the same once more."""
    return before != sign and unicodedata.category(sign)[0] == "M" and _script(sign) == _script(before)


def is_sign(char: str) -> bool:
    """Is it a vowel or a mark that leans on the letter before it, and stands nowhere by itself?"""
    return char in _FOLLOWING or unicodedata.category(char)[0] == "M"


def within_syllable(text: str, place: int) -> bool:
    """Thai and Lao: does the syllable go on from before ``place`` to behind it, by a vowel that is a letter?"""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    return before in _LEADING or (after in _FOLLOWING and before != after and _script(before) == _script(after))


def extends(char: str) -> bool:
    """Is it one cluster with what stands before it, though it may show nothing itself?"""
    return unicodedata.category(char)[0] == "M" or char in _JOINERS or "\U000e0020" <= char <= "\U000e007f"


def is_kana(char: str) -> bool:
    """A letter of one of the two, or what lengthens them."""
    return _script(unicodedata.normalize("NFKC", char)[:1]) in _KANA


@lru_cache(maxsize=1_024)
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0] if char else ""
