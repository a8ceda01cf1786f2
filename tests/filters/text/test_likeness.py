"""Look-alikes and symbols: what stands for a word is found, from the sources of the tables; ordinary writing is not."""

import unicodedata
from collections.abc import Callable

import opencc
import pytest
from confusable_homoglyphs.confusables import confusables_data

from filters.lists.wordlist import WordList
from filters.model.verdict import Hit
from filters.reading.keywords import AnyList, Scanner
from filters.text.likeness import script
from gateway.words.files import folding_tables

TABLES = folding_tables()
Made = Callable[..., AnyList]


def hits(words: AnyList, text: str) -> tuple[Hit, ...]:
    return Scanner([words]).scan((text,)).hits.get(words.name, ())


@pytest.mark.parametrize(
    ("word", "text", "span"),
    [
        ("网上赌博", "看网上赌🇨🇳博吧", "网上赌🇨🇳博"),
        ("idiot", "idiotª, ", "idiot"),
        ("idiot", "ⁿidiotᵃ", "idiot"),
        ("idiot", "ℹ️idiotℹ️", "idiot"),
        ("idiot", "ⁱᵈⁱᵒᵗ", "ⁱᵈⁱᵒᵗ"),
        ("idiot", "ⅰⅮⅰoT", "ⅰⅮⅰoT"),
        ("赌博", "赌Ⅳ博", "赌Ⅳ博"),
        ("赌博", "赌ℹ️博", "赌ℹ️博"),
        ("赌博", "第Ⅱ赌博ⅷ", "赌博"),
        ("사기", "사기 ㅠㅠ", "사기"),
        ("사기", "사기!\nㅜㅜ", "사기"),
        ("바보", "바보ㅏ", "바보"),
        ("바보", "바보... ㅡㅡ", "바보"),
        ("spam", "spam ㅠㅠ", "spam"),
        ("바보", "바ㆍ보", "바ㆍ보"),
        ("网上赌博", "网ㆍ上ㆍ赌博", "网ㆍ上ㆍ赌博"),
        ("ばか", "は゛か", "は゛か"),
        ("ばか", "ハ゛カ", "ハ゛カ"),
        ("ぱか", "は゜か", "は゜か"),
        ("ばか", "ばヵ", "ばヵ"),
        ("うざい", "ぅざぃ", "ぅざぃ"),
        ("冰毒", "氷毒", "氷毒"),
        ("idiot", "ꓲꓓꓲꓳꓔ", "ꓲꓓꓲꓳꓔ"),
        ("idiot", "idꓲot", "idꓲot"),
        ("idlot", "idꓲot", "idꓲot"),
        ("赌博", "赌博ㅠㅠ", "赌博"),
        ("赌博", "赌🈲博", "赌🈲博"),
        ("idiot", "idiot🇺🇸", "idiot"),
        ("idiot", "🇺🇸idiot", "idiot"),
        ("idiot", "idiot™", "idiot"),
        ("idiot", "№idiot℠", "idiot"),
        ("赌博", "赌1️⃣博", "赌1️⃣博"),
        ("赌博", "1️⃣赌博2️⃣", "赌博"),
        ("idiot", "🅘🅓🅘🅞🅣", "🅘🅓🅘🅞🅣"),
        ("idiot", "🇮🇩🇮🇴🇹", "🇮🇩🇮🇴🇹"),
        ("idiot", "ID🇮OT🇨🇳", "ID🇮OT"),
        ("禁", "🈲", "🈲"),
        ("开发票", "代开発票", "开発票"),
        ("人民", "人⺠", "人⺠"),
        ("口水", "ロ水", "ロ水"),
        ("工口", "エロ", "エロ"),
        ("赌场入口", "赌场入ロ", "赌场入ロ"),
        ("一夜情", "ー夜情", "ー夜情"),
        ("casino", "CASIΝO", "CASIΝO"),
        ("casino", "САSІNО", "САSІNО"),
        ("علي", "علی", "علی"),
        ("علی", "علي", "علي"),
        ("ばか", "バカ", "バカ"),
        ("バカ", "ばか", "ばか"),
        ("ばか", "ばーか", "ばーか"),
        ("バカ", "ばーか", "ばーか"),
        ("ばか", "ﾊﾞーｶ", "ﾊﾞーｶ"),
        ("ばーか", "ばか", "ばか"),
        ("バカ", "バーーカ", "バーーカ"),
        ("ビール", "ビール", "ビール"),
        ("カジノ", "力ジノ", "力ジノ"),
        ("コーヒー", "コーヒーを飲む", "コーヒー"),
        ("ビール", "ビールーー、", "ビールーー"),
        ("ばか", "ばかーー!", "ばかーー"),
        ("コーヒー", "ｺｰﾋｰ", "ｺｰﾋｰ"),
        ("しね", "シネ。", "シネ"),
        ("しね", "おいシネよ", "シネ"),
        ("しね", "シーネ", "シーネ"),
        ("しね", "ｼﾈ", "ｼﾈ"),
        ("しね", "シねよ", "シね"),
        ("バカ", "あいつ、ばか。", "ばか"),
        ("エロい", "エロイ話", "エロイ"),
        ("병신", "ㅂㅕㅇㅅㅣㄴ", "ㅂㅕㅇㅅㅣㄴ"),
        ("병신", "야 ㅂ ㅕ ㅇ ㅅ ㅣ ㄴ ㅋㅋ", "ㅂ ㅕ ㅇ ㅅ ㅣ ㄴ"),
        ("바보", "ㅂㅏㅂㅗㅋㅋ", "ㅂㅏㅂㅗ"),
        ("바보", "바보ㅋ", "바보"),
        ("сор", "сop", "сop"),
        ("cop", "a сор", "сор"),
        ("спам", "спaм", "спaм"),
    ],
)
def test_what_looks_like_a_word_is_found_with_its_span(made: Made, word: str, text: str, span: str) -> None:
    found = hits(made(f"{word}\n"), text)
    assert [text[start:end] for hit in found for start, end in hit.spans] == [span]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("口交\n工口\n卜力\n二八\n入口\n夕方\n力口", "東京タワーの入りロビーは、エロイカでハトにカニとトロを出す。"),
        ("口水\n一口", "ロ短調の水曜コンサート。コロナのロイド。"),
        ("二人\n八百\n力士", "人に八つ当たりはだめ。はやく、かならずしもと言う。"),
        ("きやく\nきって", "きゃくがきつてと言う。"),
        ("しね\nばか\nころす\nへる", "シネマでバカンス、コロスケのシーネン。ヘルツ、ﾄﾞｼﾈﾏ、タシネ、こっちがマシねえ。"),
        ("バカ\nシネ\nカス\nマジカ", "そばかすは、おいしねえ。はかばかしい。かすみ。マジかよ。"),
        ("ビル\nコピ\nバ", "ビールとコピーを買い、バーでハンバーグ。"),
        ("cop\npop\ntop\nhop\nhere", "убери сор из избы, открой рот, не пей ром, пор нет"),
        ("vai\nnai\ntov\nkai\nto", "ΝΑΙ, και το σπίτι του ανθρώπου είναι ωραίο"),
        ("сор\nрот\nнос", "the cop took a poor pot for his hoc dog"),
        ("lo\noi\nol", "قال علي إن المدرسة ليست بعيدة عن البيت"),
        ("oi\nlo\nil", "من به خانه می‌روم و کتاب می‌خوانم"),
        ("병신\n시발\n바복", "안녕하세요 바보ㅋㅋ 신발 병원에 갔어요 ㅠㅠ ㅎㅎㅎ ㄱㅅ"),
        ("ass", "🅒🅛🅐🅢🅢🅘🅒 music"),
        ("110", "1️⃣1️⃣0️⃣2️⃣"),
        ("土人", "绅士人"),
        ("bot\nhet\npot\nbam\ntot", "Ну вот. Вам тут нет? а тот кот, рот тут"),
        ("bot", "ну вот"),
        ("het", "Нет, он тут"),
        ("бот\nвыл\nвес\nбой\nбар", "Ну вот, он был очень рад: бес и вой, вар в ьар."),
        ("το\nσας\nκακος", "Τόσο οας κακσς θο"),
        ("缺债", "欠债"),
    ],
)
def test_ordinary_writing_is_no_disguise(made: Made, words: str, text: str) -> None:
    assert hits(made(words + "\n"), text) == ()


def swept(words: AnyList, texts: dict[str, str]) -> list[str]:
    """The characters whose text holds no hit; tells of the first, so that a failing sweep says where."""
    return [char for char, text in texts.items() if not hits(words, text)]


def test_every_symbol_with_a_letter_is_an_ornament_and_no_neighbour(made: Made) -> None:
    symbols = [chr(code) for code, other in TABLES.second.items() if not other and code != 0x20E3]
    assert len(symbols) > 1_300
    han, latin = made("网上赌博\n"), made("idiot\n", "latin")
    for shape in ("网上赌{}博", "{}网上赌博{}"):
        assert swept(han, {char: shape.format(char, char) for char in symbols}) == []
    for shape in ("an idiot{} here", "an {}idiot"):
        assert swept(latin, {char: shape.format(char) for char in symbols}) == []
    flags = [chr(first) + chr(second) for first in range(0x1F1E6, 0x1F200) for second in range(0x1F1E6, 0x1F200)]
    keycaps = [f"{digit}\ufe0f\u20e3" for digit in "0123456789"]
    assert swept(han, {each: f"网上赌{each}博" for each in flags + keycaps}) == []
    assert swept(latin, {each: f"idiot{each}" for each in flags + keycaps}) == []


def test_every_symbol_with_a_latin_letter_is_that_letter(made: Made) -> None:
    wrong = []
    for code, other in TABLES.second.items():
        name = unicodedata.name(chr(code), "")
        if other or " LATIN " not in f"{name} " or len(letter := name.rpartition(" ")[2]) != 1 or not letter.isalpha():
            continue
        word = f"xq{letter.lower()}zk"
        wrong += swept(made(f"{word}\n"), {chr(code): f"xq{chr(code)}zk"})
    assert wrong == []


def test_every_look_alike_of_a_latin_letter_is_found_inside_a_word(made: Made) -> None:
    """UTS 39: every letter of a script that is written as Latin is that shows one ASCII letter."""
    missed, tried = [], 0
    lists = {letter: made(f"xq{letter}zk\n") for letter in "abcdefghijklmnopqrstuvwxyz"}
    for char, entries in confusables_data.items():
        if len(char) != 1 or char.isascii() or unicodedata.category(char) not in ("Lu", "Ll", "Lo", "So"):
            continue
        shown = {entry["c"].casefold() for entry in entries if len(entry["c"]) == 1 and entry["c"].isascii()}
        wanted = [letter for letter in shown if letter.isalpha()]
        if not wanted or unicodedata.bidirectional(char) in ("R", "AL"):
            continue
        tried += 1
        letters = wanted + (["i"] if "l" in wanted else [])  # the skeleton of I is l
        if not any(hits(lists[letter], f"xq{char}zk") for letter in letters):
            missed.append(char)
    assert tried > 1_000
    assert len(missed) <= tried // 100, missed


def test_every_japanese_form_is_found_inside_a_word(made: Made) -> None:
    """OpenCC's shinjitai, but for characters that mainland China writes for something else."""
    old_forms, simple = opencc.OpenCC("jp2t"), opencc.OpenCC("t2s")
    missed = []
    tried = 0
    for code in range(0x3400, 0xA000):
        old = old_forms.convert(chr(code))
        plain = simple.convert(old)
        if old == chr(code) or plain == chr(code) or len(plain) != 1:
            continue
        if _in_gb2312(chr(code)) and _in_gb2312(plain):
            continue
        tried += 1
        missed += swept(made(f"网上{plain}博\n"), {chr(code): f"网上{chr(code)}博"})
    assert tried > 220
    assert missed == []


def test_every_variant_is_found_inside_a_word(made: Made) -> None:
    """Radicals, strokes, spoofing and shape variants: the tables' own, for the files are not a package."""
    plain = {code: target for code, target in TABLES.maps["variants"].items() if target not in "二"}
    missed = []
    for code, target in plain.items():
        missed += swept(made(f"网上{target}博\n"), {chr(code): f"网上{chr(code)}博"})
    assert len(plain) > 700
    assert missed == []


def test_every_katakana_is_its_hiragana_and_every_jamo_its_syllable(made: Made) -> None:
    missed = []
    for code in range(0x30A1, 0x30F7):
        missed += swept(made(f"ぬ{chr(code - 0x60)}ぬ\n"), {chr(code): f"ヌ{chr(code)}ヌ"})
    letters = [unicodedata.name(chr(code)).rpartition(" ")[2] for code in range(0x3131, 0x3164)]
    by_name = dict(zip(letters, range(0x3131, 0x3164), strict=True))
    for code in range(0xAC00, 0xD7A4, 7):
        syllable = chr(code)
        parts = [unicodedata.name(part).rpartition(" ")[2] for part in unicodedata.normalize("NFD", syllable)]
        apart = "".join(chr(by_name[part]) for part in parts)
        word = f"나{syllable}다"
        missed += swept(made(f"{word}\n"), {syllable: f"ㄴㅏ{apart}ㄷㅏ"})
    assert missed == []


def test_domain_names_with_an_ideographic_stop(made: Made) -> None:
    links = made("@kind patterns\n[a-z0-9-]+\\.com\n")
    for dot in "。．｡":
        text = f"看 evil{dot}com 吧"
        assert [text[start:end] for hit in hits(links, text) for start, end in hit.spans] == [f"evil{dot}com"]


@pytest.mark.parametrize("words", [("cop", "сор"), ("xam", "хам"), ("το", "to"), ("вот", "бот"), ("ばか", "バカ")])
def test_words_that_fold_alike_are_found_each_in_its_own_writing(made: Made, words: tuple[str, str]) -> None:
    neighbours = {"L": "what is {} for", "C": "ну вдруг ещё {} здесь", "G": "και το σπίτι {} ήταν", "H": "私の{}です"}
    for listed in (words, words[::-1]):
        reader = made("\n".join(listed) + "\n")
        for word in listed:
            own = {"L": "L", "C": "C", "G": "G", "H": "H", "K": "H"}[script(word[0])[0]]
            text = neighbours[own].format(word)
            assert word in {reader.word(hit.word_id) for hit in hits(reader, text)}, (listed, text)


def test_scripts() -> None:
    assert [script(char) for char in "aжω口⺠ロかｶー한1!〇"] == [
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "CJK",
        "CJK",
        "KATAKANA",
        "HIRAGANA",
        "KATAKANA",
        "KATAKANA",
        "HANGUL",
        "",
        "",
        "CJK",
    ]


def _in_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def test_it_is_told_why_an_ordinary_word_is_no_disguise(made: Made) -> None:
    words = made("cop\n")
    assert isinstance(words, WordList)
    folded = words.folder.fold("убери сор из избы")
    assert [told.reason for told in words.weighed(folded, words.find(folded.text))] == ["other-script"]


# Pairs of UTS 39 (13.0.0) whose two letters are one to readers of Arabic, Persian or Urdu, and one of Hebrew's finals.
HANDS = ["كک", "كڪ", "وࢱ", "يی", "يى", "يے", "هہ", "هھ", "هە", "ةۃ", "نں", "نࢽ", "فࢻ", "فڡ", "قٯ", "قࢼ", "بٮ", "כך"]
EVERYDAY = "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگٹڈڑ"  # each a letter of its own


@pytest.mark.parametrize("pair", HANDS)
def test_letters_of_arabic_in_several_hands(made: Made, pair: str) -> None:
    for one, other in (pair, pair[::-1]):
        assert [hit.spans for hit in hits(made(f"س{one}لم\n"), f"يا س{other}لم هنا")] == [((3, 7),)]
        assert [hit.spans for hit in hits(made(f"س{one}لم\n"), f"يا س.{other}.ل.م هنا")] == [((3, 10),)]


def test_letters_of_arabic_are_ornamented_but_not_exchanged(made: Made) -> None:
    """Every letter with a sign on it is found as the letter without, and not the other way round; no everyday letter is
    found as another."""
    marked = {
        chr(code): base
        for code, base in TABLES.maps["marks"].items()
        if base and unicodedata.name(chr(code), "").startswith("ARABIC") and not unicodedata.decomposition(chr(code))
    }
    assert len(marked) > 150
    for char, base in marked.items():
        assert hits(made(f"س{base}لم\n"), f"يا س{char}لم هنا"), char
        own = made(f"س{char}لم\n")
        assert hits(own, f"يا س{char}لم هنا"), char
        assert not hits(own, f"يا س{base}لم هنا"), char
    words = made("".join(f"ز{letter}لم\n" for letter in EVERYDAY))
    for letter in EVERYDAY:
        assert [words.word(hit.word_id) for hit in hits(words, f"ز{letter}لم")] == [f"ز{letter}لم"]


def test_a_rare_writing_is_the_everyday_character(made: Made) -> None:
    """Unihan kSemanticVariant."""
    for rare, everyday in ("囯国", "寃冤", "咒呪"[::-1], "氷冰", "畧略", "喆哲", "砲炮"):
        assert hits(made(f"网{everyday}赌博\n"), f"网{rare}赌博"), rare
    for rare, other in ("妳奶", "咲笑", "甦稣", "巉崭"):
        assert not hits(made(f"网{other}赌博\n"), f"网{rare}赌博"), rare


def test_the_rest_of_a_text_is_asked_once_whether_it_is_of_the_letters_script(made: Made) -> None:
    words = made("cop\n")
    folded = words.folder.fold("сор " * 50 + "изба")
    assert all(words.hits(folded, words.find(folded.text), 0, 64) == () for _ in range(2))
    assert len(folded.known) == 1
    folded.known = dict.fromkeys(folded.known, (1_000, -1))  # as if no letter were the script's own
    assert words.hits(folded, words.find(folded.text), 0, 64) != ()
    assert hits(words, "сор " * 50)
    assert not hits(words, "и" + " сор" * 50)
