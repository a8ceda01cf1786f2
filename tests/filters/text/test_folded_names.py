"""Names folded one character at a time."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.text import folded_names
from filters.text.folded_names import COMPOSED, fold_name


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Content", "content"),
        ("Ｃontent", "content"),
        ("ＣＯＮＴＥＮＴ", "content"),
        ("ﬁeld", "field"),
        ("e\u0301", "é"),
        ("É", "é"),
        ("ﷺ", "\ufffd"),
        ("㍿", "株式会社"),
    ],
)
def test_folded(name: str, folded: str) -> None:
    assert fold_name(name) == folded


@given(st.text(alphabet=st.characters(max_codepoint=0x24FF, exclude_categories=["Cs"]), max_size=20))
def test_the_same_as_all_at_once(name: str) -> None:
    """Within what is kept of a character, and but for what case folding leaves to be put together."""
    if "\ufffd" not in fold_name(name):
        whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        assert unicodedata.normalize("NFKC", fold_name(name)) == whole


def test_what_takes_the_square_of_a_length_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks out of order: 64 KiB of them took two seconds."""
    put_together: list[int] = []
    normalize = unicodedata.normalize

    def counted(form: str, text: str) -> str:
        put_together.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(folded_names.unicodedata, "normalize", counted)
    fold_name("a" + "\u0315\u0300" * 16_000)
    assert max(put_together, default=0) <= COMPOSED


def test_what_is_remembered_is_bounded() -> None:
    every = "".join(map(chr, range(0x3400, 0x9FFF)))
    assert fold_name(every) == every
    assert len(every) > folded_names._REMEMBERED >= len(folded_names._folded)
