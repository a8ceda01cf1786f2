"""Pages of messages, senders, rooms, blocks, lists, takedowns, people and acts: what each shows, and does."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.control.access.roles import Role
from gateway.control.cases import cases
from gateway.control.console.pages.places.word_lists_page import _marked
from gateway.control.lists.drafts import BackTests
from gateway.control.lists.schemas import HitOut, TryOut
from tests.gateway.control.console.conftest import House
from tests.gateway.control.console.pages.conftest import EVIL, ConsoleDesk, Index


async def test_messages_are_found_and_read(house: House, index: Index) -> None:
    browser = await house.logged_in("li", Role.REVIEWER)
    await browser.get("/messages")
    page = await browser.post("/messages", {"text": "微信", "back": "1d", "verdict": "pass", "reason": "case 7"})
    assert browser.status == 200, page
    assert "&lt;script&gt;" in page and EVIL not in page
    assert "alice" not in page
    assert (index.asked[0]["text"], index.asked[0]["verdict"]) == ("微信", "pass")
    assert index.asked[0]["since_us"] > 0
    # The next page asks the same, from there on.
    cursor = re.search(r'name="cursor" value="([^"]+)"', page)
    assert cursor is not None
    await browser.post("/messages", {"text": "微信", "reason": "case 7", "cursor": cursor[1]})
    assert index.asked[1]["place"] == [[["node-0", "2026-11-30", 3]], ["", ""]]
    page = await browser.post("/messages", {"sender": "alice", "identity": "1", "reason": "case 7"})
    assert "alice</bdi>" in page
    # One of them; whose it is only when that is asked for.
    await browser.get("/messages/m1")
    page = await browser.post("/messages/m1", {"reason": "case 7"})
    assert "192.0.2.7" not in page and "alice" not in page and "201" in page and "keyword.match" in page
    page = await browser.post("/messages/m1", {"reason": "case 7", "identity": "1"})
    assert "192.0.2.7" in page and "alice" in page
    kinds = [one["kind"] for one in (await house.plant.recorded()) if one["kind"].startswith("message.")]
    assert kinds == ["message.search"] * 2 + ["message.identify", "message.read", "message.identify"]
    await browser.post("/messages", {"text": "微信"})
    assert (browser.status, "control.reason_missing" in browser.text) == (400, True)


async def test_a_message_is_taken_down(house: House, index: Index) -> None:
    browser = await house.logged_in("li", Role.REVIEWER)
    house.plant.messages.add("m1")
    page = await browser.post("/messages/m1", {"reason": "why"}, csrf=await mark(browser, "/messages"))
    assert "/messages/m1/takedown" in page
    page = await browser.post("/messages/m1/takedown", {"reason": "order 7", "ground": "8", "copies": "1"})
    assert (browser.path.partition("?")[0], browser.status) == ("/takedowns/1", 200), page
    assert "order 7" in page and "m1" in page
    assert "order 7" in await browser.get("/takedowns")
    assert house.plant.state.snapshot["copies"]
    index.record["verdict"] = "reject"
    await browser.get("/messages/m1")
    assert "/messages/m1/takedown" not in await browser.post("/messages/m1", {"reason": "why"})


async def test_a_sender(house: House, index: Index) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    await house.api("PUT", "/v1/accounts/alice", json={"verified": True, "credit": 61, "reason": "r"})
    await browser.get("/senders")
    page = await browser.post("/senders", {"sender": "alice", "reason": "case 7"})
    assert "<b>61</b>" in page and "&lt;script&gt;" in page
    block = {"sender": "alice", "reason": "spam", "ground": "agreement 3", "until": "7d"}
    page = await browser.post("/senders/block", block)
    assert (browser.path, "Done. Act" in page) == ("/senders", True)
    page = await browser.post("/senders", {"sender": "alice", "reason": "case 7"})
    assert "agreement 3" in page
    page = await browser.post("/senders", {"sender": "nobody", "reason": "case 7"})
    assert "has said nothing of this account" in page


async def test_a_room(house: House, index: Index) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    await browser.get("/rooms?room=r%2F1")
    page = await browser.post("/rooms/status", {"room": "r/1", "status": "slow", "interval": "30", "reason": "busy"})
    assert browser.status == 200, page
    assert "(30 s)" in page
    page = await browser.post("/rooms/freeze", {"room": "r/1", "scope": "room", "ground": "article 8", "reason": "now"})
    assert "Thaw" in page and "article 8" in page
    number = re.search(r"/rooms/thaw/(\d+)", page)
    assert number is not None
    page = await browser.post("/rooms", {"room": "r/1", "reason": "patrol"})
    assert "&lt;script&gt;" in page
    page = await browser.post(f"/rooms/thaw/{number[1]}", {"room": "r/1", "reason": "over"})
    assert "Nothing is frozen" in page
    viewer = await house.logged_in("vi", Role.VIEWER)
    page = await viewer.get("/rooms?room=r%2F1")
    assert "Freeze" not in page and "/rooms/status" not in page


async def test_blocks(house: House) -> None:
    browser = await house.logged_in("li", Role.REVIEWER)
    new = {"scope": "cidr", "value": "192.0.2.0/24", "ground": EVIL, "reason": "flood", "until": "0"}
    await browser.post("/blocks/new", new, csrf=await mark(browser, "/blocks"))
    assert (browser.path, browser.status) == ("/blocks", 200)
    page = await browser.post("/blocks", {"scope": "cidr", "value": "", "reason": "look"})
    assert "192.0.2.0/24" in page and EVIL not in page
    number = re.search(r"/blocks/(\d+)/lift", page)
    assert number is not None
    await browser.post(f"/blocks/{number[1]}/lift", {"reason": "over"})
    page = await browser.post("/blocks", {"scope": "cidr", "value": "", "reason": "look"})
    assert "192.0.2.0/24" not in page


async def mark(browser: Any, path: str) -> str:
    await browser.get(path)
    return str(browser.csrf)


async def test_lists(house: House) -> None:
    browser = await house.logged_in("li", Role.LIST_EDITOR)
    page = await browser.get("/lists")
    assert 'action="/console/lists/try"' in page
    page = await browser.post("/lists/try", {"list": "spam", "text": "buy now"})
    assert browser.status == 200 and "<h2" in page, page
    page = await browser.post("/lists/change", {"list": "spam", "line": "加微信", "reason": "new", "how": "add"})
    assert browser.status == 200, page
    auditor = await house.logged_in("au", Role.VIEWER)
    assert "/lists/change" not in await auditor.get("/lists")


def test_hits_are_marked_in_the_text() -> None:
    hit = HitOut(word_id=1, category="c", severity=1, spans=[(1, 3), (2, 4), (9, 99)], matched=[])
    told = TryOut(name="spam", digest="d", hits=[hit])
    assert _marked("abcdefghij", told) == [(False, "a"), (True, "bcd"), (False, "efghi"), (True, "j")]
    assert _marked("", TryOut(name="spam", digest="d", hits=[])) == []


async def test_people(house: House) -> None:
    browser = await house.logged_in("boss", Role.ADMIN)
    await browser.get("/people")
    page = await browser.post("/people", [("name", "wu"), ("roles", "reviewer"), ("roles", "lead"), ("reason", "new")])
    assert browser.status == 200, page
    password = re.search(r"First password of <bdi>wu</bdi>: <code>([^<]+)</code>", page)
    assert password is not None
    other = house.browser()
    await other.log_in("wu", password[1].replace("&amp;", "&"))
    assert other.path == "/password"
    await browser.post("/people/wu/roles", [("roles", "viewer"), ("reason", "less")])
    assert browser.status == 200
    page = await browser.post("/people/wu/remove", {"reason": "left"})
    assert "<bdi>wu</bdi>" not in page
    await browser.post("/people/boss/remove", {"reason": "left"})
    lead = await house.logged_in("li", Role.LEAD)
    assert "/people/boss/remove" not in await lead.get("/people")


async def test_acts_are_seen_and_undone(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    done = await house.api("PUT", "/v1/rooms/r1", json={"status": "closed", "reason": EVIL})
    await browser.get("/acts")
    page = await browser.post("/acts", {"kind": "room.set", "reason": "audit"})
    if f"/acts/{done['act']}/undo" not in page:
        page = await browser.post("/acts", {"kind": "", "reason": "audit"})
    assert f"/acts/{done['act']}/undo" in page and EVIL not in page
    page = await browser.post(f"/acts/{done['act']}/undo", {"reason": "a mistake"})
    assert (browser.path, browser.status) == ("/acts", 200), page
    assert (await house.api("GET", "/v1/rooms/r1"))["status"] == "open"


async def test_what_words_are_worth(house: House) -> None:
    def work(session: Any) -> None:
        case = cases.open_case(
            session, "m1", cases.Cause.HOLD, now=1, route="comments", room="r", sender="u", due_at=1,
            hits=[cases.ListWord("spam", 7)],
        )  # fmt: skip
        case.state, case.outcome = "done", "refused"

    house.plant.database.now(work)
    li = await house.logged_in("li", Role.LIST_EDITOR)
    await li.get("/lists")
    assert "/console/lists?worth=spam" in li.text
    assert "100 %" in li.text
    await li.get("/lists?worth=spam")
    assert "<bdi>buy</bdi> <code>7</code>" in li.text


async def test_a_draft_over_the_record_and_in_force(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ["m1", "comments", "r1", 1_700_000_000_000_000, "pass", ["pearls"]]
    told = {"looked_at": 9, "complete": False, "newly": {"count": 1, "messages": [row]}}
    told["no_longer"] = {"count": 0, "messages": []}

    async def run(self: object, name: str, changes: Any, since_us: int, most: int) -> Any:
        assert (name, changes.added) == ("spam", ("pearls", "shells"))
        return told

    made = BackTests(Path("none"), lambda: house.plant.generation)
    monkeypatch.setattr(BackTests, "run", run)
    services = house.plant.services
    object.__setattr__(services, "features", [*services.features, made])
    li = await house.logged_in("li", Role.LIST_EDITOR)
    await li.get("/lists")
    given = {"list": "spam", "add": "pearls\r\nshells\r\n", "leave_out": "", "days": "7"}
    await li.post("/lists/draft", {**given, "how": "test"})
    assert "9 messages looked at: 1 newly hit, 0 no longer." in li.text
    assert "/console/messages/m1" in li.text and "There are more in this span." in li.text
    await li.post("/lists/draft", {**given, "how": "apply", "reason": "a campaign"})
    assert li.path == "/lists"
    assert "shells" in li.text and "pearls" in li.text


@pytest.mark.parametrize(
    "altered",
    [
        None, [], [[], []], [[["n", "d"]], ["", ""]], [[["n", "d", 10**30]], ["", ""]], [[["n", "d", -1]], ["", ""]],
        [[["n\0", "d", 1]], ["", ""]], [[["n", "d", "x"]], ["", ""]], [[["n" * 65, "d", 1]], ["", ""]],
    ],
)  # fmt: skip
async def test_a_cursor_that_was_altered_is_refused(house: House, index: Index, altered: Any) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(altered).encode()).decode()
    told = await house.api("POST", "/v1/messages/search", json={"reason": "r", "cursor": cursor})
    assert (house.api.status, told["reason"]) == (400, "control.invalid")
    assert index.asked == []


async def test_an_end_beyond_the_calendar_takes_no_page_away(house: House, index: Index) -> None:
    for at, far in enumerate((253_402_300_800, 1 << 40)):
        block = {"scope": "sender", "value": f"u{at}", "ground": "g", "reason": "r", "expires_at": far}
        await house.api("POST", "/v1/blocks", json=block)
        assert house.api.status == 200
    browser = await house.logged_in("li", Role.LEAD)
    assert "9999-12-31" in await browser.post("/blocks", {"reason": "r"})
    await browser.post("/senders", {"reason": "r", "sender": "u1"})
    assert browser.status == 200


async def test_grave_texts_are_hidden_wherever_messages_are_shown(desk: ConsoleDesk, index: Index) -> None:
    index.record["content"]["plain"] = ["something gruesome"]
    index.record["findings"][0]["category"] = "gore"
    browser = await desk.house.logged_in("li", Role.LEAD)
    await browser.get("/messages")
    for path, asked in (
        ("/messages", {"text": "x"}), ("/messages/m1", {}), ("/rooms", {"room": "r1"}), ("/senders", {"sender": "u1"}),
    ):  # fmt: skip
        page = await browser.post(path, {**asked, "reason": "case 7"})
        veiled = re.findall(r"<details class=\"veil\"><summary>hidden: gore</summary>.*?</details>", page, re.DOTALL)
        assert page.count("something gruesome") == len([one for one in veiled if "something gruesome" in one]) == 1
    index.record["findings"][0]["category"] = "fraud"
    page = await browser.post("/messages", {"text": "x", "reason": "case 7"})
    assert "something gruesome" in page and "veil" not in page


async def test_whoever_decides_on_a_sample_finds_nothing_of_its_message(desk: ConsoleDesk, index: Index) -> None:
    """What became of it would tell what was decided; under the id by which it was published as well."""
    desk.desk.settings = replace(desk.desk.settings, undo=0.0, sample=1.0)
    desk.plant.review._chance = lambda: 0.0
    number = desk.case("m1")
    ann, bob = [await desk.house.logged_in(name, Role.REVIEWER) for name in ("ann", "bob")]
    await ann.post("/review/next")
    await ann.post(f"/review/{number}/approve", {"seen": "1"})
    await bob.get("/sample")
    await bob.post("/sample/take")
    assert "/sample/1/decide" in bob.text
    for record in (index.record, index.record | {"id": "m2", "releases": "m1"}):
        index.record = record
        await bob.post(f"/messages/{record['id']}", {"reason": "r"})
        assert (bob.status, "review.sampled" in bob.text) == (403, True)
        assert f"/messages/{record['id']}" not in await bob.post("/messages", {"text": "x", "reason": "r"})
        assert f"/messages/{record['id']}" in await ann.post("/messages", {"text": "x", "reason": "r"})
    await bob.post("/sample/1/decide", {"outcome": "approved"})
    await bob.post("/messages/m2", {"reason": "r"})
    assert bob.status == 200
