"""The scanner: one fold for lists that fold alike, one empty scan, bounds, overlays, fingerprints."""

from collections.abc import Callable

import pytest

from filters.lists.wordlist import of_words
from filters.model.verdict import Scan
from filters.reading.keywords import NO_HIT, AnyList, Bounds, Scanner
from filters.text.fingerprint import fingerprint
from filters.text.folding import Folder, folder
from filters.text.tables import WORDS, FoldTables

Made = Callable[..., AnyList]


def test_nothing_found_is_the_same_empty_scan(made: Made) -> None:
    scanner = Scanner([made("傻瓜", "abuse"), made("赌博", "gambling")])
    assert scanner.scan(("今天天气不错",)) is NO_HIT
    assert scanner.scan(("今天", "天气")) is NO_HIT
    assert scanner.scan(()) is NO_HIT


def test_a_scan_without_hits_but_with_a_fingerprint_has_every_field(made: Made) -> None:
    """It is made without the constructor, which would have counted them."""
    scan = Scanner([made("傻瓜", "abuse")], fingerprint=True).scan(("今天天气不错",))
    assert len(scan) == len(Scan._fields)
    assert scan._replace(failed={}) == scan


def test_hits_of_several_lists_and_fields(made: Made) -> None:
    scanner = Scanner([made("傻瓜", "abuse"), made("赌博", "gambling"), made("@kind patterns\nhttp://\\S+", "links")])
    scan = scanner.scan(("你好傻瓜", "賭.博 http://a.b 傻瓜"))
    assert {name: [(hit.field, hit.spans) for hit in hits] for name, hits in scan.hits.items()} == {
        "abuse": [(0, ((2, 4),)), (1, ((15, 17),))],
        "gambling": [(1, ((0, 3),))],
        "links": [(1, ((4, 14),))],
    }
    assert scan.failed == {}


def test_lists_of_equal_switches_share_one_fold(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    honest = Folder.text

    def counting(self: Folder, text: str, limit: int = 16_384) -> str:
        calls.append(text)
        return honest(self, text, limit)

    scanner = Scanner([made("傻瓜", "a"), made("赌博", "b"), made("@fold case off\nx", "c")], fingerprint=True)
    monkeypatch.setattr(Folder, "text", counting)
    scanner.scan(("今天天气不错",))
    assert len(calls) == 2


def test_fingerprint_is_of_the_text_folded_as_words_are(made: Made, tables: FoldTables) -> None:
    reader = folder(tables, WORDS)
    expected = fingerprint(reader.text("今天，天气"))
    lists = [made("傻瓜", "a")]
    for scanner in (
        Scanner(lists, fingerprint=True),
        Scanner([made("@fold case off\n傻瓜", "a")], fingerprint=True),
        Scanner([], fingerprint=True, tables=tables),
    ):
        scan = scanner.scan(("今 天 天 气 天气"[:7],))
        assert scan.fingerprint == fingerprint(reader.text("今天天气"))
        assert scan.folded_length == len(reader.text("今天天气"))
    assert Scanner(lists, fingerprint=True).scan(("今天，天氣！",)).fingerprint == expected
    assert Scanner(lists, fingerprint=True).scan(("傻瓜，今天",)).fingerprint == fingerprint(reader.text("傻瓜今天"))
    assert Scanner(lists, fingerprint=True).scan(("😀★",)).fingerprint == b""
    assert Scanner(lists, fingerprint=True).scan(("", "")).fingerprint == b""
    fields = Scanner(lists, fingerprint=True)
    assert fields.scan(("ab", "c")).fingerprint != fields.scan(("a", "bc")).fingerprint


def test_what_is_too_long_fails_its_lists_and_raises_nothing(made: Made, tables: FoldTables) -> None:
    links = made("@kind patterns\n@match raw\nhttp://\\S+", "links")
    scanner = Scanner([made("傻瓜", "abuse"), links], bounds=Bounds(text=100, folded=200))
    assert scanner.scan(("a" * 101,)).failed == {"abuse": "fold.bound", "links": "fold.bound"}
    # Eighteen letters from one character: too long for those who fold, nothing special for those who do not.
    folded_only = scanner.scan(("\ufdfa" * 50 + " http://a.b",))
    assert folded_only.failed == {"abuse": "fold.bound"}
    assert list(folded_only.hits) == ["links"]
    # One field that fails does not hide what another holds.
    both = scanner.scan(("傻瓜", "a" * 101))
    assert both.failed == {"abuse": "fold.bound", "links": "fold.bound"}
    assert list(both.hits) == ["abuse"]
    assert Scanner([made("傻瓜", "abuse")], True, Bounds(text=3)).scan(("long text",)).fingerprint == b""


def test_overlay(made: Made, tables: FoldTables) -> None:
    scanner = Scanner([made("傻瓜", "abuse")], fingerprint=True)
    with_urgent = Scanner([*scanner.lists, of_words(["紧急"], tables)], fingerprint=True)
    assert list(with_urgent.scan(("緊 急 傻瓜",)).hits) == ["abuse", "urgent"]
    assert with_urgent.scan(("好",)).fingerprint == scanner.scan(("好",)).fingerprint
    assert list(scanner.scan(("紧急",)).hits) == []


def test_two_lists_of_one_name_and_no_tables(made: Made) -> None:
    with pytest.raises(ValueError, match="two lists of one name"):
        Scanner([made("a", "same"), made("b", "same")])
    with pytest.raises(ValueError, match="needs the folding tables"):
        Scanner([], fingerprint=True)


def test_64_kib_of_one_character_is_an_answer_and_no_hang(made: Made) -> None:
    scanner = Scanner([made("傻瓜\n傻\n傻傻傻 | severity 9", "abuse")], bounds=Bounds(text=70_000, folded=70_000))
    (hit, *_) = scanner.scan(("傻" * 65_536,)).hits["abuse"]
    assert hit.spans == ((0, 65_535),)  # of 傻傻傻, as often as it goes in


@pytest.mark.parametrize("switches", ["", "@fold separators off\n", "@fold separators off\n@fold leetspeak on\n"])
@pytest.mark.parametrize("markup", ["html", "markdown", "off"])
def test_the_short_way_sees_markup_as_the_long_one_does(made, switches, markup):
    """A text that the fold leaves as it is has no sign of markup, or the scanner looks for one."""
    scanner = Scanner([made(f"{switches}网上赌博\n")], markup=markup)
    for text in (
        "网上<b>赌博",
        "网&#19978;赌博",
        "网*上*赌博",
        "<b>网上赌博",
        "&网上赌博",
        "网上赌博",
        "a<b",
        "`网上`赌博",
    ):
        assert scanner.scan((text,)) == scanner._scan((text,)), text
