"""Words split over consecutive messages: found where their last part is said, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.listsource import parse
from filters.lists.wordlist import compile_list, load, of_words
from filters.model.verdict import Scan
from filters.reading.keywords import Bounds, Scanner
from filters.reading.window import KEPT, WITHIN_US, Consecutive, Recent
from gateway.words.files import folding_tables

TABLES = folding_tables()
WORD = "代开发票"
KEY = ("live", "room", "sender")


def words_of(*words):
    return of_words(list(words), TABLES, "spam")


def patterns_of(*patterns, raw=False):
    text = ("@match raw\n" if raw else "") + "\n".join(patterns)
    return load(compile_list(parse(text, "shapes", kind="patterns"), TABLES).data, TABLES)


def read(words, reach, *messages):
    """The scan of the last message behind the others."""
    *before, last = [(text,) for text in messages]
    consecutive = Consecutive([(words, reach)], Bounds())
    return consecutive.read(before, last, Scanner([words]).scan(last))


def spans(scan):
    return {hit.spans for hits in scan.hits.values() for hit in hits}


@pytest.mark.parametrize(
    ("reach", "messages", "found"),
    [
        (2, ["代开", "发票"], {((0, 2),)}),
        (2, ["代", "开发票!"], {((0, 3),)}),
        (2, ["看, 代开 ", "-发-票 吧"], {((0, 4),)}),  # separators fold away, and are covered
        (2, ["代開", "發票"], {((0, 2),)}),
        (2, ["代开", "发", "票"], set()),  # three messages, and two are read
        (3, ["代开", "发", "票"], {((0, 1),)}),
        (3, ["代开", "好的", "发票"], set()),
        (2, ["代开发票", "好"], set()),  # what stands in an earlier message is no news
        (2, ["代开", "代开发票"], {((0, 4),)}),  # whole in the last one: found as ever
        (2, ["发票", "代开"], set()),
    ],
)
def test_where_the_last_part_stands(reach, messages, found):
    scan = read(words_of(WORD), reach, *messages)
    assert spans(scan) == found
    for hits in scan.hits.values():
        for hit in hits:
            assert hit.messages == (min(reach, len(messages)) if messages[-1].find(WORD) < 0 else 1)


def test_allow_phrases_and_whole_words_count_across_messages():
    listed = load(compile_list(parse("@allow 反网上赌博\n网上赌博\n", "spam"), TABLES).data, TABLES)
    assert spans(read(listed, 2, "网上", "赌博")) == {((0, 2),)}
    assert spans(read(listed, 2, "反网上", "赌博")) == set()


def test_compound_words_come_together_from_several_messages():
    listed = load(compile_list(parse("加微信 & 红包\n", "spam"), TABLES).data, TABLES)
    assert spans(read(listed, 2, "加微信", "有红包")) == {((1, 3),)}
    assert spans(read(listed, 2, "红包", "红包")) == set()


@pytest.mark.parametrize("raw", [False, True])
def test_patterns_are_read_across_messages(raw):
    assert spans(read(patterns_of("q[0-9]{6}", raw=raw), 2, "my q12", "3456 ok")) == {((0, 4),)}


def test_each_field_is_read_for_itself():
    consecutive = Consecutive([(words_of(WORD), 2)], Bounds())
    scan = consecutive.read([("代开", "x")], ("发票", "发票"), Scan())
    assert [(hit.field, hit.spans) for hit in scan.hits["spam"]] == [(0, ((0, 2),))]


def test_a_text_that_cannot_be_read_fails_its_list():
    consecutive = Consecutive([(words_of(WORD), 2)], Bounds(text=100, folded=100))
    scan = consecutive.read([("x" * 60,)], ("y" * 60,), Scan())
    assert scan.failed == {"spam": "fold.bound"}


def test_nothing_before_costs_nothing():
    scan = Scan()
    assert Consecutive([(words_of(WORD), 2)], Bounds()).read((), ("发票",), scan) is scan
    assert Consecutive([(words_of(WORD), 2)], Bounds()).read([("好",)], ("发票",), scan) is scan


letters = st.text(st.sampled_from("代开发票好 .吗a"), max_size=8)


@settings(max_examples=300, deadline=None)
@given(st.lists(letters, min_size=1, max_size=5), st.integers(2, 4))
def test_a_split_is_found_exactly_where_the_joined_text_holds_the_word_across_the_border(messages, reach):
    words = words_of(WORD)
    scan = read(words, reach, *messages)
    prefix = "".join(messages[-reach:-1])
    joined = Scanner([words]).scan((prefix + messages[-1],))
    alone = Scanner([words]).scan((messages[-1],))
    border = len(prefix)
    across = {
        (max(start, border) - border, end - border)
        for hits in joined.hits.values()
        for hit in hits
        for start, end in hit.spans
        if start < border < end
    }
    found = {span for hits in scan.hits.values() for hit in hits for span in hit.spans}
    if not alone.hits:
        assert across <= found
        assert bool(found) == bool(across) or border == 0
    else:
        assert scan == alone
    for start, end in found:
        assert 0 <= start < end <= len(messages[-1])


# what is remembered


def test_recent_keeps_the_newest_of_a_person_in_a_place():
    recent = Recent()
    for number in range(5):
        recent.add(KEY, (f"m{number}",), number, 2)
    assert recent.before(KEY, 5) == (("m3",), ("m4",))
    assert recent.before(("live", "other", "sender"), 5) == ()


def test_recent_is_bounded_in_text_people_and_time():
    recent = Recent(most=3)
    recent.add(KEY, ("x" * 10_000,), 0, 5)
    recent.add(KEY, ("yy",), 0, 5)
    kept = recent.before(KEY, 0)
    assert sum(len(text) for texts in kept for text in texts) == KEPT
    assert kept[-1] == ("yy",)
    assert recent.before(KEY, WITHIN_US) == kept
    assert recent.before(KEY, WITHIN_US + 1) == ()
    for number in range(10):
        recent.add(("live", "room", str(number)), ("a",), 0, 1)
    assert len(recent) == 3
    assert recent.before(KEY, 0) == ()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text(max_size=300), min_size=1, max_size=3), max_size=12), st.integers(1, 5))
def test_what_is_kept_is_always_the_end_of_what_was_said(said, most):
    recent = Recent()
    for texts in said:
        recent.add(KEY, tuple(texts), 0, most)
    kept = recent.before(KEY, 0)
    assert len(kept) <= most
    assert sum(max(map(len, texts), default=0) for texts in kept) <= KEPT
    for texts, whole in zip(reversed(kept), reversed(said), strict=False):
        assert all(full.endswith(part) for part, full in zip(texts, whole, strict=True))
