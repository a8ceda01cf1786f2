"""A page of lines: all pass but those that are marked; the page taken back."""

from __future__ import annotations

from gateway.control.access.roles import Role
from gateway.control.cases import cases
from tests.gateway.control.console.pages.conftest import ConsoleDesk


async def test_lines_of_one_place(desk: ConsoleDesk) -> None:
    here = [desk.case(f"m{at}", room="r1") for at in range(33)]
    desk.case("other", room="r2")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    assert 'name="room" value="r1"' in li.text and 'name="room" value="r2"' in li.text
    await li.post("/list/take", {"route": "comments", "room": "r1"})
    assert li.path == "/list"
    assert li.text.count('class="line"') == 30
    states = [(await desk.row(number))["state"] for number in here]
    assert states == ["claimed"] * 30 + ["waiting"] * 3


async def test_all_pass_but_those_that_are_marked_and_the_page_can_be_taken_back(desk: ConsoleDesk) -> None:
    numbers = [desk.case(f"m{at}") for at in range(4)]
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    await li.post("/list/take")
    desk.plant.database.now(lambda session: cases.void(session, "m3", "withdrawn", now=desk.desk.now))
    sent = [("case", f"{number}:1") for number in numbers]
    sent += [(f"to-{numbers[0]}", "pass"), (f"to-{numbers[1]}", "2"), (f"to-{numbers[2]}", "leave")]
    await li.post("/list/decide", sent)
    rows = [await desk.row(number) for number in numbers]
    assert [row["state"] for row in rows] == ["decided", "decided", "waiting", "void"]
    assert [row["outcome"] for row in rows[:2]] == ["approved", "refused"]
    assert rows[1]["ground"] == "agreement 3.2"
    assert rows[0]["act_uid"] == rows[1]["act_uid"] != ""  # one act
    assert (
        "2 decided." in li.text
        and "1 left to others." in li.text
        and "1 could not be decided." in li.text
        and "is no more" in li.text
    )
    await li.post("/list/undo", [("case", str(numbers[0])), ("case", str(numbers[1]))])
    rows = [await desk.row(number) for number in numbers[:2]]
    assert [(row["state"], row["claimed_by"]) for row in rows] == [("claimed", "li")] * 2
    assert li.text.count('class="line"') == 2


async def test_a_line_that_is_lost_takes_none_of_the_others_along(desk: ConsoleDesk) -> None:
    """It was to be left to somebody else, and somebody else has it already: the page is decided all the same."""
    numbers = [desk.case(f"m{at}") for at in range(3)]
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    await li.post("/list/take")
    await li.post(f"/review/{numbers[2]}/skip")
    await li.get("/list")
    await li.post("/list/decide", [*(("case", f"{number}:1") for number in numbers), (f"to-{numbers[2]}", "leave")])
    assert (li.status, li.path) == (200, "/list")
    assert "2 decided." in li.text and "/list/undo" in li.text
    assert [(await desk.row(number))["state"] for number in numbers[:2]] == ["decided", "decided"]


async def test_what_is_no_page_of_ours_is_refused(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    mark = ""
    for sent in (
        [("case", "1")],
        [("case", "x:y")],
        [("case", f"{number}:1"), (f"to-{number}", "12")],
        [("case", f"{number}:1"), (f"to-{number}", "all")],
        [("case", f"{number}:1"), ("case", f"{number}:1")],
        [("case", f"{at}:1") for at in range(1, 60)],
    ):
        await li.get("/list")
        mark = li.csrf
        await li.post("/list/decide", sent, csrf=mark)
        assert li.status == 400, sent
    assert (await desk.row(number))["state"] == "waiting"


async def test_grave_lines_are_folded(desk: ConsoleDesk) -> None:
    desk.case("m1", category="gore")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    await li.post("/list/take")
    assert "<details><summary>hidden: gore</summary>" in li.text


async def test_a_page_is_filled_up_and_what_others_decide_is_not_offered(desk: ConsoleDesk) -> None:
    numbers = [desk.case(f"m{at}", room="r1") for at in range(4)]
    lone = desk.case("lone", room="r2")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    await li.post("/list/take", {"route": "comments", "room": "r2"})
    await li.post(f"/review/{lone}/escalate", {"note": "whose is it?"})
    assert f"Case {lone}: escalated to a lead." in li.text  # and the next one came
    await li.post(f"/review/{numbers[0]}/skip")
    assert f"Case {numbers[0]}: skipped." in li.text
    await li.get("/list")
    assert li.text.count('class="line"') == 1 and "Take 3 more" in li.text
    await li.post("/list/take")
    assert li.text.count('class="line"') == 4 and "more <kbd>" not in li.text
    await li.post("/list/decide", [("case", f"{number}:2") for number in numbers[:1]])
    zhao = await desk.house.logged_in("zhao", Role.REVIEWER)
    await zhao.get("/list")
    assert 'value="r2"' not in zhao.text  # a lead's
    await zhao.get("/review")
    assert "Nothing waits." in zhao.text and "1 wait for others" in zhao.text


async def test_a_page_that_cannot_be_taken_back_any_more_does_not_offer_it(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    await li.post("/list/take")
    await li.post("/list/decide", [("case", f"{number}:1")])
    until = (await desk.row(number))["effective_at"]
    assert f'data-until="{until}"' in li.text
    desk.plant.database.now(lambda session: cases.get(session, number).__setattr__("state", "done"))
    await li.get(f"/list?done={number}")
    assert "1 decided." in li.text and "/list/undo" not in li.text
