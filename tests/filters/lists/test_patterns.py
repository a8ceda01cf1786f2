"""Pattern lists: what they find on folded and raw text, and what is refused when they are compiled."""

from collections.abc import Callable

import pytest

from filters.lists.listsource import ListErrors
from filters.lists.patterns import PatternList
from filters.lists.wordlist import compile_list, parse
from filters.reading.keywords import AnyList, Scanner
from filters.text.tables import FoldTables

LINKS = r"""
@kind patterns
@category links
@severity 6
https?://[^\s]+
(?:加|\+)?(?:微信|vx|qq)[:：]?\s*[a-z0-9_-]{5,20}
1[3-9]\d{9}
@allow https?://(?:[a-z0-9-]+\.)*platform\.example[^\s]*
"""


def covered(loaded: AnyList, text: str) -> list[str]:
    found = Scanner([loaded]).scan((text,)).hits.get(loaded.name, ())
    return [text[start:end] for hit in found for start, end in hit.spans]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("看 http://a.example/b?c=1 好", ["http://a.example/b?c=1"]),
        ("ｈｔｔｐｓ：／／ａ．ｂ", ["ｈｔｔｐｓ：／／ａ．ｂ"]),
        ("ht\u200btp://a.b", ["ht\u200btp://a.b"]),
        ("HTTP://A.B", ["HTTP://A.B"]),
        ("加微信：abc_12345。", ["加微信：abc_12345"]),
        ("加𝓿𝔁 abc12345", ["加𝓿𝔁 abc12345"]),
        ("一三八〇〇一三八〇〇〇", ["一三八〇〇一三八〇〇〇"]),
        ("http://a.b http://c.d", ["http://a.b", "http://c.d"]),
        ("https://www.platform.example/x", []),
        ("https://platform.example/x http://evil.example", ["http://evil.example"]),
        ("no link", []),
        ("", []),
        ("\ud800 http://a.b", ["http://a.b"]),
    ],
)
def test_folded_text(made: Callable[..., AnyList], text: str, found: list[str]) -> None:
    loaded = made(LINKS, "links")
    assert covered(loaded, text) == found


def test_hits_carry_category_severity_and_a_stable_id(made: Callable[..., AnyList]) -> None:
    loaded = made(LINKS, "links")
    (hit,) = Scanner([loaded]).scan(("http://a.b",)).hits["links"]
    assert (hit.category, hit.severity) == ("links", 6)
    assert loaded.word(hit.word_id) == "https?://[^\\s]+"
    assert loaded.word(1) is None
    (again,) = Scanner([made("@kind patterns\n# moved\n\n" + "https?://[^\\s]+", "l")]).scan(("http://a.b",)).hits["l"]
    assert again.word_id == hit.word_id


def test_raw_text(made: Callable[..., AnyList]) -> None:
    loaded = made("@kind patterns\n@match raw\n\\x{200b}{3,}\nＱ\\d+\n", "raw")
    assert isinstance(loaded, PatternList)
    assert loaded.match_raw
    assert covered(loaded, "a\u200b\u200b\u200b\u200bb") == ["\u200b" * 4]
    assert covered(loaded, "😀Ｑ12") == ["Ｑ12"]
    assert covered(loaded, "\ud800Ｑ12") == ["Ｑ12"]


def test_a_pattern_is_folded_as_the_text_is(made: Callable[..., AnyList]) -> None:
    loaded = made("@kind patterns\n第一\\d\n[網络]路\n", "l")
    assert covered(loaded, "第一2") == ["第一2"]
    assert covered(loaded, "第12") == ["第12"]
    assert covered(loaded, "网路") == ["网路"]


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("(a", "no RE2 pattern"),
        (r"(a)\1", "no RE2 pattern"),
        (r"(?<=a)b", "no RE2 pattern"),
        ("a*", "matches where nothing is"),
        ("[一-九]{3}", "the class holds 一, which folded text never has"),
        ("x{1000}{1000}", "no RE2 pattern"),
    ],
)
def test_refused(tables: FoldTables, pattern: str, what: str) -> None:
    with pytest.raises(ListErrors) as caught:
        compile_list(parse(f"@kind patterns\n# here\n{pattern}\n", "bad"), tables)
    (problem,) = caught.value.problems
    assert problem.line == 3
    assert what in problem.what
    assert problem.remedy


def test_a_hostile_text_costs_linear_time(made: Callable[..., AnyList]) -> None:
    loaded = made("@kind patterns\n(?:a+)+$\n(?:x+x+)+y\n", "hostile")
    assert covered(loaded, "x" * 4_000) == []
