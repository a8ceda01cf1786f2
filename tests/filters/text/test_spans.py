"""Merging stretches, what allow phrases take, and the bound on hits."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from filters.model.verdict import Hit
from filters.text.spans import Allowed, bounded, merged

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def test_overlapping_become_one_touching_stay_two() -> None:
    assert merged([(4, 6), (0, 3), (2, 4), (6, 8), (6, 7)]) == ((0, 4), (4, 6), (6, 8))


@given(spans)
def test_merged_covers_the_same_places_once(given_spans: list[tuple[int, int]]) -> None:
    found = merged(given_spans)
    assert {place for span in found for place in range(*span)} == {p for span in given_spans for p in range(*span)}
    assert all(left[1] <= right[0] for left, right in pairwise(found))


@given(spans, spans)
def test_allowed_is_containment(phrases: list[tuple[int, int]], words: list[tuple[int, int]]) -> None:
    allowed = Allowed(phrases)
    for start, end in words:
        assert allowed.takes(start, end) == any(first <= start and end <= last for first, last in phrases)


def hit(word: int, severity: int, *where: tuple[int, int]) -> Hit:
    return Hit("list", "digest", word, "category", severity, 0, where)


def test_past_the_bound_nothing_is_lost_but_the_names_of_the_slightest() -> None:
    hits = [hit(1, 5, (0, 2)), hit(2, 9, (8, 9)), hit(3, 1, (4, 6)), hit(4, 3, (5, 7))]
    kept = bounded(list(hits), 3)
    assert [(each.word_id, each.spans) for each in kept] == [(1, ((0, 2),)), (4, ((4, 7),)), (2, ((8, 9),))]
    assert bounded(list(hits), 4) == tuple(sorted(hits, key=lambda each: each.spans))


@given(st.lists(st.tuples(st.integers(1, 9), spans.filter(bool)), max_size=12), st.integers(1, 5))
def test_any_bound_keeps_every_place_and_the_gravest(drawn: list[tuple[int, list[tuple[int, int]]]], most: int) -> None:
    hits = [hit(word, severity, *merged(where)) for word, (severity, where) in enumerate(drawn)]
    kept = bounded(list(hits), most)
    assert len(kept) == min(len(hits), most)
    places = [{p for each in some for span in each.spans for p in range(*span)} for some in (hits, kept)]
    assert places[0] == places[1]
    assert max((each.severity for each in kept), default=0) == max((each.severity for each in hits), default=0)
