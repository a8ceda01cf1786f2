"""Artifacts: what is written is read, and whatever else is refused with a reason."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.artifact import FORMAT, MAGIC, Artifact, ArtifactError, pack
from filters.lists.wordlist import WordList, compile_list, load, parse
from filters.text.tables import FoldTables
from gateway.words.files import folding_tables

GOOD = compile_list(parse("网上赌博 | category g\n@allow 反网上赌博\nidiot\n", "demo"), folding_tables()).data


def test_sections_come_back_aligned() -> None:
    artifact = Artifact(pack({"a": 1}, {"x": b"12345", "y": b"", "z": (7).to_bytes(8, "little")}))
    assert artifact.header["a"] == 1
    assert bytes(artifact.section("x")) == b"12345"
    assert bytes(artifact.section("y")) == b""
    assert list(artifact.array("z", "Q")) == [7]
    assert artifact.place("z")[0] % 8 == 0


def test_equal_input_gives_equal_bytes() -> None:
    assert (
        compile_list(parse("a\nb\n", "l"), folding_tables()).data
        == compile_list(parse("a\nb\n", "l"), folding_tables()).data
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "too short"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not an artifact"),
        (MAGIC + (FORMAT + 1).to_bytes(4, "little") + bytes(40), f"format {FORMAT + 1}, this program reads {FORMAT}"),
        (GOOD[:30], "header is damaged"),
        (GOOD[:-16], "automaton is damaged"),
        (GOOD[:60] + b"~" + GOOD[61:], "header is damaged"),
        (GOOD[:-9] + bytes([GOOD[-9] ^ 1]) + GOOD[-8:], "section automaton is damaged"),
    ],
)
def test_damage_and_foreign_files_say_what_they_are(data: bytes, told: str) -> None:
    with pytest.raises(ArtifactError, match=told):
        load(data, folding_tables())


@settings(max_examples=200)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_flipped_byte_is_found_or_lies_in_padding(place: int, flip: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= flip
    try:
        loaded = load(bytes(data), folding_tables())
    except ArtifactError:
        return
    assert isinstance(loaded, WordList)
    assert loaded.find("反网上赌博") == load(GOOD, folding_tables()).find("反网上赌博")


def test_other_tables_and_other_engines_are_refused(monkeypatch: pytest.MonkeyPatch, tables: FoldTables) -> None:
    other = FoldTables(
        "0" * 64,
        tables.maps,
        {name: getattr(tables, name) for name in ("invisible", "word", "spaced", "context", "borrowed")},
    )
    with pytest.raises(ArtifactError, match="other folding tables"):
        load(GOOD, other)
    monkeypatch.setitem(sys.modules, "daachorse", None)  # as on a machine that has no wheel of it
    with pytest.raises(ArtifactError, match=r"compiled for daachorse 0.5 bytewise, not pyahocorasick words"):
        load(GOOD, tables)


def test_a_section_given_apart_is_checked_too() -> None:
    offset, size = Artifact(GOOD).place("automaton")
    automaton = GOOD[offset : offset + size]
    assert load(GOOD[:offset] + bytes(size), folding_tables(), automaton=automaton).find("idiot")
    with pytest.raises(ArtifactError, match="automaton is damaged"):
        load(GOOD, folding_tables(), automaton=bytes(size))
