"""Every engine, one table of cases, one answer; and any words in any text."""

import importlib.metadata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lists.matcher import ENGINE, Find, compiled, reference, restored

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


def engines(words: list[str]) -> dict[str, Find]:
    return {"daachorse": restored(compiled(words)), "pyahocorasick": reference(words)}


def ordered(found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    return sorted(found)


@pytest.mark.parametrize(("words", "text"), CASES)
@pytest.mark.parametrize("engine", ["daachorse", "pyahocorasick"])
def test_cases(engine: str, words: list[str], text: str) -> None:
    assert ordered(engines(words)[engine](text)) == ordered(naive(words)(text))


@given(st.lists(st.text("ab网上😀", min_size=1, max_size=4), max_size=8), st.text("ab网上😀", max_size=20))
def test_any_words_in_any_text(words: list[str], text: str) -> None:
    expected = ordered(naive(words)(text))
    for engine in engines(words).values():
        assert ordered(engine(text)) == expected


def test_positions_are_code_points_and_ends_rise() -> None:
    found = restored(compiled(["上", "网上", "博"]))("😀网上赌博")
    assert ordered(found) == [(1, 3, 1), (2, 3, 0), (4, 5, 2)]
    assert [end for _, end, _ in found] == sorted(end for _, end, _ in found)


@pytest.mark.parametrize("data", [b"x", b"\0" * 64])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="automaton"):
        restored(data)


def test_the_engine_named_in_artifacts_is_the_one_installed() -> None:
    name, version, _ = ENGINE.split()
    assert importlib.metadata.version(name).startswith(version + ".")
