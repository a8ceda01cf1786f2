"""Calls looked at and sent again, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.callbacks.call_posting import Posted
from gateway.control.calls.schemas import MOST
from tests.gateway.control.callbacks.conftest import ON_CALL, PLATFORM
from tests.gateway.control.callbacks.test_happenings import WITH_SENDER

WHY = {"reason": "the receiver was down"}


@pytest.fixture
async def dead(board: Any, api: Any) -> Any:
    """Two calls that were given up, and one that was taken."""
    board.configure(WITH_SENDER + "retry_for = 0\n")
    board.plant.config = board.config
    board.says["platform"] = [Posted(404, "callback.status"), Posted(404, "callback.status"), Posted(200)]
    for name in ("m1", "m2", "m3"):
        board.park(name)
        await board.step()
    assert [state for _, state in board.told()] == ["dead", "dead", "sent"]
    return board


async def test_listed(dead: Any, api: Any) -> None:
    told = (await api("GET", "/v1/callbacks?state=dead"))["callbacks"]
    assert [(one["id"], one["subject"], one["status"], one["tries"]) for one in told] == [
        (1, "message:m1", 404, 1), (2, "message:m2", 404, 1)
    ]  # fmt: skip
    assert "body" not in told[0]
    for query, ids in (
        ("", [1, 2, 3]), ("?after=1", [2, 3]), ("?limit=1", [1]), ("?message=m3", [3]), ("?receiver=other", [])
    ):  # fmt: skip
        assert [one["id"] for one in (await api("GET", f"/v1/callbacks{query}"))["callbacks"]] == ids


async def test_what_one_says_without_the_sender(dead: Any, api: Any) -> None:
    told = await api("GET", "/v1/callbacks/1")
    assert (told["body"]["message"]["id"], told["body"]["id"]) == ("m1", told["uid"])
    assert "sender" not in told["body"]["message"]
    assert "alice" not in str(told)
    await api("GET", "/v1/callbacks/99")
    assert api.status == 404


async def test_sent_again_under_its_id(dead: Any, api: Any) -> None:
    done = await api("POST", "/v1/callbacks/1:resend", json=WHY)
    assert (done["result"]["state"], done["result"]["tries"]) == ("waiting", 0)
    assert (await api.plant.recorded())[-1]["kind"] == "callback.resend"
    dead.ns = max(dead.ns, api.plant.desk.now * 1000)
    (made,) = await dead.step()
    assert made.body["id"] == dead.calls[0].body["id"]
    await api("POST", "/v1/callbacks/99:resend", json=WHY)
    assert api.status == 404


async def test_one_that_was_taken_can_be_sent_again(dead: Any, api: Any) -> None:
    await api("POST", "/v1/callbacks/3:resend", json=WHY)
    dead.ns = max(dead.ns, api.plant.desk.now * 1000)
    assert [made.body["message"]["id"] for made in await dead.step()] == ["m3"]


async def test_all_of_a_receiver(dead: Any, api: Any) -> None:
    done = await api("POST", "/v1/callbacks:resend", json={**WHY, "receiver": "platform", "event": "message.refused"})
    assert done["result"] == {"count": 0, "more": False}
    done = await api("POST", "/v1/callbacks:resend", json={**WHY, "receiver": "platform", "since": MOST})
    assert done["result"]["count"] == 0
    done = await api("POST", "/v1/callbacks:resend", json={**WHY, "receiver": "platform"})
    assert done["result"] == {"count": 2, "more": False}
    assert [state for _, state in dead.told()] == ["waiting", "waiting", "sent"]


async def test_one_of_a_receiver_that_is_gone_goes_nowhere(dead: Any, api: Any) -> None:
    dead.configure("")
    dead.plant.config = dead.config
    for path, body in (
        ("/v1/callbacks/1:resend", WHY),
        ("/v1/callbacks:resend", {**WHY, "receiver": "platform"}),
        ("/v1/callbacks:test", {**WHY, "receiver": "platform"}),
    ):
        answer = await api("POST", path, json=body)
        assert (api.status, answer["reason"]) == (404, "control.receiver_unknown")
    assert [state for _, state in dead.told()] == ["dead", "dead", "sent"]


async def test_a_trial(board: Any, api: Any) -> None:
    board.configure(PLATFORM + ON_CALL)
    board.plant.config = board.config
    await board.step()
    for name in ("platform", "on-call"):
        done = await api("POST", "/v1/callbacks:test", json={**WHY, "receiver": name})
        assert done["result"]["event"] == "test"
    board.ns = max(board.ns, api.plant.desk.now * 1000)
    made = {one.target.name: one.body for one in await board.step()}
    assert made["platform"]["event"] == "test"
    assert "测试" in made["on-call"]["text"]
