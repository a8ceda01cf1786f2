"""Words split over several messages: found where their last part is said, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.listsource import parse
from filters.lists.wordlist import compile_list, load, of_words
from filters.model.verdict import Scan
from filters.reading.keywords import Bounds, Scanner
from filters.reading.window import Consecutive, Recent, Shown, Window, is_filler, within
from gateway.words.files import folding_tables

TABLES = folding_tables()
WORD = "代开发票"
KEY = ("live", "room", "sender")
SECOND = 1_000_000


def words_of(*words):
    return of_words(list(words), TABLES, "spam")


def patterns_of(*patterns, raw=False):
    text = ("@match raw\n" if raw else "") + "\n".join(patterns)
    return load(compile_list(parse(text, "shapes", kind="patterns"), TABLES).data, TABLES)


def listed(text):
    return load(compile_list(parse(text, "spam"), TABLES).data, TABLES)


def read(words, *messages, window=Window(), apart=0):  # noqa: B008  # a tuple cannot be changed
    """The scan of the last message behind the others, which came ``apart`` seconds from each other."""
    recent = Recent()
    at = 0
    for message in messages[:-1]:
        recent.add(KEY, (message,), at, window)
        at += round(apart * SECOND)
    last = (messages[-1],)
    return Consecutive([(words, window)], Bounds()).read(recent.before(KEY), last, Scanner([words]).scan(last), at)


def spans(scan):
    return {hit.spans for hits in scan.hits.values() for hit in hits}


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        (["代开", "发票"], {((0, 2),)}),
        (["代", "开", "发", "票"], {((0, 1),)}),  # by number no window would reach
        (["代", "开发票!"], {((0, 3),)}),
        (["看, 代开 ", "-发-票 吧"], {((0, 4),)}),  # separators fold away, and are covered
        (["代開", "發票"], {((0, 2),)}),
        (["代开", "好的", "发票"], set()),
        (["代开", "哈", "哈哈哈", "发票"], {((0, 2),)}),
        (["代", "666", "开", "😂😂", "发", "。。。", "票"], {((0, 1),)}),
        (["代开发票", "好"], set()),  # what stands in an earlier message is no news
        (["代开", "代开发票"], {((0, 4),)}),  # whole in the last one: found as ever
        (["发票", "代开"], set()),
    ],
)
def test_where_the_last_part_stands(messages, found):
    assert spans(read(words_of(WORD), *messages)) == found


def test_how_many_messages_were_read_is_told():
    (hit,) = read(words_of(WORD), "代", "开", "哈哈", "发票").hits["spam"]
    assert hit.messages == 3
    (hit,) = read(words_of(WORD), "代开", "代开发票").hits["spam"]
    assert hit.messages == 1


@pytest.mark.parametrize(
    ("word", "messages", "found"),
    [
        ("赌博", ["赌", "博"], True),
        ("赌博", ["来赌", "博"], True),
        ("口交", ["路口", "交通方便"], False),
        ("口交", ["路口", "交"], True),
        ("傻瓜", ["你个傻", "瓜"], True),
        ("傻瓜", ["你个傻", "瓜子"], False),
        ("一二三", ["看一", "二", "三吧"], True),  # a whole message between two
        ("idiot", ["you id", "iot please"], True),
        ("buy followers", ["buy", "followers"], True),
        ("ass", ["such as", "sure"], False),
    ],
)
def test_a_short_word_needs_a_whole_message_in_it(word, messages, found):
    assert bool(spans(read(words_of(word), *messages))) is found


def test_a_word_that_holds_laughter_is_found_split_at_it():
    assert spans(read(words_of("哈狗帮派"), "哈", "狗帮派")) == {((0, 3),)}
    assert spans(read(words_of("加我666"), "加我", "哈哈", "666")) == {((0, 3),)}
    assert spans(read(words_of("加我666号"), "加我", "哈哈", "666", "号")) == set()  # some but not others: not tried
    assert spans(read(words_of("加我666"), "加我", "666")) == {((0, 3),)}


def test_a_window_ends_by_time_and_by_length():
    words = words_of(WORD)
    assert spans(read(words, "代", "开", "发", "票", apart=5)) == {((0, 1),)}
    assert spans(read(words, "代", "开", "发", "票", apart=5.1)) == set()
    assert spans(read(words, "代开", "发票", window=Window(length=8))) == {((0, 2),)}
    assert spans(read(words, "代开", "一二三四五六七八", "票", window=Window(length=8))) == set()
    joined = "好" * 7
    assert spans(read(words_of("开" + joined + "票"), "代开" + joined, "票", window=Window(length=8))) == {((0, 1),)}


def test_lists_have_windows_of_their_own():
    near, far = listed("代开发票"), of_words(["刷单返利"], TABLES, "other")
    windows = Consecutive([(near, Window(within=SECOND)), (far, Window(within=60 * SECOND))], Bounds())
    assert windows.reach == Window(60 * SECOND, 64)
    said = [Shown(0, ("代开",), False), Shown(0, ("刷单",), False)]
    assert spans(windows.read(said[:1], ("发票",), Scan(), 2 * SECOND)) == set()
    assert spans(windows.read(said[1:], ("返利",), Scan(), 2 * SECOND)) == {((0, 2),)}


def test_allow_phrases_and_whole_words_count_across_messages():
    words = listed("@allow 反网上赌博\n网上赌博\n")
    assert spans(read(words, "网上", "赌博")) == {((0, 2),)}
    assert spans(read(words, "反网上", "赌博")) == set()


def test_compound_words_come_together_from_several_messages():
    words = listed("加微信 & 红包\n")
    assert spans(read(words, "加微信", "有红包")) == {((1, 3),)}
    assert spans(read(words, "红包", "红包")) == set()


def test_words_with_signs_come_together_too():
    assert spans(read(listed("18+\nC#\n"), "18", "+")) == {((0, 1),)}
    assert spans(read(listed("C#\n"), "C", "#")) == {((0, 1),)}


@pytest.mark.parametrize("raw", [False, True])
def test_patterns_are_read_across_messages(raw):
    assert spans(read(patterns_of("q[0-9]{6}", raw=raw), "my q12", "3456 ok")) == {((0, 4),)}


def test_each_field_is_read_for_itself():
    consecutive = Consecutive([(words_of(WORD), Window())], Bounds())
    scan = consecutive.read([Shown(0, ("代开", "x"), False)], ("发票", "发票"), Scan(), 0)
    assert [(hit.field, hit.spans) for hit in scan.hits["spam"]] == [(0, ((0, 2),))]


def test_a_text_that_cannot_be_read_fails_its_list():
    consecutive = Consecutive([(words_of(WORD), Window())], Bounds(text=100, folded=100))
    scan = consecutive.read([Shown(0, ("x" * 60,), False)], ("y" * 60,), Scan(), 0)
    assert scan.failed == {"spam": "fold.bound"}


def test_nothing_before_costs_nothing():
    scan = Scan()
    consecutive = Consecutive([(words_of(WORD), Window())], Bounds())
    assert consecutive.read((), ("发票",), scan, 0) is scan
    assert consecutive.read([Shown(0, ("好",), False)], ("发票",), scan, 0) is scan


letters = st.text(st.sampled_from("代开发票好 .吗a"), max_size=8)


@settings(max_examples=300, deadline=None)
@given(st.lists(letters, min_size=1, max_size=5))
def test_a_split_is_found_where_the_joined_text_holds_the_word_across_the_border(messages):
    words = words_of(WORD)
    scan = read(words, *messages)
    joined = Scanner([words]).scan(("".join(messages),))
    alone = Scanner([words]).scan((messages[-1],))
    border = len("".join(messages[:-1]))
    across = {
        (max(start, border) - border, end - border)
        for hits in joined.hits.values()
        for hit in hits
        for start, end in hit.spans
        if start < border < end
    }
    found = {span for hits in scan.hits.values() for hit in hits for span in hit.spans}
    if alone.hits:
        assert scan == alone
    else:
        assert across <= found
    for start, end in found:
        assert 0 <= start < end <= len(messages[-1])


# what contributes nothing


@pytest.mark.parametrize(
    "text",
    [
        "哈",
        "哈哈哈哈",
        "呵呵",
        "嗯嗯",
        "666",
        "66666",
        "2333",
        "haha",
        "HAHAHA!!",
        "lol",
        "hhh",
        "ㅋㅋㅋ",
        "ههههه",
        "хаха",
        "😂😂",
        "。。。",
        "",
        " ",
    ],
)
def test_fillers(text):
    assert is_filler((text,))


@pytest.mark.parametrize("text", ["哈狗", "代", "6点", "hat", "haha no", "12", "好", "哈" * 65])
def test_no_fillers(text):
    assert not is_filler((text,))


def test_a_message_with_several_texts_is_one_filler_or_none():
    assert is_filler(("哈", "😂"))
    assert not is_filler(("哈", "代"))


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("hahi哈6lowxmх"), max_size=64))
def test_looking_for_fillers_ends(text):
    is_filler((text,))


# what is remembered


def test_recent_knows_people_and_places_apart():
    recent = Recent()
    recent.add(KEY, ("a",), 0, Window())
    recent.add(KEY, ("",), 0, Window())
    assert [one.texts for one in recent.before(KEY)] == [("a",)]
    assert recent.before(("live", "other", "sender")) == ()


def test_recent_is_bounded_in_people():
    recent = Recent(most=3)
    for number in range(10):
        recent.add(("live", "room", str(number)), ("a",), 0, Window())
    assert len(recent) == 3
    assert recent.before(("live", "room", "9"))
    recent.add(("live", "room", "7"), ("b",), 0, Window())
    recent.add(KEY, ("c",), 0, Window())
    assert recent.before(("live", "room", "7")), "who spoke last is kept"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.text(max_size=300), min_size=1, max_size=3), st.integers(0, 5)), max_size=30),
    st.integers(8, 64),
)
def test_what_is_kept_is_bounded_and_the_end_of_what_was_said(said, length):
    recent, window, now = Recent(), Window(10 * SECOND, length), 0
    for texts, later in said:
        now += later * SECOND
        recent.add(KEY, tuple(texts), now, window)
    kept = within(recent.before(KEY), now, window)
    for filler in (False, True):
        assert sum(max(map(len, one.texts)) for one in kept if one.filler is filler) <= length
    assert all(now - one.at <= window.within for one in kept)
    every = [tuple(texts) for texts, _ in said]
    assert all(
        any(all(full.endswith(part) for part, full in zip(one.texts, texts, strict=False)) for texts in every)
        for one in kept
    )


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        (["代<b>开</b>", "<i>发</i>票"], {((3, 4), (8, 9))}),
        (["&#20195;开", "发&#31080;"], {((0, 9),)}),
        (["<p>代</p>", "<p>开</p>", "<p>发票</p>"], {((3, 5),)}),
        (["代开", "<i>哈哈</i>", "<b></b>", "发票"], {((0, 2),)}),
        (["代<script>x</script>开", "发<style>y</style>票"], {((0, 1), (17, 18))}),
        (["<template>代</template>开", "发票"], {((0, 2),)}),
        (["代开", "<img alt='发票'>"], {((10, 12),)}),  # what stands there where it cannot be loaded
        (["代开", "<img title='发票'>"], set()),
        (["代开<b title='x'>", "发票"], {((0, 2),)}),
    ],
)
def test_markup_is_undone_in_each_message(messages, found):
    words = words_of(WORD)
    assert spans(read_marked(words, *messages)) == found
    plain = listed(f"@fold markup off\n{WORD}\n")
    assert spans(read_marked(plain, *messages)) == spans(read(words, *messages))


def test_raw_patterns_read_the_markup_over_messages():
    raw = patterns_of("<b>x</b>", raw=True)
    assert spans(read_marked(raw, "a<b>", "x</b>")) == {((0, 5),)}
    assert spans(read_marked(patterns_of("ax"), "a<b>", "x</b>")) == {((0, 1),)}


def read_marked(words, *messages):
    recent = Recent()
    for message in messages[:-1]:
        recent.add(KEY, (message,), 0, Window())
    last = (messages[-1],)
    scan = Scanner([words], markup="html").scan(last)
    return Consecutive([(words, Window())], Bounds(), "html").read(recent.before(KEY), last, scan, 0)
