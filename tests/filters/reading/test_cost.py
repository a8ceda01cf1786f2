"""A hostile text costs work in proportion to its length, counted in lines of code that run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import pytest

from filters.lists.wordlist import compile_list, load, parse
from filters.reading.keywords import Bounds, Scanner
from filters.text.folding import TEXT_MAX
from filters.text.markup import Markup
from gateway.words.files import folding_tables

TABLES = folding_tables()
LISTS = {
    "words": """
        a
        ab
        aa
        aaaa
        ababab
        idiot
        buy followers
        x | whole-word off
        网上赌博
        赌博
        上
        傻逼 | inserted on
        ばか
        バカ
        シネ
        口水
        八
        二三
        五
        1.5
        110
        vi
        병신
        cop
        вот
        كلب
        กา
        C#
        a & b & !c
        @allow 反网上赌博
        @allow kant
        @allow abab cd
    """,
    "patterns": "@kind patterns\nhttps?://[^\\s]+\n1[3-9]\\d{9}\n(a|b)+c\n",
}
HOSTILE = {
    "": [
        "a b ", "a.b-", "ab", "aab", "a", "a-", "a,b;", "i d i o t ", "iiidiooot", "buy followers ", "kant ", "x",
        "赌", "赌，", "上网", "网，上-赌.博", "傻1逼", "傻1", "八", "八十", "二三", "一二三", "五", "5.", "5.5", "1,",
        "1 1 0 ", "バカー", "バ", "ばー", "シネ", "シネー", "ロ水", "ㅂㅏ", "ㅂ", "Ⅷ", "①", "1️⃣", "🇦", "Ν", "сор ",
        "сор", "вот ", "cор ", "\u0301", "a\u0301", "a\u0338", "a\u200b", "\u200d", "كـ", "ك\u064b", "กา", "เก",
        "\ufdfa",
        "㍿", "C#", "'a", "(a)", "\n",
    ],
    "html": [
        "<a@b>", "&#", "&#1;", "&#3", "&a", "&amp;", "<b>", "<b", "</b>", "<div><p>", "<!--", "<!-", "<a b='",
        "<script>", "<template>", "<p hidden>", "<table><td>", "<ruby>a<rt>", "<li>", "<img alt=a>", "<a\t",
        "< ", "<a href=\"x",
    ],
    "markdown": [
        "[a](b)", "[", "![", "![a](b)", "![a", "](", "*a*", "*", "_*", "`", "`a``b", "~~", "\\", "[a]: b\n",
        "<https://a>", "> a\n",
    ],
}  # fmt: skip
SIZE = 384  # code points
PER_CHARACTER = 1_200  # lines of code


def lines_of(call: Callable[[], Any]) -> int:
    """How many lines of ``filters`` run during ``call``."""
    count = 0
    ours: dict[CodeType, bool] = {}

    def line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    def entered(frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        if code not in ours:
            ours[code] = "/filters/" in code.co_filename and "/tests/" not in code.co_filename
        return line if ours[code] else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


@pytest.fixture(scope="module")
def loaded() -> list[Any]:
    return [
        load(compile_list(parse("\n".join(map(str.strip, text.splitlines())), name), TABLES).data, TABLES)
        for name, text in LISTS.items()
    ]


@pytest.mark.parametrize(("markup", "bit"), [(kind, bit) for kind, bits in HOSTILE.items() for bit in bits])
def test_twice_the_text_is_twice_the_work(loaded: list[Any], markup: Markup, bit: str) -> None:
    scanner = Scanner(loaded, True, markup=markup or "off")
    texts = [(bit * SIZE)[: SIZE * times] for times in (1, 2)]
    for text in texts:
        scanner.scan((text,))  # characters and clusters are remembered
    once, twice = (lines_of(lambda text=text: scanner.scan((text,))) for text in texts)
    assert twice <= 2.3 * once + 2_000
    assert twice <= PER_CHARACTER * 2 * SIZE


@pytest.mark.parametrize("bit", ["a", "赌", "\u0301", "&#", "<b>", "a.", "\x00", "\ud800"])
@pytest.mark.parametrize("markup", ["off", "html", "markdown"])
def test_what_is_too_long_is_said_to_be_so_without_being_read(loaded: list[Any], markup: Markup, bit: str) -> None:
    scanner = Scanner(loaded, True, markup=markup)
    scan = scanner.scan((bit * (65_536 // len(bit)),))
    assert scan.failed == {"words": "fold.bound", "patterns": "fold.bound"}
    assert not scan.hits
    assert lines_of(lambda: scanner.scan((bit * 65_536,))) < 1_000


def test_what_becomes_too_long_is_said_to_be_so(loaded: list[Any]) -> None:
    """ﷺ folds to 18 characters."""
    scanner = Scanner(loaded, True, bounds=Bounds())
    text = "\ufdfa" * TEXT_MAX
    assert scanner.scan((text,)).failed == {"words": "fold.bound", "patterns": "fold.bound"}
    assert lines_of(lambda: scanner.scan((text,))) < 400 * TEXT_MAX


NESTED = {
    "nested": "\n".join("ab" * size for size in range(1, 65)),
    "nested Han": "\n".join(("网上赌博" * 32)[:size] for size in range(2, 129)),
    "one letter": "\n".join("a" * size for size in range(1, 129)),
    "allowed": "ab\n" + "\n".join("@allow " + "ab" * size for size in range(2, 65)),
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("gap", ["", ".", "-", " ", "，", "\u0301", "\u200b", "😀", ".-", " . "])
def test_words_that_lie_too_thick_in_a_text_are_said_to_be_so(name: str, gap: str) -> None:
    """Candidates and the gaps in each: every place begins and ends as many words as the list holds."""
    listed = load(compile_list(parse(NESTED[name], "nested"), TABLES).data, TABLES)
    scanner = Scanner([listed], bounds=Bounds())
    bit = {"nested Han": "网上赌博", "one letter": "a"}.get(name, "ab")
    text = (gap.join(bit) + gap) * TEXT_MAX
    text = text[:TEXT_MAX]
    count = lines_of(lambda: scanner.scan((text,)))
    assert count < 2_000 * TEXT_MAX
    if name.startswith("nested"):
        assert scanner.scan((text,)).failed == {"nested": "match.bound"}
        assert count < 200 * TEXT_MAX  # folding and counting: no candidate was weighed


def test_a_dense_text_of_an_ordinary_list_is_far_from_the_bound() -> None:
    words = "中华\n中华人民\n人民\n人民共和国\n共和\n共和国\n中华人民共和国\n中\n华\n人\n民\n国"
    listed = load(compile_list(parse(words, "dense"), TABLES).data, TABLES)
    scan = Scanner([listed]).scan(("中-华-人-民-共-和-国" * 315,))
    assert not scan.failed
    assert scan.hits
