"""State is an image of the database, made anew whenever state has lost it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateway.control.accounts.rows import Account
from gateway.control.acts.acts import Intent, Unit, perform
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE
from gateway.control.node.confirming import LATE, Confirming
from gateway.control.node.state_rebuild import BATCH, rebuild
from gateway.control.rooms.rows import Room


def fill(plant: Any, accounts: int) -> None:
    def work(session: Any) -> None:
        session.add_all(
            Account(sender=f"u{n:05}", verified=True, verified_until=0, credit=n % 101) for n in range(accounts)
        )
        session.add(Room(room="r", status="muted", interval_ms=0))
        for value, expires_at in (("gone", 1), ("stays", 0)):
            session.add(Block(scope="sender", value=value, reason="r", ground="g", expires_at=expires_at, created_at=1))
            session.add(
                Block(
                    scope="cidr", value=f"10.{expires_at}.0.0/16", reason="r", ground="g", expires_at=expires_at,
                    limited=True, created_at=1,
                )
            )  # fmt: skip

    plant.database.now(work)


async def test_everything_is_written_over_several_pages(plant: Any) -> None:
    fill(plant, BATCH * 2 + 7)
    plant.state.rows["accounts", "left over"] = {}
    rebuilt = await rebuild(plant.database, plant.state, GOVERNANCE)
    assert rebuilt.subjects == BATCH * 2 + 7 + 5
    assert len(plant.state.rows) == rebuilt.subjects
    assert plant.state.rows["accounts", "u02006"]["credit"] == 2006 % 101
    assert plant.state.rows["rooms", "r"]["status"] == "muted"


def test_the_snapshot_leaves_out_what_has_expired(plant: Any) -> None:
    fill(plant, 0)
    made = plant.database.now(GOVERNANCE.snapshot)
    assert [row.cidr for row in made.ranges] == ["10.0.0.0/16"]
    assert [row.value for row in made.blocks] == ["stays"]
    earlier = plant.database.now(lambda session: GOVERNANCE.snapshot(session, now=0.0))
    assert len(earlier.ranges) == 2


async def test_a_state_that_lost_everything_is_filled_again_by_itself(plant: Any) -> None:
    fill(plant, 3)
    confirming = Confirming(plant.database, plant.relay, plant.state)
    await confirming.look()
    assert (confirming.rebuilds, len(plant.state.rows)) == (1, 8)
    await confirming.look()
    assert confirming.rebuilds == 1
    plant.state.down = True
    await confirming.look()
    assert confirming.failing == "ConnectionError"
    plant.state.down = False
    plant.state.epoch = False
    plant.state.rows.clear()
    await confirming.look()
    assert (confirming.rebuilds, len(plant.state.rows), confirming.failing) == (2, 8, "")


async def test_a_state_server_that_was_started_again_is_filled_again(plant: Any, eventually: Any) -> None:
    """What it read back from disk may lack the last blocks; at our own start that can wait until we serve."""
    fill(plant, 3)
    plant.state.epoch = plant.state.fresh = True
    confirming = Confirming(plant.database, plant.relay, plant.state, every=0.01)
    await confirming.look()
    assert confirming.rebuilds == 0
    confirming.rounds.start()
    await eventually(lambda: confirming.rebuilds, 5)
    await confirming.rounds.stop()
    assert (confirming.rebuilds, len(plant.state.rows)) == (1, 8)


async def test_what_a_replica_may_lack_is_written_again_before_all_of_it_is(plant: Any) -> None:
    """One that took over lacks what came after the last look at which it had everything; who leads rebuilds, and the
    others wait for that, but nobody waits with what is new."""
    plant.state.replicas = True
    plant.state.epoch = True
    confirming = Confirming(plant.database, plant.relay, plant.state, leads=lambda: False)
    await block(plant, "before")
    await confirming.look()
    plant.state.replicas = False
    await block(plant, "after")
    await confirming.look()
    plant.state.rows.clear()
    plant.state.snapshot = {}
    plant.state.fresh = True  # another server
    await confirming.look()
    assert [key[2] for key in plant.state.rows] == ["after"]
    assert plant.state.snapshot
    assert (confirming.again.value, confirming.rebuilds) == (1, 0)
    await confirming.look()
    assert sorted(key[2] for key in plant.state.rows) == ["after", "before"]
    assert confirming.rebuilds == 1
    told = await confirming.series()
    assert told["tidegate_state_projected_again_total"] == {(): 2}


async def test_where_no_replica_was_seen_to_have_everything_the_newest_is_written_again(plant: Any) -> None:
    plant.state.epoch = True
    confirming = Confirming(plant.database, plant.relay, plant.state, leads=lambda: False)
    await confirming.look()
    await block(plant, "before")
    await confirming.look()
    plant.state.rows.clear()
    plant.state.fresh = True
    await confirming.look()
    assert [key[2] for key in plant.state.rows] == ["before"]


async def test_replicas_that_stay_behind_are_told(plant: Any) -> None:
    now = [0.0]
    plant.state.epoch = True
    confirming = Confirming(plant.database, plant.relay, plant.state, clock=lambda: now[0])
    plant.state.replicas = False
    await confirming.look()
    now[0] = LATE - 1
    await confirming.look()
    assert confirming.note == ""
    now[0] = LATE + 1
    await confirming.look()
    assert confirming.note == "replicas of the state server have not confirmed what was written for 6 s"
    plant.state.replicas = True
    await confirming.look()
    assert confirming.note == ""


async def block(plant: Any, value: str) -> None:
    """Done, recorded and projected."""

    def work(unit: Unit) -> None:
        unit.add(Block(scope="sender", value=value, reason="r", ground="g", expires_at=0, created_at=1))

    intent = Intent(plant.ids(), "li", "spam", "block.add", f"sender:{value}")
    await plant.database.run(lambda session: perform(session, intent, work, GOVERNANCE))
    await plant.relay.step()


async def test_no_clock_makes_an_epoch_fall(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """State was flushed, control started again, and the clock set back: workers would wait until it has come so far."""
    await rebuild(plant.database, plant.state, GOVERNANCE)
    there = time.time_ns() - 400 * 86_400 * 10**9
    monkeypatch.setattr("time.time_ns", lambda: there)
    await rebuild(plant.database, plant.state, GOVERNANCE)
    await rebuild(plant.database, plant.state, GOVERNANCE)
    first, second, third = plant.state.epochs
    assert first > 1_700_000_000_000
    assert (second, third) == (first + 1, first + 2)


def test_versions_rise_past_those_of_a_lost_database(plant: Any) -> None:
    from gateway.control.acts.acts import raise_mark

    def clock(seconds: int) -> Any:
        return lambda: seconds * 1_000_000_000

    def raised(seconds: int, at_least: int = 0) -> int:
        mark: int = plant.database.now(lambda session: raise_mark(session, "snapshot", at_least, clock(seconds)))
        return mark

    assert raised(1000) == 1_000_001  # past all that a database before this one gave
    assert [raised(seconds) for seconds in (9999, 1)] == [1_000_002, 1_000_003]  # from then on no clock is asked
    assert raised(1, 2_000_000) == 2_000_000
    assert raised(1, 7) == 2_000_001
