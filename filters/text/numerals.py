"""Numbers as Chinese writes them: whether one goes on beyond a place, and whether a character is one at all.

Sources: GB/T 15835-2011 (general rules for numerals in texts), Unihan kPrimaryNumeric and kAccountingNumeric.
"""

from __future__ import annotations

import re
from typing import Final

from filters.text.signs import FULL_STOPS

UNITS: Final = frozenset("十百千万亿兆廿卅卌拾佰仟萬億")
FORMAL: Final = frozenset("零壹贰貳叁叄肆伍陆陸柒捌玖")
"""Numerals of cheques, and letters of everyday words: 大陆, 队伍, 零食."""

_DIGITS: Final = FORMAL | frozenset("〇一二三四五六七八九两弌弍弎")
_ZEROS: Final = "零〇"
_TENS: Final = "十拾廿卅卌"
_MEASURES: Final = frozenset("元圆角分毛块钱年月日号楼级岁点时度倍届期章条第初")
_PLAIN: Final = {"貳": "贰", "叄": "叁", "陸": "陆"}
# Words that end with a numeral, and begin no number with it.
_BOUND: Final = frozenset(
    """
    唯一 统一 之一 单一 专一 归一 逐一 其一 万一 如一 合一 划一 不一 张三 李四 王五 小三
    周一 周二 周三 周四 周五 周六 期一 期二 期三 期四 期五 期六 拜一 拜二 拜三 拜四 拜五 拜六
    大一 大二 大三 大四 高一 高二 高三 初一 初二 初三
    """.split()  # noqa: SIM905  # a list would be a word a line
)
# What a formal numeral makes an everyday word with, before it and behind it.
_BEFORE: Final = {
    "陆": "大登着内水海上岸新北南旱商欧亚次",
    "伍": "队入退落行为配编参",
    "零": "凋飘漂孤丁畸归清挂涕",
    "肆": "放大恣茶酒书食店",
    "贰": "不",
}
_BEHIND: Final = {
    "陆": "军地续上路战运权域空风栖生架港台客离相委海基游逊龟禽",
    "伍": "长德兹",
    "零": "食售件钱花星碎散头工用乱落丁担配陪部嘴",
    "肆": "意虐无行业",
    "壹": "基",
    "贰": "心臣",
    "柒": "牌",
}
_FRACTION_MAX: Final = 4  # digits; more behind a stop are a number of their own, as in a numbered list
_LONG: Final = 3  # characters of a word that agrees enough for its numeral to be meant
_RARE: Final = frozenset(
    "壹贰叁陆捌"
)  # hardly another letter but in the words above; 伍 and its like are names as well
_POINTS: Final = FULL_STOPS | {"\u066b"}
_grouped = re.compile(r"(?<![\d,])\d{1,2}(?:,\d{3})*$").search
_group = re.compile(r",\d{3}(?!\d)").match


def is_numeral(folded: str) -> bool:
    """Is a folded character part of a number: a digit, for digits fold to such, or a unit?"""
    return folded in UNITS or folded.isdecimal()


def goes_on(text: str, inner: int, outer: int) -> bool:
    """Is the numeral at ``inner``, the end of a word, a part of one number with what stands beside it at ``outer``?

    Digits beside digits are not asked about here, but for points and commas between them.
    """
    if not 0 <= outer < len(text):
        return False
    if text[inner].isdecimal() and not text[outer].isdecimal():
        if text[outer] in _POINTS or text[outer] == ",":
            return _fraction(text, inner, outer) or _groups(text, outer)
        return False
    left, right = min(inner, outer), max(inner, outer)
    one, other = text[left], text[right]
    if other in UNITS:
        return one in UNITS or one == "几" or one.isdecimal() or (one in _DIGITS and not _is_bound(text, left))
    if other not in _DIGITS:
        return False
    if one in UNITS:
        return one in _TENS or other in _ZEROS or _ends_number(text, right + 1)
    return one in _DIGITS and not _is_bound(text, left) and _positional(text, left)


def counts(text: str, place: int, size: int) -> bool:
    """Is the formal numeral there a number, where a word of ``size`` characters has another numeral?

    It is among numerals, units and measures, and where few words have it also in a longer word that agrees in the rest;
    never where it makes an everyday word with its neighbour.
    """
    char = _PLAIN.get(text[place], text[place])
    before, behind = text[place - 1 : place], text[place + 1 : place + 2]
    if (before and before in _BEFORE.get(char, "")) or (behind and behind in _BEHIND.get(char, "")):
        return False
    return (size >= _LONG and char in _RARE) or _is_counted(text, place, -1) or _is_counted(text, place, 1)


def stand_for(stretch: str, text: str, start: int, word: str) -> bool:
    """May the formal numerals of ``stretch``, which begins at ``start`` of ``text``, stand for other numerals of
    ``word``, and plain ones for the word's formal ones?"""
    if FORMAL.isdisjoint(stretch) and FORMAL.isdisjoint(word):
        return True
    size = sum(map(str.isalnum, word))
    theirs = {_PLAIN.get(char, char) for char in word}
    ours = {_PLAIN.get(char, char) for char in stretch}
    for place, char in enumerate(stretch, start):
        if char in FORMAL and _PLAIN.get(char, char) not in theirs and not counts(text, place, size):
            return False
    return size >= _LONG or all(
        char not in FORMAL or _PLAIN.get(char, char) in ours or counts(word, place, 0)
        for place, char in enumerate(word)
    )


def _fraction(text: str, inner: int, point: int) -> bool:
    """A decimal point with a digit on both sides, and few behind it."""
    step = 1 if point > inner else -1
    if text[point] == "," or not 0 <= point + step < len(text) or not text[point + step].isdecimal():
        return False
    size = 0
    while size <= _FRACTION_MAX and point + 1 + size < len(text) and text[point + 1 + size].isdecimal():
        size += 1
    return size <= _FRACTION_MAX


def _groups(text: str, comma: int) -> bool:
    """Thousands: groups of three behind one of one or two, for ``110,120`` may be two numbers."""
    if text[comma] != ",":
        return False
    return _group(text, comma) is not None and _grouped(text[max(comma - 24, 0) : comma]) is not None


def _is_bound(text: str, place: int) -> bool:
    """Does the numeral there end a word that is no number? 万一, but not in 三万一."""
    if text[max(place - 1, 0) : place + 1] not in _BOUND:
        return False
    return not (text[place - 1] in UNITS and place > 1 and (text[place - 2] in _DIGITS or text[place - 2] in UNITS))


def _ends_number(text: str, place: int) -> bool:
    """Behind the last digit of 三百五: nothing of a word, or a unit."""
    return place >= len(text) or not text[place].isalpha() or text[place] in UNITS


def _positional(text: str, place: int) -> bool:
    """Are the digits around ``place`` read one by one (一九九八年), and not two words that meet (周六, 六合彩)?"""
    first = last = place
    kinds = {text[place]}
    # Three that are not the same are enough to know, so that a long row of them is not walked again for each.
    while first > 0 and text[first - 1] in _DIGITS and not _is_bound(text, first - 1):
        first -= 1
        kinds.add(text[first])
        if last - first > 1 and len(kinds) > 1:
            return True
    while last + 1 < len(text) and text[last + 1] in _DIGITS:
        last += 1
        kinds.add(text[last])
        if last - first > 1 and len(kinds) > 1:
            return True
    if len(kinds) == 1:
        return False  # the same again: a repeat
    return not kinds.isdisjoint(_ZEROS) or text[last + 1 : last + 2] == "年"


def _is_counted(text: str, place: int, step: int) -> bool:
    at = place + step
    while 0 <= at < len(text) and abs(at - place) < 8 and not text[at].isalnum():
        at += step
    if not 0 <= at < len(text):
        return False
    char = text[at]
    return char.isnumeric() or char in _DIGITS or char in UNITS or char in _MEASURES
