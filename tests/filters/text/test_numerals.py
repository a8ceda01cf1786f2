"""Numbers in Han words: whole numbers only, and the numerals of cheques only where they are numerals."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lists.wordlist import WordList, compile_list, load, parse
from filters.reading.keywords import AnyList, Scanner
from filters.text.numerals import FORMAL, UNITS, counts, goes_on, is_numeral, stand_for
from gateway.words.files import folding_tables

TABLES = folding_tables()
Made = Callable[..., AnyList]
PLAIN = "〇一二三四五六七八九"


def covered(words: AnyList, text: str) -> list[str]:
    return [
        text[start:end] for hit in Scanner([words]).scan((text,)).hits.get(words.name, ()) for start, end in hit.spans
    ]


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("八年", "十八年 二十八年 拾八年 廿八年 一百零八年 二〇〇八年 一九九八年 九八年 〇八年 2008年"),
        ("十八禁", "八十八禁 3十八禁 几十八禁 两百十八禁"),
        ("百元", "三百元 3百元 ３百元 几百元 一百元 两百元"),
        ("万元", "百万元 5万元 三十万元"),
        ("三十", "三十八 三十六个"),
        ("三百", "三百五十 三百零五"),
        ("加群五", "加群五十 加群五百万"),
        ("百家乐", "一百家乐器店 二百家乐园"),
        ("5毛", "3.5毛 ３．５毛 1,125毛 15毛 0.5毛 ٣٫5毛"),
        ("500元", "1,500元 12,500元 2,345,500元"),
        ("加群5", "加群5.20 加群5,200"),
        ("520 | whole-word on", "3.520 1,520"),
    ],
)
def test_a_number_that_goes_on(made: Made, word: str, texts: str) -> None:
    words = made(f"{word}\n")
    for text in texts.split():
        assert covered(words, f"有{text}了") == [], text
        assert covered(words, text) == [], text


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("八年", "八年 打了八年 8年 唯一八年 第八年 初八年 的八年 3-8年"),
        ("六合彩", "唯一六合彩 周六六合彩 星期六六合彩 千万六合彩 百万六合彩 第一六合彩 万一六合彩 六六六合彩"),
        ("百家乐", "唯一百家乐 之一百家乐 玩百家乐"),
        ("5毛", "3-5毛 3~5毛 3、5毛 三毛5毛 110,5毛 V.5毛"),
        ("120", "打110,120 110、120"),
        ("第一", "第一 第一名 第一流"),
        ("加群520", "加群520吧 加群520。 加群520, 加群520."),
        ("13800138000", "1.13800138000 2,13800138000"),
        ("三百", "三百个 三百六合彩"),
        ("八年 | whole-word off", "十八年 九八年"),
    ],
)
def test_a_number_that_is_whole(made: Made, word: str, texts: str) -> None:
    words = made(f"{word}\n")
    for text in texts.split():
        assert len(covered(words, text)) == 1, text


@given(
    st.sampled_from("一二三四五六七八九"),
    st.sampled_from(["十", "二十", "三百五十", "一千零", "两万一千四百二十"]),
    st.text(st.sampled_from("的了有，x "), max_size=3),
)
def test_no_digit_of_a_larger_number_is_found(digit: str, higher: str, before: str) -> None:
    assert covered(YEARS, f"{before}{higher}{digit}年") == []
    assert covered(YEARS, f"{before}{digit}年") == [f"{digit}年"]


YEARS = load(compile_list(parse("\n".join(f"{digit}年" for digit in PLAIN[1:]), "years"), TABLES).data, TABLES)

EVERYDAY = """
    陆军 陆地 陆续 陆战 大陆 登陆 着陆 内陆 水陆 陸軍 大陸 新大陆 大陆架 陆战队 队伍 入伍 退伍 行伍 伍先生 落伍者
    零食 零售商 零件 零钱 零花钱 零星 凋零 飘零 放肆 肆意 大肆 肆虐 酒肆 贰心 不贰 壹基金 柒牌 陆羽 伍子胥 玖儿
"""
DIGIT_OF = dict(zip("壹贰叁肆伍陆柒捌玖零陸", [*"一二三四五六七八九", "〇", "六"], strict=True))


@pytest.mark.parametrize("text", EVERYDAY.split())
def test_numerals_of_cheques_in_everyday_words(made: Made, text: str) -> None:
    """The word with the plain numeral is not found in the everyday one, which finds itself."""
    listed = "".join(DIGIT_OF.get(char, char) for char in text)
    assert covered(made(f"{listed}\n"), text) == []
    assert covered(made(f"{listed}\n"), f"在{text}里") == []
    assert covered(made(f"{text}\n"), f"在{text}里") == [text]
    if len(text) == 2:
        assert covered(made(f"{text}\n"), listed) == []


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("五毛", "伍毛"), ("六四", "陆肆"), ("六四", "陆四"), ("864", "捌-陆-肆"), ("六合彩", "陆合彩"),
        ("三级片", "叁级片"), ("加群520", "加群伍贰零"), ("110", "壹壹零"), ("一百元", "壹百元"), ("八十", "捌十"),
        ("第六", "第陆"), ("大陆仔", "大6仔"), ("陆军", "陸軍"), ("伍毛", "五毛"), ("陆肆", "六四"), ("520", "⑤贰〇"),
    ],
)  # fmt: skip
def test_numerals_of_cheques_that_are_numerals(made: Made, word: str, text: str) -> None:
    assert covered(made(f"{word}\n"), f"看{text}吧") == [text]


def test_it_is_told_why_they_are_none(made: Made) -> None:
    words = made("六军\n")
    assert isinstance(words, WordList)
    folded = words.folder.fold("我们陆军")
    assert [told.reason for told in words.weighed(folded, words.find(folded.text))] == ["no-numeral"]


NUMERALS = "".join(sorted(FORMAL | UNITS)) + PLAIN + "0159.,，元年周唯大军 x"


@given(st.text(st.sampled_from(NUMERALS), min_size=1, max_size=12), st.data())
def test_any_text_is_answered(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    for outer in (place - 1, place + 1):
        assert goes_on(text, place, outer) in (True, False)
    assert not goes_on(text, place, -1)
    assert not goes_on(text, place, len(text))
    assert stand_for(text, text, 0, text)
    if text[place] in FORMAL:
        assert counts(text, place, 3) >= counts(text, place, 2)
    assert all(is_numeral(unit) for unit in UNITS)


@pytest.mark.parametrize("numeral", [*PLAIN, *sorted(FORMAL), "两", "十", "百"])
def test_inserted_takes_no_numeral_of_han(made: Made, numeral: str) -> None:
    words = made("@inserted on\n傻逼\n병신\n")
    assert covered(words, f"傻{numeral}逼 병{numeral}신") == []
    assert covered(words, "傻1逼 傻②逼 병2신") == ["傻1逼", "傻②逼", "병2신"]
