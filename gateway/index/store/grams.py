"""Texts as pairs of characters, so that any piece of a text is found, also one of two Chinese characters.

FTS5's own trigrams find nothing that is shorter than three characters, and most Chinese words have two. A text becomes
the set of its pairs; a piece of two or more is in it only where all of the piece's pairs are, and then the text itself
is asked (``holds``). So no places of pairs are kept: the index is a third of what a phrase would need.

    法轮 ab  →  法轮 轮␠ ␠a ab b␃

Compared are texts in Unicode's form NFKC, case folded, white space as one blank: what people type into a search box.
Disguises are not undone here; the check that found one has left its reason.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from operator import add
from typing import Final

MOST: Final = 4096
"""Characters of one text that are indexed; what is beyond is found by no text."""

MOST_PAIRS: Final = 32
"""Pairs of a piece that the index is asked for; the text itself is asked for the rest."""

_END: Final = "\ue07f"
# The tokenizer ``ascii`` takes letters, digits and all beyond ASCII for parts of a word; the rest is moved beyond it.
_MOVED: Final = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}


def normal(text: str) -> str:
    """A text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def pairs(texts: Iterable[str]) -> str:
    """The pairs of several texts, each once, as words for FTS5."""
    found: dict[str, None] = {}
    for text in texts:
        moved = normal(text[:MOST]).translate(_MOVED) + _END
        found.update(dict.fromkeys(map(add, moved, moved[1:])))
    return " ".join(found)


def expression(piece: str) -> str:
    """What FTS5 is asked for texts that may hold a piece (``normal``); ``piece`` is not empty."""
    moved = piece.translate(_MOVED)
    if len(moved) == 1:
        return f'"{moved}" *'
    found = dict.fromkeys(map(add, moved, moved[1:]))
    return " ".join(f'"{pair}"' for pair in list(found)[:MOST_PAIRS])


def holds(texts: Iterable[str], piece: str) -> bool:
    """Whether one of the texts has a piece (``normal``) in it."""
    return any(piece in normal(text) for text in texts)
