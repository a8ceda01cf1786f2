"""Claims end by themselves."""

from __future__ import annotations

from typing import Any

from gateway.control.access.roles import Role
from gateway.control.cases import cases, claims
from gateway.control.cases.case_states import CaseState
from gateway.control.cases.case_upkeep import CaseUpkeep
from gateway.control.cases.cases import Cause
from gateway.control.people import people

S = 1_000_000


def opened(plant: Any, message: str, person: str, until: int) -> int:
    def work(session: Any) -> int:
        case = cases.open_case(
            session, message, Cause.HOLD, now=0, route="comments", room="r1", sender="u1", due_at=0
        )  # fmt: skip
        claims.claim(session, case, claims.claimant(session, person, lead=False), now=1, until=until)
        return case.id

    return int(plant.database.now(work))


def state(plant: Any, case: int) -> str:
    return str(plant.database.now(lambda session: cases.get(session, case).state))


async def test_a_claim_ends_at_its_time(plant: Any) -> None:
    now = 10 * S
    upkeep = CaseUpkeep(plant.ledger, clock=lambda: now * 1000)
    over, held = opened(plant, "m1", "ann", now), opened(plant, "m2", "ann", now + 1)
    await upkeep.look()
    assert (state(plant, over), state(plant, held)) == (CaseState.WAITING, CaseState.CLAIMED)
    upkeep.start()
    await upkeep.stop()


async def test_a_claim_ends_with_the_role_and_with_the_person(plant: Any) -> None:
    CaseUpkeep(plant.ledger)
    for name in ("ann", "bob", "cy"):
        await plant.ledger.act(
            "admin", "new", "person.add", f"person:{name}",
            lambda unit, name=name: people.add(unit, name, people.new_token(), [Role.REVIEWER]), settle=False,
        )  # fmt: skip
    held = {name: opened(plant, name, name, 1 << 60) for name in ("ann", "bob", "cy")}
    await plant.ledger.act(
        "admin", "moved", "person.roles", "person:ann", lambda unit: people.give(unit, "ann", [Role.VIEWER])
    )
    await plant.ledger.act("admin", "left", "person.remove", "person:bob", lambda unit: people.remove(unit, "bob"))
    assert [state(plant, case) for case in held.values()] == [CaseState.WAITING, CaseState.WAITING, CaseState.CLAIMED]
