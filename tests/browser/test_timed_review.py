"""A person's hour in small, by the keys that a person presses and at a person's pace: twenty cases one by one, and a
page of thirty lines. The pace is the person's, who reads before they press; what is measured beside it is what the
console adds. ``-s`` shows the times."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.demo.desk_samples import SAMPLES
from rig.browser import until
from tests.browser.conftest import Demo, Desk, Opens

GROUNDS: Final = ("agreement 3.1", "agreement 3.2", "agreement 3.3")
MORE: Final = (
    ("3", "u41", "代办各类证件，量大从优，电话联系。"),
    ("3", "u42", "The second paragraph repeats the first."),
    ("3", "u43", "今晚开盘，稳赚不赔，跟我下注。"),
    ("3", "u44", "谢谢，问题解决了。"),
    ("3", "u45", "写稿子的是猪吧，滚。"),
)
# By a part of the text: the digit of the ground, or whom it is for. Whatever stands in none of them is approved.
KEY: Final[Mapping[str, str]] = MappingProxyType(
    {"加我微信": "1", "老王就住那里": "e", "代办各类证件": "1", "稳赚不赔": "2", "是猪吧": "3"}
)
NOTE: Final = "names where somebody lives 涉及个人信息"
SINGLE, CASES, RIGHT = 180.0, 20, 18  # seconds, cases, as the key says
PAGE, LINES = 90.0, 30  # seconds, lines
LOADED: Final = "performance.getEntriesByType('navigation')[0].duration"

BULLETS: Final = (
    "前排", "来了来了", "这段拍得真好", "背景音乐叫什么", "哈哈哈哈哈", "加V领福利",
    "泪目", "up主辛苦了", "第一次看", "前方高能", "这里剪得太快了", "稳赢的盘口来问我",
    "字幕君加油", "Great shot", "再来一遍", "太美了", "求地址", "演得真差 滚",
    "已三连", "这个镜头绝了", "笑死", "低价代刷粉丝", "有人一起看吗", "So calm here",
    "画质好清楚", "节奏刚好", "结尾好评", "下集什么时候", "弹幕护体", "完结撒花",
)  # fmt: skip
REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {"加V领福利": "1", "稳赢的盘口来问我": "2", "演得真差 滚": "3", "低价代刷粉丝": "1"}
)


def right(text: str) -> str:
    """The key that is right for it: a digit, ``e`` or ``a``."""
    return next((key for part, key in KEY.items() if part in text), "a")


def reading(text: str, least: float, per: float) -> float:
    """Seconds that somebody looks at a text and thinks: a Chinese character is some 0.1 s, a letter a fifth of it."""
    return least + per * sum(1.0 if ord(one) > 0x2E80 else 0.2 for one in text)


class Person:
    """Somebody at a desk: reads, presses, and keeps the time."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.paused = 0.0
        self.shown: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.paused += seconds
        await asyncio.sleep(seconds)

    async def reads(self) -> str:
        text = str(await self.desk.see("document.querySelector('.message .text').innerText"))
        await self.pause(min(6.0, reading(text, 2.5, 0.1)))
        return text

    async def turns(self, how: Awaitable[None]) -> None:
        """A press upon which the next page comes."""
        await self.desk.leads(how)
        self.shown.append(float(await self.desk.see(LOADED)))

    def told(self, what: str, took: float) -> str:
        return (
            f"{what}: {took:.1f} s, of which {self.paused:.1f} s reading; from the key to the next page "
            f"{statistics.median(self.shown):.0f} ms in the middle, {max(self.shown):.0f} ms at most"
        )


async def test_twenty_cases(demo: Demo, opens: Opens) -> None:
    for room, sender, text in MORE:
        assert (await demo.send(f"/api/news/{room}/comments", sender, text))[0] == 202
    assert len(SAMPLES) + len(MORE) == CASES

    async def all_wait() -> bool:
        return bool((await demo.ask("GET", "/v1/review"))["waiting"].get("first") == CASES)

    await until(all_wait)
    desk = await opens()
    await desk.log_in("li", "reviewer", language="zh")
    person = Person(desk)
    seen: dict[int, str] = {}
    began = time.monotonic()
    await person.turns(desk.key("n"))
    while len(seen) < CASES:
        number = await desk.case()
        text = await person.reads()
        seen[number] = text
        key = right(text)
        if len(seen) == 3:  # a slip of the finger: seen at once, and taken back
            await person.turns(desk.key("2"))
            assert await desk.case() != number
            await person.pause(1.0)
            await person.turns(desk.key("u"))
            assert await desk.case() == number
            await person.pause(1.0)
        if key == "e":
            await desk.key("e")
            await until(lambda: desk.see("document.activeElement?.id === 'note'"))
            await person.pause(4.0)
            await desk.typed(NOTE)
            key = "Enter"
        await person.turns(desk.key(key))
    took = time.monotonic() - began
    print(person.told(f"{CASES} cases", took))
    assert {text for _, _, text in (*SAMPLES, *MORE)} == set(seen.values()), "each was legible, whole"
    asked = {number: await outcome(demo, number) for number in seen}
    as_the_key_says = [number for number, text in seen.items() if asked[number] == right(text)]
    assert len(as_the_key_says) >= RIGHT, asked
    assert "e" in asked.values()
    undone = (await demo.ask("GET", "/v1/acts", reason="counts", kind="case.undo"))["acts"]
    assert len(undone) == 1
    assert took < SINGLE, person.told(f"{CASES} cases", took)


async def outcome(demo: Demo, number: int) -> str:
    """What became of a case, as the key that it would be."""
    case = await demo.case(number)
    if case["desk"] == "lead":
        return "e"
    if case["outcome"] == "approved":
        return "a"
    return str(GROUNDS.index(case["ground"]) + 1) if case["outcome"] == "refused" else ""


async def test_a_page_of_thirty_lines(demo: Demo, opens: Opens) -> None:
    for at, text in enumerate(BULLETS):
        assert (await demo.send("/api/news/9/comments", f"u{at + 50}", text))[0] == 202, text
    desk = await opens()
    await desk.log_in("li", "reviewer", language="zh")
    await desk.visit("/list")
    person = Person(desk)
    began = time.monotonic()
    await person.turns(desk.tap("form:has([name=room][value='9']) button"))
    rows = await desk.see("[...document.querySelectorAll('.line')].map(one => [one.dataset.case, one.innerText])")
    assert len(rows) == LINES
    decided: dict[int, str] = {}
    for case, said in rows:
        text = next(one for one in BULLETS if str(said).startswith(one))
        assert await desk.see("document.querySelector('.line.here').dataset.case") == case
        await person.pause(reading(text, 1.1, 0.1))
        decided[int(case)] = REFUSED.get(text, "")
        await desk.key(REFUSED.get(text, "j"))
    assert len(await desk.see("[...document.querySelectorAll('.line.refused')].map(one => one.dataset.case)")) == 4
    await until(lambda: desk.see("!document.getElementById('submit').disabled"))
    await person.pause(1.5)
    await person.turns(desk.key("Enter"))
    took = time.monotonic() - began
    print(person.told(f"{LINES} lines", took))
    assert {number: await outcome(demo, number) for number in decided} == {
        number: digit or "a" for number, digit in decided.items()
    }
    assert took < PAGE, person.told(f"{LINES} lines", took)
