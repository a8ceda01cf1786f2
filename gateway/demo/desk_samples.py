"""What makes the console worth opening on the first day: comments that wait for a person, and the admin's way in."""

from __future__ import annotations

from typing import Final

import aiohttp

SAMPLES: Final = (
    ("1", "u11", "这条新闻写得很清楚，谢谢记者。"),
    ("1", "u12", "图片好像用错了，第二张是去年的。"),
    ("1", "u13", "大家好，我觉得地铁再晚半小时收车就好了。"),
    ("1", "u14", "Good reporting. Is there a map of the new line?"),
    ("1", "u15", "楼上说得不对，票价没有涨。"),
    ("1", "u16", "加我微信，有内部消息，先到先得！！！"),
    ("1", "u17", "请问周末的施工时间是几点到几点？"),
    ("1", "u18", "记者根本没去现场吧，瞎写。"),
    ("2", "u19", "这个公园去年就该修了 👍"),
    ("2", "u20", "The old playground was better, honestly."),
    ("2", "u21", "我家孩子最喜欢那个滑梯 <b>真的</b>"),
    ("2", "u22", "有没有人知道停车场在哪里？"),
    ("2", "u23", "支持！希望多种一些树。"),
    ("2", "u24", "某某小区的老王就住那里，电话我有，想知道的私信。"),
    ("2", "u25", "Nice photos, who took them?"),
)
"""Room, sender, text: ordinary ones, and some that a person has to think about."""


async def sample_cases(gate: str, control: aiohttp.ClientSession) -> int:
    """Send them as their readers would, where nothing waits; how many were taken."""
    desk = await (await control.get("/v1/review")).json()
    if desk["waiting"] or desk["claimed"] or desk["decided"]:
        return 0
    taken = 0
    async with aiohttp.ClientSession(f"http://{gate}") as readers:
        for room, sender, text in SAMPLES:
            sent = {"json": {"content": text}, "headers": {"X-User-Id": sender}}
            async with readers.post(f"/api/news/{room}/comments", **sent) as answer:  # type: ignore[arg-type]
                taken += answer.status == 202
    return taken


async def first_password(control: aiohttp.ClientSession, name: str) -> str:
    """One with which ``name`` may log in at the console; empty where they have chosen their own."""
    people = (await (await control.get("/v1/people")).json())["people"]
    if any(one["name"] == name and one["password"] == "own" for one in people):  # noqa: S105 - a state, no password
        return ""
    async with control.put(f"/v1/people/{name}/password", json={"reason": "the demo was started"}) as answer:
        given: str = (await answer.json())["result"]["password"]
        return given
