"""Calls made in the background: until taken, in order, at least once, and no faster than their receiver can bear."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from itertools import pairwise
from typing import Any

import pytest

from gateway.control.callbacks import callback_sender
from gateway.control.callbacks.call_posting import Posted
from tests.gateway.control.callbacks.conftest import PLATFORM

FAILS = Posted(500, "callback.status")
TAKEN = Posted(200)
TWO = PLATFORM + PLATFORM.replace('"platform"', '"other"')
SOON_DEAD = PLATFORM + 'retry_for = "5s"\n'
ROTATED = PLATFORM + 'previous_secrets = ["fedcba9876543210"]\n'


async def test_a_call_says_what_it_is_and_is_signed(board: Any) -> None:
    board.configure(ROTATED)
    board.park("m1")
    (made,) = await board.step()
    fields = made.fields
    assert fields["Tidegate-Callback-Id"] == made.body["id"] == "call-0001"
    assert (fields["Tidegate-Event"], fields["Tidegate-Attempt"]) == ("message.held", "1")
    signed = fields["Tidegate-Timestamp"].encode() + b"." + made.data
    for secret in (b"0123456789abcdef", b"fedcba9876543210"):
        assert f"v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}" in fields["Tidegate-Signature"].split(", ")
    assert board.told() == [("message.held", "sent")]


async def test_one_that_fails_is_tried_again_later_and_later_under_its_id(board: Any) -> None:
    board.says["platform"] = [FAILS, Posted(None, "callback.timeout"), Posted(404, "callback.status"), TAKEN]
    board.park("m1")
    at = [board.now for _ in range(40) if await board.step(0.5)]
    assert [round((later - earlier) / 1e6, 1) for earlier, later in pairwise(at)] == [1.0, 2.0, 4.0]
    assert {made.body["id"] for made in board.calls} == {"call-0001"}
    assert [made.fields["Tidegate-Attempt"] for made in board.calls] == ["1", "2", "3", "4"]
    assert len({made.fields["Tidegate-Timestamp"] for made in board.calls}) == 4
    (row,) = board.rows
    assert (row.state, row.tries, row.status, row.problem) == ("sent", 4, 200, "")
    assert board.sender.done.values == {("platform", "failed"): 3, ("platform", "sent"): 1}


async def test_what_a_receiver_asks_for_is_waited(board: Any) -> None:
    board.says["platform"] = [Posted(503, "callback.status", 40.0), TAKEN]
    board.park("m1")
    await board.step()
    for _ in range(39):
        assert await board.step(1.0) == []
    assert len(await board.step(1.0)) == 1


async def test_in_the_end_it_is_dead_and_can_be_sent_again(board: Any) -> None:
    board.configure(SOON_DEAD)
    board.says["platform"] = [FAILS]
    board.park("m1")
    await board.until(lambda: board.told() == [("message.held", "dead")])
    tries = len(board.calls)
    assert board.rows[0].tries == tries == 4  # at 0, 1, 3 and 7 seconds
    assert await board.step(3600.0) == []
    assert board.sender.done.values[("platform", "dead")] == 1

    def again(session: Any) -> None:
        row = session.get_one(callback_sender.Callback, 1)
        callback_sender.call_queue.again(row, board.now)

    board.plant.database.now(again)
    board.sender.kick("platform")
    board.says["platform"] = [TAKEN]
    (made,) = await board.step()
    assert (made.body["id"], made.fields["Tidegate-Attempt"]) == ("call-0001", "1")
    assert board.told() == [("message.held", "sent")]


async def test_one_that_says_it_is_gone_is_not_asked_again(board: Any) -> None:
    board.says["platform"] = [Posted(410, "callback.status")]
    board.park("m1")
    await board.step()
    assert board.told() == [("message.held", "dead")]


async def test_of_one_message_a_later_call_waits_for_the_earlier(board: Any) -> None:
    board.says["platform"] = [Posted(400, "callback.status"), TAKEN]
    board.park("m1")
    await board.step()
    await board.refuse("m1")
    board.park("m2")
    told = [made.body["message"] for made in await board.step()]
    assert [(one["id"], one["state"]) for one in told] == [("m2", "held")]
    await board.until(lambda: len(board.calls) == 4)
    told = [made.body["message"] for made in board.calls if made.body["message"]["id"] == "m1"]
    assert [one["state"] for one in told] == ["held", "held", "refused"]


async def test_a_dead_call_holds_up_nothing(board: Any) -> None:
    board.says["platform"] = [Posted(410, "callback.status"), TAKEN]
    board.park("m1")
    await board.refuse("m1")
    await board.until(lambda: board.told() == [("message.held", "dead"), ("message.refused", "sent")])


async def test_a_receiver_that_is_away_is_asked_by_one_call_at_a_time_and_others_are_not_kept(board: Any) -> None:
    board.configure(TWO)
    await board.step()
    board.says["platform"] = [Posted(None, "callback.unreached")]
    for number in range(20):
        board.park(f"m{number:02}")
    await board.until(lambda: len([made for made in board.calls if made.target.name == "other"]) == 20, 0.01)
    away = len([made for made in board.calls if made.target.name == "platform"])
    assert away == callback_sender.AT_ONCE
    for _ in range(60):
        await board.step(10.0)
    asked = len([made for made in board.calls if made.target.name == "platform"]) - away
    assert 9 <= asked <= 20  # ten minutes, once a minute once it was long away
    board.says["platform"] = [TAKEN]
    await board.until(lambda: all(row.state == "sent" for row in board.rows), 30.0)


async def test_a_clock_that_was_set_back_keeps_nobody_waiting(board: Any) -> None:
    board.says["platform"] = [Posted(None, "callback.unreached"), TAKEN]
    board.park("m1")
    await board.step()
    board.ns -= 400 * 86_400 * 10**9
    board.park("m2")
    assert [made.body["message"]["id"] for made in await board.step() + await board.step()] == ["m2", "m1"]


async def test_a_process_that_dies_before_it_knows_sends_again(board: Any) -> None:
    board.park("m1")
    board.holds["platform"] = asyncio.Event()
    begun = await board.sender.step()
    await asyncio.sleep(0)
    assert len(board.calls) == 1
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)
    board.holds.clear()
    await board.restart()
    (made,) = await board.step()
    assert [one.body["id"] for one in board.calls] == [made.body["id"]] * 2


async def test_a_fault_of_ours_is_not_tried_in_a_circle(board: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **more: Any) -> str:
        raise RuntimeError("a fault")

    board.park("m1")
    with monkeypatch.context() as patched:
        patched.setattr(board.sender, "_settle", broken)
        assert len(await board.step()) == 1
        assert await board.step() == await board.step(0.9) == []
        assert len(await board.step(0.1)) == 1
    assert len(await board.step(2.0)) == 1
    assert board.told() == [("message.held", "sent")]


async def test_a_slow_receiver_has_a_bound_of_calls_under_way(board: Any) -> None:
    board.holds["platform"] = asyncio.Event()
    for number in range(20):
        board.park(f"m{number:02}")
    begun = list(await board.sender.step())
    for _ in range(3):
        begun += await board.sender.step()
    await asyncio.sleep(0)
    assert len(board.calls) == len(begun) == callback_sender.AT_ONCE
    board.holds["platform"].set()
    await asyncio.gather(*begun)
    assert len(await board.step()) == callback_sender.AT_ONCE


async def test_it_runs_by_itself_and_ends(board: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_sender, "EVERY", 0.01)
    board.sender.start()
    board.park("m1")
    async with asyncio.timeout(10):
        while not board.calls:
            await asyncio.sleep(0.005)
    board.holds["platform"] = asyncio.Event()
    board.park("m2")
    async with asyncio.timeout(10):
        while len(board.calls) < 2:
            await asyncio.sleep(0.005)
    await board.sender.stop()  # with a call under way
    assert ("message.held", "waiting") in board.told()


async def test_what_is_measured(board: Any) -> None:
    board.configure(SOON_DEAD)
    board.says["platform"] = [FAILS]
    board.park("m1")
    await board.step()
    told = await board.sender.series()
    assert told["tidegate_callbacks"] == {("platform", "waiting"): 1, ("platform", "dead"): 0}
    await board.until(lambda: board.told() == [("message.held", "dead")])
    board.park("m2")
    await board.step(3600.0)
    board.ns += 90 * 10**9
    told = await board.sender.series()
    assert told["tidegate_callbacks"] == {("platform", "waiting"): 1, ("platform", "dead"): 1}
    assert told["tidegate_callbacks_oldest_seconds"][("platform",)] >= 90.0
    board.configure("")
    assert await board.sender.series() == {}
