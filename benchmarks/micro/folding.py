"""Folding a text, beside NFKC, case folding and a character at a time through the same tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import partial

from benchmarks.micro.case import Case
from benchmarks.micro.samples import DISGUISED, TEXT
from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.words.files import folding_tables


def cases() -> Iterator[Case]:
    tables = folding_tables()
    ours = folder(tables, WORDS).text
    layers = (tables.maps["traditional"], tables.maps["lookalike"], tables.maps["numbers"])
    word = tables.word

    def plain(text: str) -> str:
        folded: list[str] = []
        for character in unicodedata.normalize("NFKC", text).casefold():
            for layer in layers:
                character = layer.get(ord(character[0]), character) if character else character
            if character and ord(character[0]) in word and (not folded or folded[-1] != character):
                folded.append(character)
        return "".join(folded)

    for name, text in (("an ordinary text", TEXT), ("a disguised one", DISGUISED), ("ASCII only", "good point " * 4)):
        yield Case("folding", name, partial(ours, text), "NFKC and a loop", partial(plain, text))
