"""What is measured: disguises found, innocent texts hit, masks that take a neighbour, plain words missed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
Hits = list[tuple[str, list[tuple[int, int]]]]
Ask = Callable[[Sequence[str], Sequence[str], str], list[Hits]]
"""A filter that is asked: words, texts, and the markup that the platform undoes in them, as a route names it."""

MARKUP = {"markup": "html", "markup, Markdown": "markdown"}
"""What the platform undoes in the texts of a kind; nothing in others."""

_CLAUSE = re.compile(r"[，。；：！？、,;:!?\n()（）《》“”\"【】]")


class Disguise(NamedTuple):
    """``text`` holds ``word`` in a way that a person reads and a plain search misses; but for the kind ``plain``."""

    kind: str
    language: str
    word: str
    text: str


def disguises() -> list[Disguise]:
    """The set, written for this measurement and out of public reports."""
    lines = (HERE / "disguises.jsonl").read_text(encoding="utf-8").splitlines()
    return [Disguise(**json.loads(line)) for line in lines]


def recall(ask: Ask, tells_words: bool) -> dict[str, list[int]]:
    """For each kind how many were found, and of how many. One that does not tell the word is believed."""
    rows: dict[str, list[int]] = {}
    every = disguises()
    words = sorted({each.word for each in every})
    for markup in ("off", "html", "markdown"):
        some = [each for each in every if MARKUP.get(each.kind, "off") == markup]
        for each, hits in zip(some, ask(words, [each.text for each in some], markup), strict=True):
            row = rows.setdefault(each.kind, [0, 0])
            row[0] += any(word == each.word for word, _ in hits) if tells_words else bool(hits)
            row[1] += 1
    return dict(sorted(rows.items()))


def plain(text: str) -> str:
    """Without the differences of width and case."""
    return unicodedata.normalize("NFKC", text).casefold()


def han(ask: Ask, words: Sequence[str], texts: Sequence[str]) -> dict[str, int]:
    """Hits of a Chinese list. Exact: the text holds the word as it is written. Beyond: it does not; in ordinary text
    such a hit is false, but for other spellings. A neighbour: the span of an exact hit is more than the word."""
    counts: Counter[str] = Counter()
    for text, hits in zip(texts, ask(words, texts, "off"), strict=True):
        beyond = False
        for word, spans in hits:
            for start, end in spans:
                there = text[start:end]
                counts["hits"] += 1
                if plain(there) == plain(word):
                    counts["exact"] += 1
                elif plain(word) in plain(there):
                    counts["exact"] += 1
                    counts["neighbour"] += 1
                else:
                    counts["beyond"] += 1
                    counts[_why(there, word)] += 1
                    beyond = True
        counts["texts hit beyond"] += beyond
    return _told(counts, len(texts))


def _why(there: str, word: str) -> str:
    if _CLAUSE.search(there) and len(word) < 4:
        return "across a clause mark, two or three characters"
    if _CLAUSE.search(there):
        return "across a clause mark, longer"
    if any(char.isdigit() for char in there):
        return "numbers"
    if any(not char.isalnum() for char in there):
        return "other separators"
    return "other spellings"


def latin(ask: Ask, words: Sequence[str], texts: Sequence[str]) -> dict[str, int]:
    """Hits of an English list. False: what is covered is not spelled as the word, with no letter beside it."""
    counts: Counter[str] = Counter()
    for text, hits in zip(texts, ask(words, texts, "off"), strict=True):
        wrong = False
        for word, spans in hits:
            for start, end in spans:
                counts["hits"] += 1
                beside = text[start - 1 : start].isalpha() or text[end : end + 1].isalpha()
                if " ".join(plain(text[start:end]).split()) == plain(word) and not beside:
                    counts["exact"] += 1
                else:
                    counts["beyond"] += 1
                    counts["neighbour"] += plain(word) in plain(text[start:end]) and not beside
                    wrong = True
        counts["texts hit beyond"] += wrong
    return _told(counts, len(texts))


def _told(counts: Counter[str], texts: int) -> dict[str, int]:
    told: dict[str, int] = {"texts": texts, **dict(sorted(counts.items()))}
    told["false hits per 100,000 texts"] = round(counts["beyond"] * 100_000 / texts)
    return told


def missed(ask: Ask, words: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """Of all places where a common word stands alone, those that no hit covers as they are."""
    places = missing = 0
    examples: list[str] = []
    known = set(words)
    for text, hits in zip(texts, ask(words, texts, "off"), strict=True):
        found = {span for _, spans in hits for span in map(tuple, spans)}
        for match in re.finditer(r"(?<![^\W_])[A-Za-z]+(?![^\W_])", text):
            if match.group().lower() not in known or _joined(text, match.start(), match.end()):
                continue
            places += 1
            if match.span() not in found:
                missing += 1
                if len(examples) < 20:
                    examples.append(f"{match.group()} in {text[max(0, match.start() - 20) : match.end() + 20]}")
    return {"texts": len(texts), "words": len(words), "places": places, "missed": missing, "examples": examples}


def _joined(text: str, start: int, end: int) -> bool:
    """Part of a longer name, not a word alone: ``don't``, ``re_use``, ``a.b``."""
    return text[start - 1 : start] in {"'", "’", "_", "."} or (
        text[end : end + 1] in {"'", "’", "_", "."} and text[end + 1 : end + 2].isalnum()
    )
