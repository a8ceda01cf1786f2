"""The desk over a socket: whoever holds a case decides, the case is the reason, every reading is on record."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases
from gateway.control.cases.cases import Cause
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.neighbours import CaseText
from tests.gateway.control.review.conftest import FINDING, TEXT, S


async def test_claimed_read_decided_and_in_effect_after_the_undo_window(room: Any) -> None:
    number = room.open()
    claimed = await room("ann", "POST", "/cases:claim", {"count": 1})
    shown = claimed["result"]["cases"][0]
    assert (shown["id"], shown["state"], shown["claimed_by"]) == (number, "claimed", "ann")
    assert (shown["text"]["texts"], shown["words"]) == ([TEXT], ["gold"])
    assert [one["event"] for one in shown["trace"]] == ["opened", "claimed"]
    decided = await room.do("ann", number, "refuse", ground="article 5")
    assert (decided["result"]["came_to"], decided["result"]["case"]["state"]) == ("decided", "decided")
    await room.later(9)
    assert room.desk.done == []
    await room.later(1)
    assert room.desk.done == [("m1", "refused", "ann", "article 5")]
    assert (await room("ann", "GET", f"/cases/{number}"))["state"] == "done"
    assert room.acts() == [
        ("ann", "case.claim", "cases:1", "claimed by page"),
        ("ann", "case.decide", f"case:{number}", f"case {number}: refused, article 5"),
        ("ann", "case.done", f"case:{number}", f"case {number}: refused, article 5"),
        ("ann", "case.read", f"case:{number}", f"case {number}: read"),
    ]


async def test_a_ground_by_its_digit(room: Any) -> None:
    room.desk.settings = DeskSettings(grounds=("article 5", "agreement 3.2"), undo=0.0)
    number = room.open()
    await room.claim("ann", number)
    answer = await room.do("ann", number, "refuse", digit=3)
    assert (room.status, answer["reason"]) == (400, "review.ground_unknown")
    for body in ({}, {"digit": 1, "ground": "g"}):
        await room.do("ann", number, "refuse", **body)
        assert room.status == 400
    await room.do("ann", number, "refuse", digit=2)
    assert room.desk.done == [("m1", "refused", "ann", "agreement 3.2")]  # without an undo window, at once
    told = await room("vic", "GET", "")
    assert told["grounds"] == [{"digit": 1, "ground": "article 5"}, {"digit": 2, "ground": "agreement 3.2"}]


async def test_two_people_on_one_case(room: Any) -> None:
    number = room.open()
    await asyncio.gather(room.claim("ann", number), room.claim("bob", number))
    holder = (await room("ann", "GET", f"/cases/{number}"))["claimed_by"]
    other = "bob" if holder == "ann" else "ann"
    answer = await room.claim(other, number)
    assert (room.status, answer["reason"]) == (409, "review.claimed")
    assert answer["errors"][-1]["problem"] == f"claimed by {holder}"
    answer = await room.do(other, number, "approve", seen=1)
    assert (room.status, answer["reason"]) == (409, "review.claimed")
    await room.do(holder, number, "approve")
    answer = await room.do(other, number, "approve", seen=1)
    assert (room.status, answer["reason"]) == (409, "review.decided")


async def test_a_cause_that_came_up_is_read_before_one_decides(room: Any) -> None:
    number = room.open()
    await room.claim("ann", number)
    room.open(cause=Cause.COMPLAINT)
    answer = await room.do("ann", number, "approve")
    assert (room.status, answer["reason"]) == (409, "review.changed")
    assert "cause-added" in [one["problem"] for one in answer["errors"]]
    shown = await room("ann", "GET", f"/cases/{number}")
    assert [one["cause"] for one in shown["causes"]] == ["hold", "complaint"]
    assert (await room.do("ann", number, "approve"))["result"]["came_to"] == "decided"


async def test_a_decision_is_taken_back(room: Any) -> None:
    number = room.open()
    await room.claim("ann", number)
    await room.do("ann", number, "approve")
    answer = await room.do("bob", number, "undo")
    assert (room.status, answer["reason"]) == (403, "review.not_yours")
    taken = await room.do("ann", number, "undo")
    assert (taken["result"]["state"], taken["result"]["claimed_by"]) == ("claimed", "ann")
    await room.later(60)
    assert room.desk.done == []


async def test_two_people_decide_on_some_categories(room: Any) -> None:
    room.desk.settings = DeskSettings(second=frozenset(("fraud",)))
    number = room.open()
    await room.claim("ann", number)
    assert (await room.do("ann", number, "refuse", ground="g"))["result"]["came_to"] == "proposed"
    answer = await room.claim("ann", number)
    assert (room.status, answer["reason"]) == (403, "review.barred")
    await room.claim("bob", number)
    assert (await room.do("bob", number, "approve"))["result"]["came_to"] == "disagreed"
    answer = await room.claim("bob", number)
    assert room.status == 403
    await room.claim("lea", number)
    assert (await room.do("lea", number, "approve"))["result"]["came_to"] == "decided"
    await room.later(10)
    assert room.desk.done == [("m1", "approved", "lea", "")]


async def test_escalated_handed_over_and_given_back(room: Any) -> None:
    first, second, third = room.open(), room.open("m2"), room.open("m3")
    await room.claim("ann", first, second, third)
    assert (await room.do("ann", first, "escalate", note="a minor is named"))["result"]["desk"] == "lead"
    assert (await room.do("ann", second, "release", note="ask the owner"))["result"]["state"] == "waiting"
    shown = await room("bob", "GET", f"/cases/{second}")
    assert [one["note"] for one in shown["trace"]] == ["", "", "ask the owner"]
    assert (await room("ann", "POST", "/cases:release", {}))["result"] == {"released": 1}
    await room.claim("bob", first)
    assert room.status == 403


async def test_nobody_decides_on_their_own_messages(room: Any) -> None:
    number = room.open(sender="ann")
    answer = await room.claim("ann", number)
    assert (room.status, answer["reason"]) == (403, "review.own_message")
    await room("bob", "POST", "/senders", {"sender": "u7", "reason": "mine"})
    other = room.open("m2", sender="u7")
    answer = await room.claim("bob", other)
    assert (room.status, answer["reason"]) == (403, "review.own_message")
    answer = await room("bob", "POST", "/cases:claim", {"count": 5})
    assert [one["id"] for one in answer["result"]["cases"]] == [number]


async def test_void_tells_whoever_holds_it(room: Any) -> None:
    number = room.open()
    await room.claim("ann", number)
    room.plant.database.now(lambda session: cases.void(session, "m1", "withdrawn", now=room.desk.now))
    mine = await room("ann", "GET", "/cases", mine="true")
    assert [(one["id"], one["state"], one["taken_from_you"]) for one in mine["cases"]] == [(number, "void", True)]
    answer = await room.do("ann", number, "approve")
    assert (room.status, answer["reason"]) == (409, "review.void")
    assert answer["errors"][-1]["problem"] == "void"
    await room.do("ann", number, "release")
    assert (await room("ann", "GET", "/cases", mine="true"))["cases"] == []


async def test_the_list_has_what_a_reviewer_needs_and_words_go_on_record(room: Any) -> None:
    numbers = [room.open(f"m{place}", due_at=room.desk.now + place) for place in range(5)]
    room.open("other", route="live", due_at=room.desk.now - S)
    await room.later(90)
    page = await room("ann", "GET", "/cases", limit="2", route="comments")
    assert [one["id"] for one in page["cases"]] == numbers[:2]
    first = page["cases"][0]
    assert (first["age"], first["route"], first["room"], first["words"]) == (90.0, "comments", "r1", None)
    assert first["causes"][0]["reason"] == "keywords.match"
    assert first["expires_at"] > room.desk.now
    assert room.acts() == []
    found = list(numbers[:2])
    while page["next"]:
        page = await room("ann", "GET", "/cases", limit="2", route="comments", after=page["next"], words="true")
        found += [one["id"] for one in page["cases"]]
        assert {tuple(one["words"]) for one in page["cases"]} <= {("gold",)}
    assert found == numbers
    assert {act[1:3] for act in room.acts()} == {("case.list", "cases:2"), ("case.list", "cases:1")}


async def test_what_ended_is_listed_from_the_newest_on(room: Any) -> None:
    for place in range(3):
        room.open(f"m{place}", due_at=place)
        room.plant.database.now(
            lambda session, place=place: cases.void(session, f"m{place}", "withdrawn", now=room.desk.now)
        )
    page = await room("ann", "GET", "/cases", state="void", limit="2")
    assert [one["message_id"] for one in page["cases"]] == ["m2", "m1"]
    page = await room("ann", "GET", "/cases", state="void", limit="2", after=page["next"])
    assert [one["message_id"] for one in page["cases"]] == ["m0"]


async def test_all_of_a_campaign_but_what_others_hold(room: Any) -> None:
    numbers = [room.open(f"m{place}", sender=f"u{place}") for place in range(6)]
    room.open("else", fingerprint="e" * 16)
    room.open("own", sender="ann")
    await room.claim("bob", numbers[4])
    await room.claim("lea", numbers[5])
    await room.do("lea", numbers[5], "escalate", note="see")
    asked = {"case": numbers[0], "over": "campaign"}
    answer = await room("ann", "POST", "/cases:preview", asked)
    assert (room.status, answer["reason"]) == (409, "review.not_claimed")
    await room.claim("ann", numbers[0])
    told = await room("ann", "POST", "/cases:preview", asked)
    assert {key: told[key] for key in ("count", "claimed", "desk", "kept", "more")} == {
        "count": 4, "claimed": 1, "desk": 1, "kept": 1, "more": 0,
    }  # fmt: skip
    assert [one["id"] for one in told["cases"]] == numbers[:4]
    decision = {**asked, "outcome": "refused", "ground": "article 5"}
    answer = await room("ann", "POST", "/cases:decide", {**decision, "count": 5})
    assert (room.status, answer["reason"]) == (409, "review.changed")
    done = await room("ann", "POST", "/cases:decide", {**decision, "count": 4})
    assert done["result"] == {"decided": 4, "claimed": 1, "desk": 1, "kept": 1, "more": 0}
    await room.later(10)
    assert sorted(one[0] for one in room.desk.done) == ["m0", "m1", "m2", "m3"]
    assert [act[2] for act in room.acts() if act[1] == "case.done"] == ["cases:4"]  # together, in one act


async def test_all_of_a_sender_on_a_route(room: Any) -> None:
    first, second = room.open("m1"), room.open("m2", fingerprint="")
    room.open("m3", sender="u2")
    room.open("m4", route="live")
    await room.claim("ann", first)
    told = await room("ann", "POST", "/cases:preview", {"case": first, "over": "sender"})
    assert [one["id"] for one in told["cases"]] == [first, second]


async def test_no_list_tells_whose_a_message_is(room: Any) -> None:
    """Nobody reads that without a trace: lists leave none."""
    number = room.open("m1", sender="alice")
    listed = await room("ann", "GET", "/cases")
    assert [(one["id"], one["sender"]) for one in listed["cases"]] == [(number, None)]
    await room.claim("ann", number)
    mine = await room("ann", "GET", "/cases", mine="true")
    told = await room("ann", "POST", "/cases:preview", {"case": number, "over": "sender"})
    for answer in (mine, told):
        assert answer["cases"] and "alice" not in json.dumps(answer)
    shown = await room("ann", "GET", f"/cases/{number}")
    assert shown["sender"] == "alice"
    assert ("ann", "case.read", f"case:{number}") in [act[:3] for act in room.acts()]


async def test_of_a_cap_no_more_is_given_than_is_left(room: Any) -> None:
    numbers = [room.open(f"m{at}") for at in range(6)]
    await room.api("PUT", "/v1/me/console", token=room.tokens["ann"], json={"cap": 3})
    given = await room("ann", "POST", "/cases:claim", {"count": 50})
    assert [one["id"] for one in given["result"]["cases"]] == numbers[:3]
    answer = await room("ann", "POST", "/cases:claim", {"count": 1})
    assert (room.status, answer["reason"]) == (409, "review.capped")
    await room.do("ann", numbers[0], "approve")
    answer = await room("ann", "POST", "/cases:claim", {"count": 1})
    assert (room.status, answer["reason"]) == (409, "review.capped")
    await room("ann", "POST", "/cases:release", {})
    given = await room("ann", "POST", "/cases:claim", {"count": 50})
    assert len(given["result"]["cases"]) == 2


async def test_masked_only_where_a_rule_masks(room: Any) -> None:
    number = room.open()
    await room.claim("ann", number)
    answer = await room.do("ann", number, "approve", masked=True)
    assert (room.status, answer["reason"]) == (409, "review.no_mask")
    room.desk.texts[number] = CaseText((TEXT,), ("buy **** here",), (FINDING,))
    await room.do("ann", number, "approve", masked=True)
    await room.later(10)
    assert room.desk.done == [("m1", "masked", "ann", "")]


async def test_what_cannot_take_effect_is_void_and_told(room: Any) -> None:
    number = room.open()
    await room.claim("ann", number)
    await room.do("ann", number, "approve")
    room.desk.refuses = ControlError(409, "review.decided", "gone")
    await room.later(10)
    mine = await room("ann", "GET", "/cases", mine="true")
    assert [(one["state"], one["taken_from_you"]) for one in mine["cases"]] == [("void", True)]


async def test_an_appeal_is_not_worked_on_here(room: Any) -> None:
    number = room.open(cause=Cause.APPEAL, kind=cases.APPEAL)
    answer = await room.claim("ann", number)
    assert (room.status, answer["reason"]) == (409, "review.appeal")
    answer = await room("ann", "POST", "/cases:claim", {"count": 1})
    assert (room.status, answer["reason"]) == (404, "review.nothing_waits")
    assert (await room("ann", "GET", "/cases"))["cases"] == []


async def test_some_of_those_named_can_be_had(room: Any) -> None:
    first, second = room.open(), room.open("m2")
    await room.claim("bob", first)
    told = (await room.claim("ann", first, second, 99))["result"]
    assert [one["id"] for one in told["cases"]] == [second]
    refused = [(one["case"], one["reason"]) for one in told["refused"]]
    assert refused == [(first, "review.claimed"), (99, "control.case_unknown")]


async def test_the_desk_tells_how_much_waits(room: Any) -> None:
    for place in range(3):
        room.open(f"m{place}")
    await room.claim("ann", room.open("held"))
    await room.later(3600)
    told = await room("ann", "GET", "")
    assert (told["waiting"], told["claimed"], told["decided"], told["mine"]) == ({"first": 3}, 1, 0, 1)
    assert (told["oldest"], told["overdue"], told["open"]) == (3600.0, 3, True)
    metrics = await room.plant.review.series()
    assert metrics["tidegate_cases"] == {("waiting",): 3.0, ("claimed",): 1.0, ("decided",): 0.0}
    assert metrics["tidegate_cases_oldest_seconds"] == {(): 3600.0}


async def test_bad_input_is_told(room: Any) -> None:
    number = room.open()
    for method, path, body in (
        ("POST", "/cases:claim", {}),
        ("POST", "/cases:claim", {"count": 0}),
        ("POST", "/cases:claim", {"count": 1, "cases": [number]}),
        ("POST", "/cases:claim", {"cases": [number], "route": "comments"}),
        ("POST", f"/cases/{number}:escalate", {"note": ""}),
        ("POST", f"/cases/{number}:release", {"note": "a\x00b"}),
        ("POST", "/cases:decide", {"case": number, "over": "sender", "outcome": "refused", "count": 1}),
        ("GET", "/cases?after=1", None),
        ("GET", "/cases?state=odd", None),
    ):
        answer = await room("ann", method, path, body)
        assert (room.status, answer["reason"]) == (400, "control.invalid"), (path, body)
    answer = await room.do("ann", 999, "approve")
    assert (room.status, answer["reason"]) == (404, "control.case_unknown")


async def test_a_lead_decides_on_a_queue_with_a_preview(room: Any) -> None:
    for number in range(3):
        room.open(f"m{number}", room="r7")
    other, taken = room.open("n1"), room.open("n2", room="r7")
    await room.claim("ann", taken)
    common = {"over": "queue", "room": "r7"}
    answer = await room("bob", "POST", "/cases:preview", common)
    assert (room.status, answer["reason"]) == (403, "review.lead_only")
    told = await room("lea", "POST", "/cases:preview", common)
    assert (told["count"], told["claimed"], told["more"]) == (3, 1, 0)
    answer = await room("lea", "POST", "/cases:decide", {**common, "outcome": "approved", "count": 2})
    assert (room.status, answer["reason"]) == (409, "review.changed")
    done = await room("lea", "POST", "/cases:decide", {**common, "outcome": "refused", "ground": "g", "count": 3})
    assert done["result"] == {"decided": 3, "claimed": 1, "desk": 0, "kept": 0, "more": 0}
    assert ("lea", "case.bulk", "cases:3", "all that wait of room r7: refused, g") in room.acts()
    await room.later(10)
    assert [one[0] for one in room.desk.done] == ["m0", "m1", "m2"]
    assert (await room("ann", "GET", f"/cases/{other}"))["state"] == "waiting"
    for body in ({"over": "queue"}, {"over": "queue", "case": 1}, {"over": "sender"}, {"over": "queue", "word": 3}):
        await room("lea", "POST", "/cases:preview", body)
        assert room.status == 400, body


async def test_what_waits_that_one_may_claim(room: Any) -> None:
    numbers = [room.open(f"m{at}") for at in range(3)]
    told = await room("ann", "GET", "/waiting")
    assert (told["count"], told["more"], [one["count"] for one in told["places"]]) == (3, False, [3])
    await room.claim("ann", numbers[0])
    await room.do("ann", numbers[0], "escalate", note="a lead's")
    assert (await room("ann", "GET", "/waiting"))["count"] == 2
    assert (await room("lea", "GET", "/waiting"))["count"] == 3
    await room("vic", "GET", "/waiting")
    assert room.status == 403
