"""Words whose signs count, and what a person is told of words that lose theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.listsource import ListErrors, parse
from filters.lists.wordlist import Compiled, compile_list, load, of_words
from filters.reading.keywords import Scanner
from gateway.words.files import folding_tables

TABLES = folding_tables()


def compiled(text: str) -> Compiled:
    return compile_list(parse(text, "list"), TABLES)


def found(text: str, *words: str) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    listed = load(compiled("\n".join(words)).data, TABLES)
    scan = Scanner([listed]).scan((text,))
    return [(listed.word(hit.word_id) or "", hit.spans) for hits in scan.hits.values() for hit in hits]


@pytest.mark.parametrize(
    ("word", "text", "spans"),
    [
        ("C#", "vitamin C", None),
        ("C#", "I write c#!", ((8, 10),)),
        ("C#", "ｃ＃", ((0, 2),)),
        ("C#", "abc#", None),
        ("C#", "C #", None),
        ("C++", "c++", ((0, 3),)),
        (".net", "the net", None),
        (".net", ".NET", ((0, 4),)),
        (".net", ".network", None),
        ("18+", "18", None),
        ("18+", "only 18+ here", ((5, 8),)),
        ("18+", "118+", None),
        ("+V", "加+v", ((1, 3),)),
        ("+V", "v", None),
        ("🖕", "you🖕🏻you", ((3, 5),)),
        ("❤️", "❤", ((0, 1),)),
        ("🇨🇳", "cn", None),
        ("🇨🇳", "x🇨🇳x", ((1, 3),)),
        ("加🛰", "加", None),
        ("★ | signs on", "a★b", ((1, 2),)),
        ("http:// | signs on", "see HTTP://x", ((4, 11),)),
        ("http:// | signs on", "http", None),
        ("C# | signs off", "vitamin C", ((8, 9),)),
        # What stays as it was: a name's joints, a sentence's end, quotation marks, Han words of two and more.
        ("AT&T", "att", ((0, 3),)),
        ("“sex”", "sex", ((0, 3),)),
        ("傻瓜！", "傻瓜", ((0, 2),)),
        ("\\#话题", "话题", ((0, 2),)),
        ("C# & 代写", "代写C#作业", ((0, 2), (2, 4))),
        ("C# & 代写", "代写C语言", None),
    ],
)
def test_signs_count_where_little_is_left_without_them(word, text, spans) -> None:
    assert [where for _, where in found(text, word)] == ([spans] if spans else [])


def test_words_with_signs_and_others_are_one_list() -> None:
    listed = load(compiled("C#\nidiot\n🖕\n@allow C# developer\n@allow 🖕🖕").data, TABLES)
    assert len(listed) == 5
    scan = Scanner([listed]).scan(("idiot, a C# developer 🖕🖕 and C#",))
    assert {(listed.word(hit.word_id), hit.spans) for hit in scan.hits["list"]} == {
        ("idiot", ((0, 5),)),
        ("C#", ((29, 31),)),
    }
    assert {hit.digest for hit in scan.hits["list"]} == {listed.digest}


def test_urgent_words_keep_their_signs_and_places() -> None:
    urgent = of_words(["🖕", "x", "C#"], TABLES)
    assert [urgent.word(place) for place in range(3)] == ["🖕", "x", "C#"]


def test_the_digest_tells_what_signs_do() -> None:
    assert compiled("ab# | signs on").digest != compiled("ab# | signs off").digest


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("C#", "is found only where its signs stand too: without them it is c"),
        ("C# | signs on", ""),
        ("C# | signs off", ""),
        ("aaa", "folds to a, one character"),
        ("赌博★", "folds to 赌博: ★ does not count"),
        ("赌博,傻瓜", "赌博,傻瓜 is one word, with a sign in it"),
        ("赌博\t傻瓜", "is one word, with a sign in it"),
        ("赌博、傻瓜", "is one word, with a sign in it"),
        ("🖕", ""),
        ("buy-followers now", ""),
        ("it's", ""),
        ("สวัสดี", ""),
    ],
)
def test_what_a_word_loses_is_told_with_its_line(line, told) -> None:
    notices = compiled(f"# first\n{line}").notices
    assert [notice.line for notice in notices] == ([2] if told else [])
    assert not told or told in notices[0].what


def test_signs_that_are_no_emoji_are_asked_for() -> None:
    with pytest.raises(ListErrors, match=r"nothing is left.*signs on"):
        compiled("★★")


@pytest.mark.parametrize(
    ("text", "excused", "told"),
    [
        ("网上赌博\n@allow 反网上赌博", [("网上赌博",)], []),
        ("赌博\n网上赌博\n@allow 反網上賭博", [("网上赌博", "赌博")], []),
        ("网上赌博\n@allow 反诈", [()], [2]),
        ("口交\n@allow 路口交通\n@allow 门口", [("口交",), ()], [3]),
        ("代开 & 发票\n@allow 不代开", [("代开 & 发票",)], []),
        ("C#\n@allow C# developer", [("C#",)], []),
    ],
)
def test_an_allow_phrase_that_excuses_nothing_is_told(text, excused, told) -> None:
    done = compiled(text)
    assert [allowance.excuses for allowance in done.allowances] == excused
    assert [notice.line for notice in done.notices if "@allow" in notice.what] == told


def test_notices_are_bounded() -> None:
    notices = compiled("a#\n" + "赌\n" * 5_000).notices
    assert len(notices) == 101
    assert notices[-1].what == "4900 more notes"


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("C#+.18 🖕★a赌博-!"), min_size=1, max_size=6), st.sampled_from(["", " | signs on"]))
def test_a_word_is_found_as_it_is_written_whatever_its_signs_are(word, attribute) -> None:
    try:
        listed = load(compiled(f"\\{word}{attribute}").data, TABLES)
    except ListErrors:
        return
    if listed.word(listed._ids[0] if listed._ids else listed.signed._ids[0]) != word:
        return  # its signs meant something: a comment
    assert Scanner([listed]).scan((f"好 {word} 好",)).hits
