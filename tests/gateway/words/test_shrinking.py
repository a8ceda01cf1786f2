"""Lists that lose their words are refused until somebody says that it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.words.compile import compile_lists
from gateway.words.errors import WordListError
from gateway.words.manifest import Manifest
from gateway.words.shrinking import ListDiff, newest
from gateway.words.specs import ListSpec

TEN = [f"word{number}x" for number in range(10)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path


def build(place: Path, words: list[str], **said: object) -> ListDiff:
    path = place / "spam.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    spec = ListSpec("spam", str(path), before=newest(place / "out", "spam"))._replace(**said)
    manifest = compile_lists([spec], place / "out")
    assert Manifest.from_dict(manifest.as_dict()) == manifest
    return manifest.lists[0].change


def test_how_a_list_changed_is_told(place: Path) -> None:
    assert build(place, TEN) == ListDiff("spam", 10, first=True)
    assert build(place, TEN) == ListDiff("spam", 10, 0, 0)
    assert build(place, [*TEN[2:], "one more", "@allow one more yet"]) == ListDiff("spam", 9, 1, 2)
    assert str(ListDiff("spam", 1200, 3, 0)) == "spam: 3 added, 0 removed, 1,200 words now"


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ([], True),
        (["# all of it", "@allow word1x word2x"], True),
        (TEN[:4], True),
        (TEN[:5], False),
        (["other" + word for word in TEN], False),
    ],
)
def test_an_emptied_or_more_than_halved_list_is_refused(place: Path, words: list[str], refused: bool) -> None:
    build(place, TEN)
    if not refused:
        build(place, words)
        return
    with pytest.raises(WordListError) as caught:
        build(place, words)
    (fault,) = caught.value.faults
    assert "10 before" in fault.what
    assert "may_shrink" in fault.remedy
    assert build(place, words, meant=True).removed == 10 - len([word for word in words if word in TEN])


def test_the_configuration_can_say_that_a_list_may_shrink(place: Path) -> None:
    build(place, TEN)
    assert build(place, TEN[:1], may_shrink=True) == ListDiff("spam", 1, 0, 9)


def test_min_words_holds_without_anything_before(place: Path) -> None:
    with pytest.raises(WordListError, match=r"holds 2 words, and min_words is 3"):
        build(place, TEN[:2], min_words=3)
    with pytest.raises(WordListError, match="min_words"):
        build(place, TEN[:2], min_words=3, may_shrink=True)
    assert build(place, TEN[:2], min_words=3, meant=True).words == 2


def test_what_people_added_and_removed_is_no_shrinking(place: Path) -> None:
    build(place, TEN)
    assert build(place, TEN, removed=tuple(TEN[:9])) == ListDiff("spam", 1, 0, 9)
    # What people added does not hide that the file was emptied.
    with pytest.raises(WordListError, match="no word"):
        build(place, [], added=tuple(TEN), before_in_file=10)


def test_an_artifact_that_is_gone_leaves_the_count(place: Path) -> None:
    with pytest.raises(WordListError, match="10 before"):
        build(place, TEN[:1], before=str(place / "gone.tga"), before_in_file=10)
    assert build(place, TEN[:1], before=str(place / "gone.tga")).first


def test_an_empty_list_without_anything_before_is_told(place: Path) -> None:
    (place / "spam.txt").write_text("# nothing yet\n")
    (built,) = compile_lists([ListSpec("spam", str(place / "spam.txt"))], place / "out").lists
    assert "holds no word" in built.notices[0].what


def test_an_unchanged_list_is_told_of_as_a_changed_one_is(place: Path) -> None:
    (place / "spam.txt").write_text("C#\n@allow nothing\n")
    spec = ListSpec("spam", str(place / "spam.txt"))
    first, again = (compile_lists([spec], place / "out").lists[0] for _ in range(2))
    assert again.reused
    assert first.notices == again.notices
    assert [notice.line for notice in again.notices] == [1, 2]


def test_patterns_are_counted_too(place: Path) -> None:
    patterns = [f"a{number}+" for number in range(5)]
    build(place, ["@kind patterns", *patterns, "@allow a1b"])
    assert build(place, ["@kind patterns", *patterns[:4]]) == ListDiff("spam", 4, 0, 1)
    with pytest.raises(WordListError):
        build(place, ["@kind patterns", patterns[0]])
