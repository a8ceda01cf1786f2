"""What a message cost is given back once, whatever became of the credit meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.accounts import credit_entries
from gateway.control.accounts.rows import Account, CreditEntry


async def act(plant: Any, work: Any) -> Any:
    return (await plant.ledger.act("li", "r", "account.put", "sender:u1", work, settle=False)).result


@pytest.fixture
async def lowered(plant: Any) -> Any:
    """Of u1 20 points because of m1 and 10 because of m2; of u2 5 because of m1."""

    def work(unit: Any) -> None:
        unit.add(Account(sender="u1", verified=True, verified_until=0, credit=70))
        unit.add(Account(sender="u2", verified=True, verified_until=0, credit=95))
        for sender, points, message in (("u1", 20, "m1"), ("u1", 10, "m2"), ("u2", 5, "m1")):
            credit_entries.charged(unit, sender, points, message, 7)

    await act(plant, work)
    return plant


def credits(plant: Any) -> list[int]:
    rows = plant.database.now(lambda session: session.query(Account).order_by(Account.sender).all())
    return [row.credit for row in rows]


def ledger(plant: Any) -> list[tuple[int, int, str, int | None]]:
    rows = plant.database.now(lambda session: session.query(CreditEntry).order_by(CreditEntry.id).all())
    return [(row.id, row.points, row.message_id, row.reverses) for row in rows]


async def test_given_back_once_by_entries_that_name_what_they_reverse(lowered: Any) -> None:
    assert await act(lowered, lambda unit: credit_entries.give_back(unit, "m1", 8)) == 25
    assert credits(lowered) == [90, 100]
    assert await act(lowered, lambda unit: credit_entries.give_back(unit, "m1", 9)) == 0
    assert credits(lowered) == [90, 100]
    assert ledger(lowered)[3:] == [(4, 20, "m1", 1), (5, 5, "m1", 3)]


async def test_whatever_the_credit_is_by_now(lowered: Any) -> None:
    def meanwhile(unit: Any) -> None:
        unit.change(unit.get(Account, "u1"), credit=95)
        unit.remove(unit.get(Account, "u2"))

    await act(lowered, meanwhile)
    assert await act(lowered, lambda unit: credit_entries.give_back(unit, "m1", 8)) == 25
    assert credits(lowered) == [100]  # never above; of an account that is forgotten there is nothing to set
    assert await act(lowered, lambda unit: credit_entries.give_back(unit, "nothing", 8)) == 0


async def test_told_from_the_newest_and_pruned_when_old(lowered: Any) -> None:
    await act(lowered, lambda unit: credit_entries.give_back(unit, "m2", 9))
    told = lowered.database.now(lambda session: credit_entries.of_sender(session, "u1"))
    assert [one.points for one in told] == [10, -10, -20]
    assert lowered.database.now(lambda session: credit_entries.prune(session, 7)) == 0
    assert lowered.database.now(lambda session: credit_entries.prune(session, 8)) == 2  # not what is named still
    assert lowered.database.now(lambda session: credit_entries.prune(session, 10)) == 2
    assert ledger(lowered) == []
