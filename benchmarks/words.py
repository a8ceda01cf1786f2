"""Synthetic word lists: Chinese words of two to five characters, all different, the same for every system."""

from __future__ import annotations

import random
from pathlib import Path

FIRST, LAST = 0x4E00, 0x9FA5


def write(path: Path, count: int, seed: int = 20) -> Path:
    """Write ``count`` words, one a line. None of them begins with a character of the load's own texts: none hits."""
    draw = random.Random(seed)
    safe = set("今天气不错文章写得真好支持作者请问哪里可以看到更多内容谢分享再来一次")
    words: dict[str, None] = {}
    while len(words) < count:
        word = "".join(chr(draw.randint(FIRST, LAST)) for _ in range(draw.randint(2, 5)))
        if word[0] not in safe:
            words[word] = None
    path.write_text("\n".join(words) + "\n", encoding="utf-8")
    return path
