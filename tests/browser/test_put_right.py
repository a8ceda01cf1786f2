"""What was held is approved and seen; what was refused is appealed on a phone, upheld by somebody else and published; a
network that goes away in the middle of a page takes nothing with it."""

from __future__ import annotations

from typing import Any

import aiohttp

from rig.browser import SIZES, until
from tests.browser.conftest import Demo, Desk, Opens

ROOM = "/api/news/9/comments"
TEXT = "Sold my old bicycle, ask the museum who has it now"
OTHER = "The date in the third paragraph is wrong"
STATEMENT = "我说的是博物馆的展品，不是广告。"
ANSWER = "It is about the museum's exhibit."


async def shown(demo: Demo, text: str) -> bool:
    return text in await demo.shown(f"{demo.platform}{ROOM}")


async def waits(demo: Demo, text: str, sender: str) -> Any:
    """Held, and a case by now; what its sender was answered."""
    before = (await demo.ask("GET", "/v1/review"))["waiting"].get("first", 0)
    status, told = await demo.send(ROOM, sender, text)
    assert status == 202, told

    async def there() -> bool:
        return bool((await demo.ask("GET", "/v1/review"))["waiting"].get("first", 0) > before)

    await until(there)
    return told


async def lines(desk: Desk, count: int) -> list[str]:
    """The page of the room's lines; their cases."""
    await desk.visit("/list")
    await desk.sent("form:has([name=room][value='9']) button")
    found = await desk.see("[...document.querySelectorAll('.line')].map(one => one.dataset.case)")
    assert len(found) == count
    await until(lambda: desk.see("!document.getElementById('submit').disabled"))
    return [str(one) for one in found]


async def code_of(session: aiohttp.ClientSession, demo: Demo, url: str) -> str:
    """By which it is appealed, as its sender is told; empty until it is decided for good."""
    address = url if url.startswith("http") else demo.gate + url
    async with session.get(address, headers={"Accept": "application/json"}) as answer:
        return str((await answer.json()).get("appeal_code", ""))


async def test_held_then_seen_and_refused_then_put_right(
    demo: Demo, opens: Opens, session: aiohttp.ClientSession
) -> None:
    await waits(demo, OTHER, "u61")
    refused = await waits(demo, TEXT, "u62")
    assert not await shown(demo, OTHER)
    desk = await opens()
    await desk.log_in("li", "reviewer", language="zh")
    first, second = await lines(desk, 2)
    await desk.key("j")
    await desk.key("1")
    await desk.leads(desk.key("Enter"))
    assert (await demo.case(int(first)))["outcome"] == "approved"
    assert (await demo.case(int(second)))["outcome"] == "refused"
    await until(lambda: shown(demo, OTHER))
    code = await until(lambda: code_of(session, demo, refused["status_url"]))
    assert not await shown(demo, TEXT)
    await appealed(demo, desk, code)
    desk.size = "phone"
    await desk.visit("/appeals")  # who refused it does not weigh the appeal
    assert await desk.see(
        "document.querySelector('form[action$=\"/claim\"] button').getBoundingClientRect().right < 375"
    )
    await desk.sent("form[action$='/claim'] button")
    assert await desk.see("document.querySelector('[role=alert].problem') !== null"), await desk.text()
    other = await opens()
    await other.log_in("zhao", "reviewer", language="zh")
    await other.visit("/appeals")
    await other.leads(other.key("n"))
    assert STATEMENT in await other.text()
    await other.key("r")
    await until(lambda: other.see("document.activeElement?.id === 'answer'"))
    await other.typed(ANSWER)
    await other.key("Escape")
    await other.leads(other.key("a"))

    async def settled() -> bool:
        return bool((await demo.ask("GET", "/v1/appeals", state="upheld"))["appeals"])

    await until(settled)
    await desk.go(f"{demo.gate}/appeals?code={code}&lang=zh", SIZES["phone"])
    assert ANSWER in await desk.text()
    status, answer = await demo.send(ROOM, "u62", TEXT)
    assert status == 201, answer
    await until(lambda: shown(demo, TEXT))


async def appealed(demo: Demo, tab: Desk, code: str) -> None:
    """By its sender, on a phone; nothing is wider than that."""
    await tab.go(f"{demo.gate}/appeals?code={code}&lang=zh", SIZES["phone"])
    assert await tab.see("document.documentElement.scrollWidth <= innerWidth")
    await tab.fill("#statement", STATEMENT)
    await tab.sent("button[value=file]")
    assert await tab.see("document.documentElement.scrollWidth <= innerWidth")
    assert (await demo.ask("GET", "/v1/appeals"))["appeals"][0]["state"] == "waiting"


async def test_a_network_lost_in_the_middle_of_a_page(demo: Demo, opens: Opens) -> None:
    await waits(demo, OTHER, "u61")
    await waits(demo, TEXT, "u62")
    desk = await opens()
    await desk.log_in("li", "reviewer")
    first, second = await lines(desk, 2)
    await desk.key("2")
    await desk.network(offline=True)
    await desk.key("Enter")
    await until(lambda: desk.see("!document.getElementById('offline').hidden"))
    assert await desk.path() == "/list"
    assert (await demo.case(int(first)))["state"] == "claimed"
    await desk.network(offline=False)
    await until(lambda: desk.see("document.getElementById('offline').hidden"))
    await desk.leads(desk.key("Enter"))
    told = await demo.case(int(first))
    assert (told["outcome"], told["ground"]) == ("refused", "agreement 3.2")
    assert (await demo.case(int(second)))["outcome"] == "approved"
