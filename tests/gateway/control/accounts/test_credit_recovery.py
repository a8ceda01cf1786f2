"""Lowered credit comes back by the day, and no other credit does."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.sections.credit import Credit
from gateway.control.accounts import credit_recovery
from gateway.control.accounts.credit_recovery import Recovery
from gateway.control.accounts.rows import Account, Recovering
from gateway.control.acts.acts import Unit
from gateway.control.acts.rows import Act

DAY = 86_400


class Bench:
    """Recovery alone, looked at by hand, with a clock of its own."""

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.ns = 1_800_000_000 * 10**9
        self.credit = Credit(recovery=2)
        self.recovery = Recovery(plant.database, plant.ledger, lambda: self.credit, clock=lambda: self.ns)

    async def set(self, **credits: int) -> None:
        def work(unit: Unit) -> None:
            for sender, credit in credits.items():
                row = unit.get(Account, sender)
                if row is None:
                    unit.add(Account(sender=sender, verified=True, verified_until=0, credit=credit))
                else:
                    unit.change(row, credit=credit)

        await self.plant.ledger.act("li", "rules", "account.put", "sender:x", work, settle=False)

    async def after(self, days: float) -> dict[str, int]:
        """The credits that stand after so many days more."""
        self.ns += round(days * DAY) * 10**9
        await self.recovery.look()
        rows = self.plant.database.now(lambda session: session.query(Account).all())
        return {row.sender: row.credit for row in rows}

    def recoveries(self) -> list[str]:
        """What the acts of recovery were about."""
        acts = self.plant.database.now(lambda session: session.query(Act).order_by(Act.id).all())
        return [act.subject for act in acts if act.kind == "credit.recover"]


@pytest.fixture
async def bench(plant: Any) -> Bench:
    plant.relay.start()
    return Bench(plant)


async def test_points_are_earned_by_the_day_whole_and_up_to_the_bound(bench: Bench) -> None:
    bench.credit = Credit(recovery=2, recovers_to=60)
    await bench.set(low=20, near=59, high=80)
    assert await bench.after(0) == {"low": 20, "near": 59, "high": 80}  # from now on
    assert await bench.after(0.4) == {"low": 20, "near": 59, "high": 80}
    assert await bench.after(0.2) == {"low": 21, "near": 60, "high": 80}
    assert await bench.after(1.4) == {"low": 24, "near": 60, "high": 80}  # the part of a day was kept
    assert await bench.after(100) == {"low": 60, "near": 60, "high": 80}
    assert await bench.after(-10) == {"low": 60, "near": 60, "high": 80}
    await bench.after(0)
    assert bench.plant.database.now(lambda session: session.query(Recovering).count()) == 0


async def test_what_is_regained_is_an_act_recorded_and_projected(bench: Bench) -> None:
    await bench.set(low=20)
    await bench.after(0)
    await bench.after(0.1)
    await bench.after(3)
    assert bench.recoveries() == ["accounts:1"]
    assert await bench.plant.relay.settled(2, 5) == (True, True)
    told = bench.plant.journal.records[-1]
    assert (told["person"], told["reason"], told["kind"]) == ("tidegate", "2 points a day", "credit.recover")
    assert bench.plant.state.rows["accounts", "low"]["credit"] == 26


async def test_a_credit_that_somebody_set_begins_anew(bench: Bench) -> None:
    await bench.set(a=20, b=20)
    await bench.after(0)
    await bench.after(0.9)
    await bench.set(a=10)
    assert await bench.after(0.2) == {"a": 10, "b": 22}
    assert await bench.after(0.5) == {"a": 11, "b": 23}


async def test_nothing_comes_back_for_the_time_before_it_was_switched_on(bench: Bench) -> None:
    bench.credit = Credit()
    await bench.set(low=20)
    assert await bench.after(300) == {"low": 20}
    bench.credit = Credit(recovery=1)
    assert await bench.after(300) == {"low": 20}
    assert await bench.after(1) == {"low": 21}
    bench.credit = Credit()
    assert await bench.after(300) == {"low": 21}
    bench.credit = Credit(recovery=1)
    assert await bench.after(1) == {"low": 21}
    assert bench.recoveries() == ["accounts:1"]


async def test_many_accounts_are_taken_in_pages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit_recovery, "BATCH", 4)
    await bench.set(**{f"u{number}": 50 for number in range(9)})
    await bench.after(0)
    assert set((await bench.after(1)).values()) == {52}
    assert bench.recoveries() == ["accounts:4", "accounts:4", "accounts:1"]
    assert set((await bench.after(0)).values()) == {52}
    assert len(bench.recoveries()) == 3


async def test_a_deleted_account_is_forgotten(bench: Bench) -> None:
    await bench.set(gone=20)
    await bench.after(0)
    await bench.plant.ledger.act(
        "li", "closed", "account.delete", "sender:gone", lambda unit: unit.remove(unit.get(Account, "gone"))
    )
    assert await bench.after(5) == {}
    await bench.set(gone=20)
    assert await bench.after(0) == {"gone": 20}
