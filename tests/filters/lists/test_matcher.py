"""Every engine, one table of cases, one answer; and any words in any text."""

import importlib.metadata
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lists.matcher import AHOCORASICK, DAACHORSE, ENGINES, Find, chosen, compiled, installed, restored

CASES = [
    (["网上赌博", "赌博", "上赌"], "网上赌博赌博"),
    (["a", "ab", "bab", "babab"], "abababab"),
    (["a", "a"], "aa"),
    (["他", "她的", "的"], "她的他的"),
    (["𝓲", "😀x"], "𝓲😀x𝓲"),
    (["abc"], ""),
    ([], "abc"),
    (["no"], "yes"),
]


def naive(words: Sequence[str]) -> Find:
    """The same by looking everywhere: what an engine has to equal."""

    def find(text: str) -> list[tuple[int, int, int]]:
        return [
            (end - len(word), end, row)
            for end in range(1, len(text) + 1)
            for row, word in enumerate(words)
            if text.startswith(word, end - len(word)) and end >= len(word)
        ]

    return find


def by(engine: str, words: Sequence[str]) -> Find:
    return restored(compiled(words, engine), engine)


def whole(found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """In the order that every engine keeps: by end, the longest first, the first row first."""
    return sorted(found, key=lambda one: (one[1], one[0], one[2]))


@pytest.mark.parametrize(("words", "text"), CASES)
@pytest.mark.parametrize("engine", [DAACHORSE, AHOCORASICK])
def test_cases(engine: str, words: list[str], text: str) -> None:
    assert by(engine, words)(text) == whole(naive(words)(text))


LETTERS = "ab网上😀\0"


@given(st.lists(st.text(LETTERS, min_size=1, max_size=4), max_size=8), st.text(LETTERS, max_size=20))
def test_any_words_in_any_text(words: list[str], text: str) -> None:
    expected = whole(naive(words)(text))
    for engine in ENGINES.values():
        assert by(engine, words)(text) == expected


@given(st.lists(st.text(min_size=1, max_size=3), max_size=5), st.lists(st.text(max_size=3), max_size=5))
def test_any_characters(words: list[str], between: list[str]) -> None:
    """Those that UTF-8 and a trie of code points might count otherwise: astral ones, marks, controls."""
    text = "".join(piece for pair in zip([*between, *[""] * len(words)], [*words, ""], strict=False) for piece in pair)
    expected = whole(naive(words)(text))
    for engine in ENGINES.values():
        assert by(engine, words)(text) == expected


@pytest.mark.parametrize("engine", [DAACHORSE, AHOCORASICK])
def test_positions_are_code_points_and_ends_rise(engine: str) -> None:
    found = by(engine, ["上", "网上", "博"])("😀网上赌博")
    assert found == [(1, 3, 1), (2, 3, 0), (4, 5, 2)]


@pytest.mark.parametrize("engine", [DAACHORSE, AHOCORASICK])
@pytest.mark.parametrize("data", [b"x", b"\0" * 64, b"\xff" * 64, b"\x02\0\0\0\x05\0\0\0\x01\0\0\0hello"])
def test_other_bytes_are_refused(engine: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"automaton|utf-8"):
        restored(data, engine)


@given(st.lists(st.text(LETTERS, min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_words_that_were_cut_off_are_no_automaton(words: list[str], data: st.DataObject) -> None:
    kept = compiled(words, AHOCORASICK)
    with pytest.raises(ValueError, match="automaton"):
        restored(kept[: data.draw(st.integers(1, len(kept) - 1))], AHOCORASICK)


def test_the_engine_named_in_artifacts_is_the_one_installed() -> None:
    name, version, _ = DAACHORSE.split()
    assert importlib.metadata.version(name).startswith(version + ".")


def test_the_preferred_engine_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen() == chosen("daachorse") == DAACHORSE
    assert chosen("pyahocorasick") == AHOCORASICK
    monkeypatch.setitem(sys.modules, "daachorse", None)  # as on a machine that has no wheel of it
    assert chosen() == AHOCORASICK
    assert not installed(DAACHORSE)
    assert not installed("another 1.0")
    with pytest.raises(ValueError, match="daachorse cannot be used here"):
        chosen("daachorse")
    monkeypatch.setitem(sys.modules, "ahocorasick", None)
    with pytest.raises(ValueError, match="daachorse and pyahocorasick cannot be used here"):
        chosen()
