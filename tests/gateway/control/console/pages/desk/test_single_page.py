"""One case after the other, as forms send it."""

from __future__ import annotations

import re

import pytest

from gateway.config.sections.sentences import Sentences
from gateway.control.access.roles import Role
from gateway.control.acts.rows import Act
from gateway.control.cases import cases, claims
from gateway.control.cases.cases import Cause
from tests.gateway.control.console.pages.conftest import ConsoleDesk

EVIL = "<script>alert(1)</script>\"'\u202e"


async def test_looking_claims_nothing_and_the_next_is_taken_by_a_form(desk: ConsoleDesk) -> None:
    first = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    assert li.path == "/review"
    assert (await desk.row(first))["state"] == "waiting"
    await li.post("/review/next")
    assert li.path == f"/review/{first}"
    assert (await desk.row(first))["claimed_by"] == "li"
    assert "buy <mark>gold</mark> here" in li.text
    assert "u-m1" not in li.text  # who it is is not told
    await li.get("/review")
    assert li.path == f"/review/{first}"


async def test_decided_the_next_comes_and_what_was_decided_can_be_taken_back(desk: ConsoleDesk) -> None:
    first, second = desk.case("m1"), desk.case("m2")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    await li.post(f"/review/{first}/approve", {"seen": 1})
    assert li.path == f"/review/{second}"
    row = await desk.row(first)
    assert (row["state"], row["outcome"], row["decided_by"]) == ("decided", "approved", "li")
    assert f'action="/console/review/{first}/undo"' in li.text
    await li.post(f"/review/{first}/undo")
    assert li.path == f"/review/{first}"
    assert (await desk.row(first))["claimed_by"] == "li"
    await li.post(f"/review/{first}/refuse", {"seen": 1, "digit": 2})
    row = await desk.row(first)
    assert (row["outcome"], row["ground"]) == ("refused", "agreement 3.2")
    assert li.path == f"/review/{second}"
    await li.post(f"/review/{second}/refuse", {"seen": 1, "digit": 9})
    assert (li.path, "no ground of this digit" in li.text) == (f"/review/{second}", True)
    await li.post(f"/review/{second}/approve", {"seen": 1})
    assert (li.path, "Nothing waits" in li.text) == ("/review", True)


async def test_escalated_skipped_masked(desk: ConsoleDesk) -> None:
    numbers = [desk.case(f"m{at}", masked=("buy **** here",)) for at in range(3)]
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    await li.post(f"/review/{numbers[0]}/escalate", {"note": ""})
    assert li.path == f"/review/{numbers[0]}"
    await li.post(f"/review/{numbers[0]}/escalate", {"note": EVIL.rstrip("\u202e")})
    assert (await desk.row(numbers[0]))["desk"] == "lead"
    await li.post(f"/review/{numbers[1]}/skip")
    assert (await desk.row(numbers[1]))["state"] == "waiting"
    assert li.path == f"/review/{numbers[2]}"  # not the one that was skipped
    assert "buy **** here" in li.text
    await li.post(f"/review/{numbers[2]}/approve", {"seen": 1, "how": "masked"})
    assert (await desk.row(numbers[2]))["outcome"] == "masked"
    assert li.path == f"/review/{numbers[1]}"  # it comes last, and comes
    lea = await desk.house.logged_in("lea", Role.LEAD)
    await lea.post("/review/next")
    assert lea.path == f"/review/{numbers[0]}"
    assert "<script>alert" not in lea.text and "&lt;script&gt;alert" in lea.text


async def test_who_it_is_is_told_when_it_is_asked_for_and_that_is_an_act(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    before = [one["kind"] for one in await desk.plant.recorded()]
    assert "case.sender" not in before
    await li.post(f"/review/{number}/sender", headers={"HX-Request": "true"})
    assert "u-m1" in li.text and "<html" not in li.text
    act = await desk.plant.database.read(
        lambda session: session.query(Act).filter_by(kind="case.sender").one().as_row()
    )
    assert (act["person"], act["subject"]) == ("li", f"case:{number}")


async def test_what_happens_meanwhile_is_told(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    now = f"/review/{number}/now?seen=1"
    await li.get(now, headers={"HX-Request": "true"})
    assert (li.status, li.text) == (204, "")
    at = desk.desk.now
    common = {"now": at, "route": "comments", "room": "r1", "sender": "u-m1", "due_at": at}
    await desk.plant.database.run(
        lambda session: cases.open_case(session, "m1", Cause.COMPLAINT, reference="c1", **common)
    )
    await li.get(now, headers={"HX-Request": "true"})
    assert li.status == 200 and "Something new came up" in li.text
    await li.get(f"/review/{number}")
    await li.post(f"/review/{number}/approve", {"seen": 1})  # another window, which has not read it
    assert (li.path, "more to read" in li.text) == (f"/review/{number}", True)
    await desk.plant.database.run(lambda session: cases.void(session, "m1", "withdrawn", now=at))
    await li.get(now, headers={"HX-Request": "true"})
    assert "has ended while you had it: void" in li.text
    await li.get(f"/review/{number}")
    await li.post(f"/review/{number}/skip")  # seen
    await li.get(now, headers={"HX-Request": "true"})
    assert "not yours any more" in li.text


async def test_a_claim_that_is_lost_decides_nothing_that_is_anothers(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    bo = await desk.house.logged_in("bo", Role.REVIEWER)
    await li.post("/review/next")
    await bo.get(f"/review/{number}")
    assert "claimed by li" in bo.text and f"/review/{number}/approve" not in bo.text
    desk.desk.now += 700 * 1_000_000
    await desk.plant.database.run(lambda session: claims.time_out(session, now=desk.desk.now))
    await bo.post("/review/next")
    assert bo.path == f"/review/{number}"
    await li.post(f"/review/{number}/approve", {"seen": 1})
    assert "Somebody else has claimed this case" in li.text
    assert (await desk.row(number))["claimed_by"] == "bo"


async def test_a_session_that_has_ended_is_told_to_the_page(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    await desk.house.api("DELETE", "/v1/people/li/sessions", params={"reason": "r"})
    await li.get(f"/review/{number}/now?seen=1", headers={"HX-Request": "true"})
    assert li.headers["HX-Redirect"] == "/console/login"


async def test_grave_texts_are_hidden_until_somebody_asks(desk: ConsoleDesk) -> None:
    desk.case("m1", category="gore")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    assert re.search(r'class="text veiled"[^>]*aria-hidden="true"', li.text) and 'id="reveal"' in li.text


async def test_declined_categories_are_given_to_others_and_a_cap_is_kept(desk: ConsoleDesk) -> None:
    grave, plain, other = desk.case("m1", category="gore"), desk.case("m2"), desk.case("m3")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/own")
    await li.post("/own", {"language": "en", "theme": "", "declined": "gore，abuse", "cap": 1, "rest": 0})
    assert "gore, abuse" in li.text
    await li.post("/review/next")
    assert li.path == f"/review/{plain}"
    await li.post(f"/review/{plain}/approve", {"seen": 1})
    assert (li.path, "as much today as you wanted" in li.text) == ("/review", True)
    desk.desk.now += 86_400 * 1_000_000
    await li.post("/review/next")
    assert li.path == f"/review/{other}"
    bo = await desk.house.logged_in("bo", Role.REVIEWER)
    await bo.post("/review/next")
    assert bo.path == f"/review/{grave}"


@pytest.mark.parametrize("evil", [EVIL, "e" + "\u0301" * 4096, "\u2066\u202e\u200b", "{{ 7 * 7 }}"])
async def test_what_senders_write_is_never_markup(desk: ConsoleDesk, evil: str) -> None:
    desk.case("m1", evil, room=evil[:200], category="<b>&")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    assert li.status == 200
    assert "<script>alert" not in li.text and "<b>&" not in li.text and ">49<" not in li.text
    await li.get("/list")
    assert li.status == 200
    assert "<script>alert" not in li.text and "<b>&" not in li.text


async def test_a_reason_in_an_address_says_nothing_of_its_own(desk: ConsoleDesk) -> None:
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/review?why=you%20have%20won&done=1")
    assert "have won" not in li.text


async def test_grounds_are_shown_as_configured(desk: ConsoleDesk) -> None:
    said = Sentences.model_validate({"terms": {"agreement 3.2": {"zh": "用户协议 3.2"}}})
    desk.plant.config = desk.plant.config.model_copy(update={"sentences": said})
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    assert "agreement 3.2</bdi>" in li.text
    page = await li.get(f"/review/{number}", headers={"Accept-Language": "zh"})
    assert "用户协议 3.2</bdi>" in page and "agreement 3.2</bdi>" not in page
    await li.post(f"/review/{number}/refuse", {"seen": 1, "digit": 2})
    assert (await desk.row(number))["ground"] == "agreement 3.2"  # as it is written goes on record
