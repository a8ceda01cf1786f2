"""The rows of a large list: most are compared without the work that disguised words need, and just so."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.listsource import ListErrors, parse
from filters.lists.rows import Rows, _simply
from filters.lists.shape import Shape
from filters.lists.strictness import DEFAULT
from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.words.files import folding_tables

FOLDERS = [
    folder(folding_tables(), WORDS.changed(changes))
    for changes in ({}, {"leetspeak": True}, {"repeats": False}, {"traditional": False}, {"separators": False})
]


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(FOLDERS),
    st.one_of(
        st.text(st.sampled_from("abdls "), max_size=9), st.text(st.sampled_from("網网上赌賭博一二发髮"), max_size=5)
    ),
)
def test_what_is_compared_simply_is_what_the_shape_says(reader, text) -> None:
    simply = _simply(text, reader, DEFAULT)
    if simply is not None:
        assert simply == Shape(reader, text, DEFAULT, False, False).key()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(FOLDERS),
    st.lists(
        st.one_of(
            st.text(st.sampled_from("abdls "), min_size=1, max_size=6),
            st.text(st.sampled_from("網网上赌賭博一二发髮口ロ十"), min_size=1, max_size=4),
            st.sampled_from(
                ["a | repeats off", "ab | whole-word off", "a & b", "@allow ab", "@allow 网上", "göt", "сор", "1"]
            ),
        ),
        min_size=1,
        max_size=30,
    ),
)
def test_what_is_told_at_a_glance_is_what_the_work_tells(reader, lines) -> None:
    try:
        parsed = parse("\n".join(lines), "list", fold=reader.switches.as_dict())
    except ListErrors:
        return
    # Of an entry that says something of its own nothing is told at a glance.
    saying = replace(parsed, entries=[each._replace(strict=each.strict or parsed.strict) for each in parsed.entries])
    try:
        slowly = Rows(saying, reader)
    except ListErrors as errors:
        with pytest.raises(ListErrors, match=re.escape(str(errors))):
            Rows(parsed, reader)
        return
    rows = Rows(parsed, reader)
    for name in ("texts", "words", "flags", "parts", "strict", "stricts", "notices"):
        assert getattr(rows, name) == getattr(slowly, name), name
    assert [each.line for each in rows.kept] == [each.line for each in slowly.kept]


def test_large_lists_are_nearly_all_simple() -> None:
    assert all(_simply(word, FOLDERS[0], DEFAULT) for word in ("good dog", "idiot", "網上賭博", "buy followers now"))
    assert not any(_simply(word, FOLDERS[0], DEFAULT) for word in ("göt", "C#", "网 上", "a  b", "병신", "ａｂ"))
