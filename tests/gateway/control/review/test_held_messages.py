"""Held messages are listed by state, and a lead says what became of one that nobody knows of."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from gateway.control.holding.rows import Held, Release

SETTLE = {"found": "deliver", "reason": "seen on the page"}


def held(room: Any, message: str, state: str) -> None:
    def work(session: Session) -> None:
        release = f"r-{message}" if state == "unknown" else ""
        session.add(
            Held(
                message_id=message, route="comments", surface="comment", room="r1", sender="u1", weak=False, edit=False,
                reason="review.required", fingerprint="", at=1, expires_at=9, state=state, changed_at=2,
                release=release, size=0,
            )
        )  # fmt: skip
        session.flush()
        if release:
            session.add(Release(id=release, message_id=message, at=1, state="lost"))

    room.plant.database.now(work)


async def test_by_state_and_page(room: Any) -> None:
    for message, state in (("m1", "held"), ("m2", "unknown"), ("m3", "unknown")):
        held(room, message, state)
    told = await room("vic", "GET", "/messages")
    assert [one["message_id"] for one in told["messages"]] == ["m2", "m3"]
    assert "sender" not in told["messages"][0]
    told = await room("vic", "GET", "/messages", after="m2")
    assert [one["message_id"] for one in told["messages"]] == ["m3"]
    told = await room("vic", "GET", "/messages", state="held")
    assert [one["message_id"] for one in told["messages"]] == ["m1"]
    await room("vic", "GET", "/messages", state="lost")
    assert room.status == 400


@pytest.mark.parametrize(("found", "state"), [("deliver", "delivered"), ("reject", "undeliverable")])
async def test_a_lead_says_what_is_there(room: Any, found: str, state: str) -> None:
    held(room, "m1", "unknown")
    await room("ann", "POST", "/messages/m1:settle", SETTLE)
    assert room.status == 403
    told = await room("lea", "POST", "/messages/m1:settle", SETTLE | {"found": found})
    assert room.status in (200, 202), told
    assert told["result"]["state"] == state
    await room("lea", "POST", "/messages/m1:settle", SETTLE)
    assert room.status == 409


async def test_what_is_not_unknown_is_nobodys_to_settle(room: Any) -> None:
    held(room, "m1", "held")
    await room("lea", "POST", "/messages/m1:settle", SETTLE)
    assert room.status == 409
    await room("lea", "POST", "/messages/m9:settle", SETTLE)
    assert room.status == 404


async def test_nobody_says_it_of_their_own_message(room: Any) -> None:
    held(room, "m1", "unknown")
    await room("lea", "POST", "/senders", {"sender": "u1", "reason": "that is me"})
    assert (await room("lea", "POST", "/messages/m1:settle", SETTLE))["reason"] == "review.own_message"
    assert room.status == 403
