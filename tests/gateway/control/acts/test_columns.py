"""Texts that PostgreSQL cannot hold as they are are written in another way, each in one of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from gateway.control.acts.columns import MARK, Storable

TEXTS = st.text(alphabet=st.sampled_from(["\0", MARK, "0", "1", "a"]), max_size=12)


@given(TEXTS)
def test_what_is_written_is_read_as_it_was(text: str) -> None:
    column, dialect = Storable(8), postgresql.dialect()  # type: ignore[no-untyped-call]
    stored = column.process_bind_param(text, dialect)
    assert stored is not None
    assert "\0" not in stored
    assert column.process_result_value(stored, dialect) == text
    assert column.process_bind_param(text, sqlite.dialect()) == text  # type: ignore[no-untyped-call]


@given(TEXTS, TEXTS)
def test_two_texts_stay_two(one: str, other: str) -> None:
    column, dialect = Storable(8), postgresql.dialect()  # type: ignore[no-untyped-call]
    same = column.process_bind_param(one, dialect) == column.process_bind_param(other, dialect)
    assert same == (one == other)
