"""Between any two steps of the relay the process may die; whatever happens, one record and the right state."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pytest
from sqlalchemy import select

from gateway.control.accounts.rows import Account
from gateway.control.acts import acts
from gateway.control.acts.acts import Intent, Unit
from gateway.control.acts.rows import Outbox
from gateway.control.features import GOVERNANCE
from gateway.control.rooms.rows import Room


def put(plant: Any, sender: str, credit: int) -> int:
    def work(unit: Unit) -> None:
        row = unit.get(Account, sender)
        if row is None:
            unit.add(Account(sender=sender, verified=True, verified_until=0, credit=credit))
        else:
            unit.change(row, credit=credit)

    intent = Intent(plant.ids(), "ann", "because", "account.put", f"sender:{sender}")
    return plant.database.now(lambda session: acts.perform(session, intent, work, GOVERNANCE)).act


def waiting(plant: Any) -> int:
    rows = plant.database.now(lambda session: session.scalars(select(Outbox)).all())
    return sum(not (row.acknowledged_journal and row.acknowledged_state) for row in rows)


async def drain(plant: Any) -> None:
    for _ in range(20):
        await plant.relay.step()
        if not waiting(plant):
            return
    raise AssertionError("the outbox did not drain")


async def test_act_and_outbox_commit_together_or_not_at_all(plant: Any) -> None:
    def work(unit: Unit) -> None:
        unit.add(Account(sender="alice", verified=True, verified_until=0, credit=5))
        raise RuntimeError

    intent = Intent("act-x", "ann", "because", "account.put", "sender:alice")
    with pytest.raises(RuntimeError):
        await plant.database.run(lambda session: acts.perform(session, intent, work, GOVERNANCE))
    assert waiting(plant) == 0
    assert plant.database.now(lambda session: session.get(Account, "alice")) is None


@pytest.mark.parametrize(("replicas", "told"), [(None, 0), (True, 0), (False, 1)])
async def test_whether_a_replica_of_state_has_an_act_is_known(plant: Any, replicas: bool | None, told: int) -> None:
    plant.state.replicas = replicas
    act = put(plant, "alice", 5)
    assert plant.relay.replicated(act) is None
    await drain(plant)
    assert plant.relay.replicated(act) is replicas
    assert plant.relay.unreplicated.value == told


async def test_each_act_is_recorded_once_and_projected(plant: Any) -> None:
    for number in range(40):  # more than one batch
        put(plant, f"u{number}", number)
    await drain(plant)
    assert [act["uid"] for act in plant.journal.records] == [f"act-{n:04}" for n in range(1, 41)]
    assert plant.state.rows["accounts", "u7"]["credit"] == 7
    assert not await plant.relay.step()


STEPS = ["", "before", "after"]


@pytest.mark.parametrize(("journal", "state", "mark"), list(itertools.product(STEPS, STEPS, [False, True])))
async def test_a_crash_between_any_two_steps_repeats_safely(
    plant: Any, monkeypatch: pytest.MonkeyPatch, journal: str, state: str, mark: bool
) -> None:
    """Also when the crash falls before the acknowledgement itself (``mark``)."""
    put(plant, "alice", 10)
    put(plant, "bob", 20)
    plant.journal.fail = ["", journal]
    plant.state.fail = [state]
    if mark:
        with monkeypatch.context() as patch:
            patch.setattr("gateway.control.acts.outbox._acknowledge", _die)
            with pytest.raises(KeyboardInterrupt):
                await plant.relay.step()
    else:
        await plant.relay.step()
    await plant.restart()
    put(plant, "alice", 30)
    await drain(plant)
    assert [act["uid"] for act in plant.journal.records] == ["act-0001", "act-0002", "act-0003"]
    assert plant.state.rows["accounts", "alice"]["credit"] == 30
    assert plant.state.rows["accounts", "bob"]["credit"] == 20


def _die(*_: Any) -> None:
    raise KeyboardInterrupt  # not an Exception: nothing in the relay may catch it


async def test_a_failed_append_that_was_written_is_not_repeated_by_the_same_process(plant: Any) -> None:
    put(plant, "alice", 10)
    plant.journal.fail = ["after"]
    await plant.relay.step()
    assert plant.relay.failures == {"journal": "Crash"}
    await drain(plant)
    assert len(plant.journal.records) == 1
    assert plant.relay.failures == {}


async def test_an_absent_state_does_not_keep_an_act_from_the_record_nor_the_other_way_round(plant: Any) -> None:
    plant.state.down = True
    put(plant, "alice", 10)
    await plant.relay.step()
    assert len(plant.journal.records) == 1
    plant.state.down = False
    plant.journal.fail = ["before"]
    put(plant, "bob", 20)
    await plant.relay.step()
    assert plant.state.rows["accounts", "bob"]["credit"] == 20
    assert len(plant.journal.records) == 1


async def test_a_late_projection_brings_no_old_value_back(plant: Any) -> None:
    first = put(plant, "alice", 10)
    await plant.relay.step()
    put(plant, "alice", 90)
    plant.database.now(
        lambda session: setattr(session.get_one(Outbox, first), "acknowledged_state", False)  # as after a crash
    )
    await plant.relay.step()
    assert plant.state.rows["accounts", "alice"]["credit"] == 90


async def test_a_row_removed_and_made_again_in_one_batch_is_there(plant: Any) -> None:
    def close(unit: Unit) -> None:
        unit.add(Room(room="r", status="closed", interval_ms=0))

    def reopen(unit: Unit) -> None:
        row = unit.get(Room, "r")
        assert row is not None
        unit.remove(row)

    for work in (close, reopen, close):
        intent = Intent(plant.ids(), "ann", "because", "room.put", "room:r")
        plant.database.now(lambda session, intent=intent, work=work: acts.perform(session, intent, work, GOVERNANCE))
    await drain(plant)
    assert plant.state.rows["rooms", "r"]["status"] == "closed"


async def test_the_task_tries_again_by_itself(plant: Any) -> None:
    plant.state.fail = ["before", "before"]
    plant.relay.start()
    act = put(plant, "alice", 10)
    plant.relay.kick()
    assert await plant.relay.settled(act, 5) == (True, True)


async def test_settled_gives_up_in_time_and_tells_what_it_knows(plant: Any) -> None:
    plant.state.down = True
    plant.relay.start()
    act = put(plant, "alice", 10)
    plant.relay.kick()
    began = time.monotonic()
    while not plant.journal.records:
        await asyncio.sleep(0)
    assert await plant.relay.settled(act, 0.05) == (True, False)
    assert time.monotonic() - began < 5
    assert (await plant.relay.waiting()).acts == 1
