"""A takedown of what was held: a refusal, a wait for the outcome, or the takedown of its release."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.accounts.rows import Account
from gateway.control.acts.refusal import ControlError
from gateway.control.cases.rows import Case
from gateway.control.holding import held, tickets
from gateway.control.releasing.publishing import Published
from gateway.control.releasing.wanted_gone import NEVER, HeldTakedowns
from gateway.control.takedowns.rows import Deletion, Takedown

ID = "01a20094-b11c-7000-8001-0054a58fe235"
BUSY = Published("later", 503, "upstream.status")
TAKEN = Published("delivered", 201, "", "77")


@pytest.fixture
async def waiting(bench: Any) -> Any:
    await bench.act(lambda unit: unit.add(Account(sender="alice", verified=True, verified_until=0, credit=100)))
    bench.park(ID)
    return bench


async def take_down(bench: Any) -> Takedown:
    made = HeldTakedowns(lambda: bench.ns)
    done: Takedown = await bench.act(lambda unit: made.take_down(unit, ID, "wrong", "agreement 4", 60.0))
    return done


def deletion(bench: Any) -> Deletion:
    (row,) = bench.rows(Deletion)
    return row  # type: ignore[no-any-return]


async def test_of_held_it_is_a_refusal_of_its_case(waiting: Any) -> None:
    row = await take_down(waiting)
    assert (waiting.state(ID), waiting.row(ID).sealed) == ("refused", None)
    assert (deletion(waiting).state, row.message_id) == ("confirmed", ID)
    (case,) = waiting.rows(Case)
    assert (case.state, case.outcome, case.decided_by) == ("done", "refused", "li")


async def test_of_approved_it_is_one_too(waiting: Any) -> None:
    await waiting.approve(ID, undo=10)
    await take_down(waiting)
    await waiting.settle()
    assert (waiting.state(ID), waiting.platform.asked) == ("refused", [])


async def test_of_releasing_it_waits_for_the_outcome_then_runs(waiting: Any) -> None:
    async def meanwhile() -> None:
        await take_down(waiting)
        assert (deletion(waiting).state, deletion(waiting).due_at >= NEVER) == ("requested", True)

    publish = waiting.platform.publish

    async def publishing(*values: Any) -> Published:
        await meanwhile()
        found: Published = await publish(*values)
        return found

    waiting.platform.publish = publishing
    await waiting.approve(ID)
    await waiting.settle()
    (row,) = waiting.rows(Takedown)
    assert waiting.state(ID) == "delivered"
    assert (row.message_id, row.upstream_id) == (waiting.platform.asked[0][1], "77")
    assert deletion(waiting).due_at <= waiting.ns // 1000
    assert deletion(waiting).confirm_by - deletion(waiting).due_at == 60_000_000


async def test_of_one_that_is_to_be_retried_nothing_goes_any_more(waiting: Any) -> None:
    waiting.platform.says = [BUSY, TAKEN]
    await waiting.approve(ID)
    await waiting.step()
    await take_down(waiting)
    await waiting.settle()
    assert (waiting.state(ID), len(waiting.platform.asked), deletion(waiting).state) == ("void", 1, "confirmed")


async def test_of_delivered_it_is_that_of_its_release(waiting: Any) -> None:
    await waiting.approve(ID)
    await waiting.settle()
    row = await take_down(waiting)
    assert (row.message_id, row.upstream_id) == (waiting.platform.asked[0][1], "77")
    assert deletion(waiting).state == "requested"
    with pytest.raises(ControlError) as refused:
        await take_down(waiting)
    assert refused.value.reason == "control.taken_down_already"


async def test_of_what_was_never_shown_there_is_nothing_to_take_down(waiting: Any) -> None:
    await waiting.act(lambda unit: held.withdraw(unit.session, ID, waiting.ns // 1000))
    with pytest.raises(ControlError) as refused:
        await take_down(waiting)
    assert refused.value.reason == "control.not_published"


async def test_of_ticketed_the_ticket_is_void(waiting: Any) -> None:
    waiting.platform.says = [Published("refused", 403, "release.refused")]
    await waiting.approve(ID)
    await waiting.settle()
    assert waiting.state(ID) == "ticketed"
    await take_down(waiting)
    assert (waiting.state(ID), waiting.tickets[0].state, deletion(waiting).state) == ("void", "void", "confirmed")


async def refused_and_ticketed(waiting: Any) -> None:
    """A person refused it; an appeal was upheld, or its case decided again."""
    now = waiting.ns // 1000

    def work(unit: Any) -> None:
        held.refuse(unit, ID, "review.refused", "agreement 4", now)
        given = {"route": "comments", "room": "r1", "sender": "alice", "texts": ("buy this",)}
        tickets.give(unit, message_id=ID, now=now, **given)

    await waiting.act(work)


async def test_of_refused_whose_sender_may_send_it_again_the_ticket_is_void(waiting: Any) -> None:
    await refused_and_ticketed(waiting)
    first = await take_down(waiting)
    assert (waiting.state(ID), waiting.tickets[0].state, deletion(waiting).state) == ("refused", "void", "confirmed")
    with pytest.raises(ControlError) as known:
        await take_down(waiting)
    assert known.value.reason == "control.taken_down_already"
    again = {"route": "comments", "room": "r1", "sender": "alice", "texts": ("buy this",), "now": waiting.ns // 1000}
    await waiting.act(lambda unit: tickets.give(unit, message_id=ID, **again))  # decided once more
    assert ((await take_down(waiting)).id, waiting.tickets[0].state) == (first.id, "void")
    await waiting.act(lambda unit: tickets.give(unit, message_id=ID, **again))
    await tickets.spend(waiting.plant.ledger, waiting.tickets[0].id, "m2", waiting.ns // 1000)
    assert (await take_down(waiting)).message_id == "m2"


async def test_deleted_elsewhere_while_its_sender_may_send_it_again(waiting: Any) -> None:
    await refused_and_ticketed(waiting)
    made = HeldTakedowns(lambda: waiting.ns)
    assert await waiting.act(lambda unit: made.deleted(unit, ID, "user")) == ""
    assert (waiting.state(ID), waiting.tickets[0].state) == ("refused", "void")


async def test_of_one_that_was_sent_again_it_is_that_of_what_was_sent(waiting: Any) -> None:
    waiting.platform.publishes = False
    await waiting.approve(ID)
    await waiting.settle()
    await tickets.spend(waiting.plant.ledger, waiting.tickets[0].id, "m2", waiting.ns // 1000)
    row = await take_down(waiting)
    assert (row.message_id, deletion(waiting).state) == ("m2", "requested")


@pytest.mark.parametrize(("by", "state"), [("user", "withdrawn"), ("platform", "void"), ("erasure", "void")])
async def test_deleted_elsewhere_while_it_waits_it_is_not_published(waiting: Any, by: str, state: str) -> None:
    made = HeldTakedowns(lambda: waiting.ns)
    assert await waiting.act(lambda unit: made.deleted(unit, ID, by)) == ""
    (case,) = waiting.rows(Case)
    assert (waiting.state(ID), waiting.row(ID).sealed, case.state) == (state, None, "void")
    with pytest.raises(ControlError):
        await waiting.act(lambda unit: made.deleted(unit, ID, by))


async def test_deleted_elsewhere_once_it_is_published_it_is_its_release(waiting: Any) -> None:
    await waiting.approve(ID)
    await waiting.settle()
    made = HeldTakedowns(lambda: waiting.ns)
    assert await waiting.act(lambda unit: made.deleted(unit, ID, "user")) == waiting.platform.asked[0][1]


async def test_a_ticket_of_what_never_waited_is_void_by_its_id(bench: Any) -> None:
    """An appeal gave it: the message was refused at the gate."""
    given = {"route": "comments", "room": "r1", "sender": "alice", "texts": ("hello",), "now": bench.ns // 1000}
    await bench.act(lambda unit: tickets.give(unit, message_id="m9", **given))
    held_takedowns = HeldTakedowns(lambda: bench.ns)
    assert bench.plant.database.now(lambda session: held_takedowns.to_be_sent(session, "m9"))
    made = await bench.act(lambda unit: held_takedowns.take_down(unit, "m9", "wrong", "agreement 4", 60.0))
    assert (made.message_id, bench.tickets[0].state, deletion(bench).state) == ("m9", "void", "confirmed")
    assert not bench.plant.database.now(lambda session: held_takedowns.to_be_sent(session, "m9"))
    with pytest.raises(ControlError):
        await bench.act(lambda unit: held_takedowns.take_down(unit, "m9", "wrong", "agreement 4", 60.0))
