"""The set of disguises is read as it was: no kind is seen through less often than the table says.

``make quality`` measures the same set, and innocent texts, beside others: docs/quality.md. Numbers here are raised when
the filter learns more.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from filters.lists.listsource import parse
from filters.lists.wordlist import compile_list, load
from filters.reading.keywords import Scanner
from filters.text.markup import Markup
from gateway.words.files import folding_tables

DISGUISES = Path(__file__).parents[2] / "tools" / "quality" / "disguises.jsonl"
# Of each kind, at least so many are found.
FOUND = {
    "Arabic forms": 19,
    "case": 26,
    "compatibility forms": 1,
    "emoji with letters": 45,
    "invisible": 96,
    "jamo": 12,
    "look-alikes, Cyrillic": 12,
    "look-alikes, Greek": 13,
    "look-alikes, Latin in Cyrillic": 8,
    "marks": 40,
    "markup": 84,
    "markup, Markdown": 6,
    "plain": 24,
    "plain next to its own letter": 10,
    "repeats": 56,
    "separators, every gap": 200,
    "separators, one gap": 27,
    "styled": 66,
    "traditional and Japanese forms": 11,
    "width": 12,
}
MARKUP: dict[str, Markup] = {"markup": "html", "markup, Markdown": "markdown"}


@pytest.fixture(scope="module")
def told() -> list[dict[str, str]]:
    return [json.loads(line) for line in DISGUISES.read_text(encoding="utf-8").splitlines()]


def test_the_set_is_large_and_of_five_languages(told) -> None:
    assert len(told) >= 400
    assert {each["language"] for each in told} == {"zh", "en", "ko", "ar", "ru"}
    assert len({(each["word"], each["text"]) for each in told}) == len(told)


def test_no_kind_is_found_less_often(told) -> None:
    words = sorted({each["word"] for each in told})
    listed = load(compile_list(parse("\n".join(words), "list"), folding_tables()).data, folding_tables())
    scanners = {kind: Scanner([listed], markup=MARKUP.get(kind, "off")) for kind in FOUND}
    found: Counter[str] = Counter()
    for each in told:
        hits = scanners[each["kind"]].scan((each["text"],)).hits.get("list", ())
        found[each["kind"]] += any(listed.word(hit.word_id) == each["word"] for hit in hits)
    assert {kind: found[kind] for kind in FOUND if found[kind] < FOUND[kind]} == {}
