"""What a list finds: evasions of its words, and what must not be found."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters.lists.listsource import ListErrors
from filters.lists.matcher import AHOCORASICK, compiled, restored
from filters.lists.wordlist import WordList, compile_list, list_digest, load, of_words, parse
from filters.model.verdict import Finding, Hit
from filters.policy import masked
from filters.reading.keywords import AnyList, Bounds, Scanner
from filters.text.tables import FoldTables
from gateway.words.files import folding_tables

TABLES = folding_tables()

DEMO = """\
网上赌博
网上赌场开户
代开发票
buy followers
傻瓜
idiot
@allow 反网上赌博
"""


def make(text: str, name: str = "list") -> WordList:
    loaded = load(compile_list(parse(text, name), TABLES).data, TABLES)
    assert isinstance(loaded, WordList)
    return loaded


DEMO_LIST = make(DEMO)


def hits(loaded: AnyList, text: str) -> tuple[Hit, ...]:
    return Scanner([loaded], bounds=Bounds(text=10_000)).scan((text,)).hits.get(loaded.name, ())


def covered(loaded: AnyList, text: str) -> dict[str | None, list[str]]:
    return {loaded.word(hit.word_id): [text[start:end] for start, end in hit.spans] for hit in hits(loaded, text)}


@pytest.mark.parametrize(
    ("word", "evasion"),
    [
        ("网上赌博", "網上賭博"),
        ("网上赌博", "网.上-赌★博"),
        ("网上赌博", "网😀上👨‍👩‍👧赌🎲博"),
        ("网上赌博", "网\u200b上\u2060赌\ufeff博"),
        ("网上赌博", "\u202e网上\u202c赌博"),
        ("网上赌博", "网\ufe0f上\U000e0100赌博"),
        ("网上赌博", "网上网上赌赌赌博博"[2:]),
        ("网上赌博", "网网网上上上赌博"),
        ("网上赌博", "网\u0336上\u0336赌\u0336博\u0336"),
        ("网上赌博", "网็上็赌博"),
        ("网上赌博", "网 上\n赌\u3000博"),
        ("代开发票", "代開發票"),
        ("傻瓜", "傻~瓜"),
        ("idiot", "IDIOT"),
        ("idiot", "ＩＤＩＯＴ"),
        ("idiot", "𝓲𝓭𝓲𝓸𝓽"),
        ("idiot", "𝕴𝖉𝖎𝖔𝖙"),
        ("idiot", "ⓘⓓⓘⓞⓣ"),
        ("idiot", "🅸🅳🅸🅾🆃"),
        ("idiot", "іdіоt"),
        ("idiot", "ιdιοτ"),
        ("idiot", "ídïøt"),
        ("idiot", "i.d.i.o.t"),
        ("idiot", "i d i o t"),
        ("idiot", "idiooooot"),
        ("idiot", "iiddiioott"),
        ("idiot", "i\u0332d\u0332i\u0332o\u0332t\u0332"),
        ("idiot", "i\u200dd\u00adi\u200co\u2062t"),
        ("buy followers", "Buy  Followers"),
        ("buy followers", "buyfollowers"),
        ("buy followers", "buy-followers"),
        ("buy followers", "b u y f o l l o w e r s"),
    ],
)
def test_evasions_are_found_and_covered_whole(word: str, evasion: str) -> None:
    assert covered(DEMO_LIST, evasion)[word] == [evasion.lstrip("\u202e")]
    assert word in covered(DEMO_LIST, f"他说，{evasion}！好。")


@pytest.mark.parametrize(
    ("word", "evasion"),
    [("加群520", "加群五②零"), ("加群520", "加群⑸⒉⓿"), ("110", "壹一〇"), ("404", "４🄁④"[0] + "⓿④")],
)
def test_number_styles(word: str, evasion: str) -> None:
    assert covered(make(word), evasion) == {word: [evasion]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "★😀",
        "今天天气不错",
        "反网上赌博",
        "我们反網上賭博！",
        "idiots",
        "idiotic",
        "videoidiot",
        "buy followersx",
        "傻，他说。瓜",  # something else between
        "上网赌博",
    ],
)
def test_what_must_not_be_found(text: str) -> None:
    assert covered(DEMO_LIST, text) == {}


def test_an_allow_phrase_takes_only_what_lies_within_it() -> None:
    assert covered(DEMO_LIST, "反网上赌博，网上赌博") == {"网上赌博": ["网上赌博"]}
    longer = make("反网上赌博群\n网上赌博\n@allow 反网上赌博\n")
    assert covered(longer, "反网上赌博群") == {"反网上赌博群": ["反网上赌博群"]}


def test_cross_word_hits_are_taken_by_an_allow_phrase() -> None:
    assert covered(make("口交"), "路口交通") == {"口交": ["口交"]}
    assert covered(make("口交\n@allow 路口交通"), "十字路口交通灯") == {}


@pytest.mark.parametrize("text", ["Scunthorpe", "it's hit me", "push it", "this hit", "shitake", "wish itself"])
def test_the_scunthorpe_problem(text: str) -> None:
    assert covered(make("cunt\nshit"), text) == {}


def test_whole_word_off_and_on() -> None:
    assert covered(make("idiot | whole-word off"), "you idiots") == {"idiot": ["idiot"]}
    assert covered(make("加vx"), "加vxyz") == {"加vx": ["加vx"]}
    assert covered(make("加vx | whole-word on"), "加vxyz") == {}
    assert covered(make("加vx | whole-word on"), "加vx123") == {"加vx": ["加vx"]}


def test_letters_bound_letters_and_digits_bound_digits() -> None:
    assert covered(make("qq"), "加qq12345") == {"qq": ["qq"]}
    assert covered(make("110"), "打110吧") == {"110": ["110"]}
    assert covered(make("110"), "1101 2110") == {}
    assert covered(make("13800138000"), "138 0013 8000") == {"13800138000": ["138 0013 8000"]}


def test_doubled_letters_spell_another_word() -> None:
    loaded = make("god\ncoffee")
    assert covered(loaded, "good") == {}
    assert covered(loaded, "god") == covered(loaded, "god")
    assert covered(loaded, "goood") == {"god": ["goood"]}
    assert covered(loaded, "cofee") == {}
    assert covered(loaded, "coffffee") == {"coffee": ["coffffee"]}
    assert covered(make("kfc | whole-word off"), "kkfc") == {"kfc": ["kfc"]}
    assert covered(make("666"), "66 6666") == {}  # digits have no repeats
    assert covered(make("666"), "66 666 6") == {"666": ["666"]}
    assert covered(make("666"), "66") == {}
    assert covered(make("爸爸"), "爸") == {}


def test_compounds() -> None:
    loaded = make("代开 & 发票 & !咨询\n@allow 发票箱")
    assert covered(loaded, "可代開各种发票") == {"代开 & 发票 & !咨询": ["代開", "发票"]}
    assert covered(loaded, "代开发票，咨询") == {}
    assert covered(loaded, "代开") == {}
    assert covered(loaded, "代开发票箱") == {}
    assert covered(make("a & !b"), "a") == {"a & !b": ["a"]}


def test_leetspeak_where_the_list_asks() -> None:
    loaded = make("@fold leetspeak on\nidiot\n")
    assert covered(loaded, "you 1D10T!") == {"idiot": ["1D10T"]}
    assert covered(loaded, "@idiot!") == {"idiot": ["idiot"]}
    assert covered(DEMO_LIST, "1d10t") == {}


def test_switches_of_a_list() -> None:
    strict = make("@fold separators, repeats off\n网上 赌博\n傻瓜\n")
    assert covered(strict, "傻.瓜 傻傻瓜") == {"傻瓜": ["傻瓜"]}
    assert covered(strict, "网上 赌博 网上赌博") == {"网上 赌博": ["网上 赌博"]}


def test_category_and_severity_of_a_hit() -> None:
    loaded = make("@category fraud\n@severity 7\n刷单返利\n傻瓜 | category abuse | severity 2\n")
    told = {loaded.word(hit.word_id): (hit.category, hit.severity, hit.digest) for hit in hits(loaded, "刷单返利傻瓜")}
    assert told == {"刷单返利": ("fraud", 7, loaded.digest), "傻瓜": ("abuse", 2, loaded.digest)}


def test_ids_stay_when_lines_move_and_digests_too() -> None:
    one, other = make("# one\n傻瓜\nidiot\n代开 & 发票\n"), make("代开 & 发票\n\nidiot\n傻瓜\n")
    text = "傻瓜 idiot 代开发票"
    assert {hit.word_id for hit in hits(one, text)} == {hit.word_id for hit in hits(other, text)}
    assert one.digest == other.digest == list_digest(parse("傻瓜\nidiot\n代开 & 发票", "list"), TABLES)
    assert all(0 <= hit.word_id < 1 << 52 for hit in hits(one, text))
    assert one.digest != make("傻瓜\nidiot\n代开 & 发票\nx").digest
    assert one.digest != make("@fold case off\n傻瓜\nidiot\n代开 & 发票").digest
    assert one.word(12345) is None


def test_words_that_fold_alike_are_one() -> None:
    compiled = compile_list(parse("网上赌博\n網上賭博\nａ\nA", "l"), TABLES)
    assert compiled.entries == 2
    assert [str(notice) for notice in compiled.notices] == [
        "line 2: folds to the same as line 1; one of them can go",
        "line 4: folds to the same as line 3; one of them can go",
    ]


def test_words_that_cannot_be_compiled() -> None:
    with pytest.raises(ListErrors) as caught:
        compile_list(parse("★\n傻瓜\n@allow 傻瓜\n好 & ★\n", "bad"), TABLES)
    assert [problem.line for problem in caught.value.problems] == [1, 3, 4]


def test_empty_list() -> None:
    empty = make("# nothing yet\n")
    assert len(empty) == 0
    assert hits(empty, "anything") == ()


def test_urgent_words_keep_their_places() -> None:
    loaded = of_words(["紧急词", "# not a comment", "紧急词", "緊急詞", "last | word"], TABLES)
    assert [hit.word_id for hit in hits(loaded, "紧.急词 # not a comment last word")] == [0, 1, 4]
    assert loaded.name == "urgent"
    with pytest.raises(ListErrors):
        of_words(["★"], TABLES)


def test_a_flood_of_words_is_bounded_and_nothing_is_unmasked() -> None:
    words = [chr(0x5000 + place) + chr(0x6000 + place) for place in range(200)]
    loaded = make("\n".join(words))
    text = "，".join(words)
    found = Scanner([loaded], bounds=Bounds(hits=10)).scan((text,)).hits["list"]
    assert len(found) == 10
    assert set(masked((text,), [Finding("keywords", "keyword.match", hit) for hit in found])[0]) == {"*", "，"}


WORDS = ["网上赌博", "赌博", "傻瓜", "idiot", "buy followers", "110"]
SOME = make("\n".join([*WORDS, "@allow 反赌博"]))
BETWEEN = ["", ".", "★", "😀", "\u200b", "\ufe0f", "-", "\u202e", "\u0301"]


@st.composite
def evasions(draw: st.DrawFn) -> tuple[str, str]:
    """A word and a spelling of it: other scripts' letters, separators, invisible characters, other cases."""
    word = draw(st.sampled_from(["网上赌博", "傻瓜", "idiot"]))
    spellings = {"网": "网網", "赌": "赌賭", "i": "iIｉіι𝓲ⓘ", "o": "oOо𝓸ｏ", "t": "tTτ🆃", "d": "dＤ𝕕ⓓ"}
    letters = [draw(st.sampled_from(spellings.get(char, char))) for char in word]
    gaps = [draw(st.sampled_from(BETWEEN)) for _ in word[1:]]
    if word == "idiot" and gaps.count(".") == 1:
        gaps = ["-" if gap == "." else gap for gap in gaps]  # one stop in a Latin word is ordinary writing
    return word, letters[0] + "".join(gap + letter for gap, letter in zip(gaps, letters[1:], strict=True))


@given(evasions(), st.text("好天气，。 ", max_size=6), st.text("好天气，。 ", max_size=6))
def test_any_evasion_is_found_covered_and_gone_once_masked(evasion: tuple[str, str], before: str, after: str) -> None:
    word, spelled = evasion
    text = before + spelled + after
    found = hits(DEMO_LIST, text)
    assert covered(DEMO_LIST, text) == {word: [spelled]}
    (rest,) = masked((text,), [Finding("keywords", "keyword.match", hit) for hit in found])
    assert hits(DEMO_LIST, rest) == ()
    assert len(rest) == len(text)


pieces = st.sampled_from(
    [*WORDS, "反", "赌", "博", "网", "i", "d", "good", "１", "0", " ", "，", "😀", "\u200b", "網", "ﬀ", "Ｉ"]
)
texts = st.lists(pieces, max_size=12).map("".join)


@given(texts)
@example("反赌博网上赌博反赌博")
def test_both_engines_give_the_same_hits(text: str) -> None:
    other = make("\n".join([*WORDS, "@allow 反赌博"]))
    other.find = restored(compiled(other.rows(), AHOCORASICK), AHOCORASICK)
    assert hits(other, text) == hits(SOME, text)


@given(texts)
def test_spans_lie_in_the_text_and_masking_ends(text: str) -> None:
    """Masking may join what stood apart, but never more often than there are characters."""
    for _ in range(len(text) + 1):
        found = hits(SOME, text)
        if not found:
            break
        for hit in found:
            assert all(0 <= start < end <= len(text) for start, end in hit.spans)
            assert list(hit.spans) == sorted(hit.spans)
        (text,) = masked((text,), [Finding("keywords", "keyword.match", hit) for hit in found])
    else:
        pytest.fail("masking did not end")


def test_made_fixture_and_lists_agree(made: Callable[..., AnyList], tables: FoldTables) -> None:
    assert made("傻瓜").digest == list_digest(parse("傻瓜", "list"), tables)
