"""Scanning a folded text for the words of a list, beside asking for each word, and beside the other engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.micro.case import Case
from benchmarks.micro.samples import TEXT
from filters.lists import matcher
from filters.lists.wordlist import of_words
from filters.reading.keywords import Scanner
from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.words.files import folding_tables
from rig import words

COUNT = 20_000


def cases() -> Iterator[Case]:
    with TemporaryDirectory() as scratch:
        listed = words.write(Path(scratch) / "words.txt", COUNT).read_text(encoding="utf-8").split()
    fold = folder(folding_tables(), WORDS).text
    text = fold(TEXT)
    folded = sorted({fold(word) for word in listed})
    find = matcher.restored(matcher.compiled(folded, matcher.DAACHORSE), matcher.DAACHORSE)

    def plain() -> list[str]:
        return [word for word in folded if word in text]

    yield Case("matching", f"{COUNT:,} words, no hit", partial(find, text), "word in text, for each", plain)
    other = matcher.restored(matcher.compiled(folded, matcher.AHOCORASICK), matcher.AHOCORASICK)
    yield Case("matching", f"{COUNT:,} words, no hit", partial(find, text), "pyahocorasick", partial(other, text))
    scanner = Scanner([of_words(listed, folding_tables())], fingerprint=True)
    yield Case("scan", "fold, match and fingerprint", partial(scanner.scan, (TEXT,)), "word in text, for each", plain)
