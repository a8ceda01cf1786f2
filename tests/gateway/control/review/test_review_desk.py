"""Decisions take effect, whatever else happens."""

from __future__ import annotations

from typing import Any

from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.cases import cases


async def decided(room: Any, message: str = "m1") -> int:
    number: int = room.open(message)
    await room.claim("ann", number)
    await room.do("ann", number, "refuse", ground="g")
    return number


async def test_a_decision_stands_over_a_restart(room: Any) -> None:
    await decided(room)
    await room.plant.restart()
    await room.later(10)
    await room.later(10)
    assert room.desk.done == [("m1", "refused", "ann", "g")]


async def test_what_ended_a_moment_before_does_not_take_effect(room: Any) -> None:
    number = await decided(room)
    due = room.plant.database.now(lambda session: cases.get(session, number))
    room.desk.now += 10_000_000
    room.plant.database.now(lambda session: cases.void(session, "m1", "withdrawn", now=room.desk.now))
    await room.plant.review._take_effect([due])
    assert room.desk.done == []


async def test_while_the_database_lacks_acts_nothing_takes_effect(room: Any) -> None:
    await decided(room)
    room.plant.ledger.authority.journal = "behind"
    await room.later(10)
    assert room.desk.done == []
    room.plant.ledger.authority.settled()
    await room.later(0)
    assert len(room.desk.done) == 1


async def test_a_database_that_is_away_is_asked_again(room: Any, monkeypatch: Any) -> None:
    async def away(work: Any) -> None:
        raise DatabaseUnavailable("is away")

    monkeypatch.setattr(room.plant.database, "read", away)
    await room.plant.review.look()


async def test_it_counts_what_took_effect(room: Any) -> None:
    for message in ("m1", "m2"):
        await decided(room, message)
    await room.later(10)
    assert (await room.plant.review.series())["tidegate_cases_decided_total"] == {("message", "refused"): 2}
    room.plant.review.start()
    await room.plant.review.stop()
