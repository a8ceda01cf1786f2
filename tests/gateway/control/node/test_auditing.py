"""What state has lost is written anew, counted, told and recorded; what an act changes meanwhile is no loss."""

from __future__ import annotations

from typing import Any

import pytest

from filters.model.limits import Limit
from filters.model.rule import Asks
from gateway.control.accounts.rows import Account
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE
from gateway.control.node import auditing as module
from gateway.control.node.auditing import Auditing
from gateway.control.node.health import Health
from gateway.control.node.state_rebuild import BATCH, rebuild
from gateway.control.nodes.clock_skew import ClockSkew
from gateway.control.rooms.rows import Room
from gateway.state.cold.eviction import Eviction


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.lost = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def auditing(plant: Any, clock: Clock) -> Auditing:
    return Auditing(plant.ledger, plant.state, lambda: clock.lost, list, clock)


async def fill(plant: Any, blocks: int = 3, accounts: int = 3) -> None:
    def work(session: Any) -> None:
        session.add_all(
            Block(scope="sender", value=f"m{n:05}", reason="r", ground="g", created_at=1) for n in range(blocks)
        )
        session.add(Block(scope="sender", value="over", reason="r", ground="g", expires_at=5, created_at=1))
        session.add(Block(scope="cidr", value="10.0.0.0/8", reason="r", ground="g", created_at=1))
        session.add_all(Account(sender=f"u{n:05}", verified=True, verified_until=0, credit=1) for n in range(accounts))
        session.add(Room(room="r1", status="closed", interval_ms=0))

    plant.database.now(work)
    await rebuild(plant.database, plant.state, GOVERNANCE)


async def acts(plant: Any) -> list[str]:
    await plant.relay.step()
    return [act["reason"] for act in plant.journal.records if act["kind"] == "state.mend"]


async def test_what_is_gone_is_written_anew_and_told(plant: Any, clock: Clock, auditing: Auditing) -> None:
    await fill(plant)
    await auditing.look()
    assert (auditing.mended.values, auditing.note, await acts(plant)) == ({}, "", [])
    for key in (("blocks", "sender", "m00001"), ("rooms", "r1"), ("accounts", "u00002")):
        del plant.state.rows[key]
    plant.state.rows["blocks", "sender", "m00002"] = {"reason": "another"}
    clock.now += module.EVERY
    await auditing.look()
    assert auditing.mended.values == {("blocks",): 2, ("rooms",): 1, ("accounts",): 1}
    assert {("blocks", "sender", "m00001"), ("rooms", "r1"), ("accounts", "u00002")} <= plant.state.rows.keys()
    assert plant.state.rows["blocks", "sender", "m00002"]["reason"] == "r"
    assert await acts(plant) == [
        "state had lost facts, which were written anew: 1 of accounts, 2 of blocks, 1 of rooms"
    ]
    assert auditing.note
    clock.now += module.RECENT
    assert not auditing.note


async def test_the_snapshot_itself(plant: Any, clock: Clock, auditing: Auditing) -> None:
    await fill(plant)
    await auditing.look()
    plant.state.snapshot = {}
    clock.now += module.EVERY
    await auditing.look()
    assert auditing.mended.values == {("snapshot",): 1}
    assert plant.state.snapshot


async def test_nothing_is_asked_before_it_is_time_but_for_a_worker(
    plant: Any, clock: Clock, auditing: Auditing
) -> None:
    await fill(plant)
    await auditing.look()
    del plant.state.rows["blocks", "sender", "m00001"]
    del plant.state.rows["accounts", "u00001"]
    clock.now += 1
    await auditing.look()
    assert auditing.mended.values == {}
    clock.lost = 1
    await auditing.look()
    assert auditing.mended.values == {("blocks",): 1}
    plant.state.rows.pop(("blocks", "sender", "m00001"))
    clock.now += 1
    await auditing.look()  # nothing new was heard
    assert auditing.mended.values == {("blocks",): 1}


async def test_every_page_of_blocks_and_every_account_in_time(
    plant: Any, clock: Clock, auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROLLING", 1)
    await fill(plant, BATCH + 5, BATCH + 5)
    for key in (("blocks", "sender", "m00000"), ("accounts", f"u{BATCH + 4:05}"), ("accounts", "u00000")):
        del plant.state.rows[key]
    await auditing.look()
    assert auditing.mended.values == {("blocks",): 1, ("accounts",): 1}
    clock.now += module.EVERY
    await auditing.look()
    assert auditing.mended.values == {("blocks",): 1, ("accounts",): 2}
    del plant.state.rows["accounts", "u00000"]
    clock.now += module.EVERY
    await auditing.look()  # from the beginning
    assert auditing.mended.values == {("blocks",): 1, ("accounts",): 3}


async def test_what_an_act_changed_is_neither_lost_nor_brought_back(
    plant: Any, clock: Clock, auditing: Auditing
) -> None:
    await fill(plant)

    def work(unit: Any) -> None:
        unit.add(Block(scope="sender", value="new", reason="r", ground="g", created_at=1))
        unit.remove(unit.session.query(Block).filter_by(value="m00000").one())

    # The relay does not run: the act is committed and on its way.
    await plant.ledger.act("ann", "test", "block.create", "sender:new", work, settle=False)
    del plant.state.rows["blocks", "sender", "m00000"]
    await auditing.look()
    assert auditing.mended.values == {}
    assert ("blocks", "sender", "m00000") not in plant.state.rows


async def test_a_block_lifted_between_the_two_looks_stays_lifted(
    plant: Any, auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(plant)
    del plant.state.rows["blocks", "sender", "m00001"]
    lacking = plant.state.lacking
    calls = []

    async def lifted_meanwhile(changes: Any) -> Any:
        calls.append(len(changes))
        if len(calls) == 2:
            plant.database.now(lambda session: session.query(Block).filter_by(value="m00001").delete())
        return await lacking(changes)

    monkeypatch.setattr(plant.state, "lacking", lifted_meanwhile)
    await auditing.audit()
    assert len(calls) >= 2
    assert ("blocks", "sender", "m00001") not in plant.state.rows
    assert auditing.mended.values == {}


async def test_while_state_is_away_or_being_rebuilt(plant: Any, clock: Clock, auditing: Auditing) -> None:
    await fill(plant)
    plant.state.down = True
    await auditing.look()
    plant.state.down = False
    plant.state.epoch = False
    await auditing.look()
    assert auditing.mended.values == {}
    plant.state.epoch = True
    del plant.state.rows["rooms", "r1"]
    await auditing.look()
    assert auditing.mended.values == {("rooms",): 1}


async def test_the_eviction_policy_is_watched(plant: Any, clock: Clock) -> None:
    asks = Asks()
    asks.limit(Limit("sender", 5, 3_600_000_000), "enforce")
    auditing = Auditing(plant.ledger, plant.state, lambda: 0, lambda: [asks], clock)
    await fill(plant)
    health = Health(
        database=plant.database, relay=plant.relay, projection=plant.state, workers=plant.workers,
        reloader=plant.supervisor, journal=plant.folder, low_disk=0, full_disk=0, clock=plant.clock,
        of_state=lambda: (auditing.problem, auditing.note), skew=ClockSkew(lambda: 1.0),
    )  # fmt: skip
    await auditing.look()
    assert (await health.look()).checks["state"].ok
    plant.state.evicts = Eviction(frozenset({"allkeys-lru"}), 7)
    clock.now += module.EVERY
    await auditing.look()
    found = (await health.look()).checks["state"]
    assert not found.ok
    assert "allkeys-lru" in found.detail
    assert (await auditing.series())["tidegate_state_evicted_keys"] == {(): 7}
    plant.state.evicts = Eviction(frozenset({"volatile-lru"}), 7)
    clock.now += module.EVERY
    await auditing.look()
    assert "ten minutes" in auditing.problem
