"""Whole letters: a sign that makes another syllable is another word, and a span ends with what is seen last."""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lists.wordlist import compile_list, load, parse
from filters.reading.keywords import AnyList, Scanner
from filters.text.graphemes import SKIN_TONES, completes, extends, is_kana, is_syllabic, within_syllable
from gateway.words.files import folding_tables

TABLES = folding_tables()
Made = Callable[..., AnyList]
# A consonant and the signs that lean on it, by script.
SCRIPTS = ("BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI")
SCRIPTS += ("LAO", "TIBETAN", "MYANMAR", "KHMER", "BALINESE", "JAVANESE", "SUNDANESE", "CHAM", "THAANA", "DEVANAGARI")


def signs(script: str) -> list[str]:
    return [
        char
        for char in map(chr, range(0x700, 0x12000))
        if unicodedata.name(char, "").startswith(script + " ")
        and unicodedata.category(char)[0] == "M"
        and TABLES.word.__contains__(ord(char))
        and ord(char) not in TABLES.invisible
    ]


def consonant(script: str) -> str:
    name = {"THAI": "KO KAI", "LAO": "KO", "THAANA": "KAAFU", "SINHALA": "ALPAPRAANA KAYANNA"}.get(script, "KA")
    return next(
        char
        for kind in ("CHARACTER", "LETTER")
        for label in (name, "ALPAPRAANA KAYANNA")
        if (char := _named(f"{script} {kind} {label}"))
    )


def _named(name: str) -> str:
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return ""


def covered(words: AnyList, text: str) -> list[str]:
    return [
        text[start:end] for hit in Scanner([words]).scan((text,)).hits.get(words.name, ()) for start, end in hit.spans
    ]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_vowel_sign_behind_a_word_makes_another_word(made: Made, script: str) -> None:
    letter = consonant(script)
    words = made(f"{letter}{letter}{letter}\n")
    word = letter * 3
    assert covered(words, f"({word})") == [word]
    for sign in signs(script):
        assert covered(words, word + sign) == [], hex(ord(sign))
        assert covered(words, f"{word}\u200b{sign}") == [], hex(ord(sign))
        alone = made(f"{letter}{sign}\n")
        if unicodedata.normalize("NFC", letter + sign) == letter + sign and is_syllabic(sign):
            assert covered(alone, f"({letter}{sign})") == [letter + sign], hex(ord(sign))
            assert covered(alone, f"({letter})") == [], hex(ord(sign))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("কুকুর", "কুকুরা"),
        ("நாய", "நாயை"),
        ("ឆ្ក", "ឆ្កែ"),
        ("බල්ල", "බල්ලා"),
        ("คน", "คนี้"),
        ("กม", "เกม"),
        ("กา", "เกา"),
        ("เกา", "เกาะ"),
        ("คน", "คนา"),
        ("ກນ", "ໄກນ"),
    ],
)
def test_words_that_are_only_a_part_of_the_syllables(made: Made, word: str, text: str) -> None:
    assert covered(made(f"{word}\n"), text) == []


@pytest.mark.parametrize(
    ("word", "text", "span"),
    [
        ("কুকুর", "ওই কুকুর!", "কুকুর"),
        ("ฆ่า", "จะฆ่ามัน", "ฆ่า"),
        ("เกาะ", "ไปเกาะกัน", "เกาะ"),
        ("กา", "กากกก", "กา"),
        ("คน", "คนๆ", "คน"),
        ("มา", "มาาาา", "มาาาา"),
        ("คน", "ค\u200bน\u0336", "ค\u200bน\u0336"),
        ("ম", "ম\u0e49", "ম\u0e49"),  # a tone of another script is an ornament
        ("спам", "спам\u0e47", "спам\u0e47"),
        ("ばか", "ばか\u309a", "ばか\u309a"),
        ("网上赌博", "网上赌博\u0e47", "网上赌博\u0e47"),
    ],
)
def test_words_that_stand(made: Made, word: str, text: str, span: str) -> None:
    assert covered(made(f"{word}\n"), text) == [span]


INVISIBLE = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if code in TABLES.invisible and not 0xE0080 <= code <= 0xE00FF and code
]


def test_what_shows_nothing_behind_a_word_is_not_masked(made: Made) -> None:
    latin, han, links = made("idiot\n"), made("网上赌博\n"), made("@kind patterns\nevil\\.[a-z]+\n", "links")
    wrong = []
    for char in INVISIBLE:
        for words, word in ((latin, "idiot"), (han, "网上赌博"), (links, "evil.com")):
            if covered(words, f"{char}{word}{char}{char} x") != [word]:
                wrong.append(hex(ord(char)))
    assert wrong == []
    assert covered(latin, "id\u200biot\u200b!") == ["id\u200biot"]
    assert covered(latin, "idiot\u0301\u200b\ufe0f") == ["idiot\u0301"]  # a mark is seen
    assert covered(latin, "idiot\u200d \u200c") == ["idiot"]
    assert covered(latin, "idiot\u200d😀") == ["idiot"]
    assert covered(made("🖕\n"), "🖕\ufe0f\u200d🖕\u200b") == ["🖕\ufe0f\u200d", "🖕"]  # that is one emoji with it


@pytest.mark.parametrize("tone", sorted(SKIN_TONES))
def test_an_emoji_is_masked_with_its_skin_tone(made: Made, tone: str) -> None:
    assert covered(made("🖕\n"), f"a🖕{tone}b🖕") == [f"🖕{tone}", "🖕"]
    assert covered(made("🖕\n"), f"🖕{tone}{tone}") == [f"🖕{tone}"]  # the second stands by itself
    assert covered(made("idiot\n"), f"idiot{tone}") == ["idiot"]
    assert covered(made("网上赌博\n"), f"网上赌博{tone}") == ["网上赌博"]


MIXED = "กาเนี้ะ" + "কাি্র" + "நாயை" + "ឆ្កែ" + "බල්ලා" + "ばかバカー" + "ab网\u200b\u0301 "
SHORT = ["กา", "เน", "কা", "র", "நா", "ய", "ឆ្ក", "ក", "බල", "ல", "ばか", "カ", "ab", "网"]
LISTED = load(compile_list(parse("\n".join(SHORT), "all"), TABLES).data, TABLES)


@given(st.text(st.sampled_from(MIXED), max_size=16))
def test_spans_hold_whole_letters(text: str) -> None:
    for hit in Scanner([LISTED]).scan((text,)).hits.get("all", ()):
        for start, end in hit.spans:
            assert not extends(text[start])
            assert not (end < len(text) and unicodedata.category(text[end])[0] == "M")
            assert not (text[end - 1] in "ばかバカー" and text[end : end + 1] == "ー")


def test_questions_about_letters() -> None:
    assert completes("ক", "া")
    assert not completes("া", "া")
    assert not completes("ক", "\u0e32")
    assert within_syllable("เก", 1)
    assert within_syllable("กา", 1)
    assert not within_syllable("กา", 0)
    assert not within_syllable("าา", 1)
    assert [is_kana(char) for char in "かカｶー一a"] == [True, True, True, True, False, False]
