"""What was approved and delivered counts once, for whose message it was."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import config as configuration
from gateway.control.accounts.rows import Account
from gateway.control.acts.acts import Unit
from gateway.control.acts.rows import Act
from gateway.control.holding import approvals, held
from gateway.control.holding.approvals import Approvals
from gateway.control.holding.rows import Held

IDS = [f"01a20094-b11c-7000-8001-0054a58fe2{number:02}" for number in range(20)]
TOML = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]

[policies.p]
appeal = "off"
rules = [{ check = "%s", action = "label", on_error = "label"%s }]
"""


class Bench:
    def __init__(self, holding: Any) -> None:
        self.holding = holding
        self.plant = holding.plant
        self.asks(("newcomer", ", first = 3"))
        self.approvals = Approvals(self.plant.ledger, lambda: self.config)

    def asks(self, rule: tuple[str, str]) -> None:
        file = self.plant.folder / "tidegate.toml"
        file.write_text(TOML % rule)
        self.config = configuration.load(file)

    async def approved(self, *ids: str, texts: list[str] | None = None, **changed: Any) -> None:
        """Held, approved and at the platform."""
        now = self.holding.now
        for message_id in ids:
            self.holding.park(message_id, **changed)
            await self.holding.act(lambda unit, one=message_id: held.approve(unit, one, texts, now, now))
            self.plant.database.now(lambda session, one=message_id: _deliver(session, one, now))

    async def counted(self) -> dict[str, int]:
        await self.approvals.look()
        rows = self.plant.database.now(lambda session: session.query(Account).all())
        return {row.sender: row.approved for row in rows}

    def acts(self) -> list[str]:
        rows = self.plant.database.now(lambda session: session.query(Act).order_by(Act.id).all())
        return [row.subject for row in rows if row.kind == "account.approved"]


def _deliver(session: Any, message_id: str, now: int) -> None:
    row = session.get_one(Held, message_id)
    held.move(session, row, "release", now)
    held.move(session, row, "deliver", now)


@pytest.fixture
async def bench(holding: Any) -> Bench:
    return Bench(holding)


async def test_each_counts_once(bench: Bench) -> None:
    await bench.approved(*IDS[:2])
    await bench.approved(IDS[2], sender="bob")
    assert await bench.counted() == {"alice": 2, "bob": 1}
    assert await bench.counted() == {"alice": 2, "bob": 1}
    await bench.approved(IDS[3])
    assert await bench.counted() == {"alice": 3, "bob": 1}
    assert bench.acts() == ["messages:3", "messages:1"]


async def test_it_is_recorded_and_projected(bench: Bench) -> None:
    bench.plant.relay.start()
    await bench.approved(IDS[0])
    await bench.counted()
    assert await bench.plant.relay.settled(2, 5) == (True, True)
    told = bench.plant.journal.records[-1]
    assert (told["person"], told["kind"]) == ("tidegate", "account.approved")
    row = bench.plant.state.rows["accounts", "alice"]
    assert (row["verified"], row["credit"], row["approved"]) == (False, 100, 1)


async def test_what_the_platform_says_of_somebody_stays(bench: Bench) -> None:
    def work(unit: Unit) -> None:
        unit.add(Account(sender="alice", verified=True, verified_until=7, credit=40, approved=99))

    await bench.holding.act(work)
    await bench.approved(*IDS[:3])
    assert await bench.counted() == {"alice": 100}, "nobody asks for more"
    row = bench.plant.database.now(lambda session: session.get_one(Account, "alice"))
    assert (row.verified, row.verified_until, row.credit) == (True, 7, 40)


async def test_what_speaks_for_nobody_does_not_count(bench: Bench) -> None:
    await bench.approved(IDS[0], weak=True, sender="10.0.0.1")
    await bench.approved(IDS[1], edit=True)
    await bench.approved(IDS[2], texts=["buy ****"])
    await bench.approved(IDS[3], sender="")
    bench.holding.park(IDS[4])
    await bench.holding.act(lambda unit: held.refuse(unit, IDS[4], "x", "g", bench.holding.now))
    bench.holding.park(IDS[5])
    await bench.holding.act(lambda unit: held.approve(unit, IDS[5], None, bench.holding.now, bench.holding.now))
    await bench.approved(IDS[6])
    bench.plant.database.now(lambda session: setattr(session.get_one(Held, IDS[6]), "due_at", 0))  # counted before
    bench.holding.park(IDS[7])
    bench.plant.database.now(lambda session: setattr(session.get_one(Held, IDS[7]), "case_id", None))  # it comes back
    await bench.holding.act(lambda unit: held.approve(unit, IDS[7], None, bench.holding.now, bench.holding.now))
    bench.plant.database.now(lambda session: _deliver(session, IDS[7], bench.holding.now))
    assert await bench.counted() == {}
    assert bench.acts() == []


async def test_a_text_that_its_sender_sent_again_counts_too(bench: Bench) -> None:
    now = bench.holding.now
    bench.holding.park(IDS[0])
    await bench.holding.act(lambda unit: held.approve(unit, IDS[0], None, now, now))

    def delivered(session: Any) -> None:
        row = session.get_one(Held, IDS[0])
        held.move(session, row, "ticket", now)
        held.move(session, row, "deliver", now)

    bench.plant.database.now(delivered)
    assert await bench.counted() == {"alice": 1}


async def test_nothing_is_counted_before_somebody_asks(bench: Bench) -> None:
    bench.asks(("review", ""))
    await bench.approved(*IDS[:2])
    assert await bench.counted() == {}
    bench.asks(("newcomer", ", first = 3"))
    assert await bench.counted() == {"alice": 2}


async def test_more_than_one_act_takes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approvals, "AT_ONCE", 2)
    await bench.approved(*IDS[:5])
    assert await bench.counted() == {"alice": 5}
    assert bench.acts() == ["messages:2", "messages:2", "messages:1"]
