"""The control database holds what is in force and what the regulations ask for, and grows no further."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.control.accounts.rows import Account
from gateway.control.acts.acts import Intent, Unit, perform, undo
from gateway.control.acts.rows import Act, Outbox
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE
from gateway.control.node import pruning
from gateway.control.node.pruning import Pruning
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.rows import Copy, Deletion, Takedown, TakedownEvent

DAY = 86_400


class Bench:
    """Pruning alone, looked at by hand. ``now``: seconds since the epoch, and the time of every act done here."""

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.now = float(int(time.time()))
        self.keep = 365.0 * DAY
        self.pruning = Pruning(plant.database, plant.ledger, lambda: self.keep, clock=self.ns)

    def ns(self) -> int:
        return round(self.now * 1e9)

    def act(self, sender: str, work: Any = None) -> int:
        def put(unit: Unit) -> None:
            unit.add(Account(sender=sender, verified=True, verified_until=0, credit=50))

        intent = Intent(self.plant.ids(), "li", "papers", "account.put", f"sender:{sender}")
        done = self.plant.database.now(lambda session: perform(session, intent, work or put, GOVERNANCE, self.ns))
        return int(done.act)

    async def relayed(self) -> None:
        while await self.plant.relay.step():
            pass

    async def look(self) -> None:
        """Two looks, as it takes."""
        await self.pruning.look()
        await self.pruning.look()

    async def after(self, days: float) -> list[int]:
        """The acts that are left after so many days more."""
        self.now += days * DAY
        await self.look()
        return list(self.plant.database.now(lambda session: session.scalars(select(Act.id).order_by(Act.id)).all()))

    def count(self, model: Any) -> int:
        counted: int = self.plant.database.now(lambda session: session.scalar(select(func.count()).select_from(model)))
        return counted


@pytest.fixture
def bench(plant: Any) -> Bench:
    return Bench(plant)


async def test_acts_stay_for_their_time_and_then_go_with_their_outbox(bench: Bench) -> None:
    first = bench.act("a")
    await bench.relayed()
    assert await bench.after(300) == [first]
    second = bench.act("b")
    await bench.relayed()
    assert await bench.after(64.9) == [first, second]
    assert await bench.after(0.2) == [second]
    assert bench.count(Outbox) == 1
    assert bench.count(Account) == 2  # what is in force stays


async def test_nothing_goes_at_a_start_nor_by_one_look_alone(bench: Bench) -> None:
    one = bench.act("a")
    await bench.relayed()

    def left() -> int:
        return bench.count(Act)

    bench.now += 400 * DAY  # a clock that is wrong when control starts
    await bench.pruning.look()
    assert left() == 1
    bench.now -= 400 * DAY
    await bench.pruning.look()
    bench.now += 400 * DAY  # and once more, for a moment
    await bench.pruning.look()
    assert left() == 1
    bench.now = 0.0  # what time it is is not known
    await bench.pruning.look()
    await bench.pruning.look()
    assert left() == 1
    assert one


async def test_nothing_shortens_six_months(bench: Bench) -> None:
    bench.keep = 1.0
    one = bench.act("a")
    await bench.relayed()
    assert await bench.after(183.9) == [one]
    newest = bench.act("b")  # which stays, however old it is
    await bench.relayed()
    assert await bench.after(0.2) == [newest]
    assert await bench.after(1000) == [newest]


async def test_what_is_not_yet_recorded_and_in_force_stays(bench: Bench) -> None:
    for fail, held in ((bench.plant.journal.fail, "journal"), (bench.plant.state.fail, "state")):
        fail.append("before")
        one = bench.act(held)
        await bench.plant.relay.step()
        newest = bench.act(f"newest {held}")
        assert one in await bench.after(1000)
        await bench.relayed()
        assert await bench.after(0) == [newest]


async def test_an_undoing_outlives_what_it_undid(bench: Bench) -> None:
    one = bench.act("a")
    await bench.relayed()
    bench.now += 360 * DAY
    undoing = bench.act("a", lambda unit: undo(unit, one))
    assert await bench.after(10) == [one, undoing]  # the journal has to be told of both by name
    await bench.relayed()
    assert bench.plant.journal.records[-1]["undoes_uid"] == "act-0001"
    assert await bench.after(0) == [undoing]
    assert bench.plant.database.now(lambda session: session.get_one(Act, undoing).undoes) is None
    newest = bench.act("b")
    await bench.relayed()
    assert await bench.after(365) == [newest]


async def test_many_go_in_batches(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    for number in range(8):
        bench.act(f"u{number}")
    await bench.relayed()
    assert await bench.after(366) == [8]  # the newest stays
    assert bench.count(Outbox) == 1


async def test_what_expired_is_taken_away_by_an_act_and_leaves_state(bench: Bench) -> None:
    ends = int(bench.now) + DAY

    def block(unit: Unit) -> None:
        common = {"reason": "r", "ground": "g", "limited": True, "created_at": 1}
        for value, expires_at in (("short", ends), ("long", ends + 30 * DAY), ("for good", 0)):
            unit.add(Block(scope="device", value=value, expires_at=expires_at, **common))
        unit.add(Copy(fingerprint="ab" * 8, message_id="m", ground="g", expires_at=ends, created_at=1))

    bench.act("x", block)
    await bench.relayed()
    assert set(bench.plant.state.rows) == {("blocks", "device", name) for name in ("short", "long", "for good")}
    assert len(await bench.after(1.5)) == 1
    assert len(await bench.after(0.6)) == 3  # one for blocks, one for copies
    await bench.relayed()
    assert set(bench.plant.state.rows) == {("blocks", "device", "long"), ("blocks", "device", "for good")}
    told = [(one["person"], one["kind"], one["subject"]) for one in bench.plant.journal.records[-2:]]
    assert told == [("tidegate", "block.expire", "blocks:1"), ("tidegate", "copy.expire", "copies:1")]
    assert bench.count(Copy) == 0
    assert len(await bench.after(0)) == 3


async def test_only_confirmed_takedowns_go(bench: Bench) -> None:
    def ask(unit: Unit) -> None:
        for name, state in (("m1", takedowns.CONFIRMED), ("m2", takedowns.UNCONFIRMED), ("m3", takedowns.CONFIRMED)):
            at = bench.ns() // 1000
            row = unit.add(
                Takedown(
                    message_id=name, upstream_id="7", route="comments", room="r", reason="order", ground="",
                    act_uid=unit.uid, created_at=at,
                )
            )  # fmt: skip
            unit.session.flush()
            unit.session.add(Deletion(takedown_id=row.id, state=state, due_at=at, confirm_by=at))
            told = name != "m3"
            unit.session.add(TakedownEvent(takedown_id=row.id, at=at, event=state, journalled=told))

    bench.act("x", ask)
    await bench.relayed()
    await bench.after(364)
    assert bench.count(Takedown) == 3
    await bench.after(2)
    left = bench.plant.database.now(lambda session: session.scalars(select(Takedown.message_id)).all())
    assert sorted(left) == ["m2", "m3"]  # m3: the journal is still to be told
    assert (bench.count(Deletion), bench.count(TakedownEvent)) == (2, 2)
