"""What ends by itself: by time, and by what stands against it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.blocks.rows import Block
from gateway.control.cases import cases, claims
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case
from gateway.control.holding import held, tickets
from gateway.control.holding.expiry import Expiry
from gateway.control.holding.rows import Ticket
from gateway.control.rooms.rows import Room
from gateway.control.takedowns.rows import Copy


@pytest.fixture
async def expiry(holding: Any) -> Expiry:
    return Expiry(holding.plant.ledger, lambda: holding.ns, now=lambda: holding.ns)


def case(holding: Any) -> Case:
    number = holding.row().case_id
    found: Case = holding.plant.database.now(lambda session: session.get_one(Case, number))
    return found


async def test_held_expired_with_its_case_when_its_time_is_over(holding: Any, expiry: Expiry) -> None:
    holding.park(expires=60)
    holding.ns += 59 * 10**9
    await expiry.look()
    assert holding.row().state == "held"
    holding.ns += 2 * 10**9
    await expiry.look()
    assert (holding.row().state, holding.row().sealed, case(holding).state) == ("expired", None, "expired")


async def test_nothing_expires_while_somebody_holds_the_case(holding: Any, expiry: Expiry) -> None:
    holding.park(expires=60)
    who = Claimant("li", False, frozenset())

    def claim(session: Any) -> None:
        found = cases.open_of(session, holding.id)
        claims.claim(session, found, who, now=holding.now, until=holding.now + 600_000_000)

    holding.plant.database.now(claim)
    holding.ns += 61 * 10**9
    await expiry.look()
    assert holding.row().state == "held"


async def test_nothing_expires_while_nobody_knows_the_time(holding: Any) -> None:
    holding.park(expires=60)
    holding.ns += 61 * 10**9
    await Expiry(holding.plant.ledger, lambda: 0, now=lambda: holding.ns).look()
    assert holding.row().state == "held"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (lambda: Block(scope="sender", value="alice", reason="x", ground="g", created_at=1), "block.sender"),
        (lambda: Block(scope="room", value="r1", reason="x", ground="g", created_at=1), "block.room"),
        (lambda: Room(room="r1", status="closed"), "room.closed"),
        (
            lambda: Copy(
                fingerprint="0123456789abcdef", message_id="m", ground="g", expires_at=2_000_000_000, created_at=1
            ),
            "copy.removed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_held_void_where_something_stands_against_it(holding: Any, expiry: Expiry, row: Any, reason: str) -> None:
    holding.park()
    await holding.act(lambda unit: unit.add(row()))  # looked at in the course of this act
    assert (holding.row().state, holding.row().sealed, case(holding).state) == ("void", None, "void")
    trace = holding.plant.database.now(lambda session: held.trace(session, holding.id))
    assert trace[-1].problem == reason


@pytest.mark.parametrize(
    "row",
    [
        lambda: Block(scope="sender", value="bob", reason="x", ground="g", created_at=1),
        lambda: Block(scope="sender", value="alice", reason="x", ground="g", created_at=1, limited=True),
        lambda: Block(scope="sender", value="alice", reason="x", ground="g", created_at=1, expires_at=5),
        lambda: Room(room="r1", status="muted"),
        lambda: Room(room="r2", status="closed"),
    ],
)
async def test_what_stands_against_others_or_for_a_while_voids_nothing(holding: Any, expiry: Expiry, row: Any) -> None:
    holding.park()
    await holding.act(lambda unit: unit.add(row()))
    await expiry.look()
    assert holding.row().state == "held"


async def test_a_sender_who_is_no_person_is_not_the_one_who_is_blocked(holding: Any, expiry: Expiry) -> None:
    holding.park(weak=True)
    block = Block(scope="sender", value="alice", reason="x", ground="g", created_at=1)
    await holding.act(lambda unit: unit.add(block))
    assert holding.row().state == "held"


async def ticketed(holding: Any) -> None:
    holding.park()
    holding.put(state="approved")
    await tickets.issue(holding.plant.ledger, holding.id, holding.request(), ("buy this",), holding.now)


def ticket(holding: Any) -> Ticket:
    found: Ticket = holding.plant.database.now(lambda session: session.query(Ticket).one())
    return found


async def test_ticketed_lapsed_when_nobody_sent_it_again(holding: Any, expiry: Expiry) -> None:
    await ticketed(holding)
    holding.ns += (tickets.LASTS - 1) * 10**9
    await expiry.look()
    assert (holding.row().state, ticket(holding).state) == ("ticketed", "open")
    holding.ns += 2 * 10**9
    await expiry.look()
    assert (holding.row().state, ticket(holding).state) == ("lapsed", "lapsed")


async def test_ticketed_void_where_the_room_closes(holding: Any, expiry: Expiry) -> None:
    await ticketed(holding)
    await holding.act(lambda unit: unit.add(Room(room="r1", status="closed")))
    assert (holding.row().state, ticket(holding).state) == ("void", "void")


@pytest.mark.parametrize("refused", [True, False])
async def test_the_ticket_of_an_appeal_is_void_too_where_its_sender_is_blocked(
    holding: Any, expiry: Expiry, refused: bool
) -> None:
    if refused:  # a held message that a person refused; the other was never held
        holding.park()
        holding.put(state="refused")
    await holding.act(
        lambda unit: tickets.give(
            unit, message_id=holding.id, route="comments", room="r1", sender="alice", texts=("a",), now=holding.now
        )
    )
    await expiry.stand()
    block = Block(scope="sender", value="alice", reason="r", ground="g", expires_at=0, created_at=0)
    await holding.act(lambda unit: unit.add(block))
    await expiry.stand()
    ticket = holding.plant.database.now(lambda session: session.query(Ticket).one())
    assert ticket.state == "void"
    assert not refused or holding.row().state == "refused"
