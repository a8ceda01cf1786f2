"""What happened becomes calls: once for each receiver, within its bound, in one transaction."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway.control.callbacks import call_queue
from gateway.control.callbacks.call_posting import Posted
from gateway.control.callbacks.rows import Callback, CallbackCursor
from tests.gateway.control.callbacks.conftest import PLATFORM

TWO = """
[[callbacks]]
name = "first"
url = "http://127.0.0.1:9/hook"
secret = "0123456789abcdef"
events = ["message.refused", "message.expired"]
[[callbacks]]
name = "second"
url = "http://127.0.0.1:9/hook"
secret = "0123456789abcdef"
routes = ["comments"]
"""
SMALL = PLATFORM + "waiting = 100\n"
FAILS = Posted(500, "callback.status")


async def test_each_receiver_hears_what_it_asked_for(board: Any) -> None:
    board.configure(TWO)
    await board.step()
    board.park("m1")
    board.park("m2", route="elsewhere")
    await board.refuse("m1")
    await board.step()
    told = {(row.receiver, row.event, row.subject) for row in board.rows}
    assert told == {
        ("first", "message.refused", "message:m1"),
        ("second", "message.held", "message:m1"),
        ("second", "message.refused", "message:m1"),
    }
    assert len({row.uid for row in board.rows}) == 3


async def test_nothing_is_told_twice_over_any_number_of_steps_and_starts(board: Any) -> None:
    board.park("m1")
    for _ in range(3):
        await board.step()
        await board.restart()
    assert len(board.calls) == 1
    assert board.told() == [("message.held", "sent")]


async def test_what_happened_before_a_receiver_was_there_is_not_told(board: Any) -> None:
    board.configure("")
    await board.step()
    board.park("m1")
    board.configure(PLATFORM)
    await board.step()
    assert await board.step() == []
    board.park("m2")
    (made,) = await board.step()
    assert made.body["message"]["id"] == "m2"


async def test_calls_to_one_that_left_are_dead(board: Any) -> None:
    board.says["platform"] = [FAILS]
    board.park("m1")
    await board.step()
    assert board.told() == [("message.held", "waiting")]
    board.configure("")
    await board.step()
    (row,) = board.rows
    assert (row.state, row.problem) == ("dead", "receiver.gone")
    assert board.plant.database.now(lambda session: session.scalars(select(CallbackCursor)).all()) == []


async def test_without_receivers_nothing_is_written(board: Any) -> None:
    board.configure("")
    await board.step()
    board.park("m1")
    await board.refuse("m1")
    await board.step()
    assert board.rows == []


async def test_beyond_the_bound_nothing_is_lost(board: Any) -> None:
    board.configure(SMALL)
    board.says["platform"] = [FAILS]
    for number in range(150):
        board.park(f"m{number:03}")
    for _ in range(30):
        await board.step()
    waiting = [row for row in board.rows if row.state == "waiting"]
    assert 97 <= len(waiting) <= 100  # of three sources each may get as many as there is room for a third of
    board.says["platform"] = [Posted(204)]
    await board.until(lambda: len(board.rows) == 150 and not [row for row in board.rows if row.state != "sent"], 60.0)
    assert [row.subject for row in board.rows] == [f"message:m{number:03}" for number in range(150)]


async def test_a_transaction_that_fails_queues_nothing_and_keeps_the_cursor(
    board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.park("m1")

    def broken(*args: Any, **more: Any) -> Callback:
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as patched:
        patched.setattr(call_queue, "call", broken)
        with pytest.raises(RuntimeError):
            await board.sender.step()
    assert board.rows == []
    assert [one.event for one in await board.step()] == ["message.held"]


async def test_old_calls_are_pruned_and_waiting_ones_stay(board: Any) -> None:
    board.park("m1")
    await board.step()
    board.says["platform"] = [FAILS]
    board.park("m2")
    await board.step()

    def pruned(before: int) -> int:
        return int(board.plant.database.now(lambda session: call_queue.prune(session, before)))

    assert pruned(board.now) == 0
    assert pruned(board.now + 1) == 1
    assert board.told() == [("message.held", "waiting")]
