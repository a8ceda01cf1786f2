"""Many cases decided each by itself, over the API."""

from __future__ import annotations

from typing import Any

from gateway.control.review.desk_settings import DeskSettings
from tests.gateway.control.review.conftest import Room


async def test_each_line_is_decided_by_itself_and_all_are_one_act(room: Room) -> None:
    room.desk.settings = DeskSettings(grounds=("a", "b"), second=frozenset({"gore"}))
    one, two, other = room.open("m1"), room.open("m2", category="gore"), room.open("m3")
    await room.claim("ann", one, two)
    await room.claim("bob", other)
    lines: list[dict[str, Any]] = [
        {"case": one, "outcome": "refused", "digit": 2, "seen": 1},
        {"case": two, "outcome": "approved"},
        {"case": other, "outcome": "approved"},
        {"case": 999, "outcome": "approved"},
    ]
    done = await room("ann", "POST", "/cases:lines", {"decisions": lines})
    told = [(line["came_to"], line["reason"]) for line in done["result"]["lines"]]
    assert told == [("decided", ""), ("proposed", ""), ("", "review.claimed"), ("", "control.case_unknown")]
    acts = await room.api("GET", "/v1/acts", params={"reason": "r", "kind": "case.lines"})
    assert [act["reason"] for act in acts["acts"]] == ["a page of 4 cases: 1 refused"]
    undone = await room("ann", "POST", "/cases:undo", {"cases": [one, two, other]})
    assert undone["result"]["undone"] == [one]
    assert {line["reason"] for line in undone["result"]["refused"]} == {"review.not_done"}


async def test_nothing_is_decided_unread_on_a_page_either(room: Room) -> None:
    one, two = room.open("m1"), room.open("m2")
    await room.claim("ann", one, two)
    lines = [{"case": one, "outcome": "approved", "seen": 7}, {"case": two, "outcome": "approved", "seen": 1}]
    done = await room("ann", "POST", "/cases:lines", {"decisions": lines})
    assert [line["reason"] for line in done["result"]["lines"]] == ["review.changed", ""]


async def test_what_no_rule_masks_is_not_masked(room: Room) -> None:
    one = room.open("m1")
    await room.claim("ann", one)
    answer = await room("ann", "POST", "/cases:lines", {"decisions": [{"case": one, "outcome": "masked"}]})
    assert (room.status, answer["reason"]) == (409, "review.no_mask")


async def test_pages_of_one_place_and_what_was_given_back_comes_last(room: Room) -> None:
    one, _, three = room.open("m1"), room.open("m2", room="r2"), room.open("m3", category="abuse")
    claimed = await room("ann", "POST", "/cases:claim", {"count": 9, "room": "r1"})
    assert [case["id"] for case in claimed["result"]["cases"]] == [one, three]
    await room("ann", "POST", "/cases:release", {})
    claimed = await room("ann", "POST", "/cases:claim", {"count": 1, "category": "abuse"})
    assert [case["id"] for case in claimed["result"]["cases"]] == [three]
    await room("ann", "POST", f"/cases/{three}:release", {})
    claimed = await room("ann", "POST", "/cases:claim", {"count": 1})
    assert claimed["result"]["cases"][0]["message_id"] == "m2"  # neither of the two that she gave back
    answer = await room("ann", "POST", "/cases:claim", {"cases": [one], "room": "r1"})
    assert (room.status, answer["reason"]) == (400, "control.invalid")


async def test_a_sender_is_told_of_without_and_with_their_name(room: Room) -> None:
    one = room.open("m1")
    room.open("m2")
    account = {"verified": False, "credit": 40, "reason": "r"}
    await room.api("PUT", "/v1/accounts/u1", json=account)
    told = await room("ann", "GET", f"/cases/{one}/sender")
    assert told == {
        "sender": None, "credit": 40, "verified": False, "blocked": False, "waiting": 1, "refused": 0, "approved": 0,
    }  # fmt: skip
    before = len(await room.plant.recorded())
    await room.api("POST", "/v1/blocks", json={"scope": "sender", "value": "u1", "ground": "g", "reason": "r"})
    told = await room("ann", "GET", f"/cases/{one}/sender", identity="true")
    assert (told["sender"], told["blocked"]) == ("u1", True)
    assert len(await room.plant.recorded()) > before
    await room("vic", "GET", f"/cases/{one}/sender")
    assert room.status == 403
