"""The fifteen commonest acts, each done in a browser and found done by the API: in both languages, by keys at a desk,
by taps on a phone."""

from __future__ import annotations

import pytest

from rig.browser import until
from tests.browser.conftest import PASSWORD, WHY, Demo, Desk, Opens

GROUND = "agreement 3.1"


@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_acts(demo: Demo, opens: Opens, language: str, size: str) -> None:
    reviewer = await opens(size)
    await reviewer.log_in("li", "reviewer", language=language)  # 1 and 2: log in, choose a password
    await one_by_one(demo, reviewer)
    await lines(demo, reviewer)
    assert await reviewer.see("document.documentElement.lang.slice(0, 2)") == language
    await reviewer.sent("form[action$='/logout'] button")  # 10: log out; what was claimed waits again
    assert await reviewer.path() == "/login"
    assert (await demo.ask("GET", "/v1/review"))["claimed"] == 0
    lead = await opens(size)
    await lead.log_in("wang", "lead", language=language)
    await places(demo, lead)


async def one_by_one(demo: Demo, desk: Desk) -> None:
    await desk.at("/review")
    await desk.press("n")  # 3: take the next
    first = await desk.case()
    assert (await demo.case(first))["claimed_by"] == "li"
    await desk.press("a")  # 4: approve; the next one loads itself
    second = await desk.case()
    told = await demo.case(first)
    assert (told["state"], told["outcome"], second != first) == ("decided", "approved", True)
    await desk.press("u")  # 5: take it back, and it is there again
    assert await desk.case() == first
    assert (await demo.case(first))["state"] == "claimed"
    await desk.press("2")  # 6: refuse on the second ground
    told = await demo.case(first)
    assert (told["outcome"], told["ground"]) == ("refused", "agreement 3.2")
    assert await desk.case() == second
    note = "names somebody's house 小区"
    await (desk.key("e") if desk.size == "desk" else desk.tap("#note"))  # 7: escalate with a note
    await until(lambda: desk.see("document.activeElement?.id === 'note'"))
    await desk.typed(note)
    await desk.leads(desk.key("Enter"))
    told = await demo.case(second)
    assert (told["desk"], told["trace"][-1]["note"]) == ("lead", note)
    third = await desk.case()
    await desk.press("s")  # 8: skip
    assert (await demo.case(third))["state"] == "waiting"
    fourth = await desk.case()
    assert fourth != third
    sender = (await demo.case(fourth))["sender"]
    assert sender not in await desk.text()
    await (desk.key("i") if desk.size == "desk" else desk.tap("[data-key~='i']"))
    await until(lambda: desk.see(f"document.getElementById('sender').innerText.includes('{sender}')"))
    acts = (await demo.ask("GET", "/v1/acts", reason=WHY, kind="case.sender"))["acts"]
    assert acts[0]["person"] == "li"


async def lines(demo: Demo, desk: Desk) -> None:
    """9: a page of lines, one of them refused; and taken back."""
    held = await desk.case()
    await desk.press("s")
    while await desk.path() != "/list":
        await desk.visit("/list")
        if await desk.see("!document.getElementById('lines')"):
            await desk.press("n")
    count = await desk.see("document.querySelectorAll('.line').length")
    if count == 1:  # the case that came behind the one that was skipped
        await desk.key("j")
        await until(lambda: desk.see("!document.getElementById('submit').disabled"))
        await desk.press("Enter", "#submit")
        await desk.visit("/list")
        await desk.press("n")
        count = await desk.see("document.querySelectorAll('.line').length")
    assert count > 3 and held
    second = await desk.see("document.querySelectorAll('.line')[1].dataset.case")
    if desk.size == "desk":
        await desk.key("j")
        await desk.key("1")
    else:
        await desk.choose(f"[name='to-{second}']", "1")
    assert await desk.see("[...document.querySelectorAll('.line.refused')].map(one => one.dataset.case)") == [second]
    for at in range(count):
        await desk.see(f"document.querySelectorAll('.line')[{at}].scrollIntoView()") if desk.size == "phone" else (
            await desk.key("j")
        )
        await desk.drawn()
    await until(lambda: desk.see("!document.getElementById('submit').disabled"))
    await desk.press("Enter", "#submit")
    told = await demo.case(second)
    assert (told["outcome"], told["ground"]) == ("refused", GROUND)
    await desk.press("u")
    assert (await demo.case(second))["state"] == "claimed"
    assert await desk.see("document.querySelectorAll('.line').length") == count


async def places(demo: Demo, desk: Desk) -> None:
    status, told = await demo.send("/api/articles/7/comments", "u31", "The third picture is upside down")
    assert status == 201, told
    await until(lambda: found(demo, "upside"))
    await desk.visit("/messages")  # 11: search
    await desk.fill("#text", "upside")
    await desk.fill("#reason", WHY)
    await desk.sent("main form button.main")
    assert "The third picture is upside down" in await desk.text()
    await desk.sent("main table a")  # 12: take a message down
    await desk.fill("#reason", WHY)
    await desk.sent("main form button")
    await desk.tap("details:has(form[action$='/takedown']) summary")
    await desk.fill("form[action$='/takedown'] [name=reason]", WHY)
    await desk.fill("form[action$='/takedown'] [name=ground]", GROUND)
    await desk.sent("form[action$='/takedown'] button.danger")
    await desk.at("/takedowns/")
    (gone,) = (await demo.ask("GET", "/v1/takedowns"))["takedowns"]
    assert (await demo.ask("GET", "/v1/takedowns"))["takedowns"][0]["ground"] == GROUND
    assert "The third picture" not in await demo.shown(f"{demo.platform}/api/articles/7/comments"), gone
    await desk.visit("/senders")  # 13: block a sender
    await desk.fill("#sender", "u32")
    await desk.fill("#reason", WHY)
    await desk.sent("main form button.main")
    await desk.tap("details:has(form[action$='/senders/block']) summary")
    await desk.fill("form[action$='/senders/block'] [name=reason]", WHY)
    await desk.fill("form[action$='/senders/block'] [name=ground]", GROUND)
    await desk.sent("form[action$='/senders/block'] button.danger")
    assert (await demo.send("/api/articles/7/comments", "u32", "你好"))[0] == 403
    await desk.visit("/rooms?room=7")  # 14: freeze a room, and thaw it
    await desk.fill("form[action$='/freeze'] [name=ground]", GROUND)
    await desk.fill("form[action$='/freeze'] [name=reason]", WHY)
    await desk.sent("form[action$='/freeze'] button.danger")
    assert (await demo.send("/api/articles/7/comments", "u33", "你好"))[0] == 403
    await desk.fill("form[action*='/thaw/'] [name=reason]", WHY)
    await desk.sent("form[action*='/thaw/'] button.danger")
    assert (await demo.send("/api/articles/7/comments", "u34", "你好"))[0] == 201
    await desk.visit("/lists")  # 15: a word more in a list
    await desk.tap("details:has(form[action$='/lists/change']) summary")
    await desk.choose("#edit-list", "spam")
    await desk.fill("#line", "卖号找我")
    await desk.fill("form[action$='/lists/change'] [name=reason]", WHY)
    await desk.sent("form[action$='/lists/change'] [value=add]")
    assert (await demo.send("/api/articles/7/comments", "u35", "卖号找我吧"))[0] == 403


async def found(demo: Demo, text: str) -> bool:
    """Whether the index has it by now."""
    told = await demo.ask("POST", "/v1/messages/search", {"text": text, "reason": WHY})
    return bool(told["messages"])


async def test_the_password_of_before_opens_nothing(demo: Demo, opens: Opens) -> None:
    first = await opens()
    await first.log_in("li", "reviewer")
    other = await opens("phone")
    await other.visit("/login")
    await other.fill("#name", "li")
    await other.fill("#password", PASSWORD)
    await other.leads(other.key("Enter"))
    await other.visit("/password")
    for field, text in (
        ("#old", PASSWORD),
        ("#new", "another horse battery"),
        ("#again", "another horse battery"),
    ):
        await other.fill(field, text)
    await other.leads(other.key("Enter"))
    await first.visit("/review")
    assert await first.path() == "/login"
