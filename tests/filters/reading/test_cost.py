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
