"""Samples over a socket: who decides once more is told nothing of the first decision, and the lead sees both."""

from __future__ import annotations

import json
from typing import Any

from gateway.control.review.desk_settings import DeskSettings
from tests.gateway.control.review.conftest import TEXT

DRAWN = DeskSettings(undo=0.0, sample=0.2, grounds=("article 5", "agreement 3"))


async def decided(room: Any, message: str = "m1", **more: Any) -> int:
    """A case that ann refused, drawn."""
    room.desk.settings = DRAWN
    room.plant.review._chance = lambda: 0.0
    number: int = room.open(message, **more)
    await room.claim("ann", number)
    await room.do("ann", number, "refuse", digit=1)
    return number


async def sample(room: Any, who: str, what: str = "", **body: Any) -> Any:
    return await room(who, "POST", f"/samples{what}", body)


async def test_decided_once_more_unseen_and_both_told_to_the_lead(room: Any) -> None:
    number = await decided(room)
    answer = await sample(room, "ann", ":claim")
    assert (room.status, answer["reason"]) == (404, "review.nothing_waits")
    shown = (await sample(room, "bob", ":claim"))["result"]
    assert (shown["text"]["texts"], shown["words"], shown["category"]) == ([TEXT], ["gold"], "fraud")
    assert shown["causes"] == [{"cause": "hold", "category": "fraud", "reason": "keywords.match"}]
    for secret in ("ann", "article 5", "m1", "u1", "outcome"):
        assert secret not in json.dumps(shown)
    answer = await room("bob", "GET", f"/cases/{number}")
    assert (room.status, answer["reason"]) == (403, "review.sampled")
    assert (await room("bob", "GET", "/cases", state="done"))["cases"] == []
    noted = await sample(room, "bob", f"/{shown['id']}:decide", outcome="refused", digit=2)
    assert noted["result"] == {"id": shown["id"]}
    assert room.desk.done == [("m1", "refused", "ann", "article 5")]  # nothing followed
    assert (await room("bob", "GET", f"/cases/{number}"))["decided_by"] == "ann"
    told = await room("lea", "GET", "/samples")
    (one,) = told["samples"]
    assert (told["waiting"], told["disagreed"]) == (0, 1)
    assert (one["case"], one["message_id"], one["differs"]) == (number, "m1", "ground")
    assert (one["first_by"], one["first_ground"], one["decided_by"], one["ground"]) == (
        "ann", "article 5", "bob", "agreement 3",
    )  # fmt: skip
    agreement = await room("lea", "GET", "/agreement")
    assert (agreement["decided"], agreement["alike"], agreement["outcomes"]) == (1, 0, 1)
    assert {one["ground"]: one["share"] for one in agreement["grounds"]} == {"article 5": 0.0, "agreement 3": 0.0}
    assert "ann" not in json.dumps(agreement)


async def test_the_second_decision_is_an_act_in_the_journal(room: Any) -> None:
    await decided(room)
    shown = (await sample(room, "bob", ":claim"))["result"]
    await sample(room, "bob", f"/{shown['id']}:decide", outcome="approved")
    await room.plant.recorded()
    acts = [(act["person"], act["kind"], act["subject"], act["reason"]) for act in room.plant.journal.records]
    assert ("bob", "sample.claim", f"sample:{shown['id']}", f"sample {shown['id']}: claimed") in acts
    assert ("bob", "sample.decide", f"sample:{shown['id']}", f"sample {shown['id']}: approved") in acts


async def test_a_lead_leaves_a_decision_or_reopens_its_case(room: Any) -> None:
    numbers = [await decided(room, "m1"), await decided(room, "m2")]
    for _ in numbers:
        shown = (await sample(room, "bob", ":claim"))["result"]
        await sample(room, "bob", f"/{shown['id']}:decide", outcome="approved")
    second, first = (await room("lea", "GET", "/samples"))["samples"]
    await sample(room, "ann", f"/{first['id']}:settle", reason="r")
    assert room.status == 403
    await sample(room, "lea", f"/{first['id']}:settle", reason="both can be defended")
    assert room.status < 300
    await room.do("lea", second["case"], "reopen", reason="the second is right")
    assert (await room("lea", "GET", "/samples"))["samples"] == []
    await room("ann", "GET", "/samples")
    assert room.status == 403
    await room("ann", "GET", "/agreement")
    assert room.status == 403


async def test_one_whose_text_is_gone_is_passed_over(room: Any) -> None:
    gone = await decided(room, "m1")
    there = await decided(room, "m2")
    del room.desk.texts[gone]
    shown = (await sample(room, "bob", ":claim"))["result"]
    assert shown["text"]["texts"] == [TEXT]
    (one,) = (await room("lea", "GET", "/samples", state="void"))["samples"]
    assert one["case"] == gone
    del room.desk.texts[there]
    await sample(room, "bob", f"/{shown['id']}:release")
    await sample(room, "bob", ":claim")
    assert room.status == 404


async def test_none_is_given_beyond_one_s_cap_or_of_declined_categories(room: Any) -> None:
    await decided(room)
    mine = {"Authorization": f"Bearer {room.tokens['bob']}"}
    for choice, given in (({"declined": ["fraud"]}, False), ({"declined": [], "cap": 1}, True)):
        async with room.api.session.put(room.api.url + "/v1/me/console", json=choice, headers=mine) as answer:
            assert answer.ok
        shown = await sample(room, "bob", ":claim")
        assert (room.status < 300) is given
    await sample(room, "bob", f"/{shown['result']['id']}:decide", outcome="approved")
    await decided(room, "m2")
    answer = await sample(room, "bob", ":claim")
    assert (room.status, answer["reason"]) == (409, "review.capped")


async def test_nobody_decides_on_what_they_do_not_hold(room: Any) -> None:
    await decided(room)
    shown = (await sample(room, "bob", ":claim"))["result"]
    for who in ("ann", "lea"):
        answer = await sample(room, who, f"/{shown['id']}:decide", outcome="approved")
        assert (room.status, answer["reason"]) == (409, "review.not_claimed")
    await sample(room, "bob", f"/{shown['id']}:decide", outcome="refused")
    assert room.status == 400  # without a ground
    await room("bob", "POST", "/cases:release", {})  # logged out
    answer = await sample(room, "bob", f"/{shown['id']}:decide", outcome="approved")
    assert (room.status, answer["reason"]) == (409, "review.not_claimed")
