"""Synthetic word lists: Chinese words of two to five characters, all different, the same for every system."""

from __future__ import annotations

import random
from pathlib import Path

from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.words.files import folding_tables
from rig.comments import WORDS as LOAD

FIRST, LAST = 0x4E00, 0x9FA5


def write(path: Path, count: int, seed: int = 20) -> Path:
    """Write ``count`` words, one a line, all different once they are folded.

    None begins with a character of the load, folded or not: nothing hits.
    """
    draw = random.Random(seed)
    fold = folder(folding_tables(), WORDS).text
    used = {fold(character) for character in "".join(LOAD)}
    # 二 and 肆 fold to digits, and the load counts its texts in digits.
    characters = [c for c in map(chr, range(FIRST, LAST + 1)) if (f := fold(c)) and not f.isascii()]
    first = [c for c in characters if fold(c) not in used]
    words: dict[str, str] = {}
    while len(words) < count:
        word = draw.choice(first) + "".join(draw.choices(characters, k=draw.randint(1, 4)))
        words.setdefault(fold(word), word)
    path.write_text("\n".join(words.values()) + "\n", encoding="utf-8")
    return path
