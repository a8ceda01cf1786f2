"""The rows of a large list: most are compared without the work that disguised words need, and just so."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.rows import _simply
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


def test_large_lists_are_nearly_all_simple() -> None:
    assert all(_simply(word, FOLDERS[0], DEFAULT) for word in ("good dog", "idiot", "網上賭博", "buy followers now"))
    assert not any(_simply(word, FOLDERS[0], DEFAULT) for word in ("göt", "C#", "网 上", "a  b", "병신", "ａｂ"))
