"""Does a word stand where it was found? Each rule of docs/word-lists.md with innocent and evading texts, and the law
that holds them all: a plain word is found whatever stands beside it, and its span is the word."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.lists.listsource import ListErrors
from filters.lists.rows import _simply
from filters.lists.shape import Shape
from filters.lists.strictness import DEFAULT
from filters.lists.wordlist import WordList, compile_list, load, parse
from filters.reading.keywords import Bounds, Scanner
from filters.text.folding import folder
from filters.text.numerals import goes_on
from filters.text.signs import APOSTROPHES, CLAUSE_MARKS, ENUMERATING, FULL_STOPS, pauses
from filters.text.tables import WORDS as WORDS_FOLD
from gateway.words.files import folding_tables

TABLES = folding_tables()


def make(text: str) -> WordList:
    loaded = load(compile_list(parse(text, "list"), TABLES).data, TABLES)
    assert isinstance(loaded, WordList)
    return loaded


def stands(source: str | WordList, text: str) -> list[str]:
    """What of the text is covered, whatever the word."""
    loaded = make(source) if isinstance(source, str) else source
    hits = Scanner([loaded], bounds=Bounds(text=70_000, folded=70_000)).scan((text,)).hits.get("list", ())
    return [text[start:end] for hit in hits for start, end in hit.spans]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("idiot", "you idiot talk too much"),
        ("idiot", "idiot, that is wrong"),
        ("idiot", "hi idiot"),
        ("idiot", "i idiot t"),
        ("llama", "all llama all"),
        ("спам", "спам мне"),
        ("спам", "с спам"),
        ("傻瓜", "傻瓜，瓜子脸"),
        ("网上赌博", "网上赌博，博主说"),
        ("网上赌博", "网上赌博博主"),
        ("网上赌博", "网网上赌博"),
        ("妈的", "妈妈的味道"),
        ("개새끼", "개 개새끼 끼"),
        ("علم", "م علم ع"),
        ("110", "1 110 0"),
        ("110", "11 110 01"),
        ("八年", "打了八年年年"[:5]),
        ("加群520", "加加群520 0"),
        ("kfc | whole-word off", "kkfcc"),
    ],
)
def test_a_neighbour_that_shares_the_border_letter(word: str, text: str) -> None:
    assert stands(word, text) == [word.split(" |", maxsplit=1)[0]]


def test_several_words_share_a_border_letter() -> None:
    assert stands("buy followers", "BUY FOLLOWERS SALE") == ["BUY FOLLOWERS"]
    assert stands("idiot", "idiot talk, idiot, idiot") == ["idiot"] * 3
    assert stands("a", "a a aaaa b") == ["a", "a"]
    assert stands("a | repeats all", "a a aaaa b") == ["a", "a", "aaaa"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("ass", "such as S&P 500"),
        ("butt", "but T-shirt"),
        ("110", "1100"),
        ("110", "1110"),
        ("250", "2500"),
        ("250", "2 50"),
        ("110", "v1.1.0"),
        ("110", "11:0"),
        ("٢٥٠", "٢٥٠٠"),
        ("大家好", "大家家好"),
        ("good", "god"),
        ("god", "good"),
        ("god | repeats off", "goood"),
        ("xx", "XXX true?"),
        ("ww", "www.a.org"),
        ("xx", "OS X X11"),
        ("s&m", "HH:MM:SS.mmmmmm"),
    ],
)
def test_runs_that_are_no_repeats(word: str, text: str) -> None:
    assert stands(word, text) == []


@pytest.mark.parametrize(
    ("word", "text", "covered"),
    [
        ("god", "goood", "goood"),
        ("god", "ggoodd", "ggoodd"),
        ("god | repeats all", "good", "good"),
        ("赌博", "赌赌博博", "赌博"),
        ("赌博", "去赌赌赌赌博吧", "赌博"),
        ("扎实", "扎扎实实", "扎实"),
        ("超级", "超超超级麻烦", "超级"),
        ("大家好", "大大家家好好", "大大家家好好"),
        ("大家好", "大家家家好", "大家家家好"),
        ("网上赌博", "网上上赌博", "网上上赌博"),
        ("网上赌博", "网.网.上.上.赌.赌.博.博", "网.网.上.上.赌.赌.博.博"),
        ("idiot", "i.i.d.d.i.i.o.o.t.t", "i.i.d.d.i.i.o.o.t.t"),
        ("13800138000", "138 0013 8000", "138 0013 8000"),
        ("110", "1-1-0", "1-1-0"),
    ],
)
def test_runs_that_are_repeats(word: str, text: str, covered: str) -> None:
    assert stands(word, text) == [covered]


PAUSES = [". ", ".\n", " .", "…", "……", "...", "。。。", "．．．", "⋯⋯", "——", "———", "──", "⸺", *"～〜／＼｜‖~/\\|"]


@pytest.mark.parametrize("sign", sorted(CLAUSE_MARKS) + PAUSES)
def test_han_words_across_what_ends_a_clause(sign: str) -> None:
    assert stands("口交", f"酒店门口{sign}交通方便") == []
    assert stands("客服", f"必胜客{sign}服务好") == []
    assert stands("大家好", f"大家{sign}好人") == []
    assert stands("赌博", f"赌{sign}博") == [f"赌{sign}博"]
    assert stands("大家好", f"，大{sign}家，好。") == [f"大{sign}家，好"]
    assert stands("网上赌博", f"网上{sign}赌博") == [f"网上{sign}赌博"]
    assert stands("网上赌博 | clause long", f"在网上{sign}赌博吧") == [f"网上{sign}赌博"]
    assert stands("网上赌博", f"在网上{sign}赌博吧") == ([] if pauses(sign) else [f"网上{sign}赌博"])
    assert stands("网上赌博", f"在网{sign}上{sign}赌博吧") == []
    assert stands("网上赌博", f"在网{sign}上{sign}赌{sign}博吧") == [f"网{sign}上{sign}赌{sign}博"]
    assert stands("网上赌博 | clause strict", f"在网上{sign}赌博吧") == []
    assert stands("口交 | clause all", f"酒店门口{sign}交通方便") == [f"口{sign}交"]
    assert stands("@clause all\n口交", f"酒店门口{sign}交通方便") == [f"口{sign}交"]
    assert stands("개새끼", f"무지개{sign}새끼손가락") == []


@pytest.mark.parametrize("sign", sorted(set("，。；：！？、,;:!?\n\u2028؟।") - ENUMERATING))
def test_a_pause_in_a_longer_word_is_odd_where_a_clause_lies_in_the_word(sign: str) -> None:
    word = "代开发票\n鸡鸭鱼肉"
    assert stands(word, f"有事说：代开{sign}发票找我") == [f"代开{sign}发票"]
    assert stands(word, f"我代开{sign}发票。") == [f"代开{sign}发票"]
    assert stands(word, f"他忙着代开{sign}发票很多") == []
    assert stands(word, f"道德{sign}代开{sign}发票{sign}涵养") == []
    assert stands(word, f"水果、代开{sign}发票很多") == []
    assert stands(word, f"我代{sign}开发{sign}票。") == []
    assert stands("代开发票 | clause long", f"他忙着代开{sign}发票很多") == [f"代开{sign}发票"]
    assert stands("代开发票 | clause strict", f"代开{sign}发票") == []


@pytest.mark.parametrize("sign", sorted(ENUMERATING))
def test_an_enumeration_is_no_word(sign: str) -> None:
    assert (
        stands("方针政策", f"路线、方针{sign}政策。执行党的方针{sign}政策，大政方针{sign}政策。方针{sign}政策和") == []
    )
    assert stands("鸡鸭鱼肉", f"吃的鸡{sign}鸭{sign}鱼{sign}肉都有") == [f"鸡{sign}鸭{sign}鱼{sign}肉"]
    assert stands("代开发票\n赌博", f"代开{sign}发票 赌{sign}博") == [f"代开{sign}发票", f"赌{sign}博"]
    assert stands("扫黄打非", f"在“扫黄”{sign}“打非”中") == []
    assert stands("区市", f"省（区{sign}市）") == []
    assert stands("方针政策 | clause long", f"党的方针{sign}政策的") == [f"方针{sign}政策"]


@pytest.mark.parametrize(("left", "right"), ["“”", "（）", "《》", "「」", "【】", '""', "＇＇"])
def test_a_quoted_part_is_no_disguise(left: str, right: str) -> None:
    for word in ("正字", "犯错误", "五卅运动", "控股集团", "全国三八红旗手"):
        for cut in range(1, len(word)):
            head, tail = word[:cut], word[cut:]
            for text in (f"{left}{head}{right}{tail}", f"{head}{left}{tail}{right}"):
                for whole in (text, f"用{text}唱票", f"在，{text}，也", f"他{text}。"):
                    assert stands(word, whole) == [], whole
                    assert stands(f"{word} | clause all", whole), whole
    assert stands("海马牌", f"《海马{right}牌") == []
    assert stands("县处级", f"管理县{left}处{right}级以上") == []
    assert stands("网上赌博", f"来网{left}上{right}赌博吧") == [f"网{left}上{right}赌博"]
    assert stands("网上赌博", f"在{left}菜网上{right}赌博方面") == []


def test_where_each_part_is_bracketed_nothing_is_quoted() -> None:
    assert stands("赌博", "来【赌】【博】吧，（赌）（博）") == ["赌】【博", "赌）（博"]
    assert stands("代开发票", "找我【代开】【发票】吧") == ["代开】【发票"]
    assert stands("脏乱\n乱差", "这个『脏』『乱』『差』的") == []
    assert stands("赌博", '赌【】博，赌""博') == ["赌【】博", '赌""博']
    assert stands("国大", "“森林王国”“大象乐园”") == []


@pytest.mark.parametrize("sign", ["-", "★", " ", "\u3000", "😀", "*", "·", ".", "_", "+", "👨\u200d👩\u200d👧"])
def test_han_words_across_what_decorates(sign: str) -> None:
    assert stands("口交", f"我口{sign}交了") == [f"口{sign}交"]
    assert stands("网上赌博", f"在网{sign}上{sign}赌博吧") == [f"网{sign}上{sign}赌博"]


@pytest.mark.parametrize("quote", ['"', "'", "＂", "＇", "“", "”", "「", "」"])
def test_han_words_across_one_end_of_a_quotation(quote: str) -> None:
    assert stands("口交", f"他说{quote}门口{quote}交通方便") == []
    assert stands("赌博", f"来赌{quote}博{quote}吧") == []
    assert stands("网上赌博", f"在网上{quote}赌博吧") == []
    assert stands("网上赌博", f"网上{quote}赌博") == [f"网上{quote}赌博"]
    assert stands("网上赌博 | clause long", f"在网上{quote}赌博吧") == [f"网上{quote}赌博"]
    assert stands("赌博", f"赌{quote}博") == [f"赌{quote}博"]
    assert stands("idiot", f"{quote}idiot{quote} and {quote}id") == ["idiot"]


SENTENCE_ENDS = ["? ", "! ", ". ", "?! ", "... ", "… ", "。", "！", "？", "? \n", " ! ", ".\n", "؟ ", "। "]


@pytest.mark.parametrize("end", SENTENCE_ENDS)
def test_a_phrase_is_not_seen_across_the_end_of_a_sentence(end: str) -> None:
    phrase = make("buy followers\nbuy 110\n")
    assert stands(phrase, f"What did you buy{end}Followers came, 110 too. We buy{end}110") == []
    assert stands(phrase, f"buy followers{end}buy followers") == ["buy followers"] * 2
    assert stands("buy followers | clause all", f"buy{end}followers") == [f"buy{end}followers"]
    assert stands("buy followers", f"b-u-y{end}f-o-l-l-o-w-e-r-s") == [f"b-u-y{end}f-o-l-l-o-w-e-r-s"]
    assert stands(f"wait{end}what", f"wait{end}what") == [f"wait{end}what"] if "\n" not in end else True


@pytest.mark.parametrize("gap", ["", "-", ".", "  ", "\n", ", ", ": ", "!", "\u00a0", " - ", "😀", "*"])
def test_a_phrase_is_seen_across_what_ends_none(gap: str) -> None:
    assert stands("buy followers", f"to buy{gap}followers now") == [f"buy{gap}followers"]


def test_an_allow_phrase_goes_over_no_line() -> None:
    source = "class\n@allow class dismissed"
    assert stands(source, "class dismissed, Class\u00a0  dismissed") == []
    for end in ("\n", " \n", "\r\n", "\u2028", "\n\n"):
        assert stands(source, f"first class{end}dismissed") == ["class"]


def test_hangul_words_across_spaces() -> None:
    assert stands("개새끼", "무지개 새끼손가락") == []
    assert stands("시발", "다시 발견") == []
    assert stands("시발", "야 시 발 놈") == ["시 발"]
    assert stands("개새끼", "이개새끼야 개-새끼 개★새★끼") == ["개새끼", "개-새끼", "개★새★끼"]
    assert stands("보이스피싱", "보이스 피싱을") == ["보이스 피싱"]
    assert stands("보이스피싱", "보이 스 피싱을") == []
    assert stands("보이스 피싱", "보이스 피싱 보이스피싱") == ["보이스 피싱", "보이스피싱"]


@pytest.mark.parametrize("sign", sorted(APOSTROPHES))
def test_apostrophes_are_no_separators_but_borders(sign: str) -> None:
    assert stands("hell", f"he{sign}ll be there") == []
    assert stands("id", f"I{sign}d say") == []
    assert stands("wont", f"I won{sign}t") == []
    assert stands("idiot", f"l{sign}idiot, idiot{sign}s") == ["idiot", "idiot"]


@pytest.mark.parametrize("sign", sorted((CLAUSE_MARKS - set("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")) | FULL_STOPS))
def test_one_stop_in_a_latin_word_is_no_separator(sign: str) -> None:
    assert stands("penis", f"My pen{sign}is it yours?") == []
    assert stands("idiot", f"id{sign}iot") == []
    assert stands("idiot", f"id{sign} iot") == []
    assert stands("idiot", f"id{sign * 3}iot") == []
    assert stands("3p", f"3{sign}P") == []
    assert stands("idiot", sign.join("idiot")) == [sign.join("idiot")]
    assert stands("idiot | separators all", f"id{sign}iot") == [f"id{sign}iot"]
    assert stands("idiot | separators off", sign.join("idiot")) == []


@pytest.mark.parametrize(
    "text", ["id-iot", "id*iot", "id_iot", "id·iot", "i-d_iot", "id.-iot", "i d i o t", "id😀iot", "i.d.iot"]
)
def test_what_separates_a_latin_word(text: str) -> None:
    assert stands("idiot", f"you {text}!") == [text]


@pytest.mark.parametrize("text", ["S, M, L", "I, d", "v. x", "idi ot", "i diot", "i\u00a0diot"])
def test_enumerations_and_spaces_do_not_make_words(text: str) -> None:
    assert stands("sml\nsm\nid\nvx\nidiot", text) == []


@pytest.mark.parametrize(
    "text", ["别反！网上赌博来", "反\n网上赌博群", "反-网上赌博", "反网网上赌博", "反网\u0336上赌博", "反网上-赌博"]
)
def test_a_disguised_allow_phrase_opens_no_door(text: str) -> None:
    assert stands("网上赌博\n@allow 反网上赌博", text)


@pytest.mark.parametrize("text", ["反网上赌博", "反\u200b網上\ufeff賭博", "反反网上赌博", "反网上赌博，网站"])
def test_an_allow_phrase_as_it_stands_does(text: str) -> None:
    assert stands("网上赌博\n@allow 反网上赌博", text) == []
    assert stands("ass\n@allow kick ass radio", "KICK  ass radio") == []


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("八年", "2008年", []),
        ("八年", "2008 年", []),
        ("八年", "第８８年", []),
        ("八年", "٢٨年", []),
        ("八年", "八年 8年 打了八年", ["八年", "8年", "八年"]),
        ("加群520", "加群5201314", []),
        ("加群520", "加群520吧", ["加群520"]),
        ("加群520 | whole-word off", "加群5201314", ["加群520"]),
        ("三级片", "13级片", []),
    ],
)
def test_numbers_in_words_are_whole_numbers(word: str, text: str, found: list[str]) -> None:
    assert stands(word, text) == found


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("göt", ["got", "gôt"]), ("mất", ["mật", "mat", "mât"]), ("mật", ["mất"]), ("đi", ["di"]), ("søt", ["sot"]),
        ("pêche", ["péché", "peche"]), ("всё", ["все"]), ("año", ["ano"]), ("łaska", ["laska"]), ("ñu", ["nu"]),
    ],
)  # fmt: skip
def test_what_marks_the_word_has_the_text_must_have(word: str, others: list[str]) -> None:
    for form in ("NFC", "NFD"):
        for spelled in (word, word.upper(), "".join(char + "\u0336" for char in word)):
            text = unicodedata.normalize(form, spelled)  # type: ignore[arg-type]
            assert stands(word, text) == [text]
    for other in others:
        assert stands(word, other) == []
        assert stands(f"{word} | marks all", other) == [other]
    assert stands("got | marks off", "göt got") == ["got"]
    assert stands("got", "göt g̶o̶t̶") == ["göt", "g̶o̶t̶"]


def test_words_that_differ_in_marks_or_gaps_stay_two() -> None:
    assert stands("göt\ngot", "got") == ["got"]
    assert stands("buyfollowers\nbuy followers", "buy followers") == ["buy followers"]
    assert len(make("傻瓜\n傻.瓜")) == 1


def test_leetspeak_needs_a_letter() -> None:
    loaded = make("@fold leetspeak on\nsos\nsis\n007")
    assert stands(loaded, "HTTP 505, 515") == []
    assert stands(loaded, "S0S 5i5 agent 007") == ["S0S", "5i5", "007"]


def test_inserted_only_where_it_is_asked_for() -> None:
    assert stands("傻逼\n병신", "傻1逼 병1신") == []
    for source in ("@inserted on\n傻逼\n병신", "傻逼 | inserted on\n병신 | inserted on"):
        assert stands(source, "傻1逼 傻a逼") == ["傻1逼", "傻a逼"]
        assert stands(source, "병1신 병ж신") == ["병1신", "병ж신"]
        assert stands(source, "傻12逼 傻 1 逼 傻1，逼 傻好逼 傻一逼 傻〇逼 병二신 傻肆逼") == []


# The law. A word of each kind; neighbours rich in its own border letters, and in whatever could hide a border.
WORDS = ["idiot", "llama", "ass", "спам", "赌博", "妈的", "网上赌博", "개새끼", "علم", "110", "2500", "ab", "göt"]
LISTS = {word: make(word) for word in WORDS}
EXACT = {word: make(f"{word} | repeats off | separators off | clause strict") for word in WORDS}
SIGNS = " \n.,，。!-_*'’\"·😀★\u200b\u0301\ufe0f&/(（"


@st.composite
def plain(draw: st.DrawFn) -> tuple[str, str, str]:
    """A word, and texts on both sides of which none touches it where its script asks for a border."""
    word = draw(st.sampled_from(WORDS))
    alphabet = word + word[0] * 3 + word[-1] * 3 + SIGNS + "x好1가م"
    before = draw(st.text(st.sampled_from(alphabet), max_size=8))
    after = draw(st.text(st.sampled_from(alphabet), max_size=8))
    reader = LISTS[word].folder
    if reader.bounds(reader.text(word)[0]):
        before += draw(st.sampled_from(["", " ", ", ", "'", ". ", "-", "，", "“"]))
        after = draw(st.sampled_from(["", " ", ", ", "'", ". ", "-", "，", "”"])) + after
    return word, before, after


@settings(max_examples=600, deadline=None)
@given(plain())
def test_a_plain_word_is_found_whatever_stands_beside_it(case: tuple[str, str, str]) -> None:
    word, before, after = case
    loaded = LISTS[word]
    reader = loaded.folder
    text = before + word + after
    start, end = len(before), len(before) + len(word)
    border = reader.bounds(reader.text(word)[0])
    last = reader.bounds(reader.text(word)[-1])
    if (border and reader.edge(text, start - 1, -1) == border) or (last and reader.edge(text, end, 1) == last):
        return  # it does not stand alone
    outer = len(before.rstrip("\u200b\u0301\ufe0f")) - 1
    behind = end + len(after) - len(after.lstrip("\u200b\u0301\ufe0f"))
    if border == "digit" and (goes_on(text, start, outer) or goes_on(text, end - 1, behind)):
        return  # a decimal: 0.110
    clinging = len(text[end : len(text) - len(text[end:].lstrip("\u200b\u0301\ufe0f"))].rstrip("\u200b\ufe0f"))
    first, stop = next(span for span in spans_of(loaded, text) if span[0] <= start and end <= span[1])
    assert (first, stop) == (start, end + clinging)
    # And so it is for a list that takes no disguise.
    assert (start, end + clinging) in spans_of(EXACT[word], text)


HALVES = ["外贸", "企业", "网上", "赌博", "代开", "发票", "路线", "方针", "政策", "电机"]
PAUSES_OF_HAN = "，。；：！？、\n"


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(HALVES),
    st.sampled_from(HALVES),
    st.sampled_from(PAUSES_OF_HAN),
    st.text("主要依托对海外市场", min_size=1, max_size=6),
    st.text("主要依托对海外市场", min_size=1, max_size=6),
    st.sampled_from([" ", "★", "-", "😀", "……", "~", "*", "·", "_"]),
)
def test_two_clauses_that_meet_are_no_longer_word(
    head: str, tail: str, pause: str, before: str, after: str, ornament: str
) -> None:
    """Innocent where both clauses go on beyond the word; evading where one of them is the word's own, or where what
    stands between is no pause."""
    word = make(head + tail)
    assert stands(word, f"{before}{head}{pause}{tail}{after}") == []
    assert stands(f"{head}{tail} | clause long", f"{before}{head}{pause}{tail}{after}") == [f"{head}{pause}{tail}"]
    assert stands(word, f"{head}{pause}{tail}") == [f"{head}{pause}{tail}"]
    assert stands(word, f"{before}{head}{ornament}{tail}{after}") == [f"{head}{ornament}{tail}"]
    assert stands(word, f"{before}{pause.join(head + tail)}{after}") == [pause.join(head + tail)]
    if pause != "、":
        assert stands(word, f"{before} {head}{pause}{tail}{after}") == [f"{head}{pause}{tail}"]
        assert stands(word, f"{before}{head}{pause}{tail} {after}") == [f"{head}{pause}{tail}"]


def spans_of(loaded: WordList, text: str) -> list[tuple[int, int]]:
    return [span for hit in Scanner([loaded]).scan((text,)).hits.get("list", ()) for span in hit.spans]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("@clause evading\n@clause all\nx", "@clause evading and @clause all"),
        ("@clause long\n@clause all\nx", "@clause long and @clause all"),
        ("@fold repeats off\nx | repeats all", "repeats all, while the list has @fold repeats off"),
        ("x | repeats off | repeats all", "repeats off and repeats all for one word"),
        ("x | clause odd", "clause is one of strict, evading, long, all"),
        ("@kind patterns\n@clause all\nx", "in a list of patterns"),
        ("x\n@clause all", "after the first word"),
    ],
)
def test_choices_that_contradict_each_other(source: str, told: str) -> None:
    with pytest.raises(ListErrors, match=told):
        make(source)


@pytest.mark.parametrize(
    ("word", "text", "switch"),
    [
        ("代开发票", "请代开、发票吧", "clause long"),
        ("代开发票", "请代开，发票吧", "clause long"),
        ("代开发票", "请“代开”发票吧", "clause long"),
        ("赌博", "来赌，博吧", "clause all"),
        ("idiot", "id iot", "separators all"),
        ("idiot", "id.iot", "separators all"),
        ("13800", "138800", "repeats all"),
        ("göt", "got", "marks all"),
        ("傻逼", "傻1逼", "inserted on"),
    ],
)
def test_what_is_let_go_is_found_by_a_switch(word: str, text: str, switch: str) -> None:
    assert stands(word, text) == []
    assert stands(f"{word} | {switch}", text)


def test_a_configuration_stands_above_the_file_and_a_word_above_both() -> None:
    source = "@clause strict\n网上赌博\n口交 | clause all"
    loaded = load(compile_list(parse(source, "list", strict={"clause": "long"}), TABLES).data, TABLES)
    assert isinstance(loaded, WordList)
    assert stands(loaded, "网上，赌博") == ["网上，赌博"]
    assert stands(loaded, "门口，交通") == ["口，交"]
    assert stands(source, "网上，赌博") == []
    with pytest.raises(ListErrors, match="the configuration sets clause"):
        parse(source, "list", strict={"clause": "odd"})


@pytest.mark.parametrize("piece", ["i", "傻", "傻.", "i.", "1 ", "e\u0301", "\u0301", ".", "傻，", "ii d"])
def test_64_kib_of_one_thing_end(piece: str) -> None:
    loaded = make("傻\n傻傻\n傻瓜\nidiot\niii\n11\n1111\néé\nid\nii\n@allow 傻傻傻")
    stands(loaded, piece * (65_536 // len(piece)))


@given(st.text("abo 網网博é.ß", min_size=1, max_size=8), st.booleans())
def test_the_short_way_to_a_key_gives_the_same(text: str, leetspeak: bool) -> None:
    reader = folder(TABLES, WORDS_FOLD.changed({"leetspeak": leetspeak}))
    if (key := _simply(text, reader, DEFAULT)) is not None:
        assert key == Shape(reader, text, DEFAULT, False, False).key()
