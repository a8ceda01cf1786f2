"""How people write a word so that a list does not see it. Each takes a word and gives it back in disguise.

All of these must be seen through (docs/word-lists.md); those that a script does not have leave the word as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_TRADITIONAL = str.maketrans("网赌场开户发红领单", "網賭場開戶發紅領單")
_CYRILLIC = str.maketrans("oeyu", "оеуu")


def _between(word: str, marks: str, draw: Random) -> str:
    return "".join(char + draw.choice(marks) for char in word[:-1]) + word[-1]


def full_width(word: str, draw: Random) -> str:
    """Latin letters as wide as Han ones."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in word)


def traditional(word: str, draw: Random) -> str:
    """Traditional characters for simplified ones."""
    return word.translate(_TRADITIONAL)


def zero_width(word: str, draw: Random) -> str:
    """Characters that nobody sees."""
    return _between(word, "\u200b\u200d\ufeff\u2060", draw)


def separators(word: str, draw: Random) -> str:
    """Dots, dashes and stars between Han characters."""
    return word if word.isascii() else _between(word, ".-_·★", draw)


def emoji(word: str, draw: Random) -> str:
    """A picture after each Han character."""
    return word if word.isascii() else _between(word, "😀🎲🎰", draw)


def repeats(word: str, draw: Random) -> str:
    """Each Han character said two or three times."""
    return word if word.isascii() else "".join(char * draw.randint(2, 3) for char in word)


def shouting(word: str, draw: Random) -> str:
    """Capitals here and there."""
    return "".join(char.upper() if draw.random() < 0.5 else char for char in word)


def styled(word: str, draw: Random) -> str:
    """Mathematical bold script for Latin letters."""
    return "".join(chr(0x1D4EA + ord(char) - ord("a")) if "a" <= char <= "z" else char for char in word)


def lookalikes(word: str, draw: Random) -> str:
    """Cyrillic letters that look Latin."""
    return word.translate(_CYRILLIC)


EVASIONS: tuple[Callable[[str, Random], str], ...] = (
    full_width, traditional, zero_width, separators, emoji, repeats, shouting, styled, lookalikes,
)  # fmt: skip
