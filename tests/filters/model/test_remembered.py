from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from filters.model.remembered import Remembered


def test_one_more_than_most_forgets_all_before() -> None:
    squares: Remembered[int, int] = Remembered(2)
    known = squares.known
    assert [squares.put(n, n * n) for n in (1, 2)] == [1, 4]
    assert known == {1: 1, 2: 4}
    assert squares.put(3, 9) == 9
    assert known == {3: 9}
    assert squares.known is known


@given(st.integers(1, 5), st.lists(st.integers(0, 9)))
def test_what_is_known_is_right_and_bounded(most: int, asked: list[int]) -> None:
    squares: Remembered[int, int] = Remembered(most)
    for n in asked:
        found = squares.known.get(n)
        assert found is None or found == n * n
        assert (squares.put(n, n * n) if found is None else found) == n * n
        assert 1 <= len(squares.known) <= most
