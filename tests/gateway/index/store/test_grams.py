"""Any piece of a text is found by its pairs, and nothing is lost that should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.index.store import grams


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.execute(
        "CREATE VIRTUAL TABLE grams USING fts5(pairs, content='', detail=none, columnsize=0, tokenize='ascii')"
    )
    yield made
    made.close()


def found(database: sqlite3.Connection, text: str, piece: str) -> bool:
    database.execute("BEGIN")
    try:
        database.execute("INSERT INTO grams (rowid, pairs) VALUES (1, ?)", (grams.pairs([text]),))
        asked = grams.expression(grams.normal(piece))
        return bool(database.execute("SELECT rowid FROM grams WHERE grams MATCH ?", (asked,)).fetchall())
    finally:
        database.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("今天加微信领红包", "微信"), ("今天加微信领红包", "包"), ("今天加微信", "今天加微信"),
        ("ＡＢＣ１２３", "bc12"),
        ("STRASSE", "straße"), ("a  b\n\tc", "a b c"), ('say "no" AND (yes)*', '" and ('), ("x", "x"), ("-", "-"),
        ("9" * 50, "99999"), ("é", "e\u0301"), ("\u202e反", "反"), ("<script>", "<scr"), ("NEAR(a b)", "near(a"),
    ],
)  # fmt: skip
def test_pieces_are_found(database: sqlite3.Connection, text: str, piece: str) -> None:
    assert grams.holds([text], grams.normal(piece))
    assert found(database, text, piece)


def test_what_is_not_there_is_not_found(database: sqlite3.Connection) -> None:
    assert not found(database, "今天加微信领红包", "天今")
    assert not found(database, "abc", "cd")
    assert not grams.holds(["ab", "cd"], "bc")  # no piece goes over two texts
    # All pairs are there, the text is not: the text itself is asked.
    assert found(database, "abab", "aba")
    assert found(database, "ab ba", "aba")
    assert not grams.holds(["ab ba"], "aba")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.data())
def test_every_piece_of_every_text(database: sqlite3.Connection, text: str, data: st.DataObject) -> None:
    normal = grams.normal(text)
    if not normal:
        return
    begin = data.draw(st.integers(0, len(normal) - 1))
    piece = normal[begin : data.draw(st.integers(begin + 1, len(normal)))]
    asked = grams.normal(piece)
    if asked and grams.holds([text], asked):
        assert found(database, text, piece)


def test_long_texts_are_bounded() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 10_000)))
    assert len(grams.pairs([text]).split(" ")) == grams.MOST
    assert len(grams.expression(text).split(" ")) == grams.MOST_PAIRS
