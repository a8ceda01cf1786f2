"""Whose account is whose."""

from __future__ import annotations

from typing import Any


async def test_one_names_one_s_own_and_a_lead_anybody_s(room: Any) -> None:
    made = await room("ann", "POST", "/senders", {"sender": "u1", "reason": "mine"})
    assert made["result"] == {"sender": "u1", "person": "ann"}
    answer = await room("bob", "POST", "/senders", {"sender": "u1", "reason": "mine"})
    assert (room.status, answer["reason"]) == (409, "review.sender_named")
    answer = await room("bob", "POST", "/senders", {"sender": "u2", "person": "ann", "reason": "hers"})
    assert (room.status, answer["reason"]) == (403, "review.lead_only")
    await room("lea", "POST", "/senders", {"sender": "u2", "person": "ann", "reason": "hers"})
    told = await room("ann", "GET", "/senders", reason="look")
    assert [(one["sender"], one["person"]) for one in told["senders"]] == [("u1", "ann"), ("u2", "ann")]


async def test_nobody_takes_one_off_themselves_by_no_kind_of_act(room: Any) -> None:
    made = await room("lea", "POST", "/senders", {"sender": "u1", "reason": "mine"})
    answer = await room("lea", "DELETE", "/senders/u1", reason="not mine")
    assert (room.status, answer["reason"]) == (403, "review.own_sender")
    answer = await room.api("POST", f"/v1/acts/{made['act']}:undo", token=room.tokens["lea"], json={"reason": "r"})
    assert (room.api.status, answer["reason"]) == (403, "review.own_sender")
    await room("bob", "DELETE", "/senders/u1", reason="r")
    assert room.status == 403
    await room("admin", "DELETE", "/senders/u1", reason="it was sold")
    assert room.status in (200, 202)
    answer = await room("admin", "DELETE", "/senders/u1", reason="again")
    assert (room.status, answer["reason"]) == (404, "control.own_sender_unknown")


async def test_an_account_is_somebody_s_who_is_here(room: Any) -> None:
    answer = await room("lea", "POST", "/senders", {"sender": "u9", "person": "nobody", "reason": "r"})
    assert (room.status, answer["reason"]) == (404, "control.person_unknown")
    await room("lea", "POST", "/senders", {"sender": "u9", "person": "bob", "reason": "r"})
    assert room.status < 300
