"""Which of the messages that an incident held may be decided in bulk, and which are left out."""

from __future__ import annotations

from gateway.control.cases.claims import Claimant
from gateway.control.incidents import incident_held
from gateway.control.incidents.incident_held import HeldByIncident
from tests.gateway.control.incidents.conftest import Emergency

LEA = Claimant("lea", True, frozenset({"lea"}))


async def test_what_two_people_decide_is_left_out(emergency: Emergency) -> None:
    number = await emergency.begin()
    emergency.hold("m1", number)
    found = ({"check": "keywords", "reason": "keyword.match", "effect": "label", "category": "fraud", "severity": 1},)
    held = {"check": "incident", "reason": "incident.held", "effect": "hold", "detail": {"incident": number}}
    emergency.hold("m2", number, findings=(held, *found))

    def counted(second: frozenset[str]) -> HeldByIncident:
        return emergency.plant.database.now(lambda session: incident_held.counted(session, number, LEA, second))

    assert counted(frozenset()) == HeldByIncident(2, 0, 0, 0, 0)
    assert counted(frozenset({"fraud"})) == HeldByIncident(1, 0, 0, 1, 0)
    became = emergency.plant.database.now(lambda session: incident_held.became(session, number))
    assert became == {"held": 2}


async def test_what_something_else_held_is_no_incidents(emergency: Emergency) -> None:
    number = await emergency.begin()
    emergency.hold("m1", 0)
    assert emergency.plant.database.now(lambda session: incident_held.became(session, number)) == {}
