"""Tickets are given, spent once, told to workers and pruned."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.features import GOVERNANCE
from gateway.control.holding import held_pruning, tickets
from gateway.control.holding.rows import Held, Ticket
from gateway.judging.resending import digest


@pytest.fixture
async def given(holding: Any) -> Any:
    holding.park()
    holding.put(state="approved")
    await tickets.issue(holding.plant.ledger, holding.id, holding.request(), ("buy this",), holding.now)
    return holding


def only(holding: Any) -> Ticket:
    found: Ticket = holding.plant.database.now(lambda session: session.query(Ticket).one())
    return found


def snapshot(holding: Any) -> Any:
    return holding.plant.database.now(lambda session: GOVERNANCE.snapshot(session, holding.ns / 1e9))


async def test_one_is_given_for_a_message_and_its_request_is_destroyed(given: Any) -> None:
    row = only(given)
    assert (row.message_id, row.sender, row.room, row.route) == (given.id, "alice", "r1", "comments")
    assert (row.digest, row.expires_at) == (digest(("buy this",)), given.ns // 10**9 + tickets.LASTS)
    assert (given.row().state, given.row().sealed) == ("ticketed", None)


async def test_workers_hear_of_those_that_are_open(given: Any) -> None:
    before = snapshot(given)
    assert [(row.sender, row.digest) for row in before.tickets] == [("alice", digest(("buy this",)))]
    await tickets.spend(given.plant.ledger, only(given).id, "m2", given.now)
    after = snapshot(given)
    assert (after.tickets, after.version > before.version) == ((), True)


async def test_ticketed_delivered_once(given: Any) -> None:
    for message in ("m2", "m3"):
        await tickets.spend(given.plant.ledger, only(given).id, message, given.now)
    assert (only(given).state, only(given).spent_by, given.row().state) == ("spent", "m2", "delivered")


async def test_one_that_is_spent_is_neither_void_nor_lapsed(given: Any) -> None:
    await tickets.spend(given.plant.ledger, only(given).id, "m2", given.now)
    await tickets.void(given.plant.ledger, [given.id], "room.closed", given.now)
    given.ns += 10 * tickets.LASTS * 10**9
    assert await tickets.lapse(given.plant.ledger, given.now) == 0
    assert only(given).state == "spent"


async def test_a_message_has_one_at_most_and_one_that_lapsed_is_open_again(given: Any) -> None:
    async def give() -> None:
        await given.act(
            lambda unit: tickets.give(
                unit, message_id=given.id, route="comments", room="r1", sender="alice", texts=("x",), now=given.now
            )
        )

    first = only(given)
    await give()
    assert (only(given).id, only(given).digest) == (first.id, digest(("buy this",)))
    given.ns += 10 * tickets.LASTS * 10**9
    await tickets.lapse(given.plant.ledger, given.now)
    await give()
    row = only(given)
    assert (row.id, row.state, row.digest) == (first.id, "open", digest(("x",)))
    assert row.expires_at == given.ns // 10**9 + tickets.LASTS
    await tickets.spend(given.plant.ledger, row.id, "m2", given.now)
    await give()
    assert only(given).state == "spent"


async def test_what_ended_is_pruned_and_what_did_not_is_not(given: Any) -> None:
    database = given.plant.database
    late = given.now + 10**12
    assert database.now(lambda session: tickets.prune(session, late)) == 0
    assert database.now(lambda session: held_pruning.prune(session, late)) == 0
    await tickets.spend(given.plant.ledger, only(given).id, "m2", given.now)
    assert database.now(lambda session: held_pruning.prune(session, late)) == 0  # the journal has not heard of it
    database.now(lambda session: [setattr(row, "journalled", True) for row in session.query(tickets.held.HeldEvent)])
    assert database.now(lambda session: held_pruning.prune(session, late)) == 1
    assert database.now(lambda session: tickets.prune(session, late)) == 1
    assert database.now(lambda session: session.query(Held).count()) == 0
