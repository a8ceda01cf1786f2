"""Incidents over the API: begun with an end, extended, ended; what they held released or let expire in bulk."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from gateway.config.sections.review.review import Review
from gateway.config.sections.routes import Release, Route
from tests.gateway.control.incidents.conftest import GIVEN, Emergency, S


async def test_it_is_in_force_with_the_end_that_somebody_gave(emergency: Emergency) -> None:
    done = await emergency("POST", "", {**GIVEN, "pace": 10, "level": 60, "freeze": True})
    made = done["result"]
    assert (made["state"], made["opened_by"], made["reason"]) == ("standing", "lea", "rumours")
    assert made["ends_at"] == emergency.now + 600 * S
    snapshot = emergency.plant.state.snapshot
    assert snapshot["incidents"] == [
        {
            "id": made["id"], "scope": "all", "places": (), "ends_at": made["ends_at"], "hold": True, "freeze": True,
            "pace_ms": 10_000, "level": 60, "ground": "order 4",
        }
    ]  # fmt: skip
    (listed,) = (await emergency("GET", "", who="vic"))["incidents"]
    assert (listed["id"], listed["pace"], listed["level"], listed["ended_at"]) == (made["id"], 10.0, 60, None)
    (record,) = [one for one in await emergency.plant.recorded() if one["kind"] == "incident.begin"]
    assert record["person"] == "lea"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"scope": "all", "places": ["r1"]}, 400),
        ({"scope": "rooms"}, 400),
        ({"hold": False}, 400),
        ({"seconds": 0}, 400),
        ({"seconds": 86_401}, 409),
        ({"scope": "routes", "places": ["nowhere"]}, 404),
        ({"pace": 0.0001, "hold": False}, 400),
        ({"reason": ""}, 400),
        ({"scope": "rooms", "places": [f"r{number}" for number in range(101)]}, 400),
    ],
)
async def test_what_means_nothing_or_stands_too_long_is_refused(
    emergency: Emergency, changed: dict[str, Any], status: int
) -> None:
    answer = await emergency("POST", "", {**GIVEN, **changed})
    assert emergency.status == status
    if status == 409:
        assert answer["reason"] == "control.incident_long"


async def test_only_leads_begin_and_decide(emergency: Emergency) -> None:
    await emergency("POST", "", GIVEN, who="ann")
    assert emergency.status == 403
    number = await emergency.begin()
    for what, body in (("end", {}), ("extend", {"seconds": 900}), ("release", {"count": 1}), ("expire", {"count": 1})):
        await emergency("POST", f"/{number}:{what}", {"reason": "r", **body}, who="ann")
        assert emergency.status == 403
    assert (await emergency("GET", f"/{number}", who="ann"))["state"] == "standing"


async def test_it_is_extended_and_ended_and_each_is_undone_like_any_act(emergency: Emergency) -> None:
    number = await emergency.begin()
    begun = emergency.plant.state.snapshot["version"]
    answer = await emergency("POST", f"/{number}:extend", {"seconds": 600, "reason": "r"})
    assert (emergency.status, answer["reason"]) == (409, "control.incident_longer")
    done = await emergency("POST", f"/{number}:extend", {"seconds": 900, "reason": "still"})
    assert done["result"]["ends_at"] == emergency.now + 900 * S
    assert emergency.plant.state.snapshot["incidents"][0]["ends_at"] == emergency.now + 900 * S
    ended = await emergency("POST", f"/{number}:end", {"reason": "quiet"})
    assert (ended["result"]["state"], ended["result"]["ended_by"]) == ("over", "lea")
    assert emergency.plant.state.snapshot["incidents"] == []
    assert emergency.plant.state.snapshot["version"] > begun
    answer = await emergency("POST", f"/{number}:end", {"reason": "r"})
    assert (emergency.status, answer["reason"]) == (409, "control.incident_over")
    undone = f"/v1/acts/{ended['act']}:undo"
    await emergency.api("POST", undone, token=emergency.tokens["lea"], json={"reason": "not yet"})
    assert emergency.api.status in (200, 202)
    told = await emergency("GET", f"/{number}")
    assert told["state"] == "standing"
    assert [(one["kind"], one["person"], one["undone"]) for one in told["log"]] == [
        ("incident.begin", "lea", False), ("incident.extend", "lea", False), ("incident.end", "lea", True),
    ]  # fmt: skip
    assert emergency.plant.state.snapshot["incidents"] != []
    begin = f"/v1/acts/{told['log'][0]['act']}:undo"
    answer = await emergency.api("POST", begin, token=emergency.tokens["lea"], json={"reason": "r"})
    assert (emergency.api.status, answer["reason"]) == (409, "control.not_undoable")  # it is ended instead


async def test_the_preview_tells_where_nothing_can_wait(emergency: Emergency) -> None:
    route = Route.model_construct
    release = Release(ticket=True)
    emergency.plant.config = emergency.plant.config.model_copy(
        update={
            "review": Review(key=SecretStr("0" * 64), on_cap="reject"),
            "routes": (
                route(name="comments", surface="comment", release=release),
                route(name="groups", surface="group", release=None),
                route(name="pages", surface=None, release=None),
            ),
        }
    )
    body = {name: GIVEN[name] for name in ("scope", "hold", "seconds")}
    told = await emergency("POST", ":preview", body)
    assert told["routes"] == [{"route": "comments", "holds": True}, {"route": "groups", "holds": False}]
    assert (told["unheld"], told["standing"], told["longest"]) == (["groups"], [], 86400.0)
    number = await emergency.begin()
    told = await emergency("POST", ":preview", {**body, "scope": "routes", "places": ["comments"]})
    assert (told["routes"], told["unheld"], told["standing"]) == ([{"route": "comments", "holds": True}], [], [number])


async def test_its_end_releases_nothing_and_a_lead_releases_in_bulk(emergency: Emergency) -> None:
    number = await emergency.begin()
    plain = emergency.hold("m1", number)
    emergency.claimed(emergency.hold("m2", number))
    emergency.complained(emergency.hold("m3", number))
    emergency.hold("m4", number, sender="lea")
    emergency.hold("m5", 0)
    answer = await emergency("POST", f"/{number}:release", {"count": 1, "reason": "r"})
    assert (emergency.status, answer["reason"]) == (409, "control.incident_stands")
    emergency.later(601)
    await emergency.ends.look()
    assert emergency.waiting() == ["m1", "m2", "m3", "m4", "m5"]
    told = await emergency("GET", f"/{number}")
    assert (told["state"], told["waiting"], told["ended_by"]) == ("over", 4, "tidegate")
    assert told["held"] == {"ready": 1, "claimed": 1, "decided": 0, "apart": 1, "kept": 1, "at_once": 500}
    assert told["log"][-1]["reason"] == "its time is over; 4 messages that it held wait"
    answer = await emergency("POST", f"/{number}:release", {"count": 2, "reason": "r"})
    assert (emergency.status, answer["reason"]) == (409, "review.changed")
    done = await emergency("POST", f"/{number}:release", {"count": 1, "reason": "read through"})
    assert done["result"] == {
        "done": 1,
        "left": {"ready": 0, "claimed": 1, "decided": 1, "apart": 1, "kept": 1, "at_once": 500},
    }
    emergency.later(11)
    await emergency.plant.review.look()
    assert emergency.plant.desk.done == [("m1", "approved", "lea", "")]
    case = emergency.plant.database.now(lambda session: session.get(type(plain), plain.id))
    assert (case.state, case.outcome, case.decided_by) == ("done", "approved", "lea")


async def test_a_release_in_bulk_can_be_taken_back_while_it_has_not_taken_effect(emergency: Emergency) -> None:
    number = await emergency.begin()
    case = emergency.hold("m1", number)
    await emergency("POST", f"/{number}:end", {"reason": "quiet"})
    await emergency("POST", f"/{number}:release", {"count": 1, "reason": "r"})
    path = f"/v1/review/cases/{case.id}:undo"
    undone = await emergency.api("POST", path, token=emergency.tokens["lea"], json={})
    assert undone["result"]["state"] == "claimed"
    emergency.later(11)
    await emergency.plant.review.look()
    assert emergency.plant.desk.done == []


async def test_a_lead_lets_them_expire_and_their_senders_may_send_again(emergency: Emergency) -> None:
    number = await emergency.begin()
    case = emergency.hold("m1", number)
    emergency.hold("m2", number)
    await emergency("POST", f"/{number}:end", {"reason": "quiet"})
    done = await emergency("POST", f"/{number}:expire", {"count": 2, "reason": "too old by now"})
    assert done["result"]["done"] == 2
    assert emergency.states() == {"m1": "expired", "m2": "expired"}
    row = emergency.plant.database.now(lambda session: session.get(type(case), case.id))
    assert (row.state, row.open_as) == ("expired", None)
    told = await emergency("GET", f"/{number}")
    assert (told["became"], told["waiting"]) == ({"expired": 2}, 0)
    assert [(one["kind"], one["reason"]) for one in told["log"]][-1] == ("incident.expire", "too old by now")


async def test_so_many_at_once_and_the_rest_with_another_act(
    emergency: Emergency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.control.incidents.incident_held.AT_ONCE", 2)
    number = await emergency.begin()
    for name in ("m1", "m2", "m3"):
        emergency.hold(name, number)
    await emergency("POST", f"/{number}:end", {"reason": "quiet"})
    done = await emergency("POST", f"/{number}:expire", {"count": 3, "reason": "r"})
    assert (done["result"]["done"], done["result"]["left"]["ready"]) == (2, 1)
    assert emergency.waiting() == ["m3"]
    answer = await emergency("POST", f"/{number}:expire", {"count": 3, "reason": "r"})
    assert (emergency.status, answer["reason"]) == (409, "review.changed")


async def test_lists_and_unknown_ones(emergency: Emergency) -> None:
    first = await emergency.begin(seconds=900)
    second = await emergency.begin(scope="rooms", places=["r2", "r1", "r2"])
    assert [one["id"] for one in (await emergency("GET", ""))["incidents"]] == [second, first]
    assert (await emergency("GET", f"/{second}"))["places"] == ["r1", "r2"]
    emergency.later(700)
    assert [one["id"] for one in (await emergency("GET", ""))["incidents"]] == [first]
    assert [one["id"] for one in (await emergency("GET", "", state="over"))["incidents"]] == [second]
    assert len((await emergency("GET", "", state="all"))["incidents"]) == 2
    answer = await emergency("GET", "/99")
    assert (emergency.status, answer["reason"]) == (404, "control.incident_unknown")
