"""Incidents end by themselves, by a clock that nothing leads; how many stand is bounded and counted."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from gateway.control.callbacks.rows import OnCallTopic
from gateway.control.incidents import incident_states
from gateway.control.incidents.incident_states import IncidentEnds
from tests.gateway.control.incidents.conftest import Emergency, S


async def test_the_end_is_noted_once_and_workers_hear_of_it(emergency: Emergency) -> None:
    number = await emergency.begin()
    emergency.hold("m1", number)
    emergency.later(599)
    await emergency.ends.look()
    assert emergency.plant.state.snapshot["incidents"] != []
    assert (await emergency.ends.series())["tidegate_incidents"] == {(): 1.0}
    emergency.later(1)
    await emergency.ends.look()
    await emergency.ends.look()
    await emergency.plant.recorded()
    assert emergency.plant.state.snapshot["incidents"] == []
    told = await emergency("GET", f"/{number}")
    assert [one["kind"] for one in told["log"]] == ["incident.begin", "incident.over"]
    assert await emergency.ends.series() == {"tidegate_incidents": {(): 0.0}, "tidegate_incident_held": {(): 1.0}}
    topics = emergency.plant.database.now(lambda session: session.scalars(select(OnCallTopic)).all())
    assert [(one.topic, one.folded) for one in topics] == [(f"incident:{number}", 1)]


async def test_nothing_ends_while_the_time_is_not_known_nor_where_another_control_does_it(
    emergency: Emergency,
) -> None:
    await emergency.begin()
    emergency.later(700)
    unknown = IncidentEnds(emergency.plant.ledger, lambda: False, lambda: 0)
    await unknown.look()
    emergency.plant.ledger.leads = lambda: False
    await emergency.ends.look()
    assert len(emergency.plant.state.snapshot["incidents"]) == 1  # its workers let it go by themselves


async def test_nobody_is_called_where_nothing_waits_or_nobody_is_on_call(emergency: Emergency) -> None:
    await emergency.begin()
    number = await emergency.begin(scope="rooms", places=["r1"])
    emergency.hold("m1", number)
    emergency.on_call = False
    emergency.later(700)
    await emergency.ends.look()
    assert emergency.plant.database.now(lambda session: session.scalars(select(OnCallTopic)).all()) == []


async def test_so_many_stand_at_once(emergency: Emergency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_states, "MAX_INCIDENTS", 2)
    await emergency.begin()
    await emergency.begin()
    body = {"scope": "all", "hold": True, "seconds": 60, "reason": "r", "ground": "g"}
    answer = await emergency("POST", "", body)
    assert (emergency.status, answer["reason"]) == (409, "control.too_many")


async def test_what_is_open_is_told_with_its_ends(emergency: Emergency) -> None:
    first, second = await emergency.begin(seconds=900), await emergency.begin()
    now = emergency.now
    rows = emergency.plant.database.now(lambda session: incident_states.standing(session, now))
    assert [(row.id, row.ends_at) for row in rows] == [(second, now + 600 * S), (first, now + 900 * S)]


async def test_old_ones_go_but_for_those_of_which_something_waits(emergency: Emergency) -> None:
    await emergency.begin()
    second = await emergency.begin()
    emergency.hold("m1", second)
    emergency.later(700)
    await emergency.ends.look()
    before = emergency.now + 1
    assert emergency.plant.database.now(lambda session: incident_states.prune(session, before)) == 1
    assert [one["id"] for one in (await emergency("GET", "", state="all"))["incidents"]] == [second]
