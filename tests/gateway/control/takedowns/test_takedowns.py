"""Takedowns: asked for until confirmed, told to the journal state by state, alarmed about, and seen through the API."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import structlog

from gateway.control.acts.acts import Intent, perform
from gateway.control.features import GOVERNANCE
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.neighbours import Asked, Said
from gateway.control.takedowns.rows import Takedown
from gateway.control.takedowns.takedowns import LONGEST_PAUSE_US, OUTSTANDING_US, Takedowns

AWAY = Said(False, None, "upstream.refused")
BROKEN = Said(False, 500)
GONE = Said(True, 204)


class Clock:
    """Nanoseconds that pass when told."""

    def __init__(self) -> None:
        self.ns = 1_800_000_000 * 10**9

    def __call__(self) -> int:
        return self.ns

    def pass_(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


class Bench:
    """The runner alone, stepped by hand."""

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.clock = Clock()
        self.numbers = iter(range(100))
        self.runner = Takedowns(plant.database, plant.messages, plant.platform, clock=self.clock)

    def ask(self, within: float = 60.0, upstream_id: str = "7") -> int:
        def work(unit: Any) -> int:
            row = unit.add(
                Takedown(
                    message_id=f"m{next(self.numbers)}", upstream_id=upstream_id, route="comments", room="r1",
                    reason="order 7", ground="rule 3", act_uid=unit.uid, created_at=self.clock() // 1000,
                )
            )  # fmt: skip
            unit.session.flush()
            takedowns.begun(unit.session, row, within)
            return int(row.id)

        intent = Intent(self.plant.ids(), "admin", "order 7", "takedown.create", "message:m")
        number: int = self.plant.database.now(lambda session: perform(session, intent, work, GOVERNANCE)).result
        return number

    async def steps(self) -> None:
        while await self.runner.step():
            pass

    def states(self) -> list[tuple[str, str, int | None]]:
        return [(one["id"], one["state"], one.get("status")) for one in self.plant.messages.records]

    def trace(self, number: int) -> list[tuple[str, int | None, str]]:
        rows = self.plant.database.now(lambda session: takedowns.trace(session, number))
        return [(row.event, row.status, row.problem) for row in rows]


@pytest.fixture
def bench(plant: Any) -> Bench:
    return Bench(plant)


async def test_a_platform_that_deletes_confirms(bench: Bench) -> None:
    number = bench.ask()
    await bench.steps()
    assert bench.states() == [("m0", "requested", None), ("m0", "confirmed", 204)]
    record = bench.plant.messages.records[1]
    assert (record["by"], record["reason"], record["ground"]) == ("takedown", "order 7", "rule 3")
    assert (record["route"], record["room"], record["upstream_id"]) == ("comments", "r1", "7")
    assert record["act"].startswith("act-")
    assert bench.trace(number) == [("requested", None, ""), ("confirmed", 204, "")]
    bench.clock.pass_(3600)
    await bench.steps()
    assert len(bench.plant.platform.asked) == 1


async def test_an_absent_platform_is_asked_again_less_and_less_and_alarms_once(bench: Bench) -> None:
    bench.plant.platform.says = [AWAY]
    number = bench.ask(within=10)
    tries: list[float] = []
    begin = bench.clock.ns
    with structlog.testing.capture_logs() as told:
        while (passed := (bench.clock.ns - begin) / 1e9) < 400:
            before = len(bench.plant.platform.asked)
            await bench.steps()
            if len(bench.plant.platform.asked) > before:
                tries.append(passed)
            bench.clock.pass_(0.5 if passed < 20 else 2.5)
    assert tries[:5] == [0, 0.5, 1.5, 3.5, 7.5]
    assert 10 in tries  # once more before it alarms
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert max(gaps) == LONGEST_PAUSE_US / 1e6
    assert [line["event"] for line in told] == ["takedown.unconfirmed"]
    assert told[0] | {"log_level": ""} == {
        "event": "takedown.unconfirmed", "log_level": "", "takedown": number, "route": "comments", "status": None,
        "problem": "upstream.refused",
    }  # fmt: skip
    assert await bench.runner.counted() == {"requested": 0, "confirmed": 0, "unconfirmed": 1}
    bench.plant.platform.says = [GONE]
    bench.clock.pass_(60)
    await bench.steps()
    assert [state for _, state, _ in bench.states()] == ["requested", "unconfirmed", "confirmed"]
    assert await bench.runner.counted() == {"requested": 0, "confirmed": 1, "unconfirmed": 0}
    # One line for a platform that says the same for minutes.
    assert [event for event, *_ in bench.trace(number)] == ["requested", "tried", "unconfirmed", "confirmed"]


async def test_a_message_without_an_outcome_yet_is_named_once_it_has_one(bench: Bench) -> None:
    held = bench.plant.messages.add("m0", state="", upstream_id="")
    bench.plant.platform.says = [AWAY]
    bench.ask(upstream_id="")
    await bench.steps()
    assert bench.plant.platform.asked[-1] == Asked("m0", "", "comments", "r1", outstanding=True)
    bench.plant.messages.messages["m0"] = held._replace(state="delivered", upstream_id="8")
    bench.plant.platform.says = [GONE]
    bench.clock.pass_(1)
    await bench.steps()
    assert bench.plant.platform.asked[-1] == Asked("m0", "8", "comments", "r1")
    assert [(one["state"], one.get("upstream_id")) for one in bench.plant.messages.records] == [
        ("requested", None), ("confirmed", "8"),
    ]  # fmt: skip


@pytest.mark.parametrize("broken", [None, PermissionError, ValueError])
async def test_what_has_no_outcome_after_minutes_will_have_none(bench: Bench, broken: type[Exception] | None) -> None:
    if broken is None:
        bench.plant.messages.add("m0", state="", upstream_id="")
    bench.plant.messages.unreadable = broken
    bench.plant.platform.says = [AWAY]
    bench.ask(upstream_id="")
    await bench.steps()
    assert bench.plant.platform.asked[-1].outstanding
    bench.clock.pass_(OUTSTANDING_US / 1e6)
    await bench.steps()
    assert bench.plant.platform.asked[-1] == Asked("m0", "", "comments", "r1")


async def test_the_trace_has_what_is_new_and_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takedowns, "MAX_TRACE", 10)
    bench.plant.platform.says = [AWAY, AWAY, BROKEN, BROKEN, AWAY]
    number = bench.ask(within=10**6)
    for _ in range(5):
        await bench.steps()
        bench.clock.pass_(60)
    tried = [(status, problem) for event, status, problem in bench.trace(number) if event == "tried"]
    assert tried == [(None, "upstream.refused"), (500, ""), (None, "upstream.refused")]
    for _ in range(20):
        bench.plant.platform.says = [BROKEN if bench.plant.platform.says == [AWAY] else AWAY]
        await bench.steps()
        bench.clock.pass_(60)
    assert len(bench.trace(number)) == 10
    bench.plant.platform.says = [GONE]
    await bench.steps()
    assert bench.trace(number)[-1] == ("confirmed", 204, "")


async def test_nobody_to_ask_alarms_at_once(bench: Bench) -> None:
    bench.plant.platform.says = [Said(False, None, "takedown.unconfigured")]
    number = bench.ask(within=0)
    await bench.steps()
    assert [state for _, state, _ in bench.states()] == ["requested", "unconfirmed"]
    assert bench.trace(number)[-1] == ("unconfirmed", None, "takedown.unconfigured")


async def test_an_absent_journal_keeps_nobody_from_asking(bench: Bench) -> None:
    bench.plant.messages.down = True
    bench.ask()
    with structlog.testing.capture_logs() as told:
        await bench.steps()
        await bench.steps()
    assert (len(bench.plant.platform.asked), bench.states()) == (1, [])
    assert [line["event"] for line in told] == ["takedowns.unrecorded"]
    bench.plant.messages.down = False
    await bench.runner.step()
    assert bench.states() == [("m0", "requested", None), ("m0", "confirmed", 204)]
    assert bench.runner.failing == ""


async def test_many_are_asked_for_side_by_side_and_none_is_forgotten(bench: Bench) -> None:
    for _ in range(30):
        bench.ask()
    await bench.steps()
    assert len({one.message_id for one in bench.plant.platform.asked}) == 30
    assert await bench.runner.counted() == {"requested": 0, "confirmed": 30, "unconfirmed": 0}


async def test_what_is_under_way_survives_a_restart(bench: Bench) -> None:
    bench.plant.platform.says = [AWAY]
    bench.ask()
    await bench.steps()
    bench.plant.platform.says = [GONE]
    bench.clock.pass_(1)
    later = Takedowns(bench.plant.database, bench.plant.messages, bench.plant.platform, clock=bench.clock)
    assert await later.step()
    assert [state for _, state, _ in bench.states()] == ["requested", "confirmed"]


# Through the API


async def test_by_our_id(api: Any) -> None:
    api.plant.messages.add("m1")
    done = await api("POST", "/v1/takedowns", json={"id": "m1", "reason": "order 7", "ground": "rule 3"})
    assert (api.status, done["in_force"]) == (200, True)
    out = done["result"]
    assert (out["state"], out["message_id"], out["upstream_id"], out["copy_id"]) == ("confirmed", "m1", "p-m1", None)
    traced = await api("GET", f"/v1/takedowns/{out['id']}")
    assert [event["event"] for event in traced["trace"]] == ["requested", "confirmed"]
    assert [row["id"] for row in (await api("GET", "/v1/takedowns"))["takedowns"]] == [out["id"]]
    assert (await api("GET", "/v1/takedowns", params={"state": "unconfirmed"}))["takedowns"] == []
    assert api.plant.messages.records[0]["act"] == done["id"]
    again = await api("POST", "/v1/takedowns", json={"id": "m1", "reason": "order 8"})
    assert (api.status, again["reason"]) == (409, "control.taken_down_already")
    assert (await api("GET", "/v1/takedowns/99"))["reason"] == "control.takedown_unknown"


async def test_by_the_platforms_id(api: Any) -> None:
    api.plant.messages.add("m1")
    named = {"upstream_id": "p-m1", "route": "comments", "reason": "order 7"}
    done = await api("POST", "/v1/takedowns", json=named)
    assert done["result"]["message_id"] == "m1"
    for wrong in ({"upstream_id": "p-m1"}, {"route": "comments"}, {"id": "m1", **named}, {}):
        await api("POST", "/v1/takedowns", json={**wrong, "reason": "r"})
        assert api.status == 400
    for unknown in ({"id": "m9"}, {"upstream_id": "p-m9", "route": "comments"}):
        answer = await api("POST", "/v1/takedowns", json={**unknown, "reason": "r"})
        assert (api.status, answer["reason"]) == (404, "control.message_unknown")


async def test_only_what_was_shown_goes(api: Any) -> None:
    for number, state in enumerate(("refused", "failed", "held")):
        api.plant.messages.add(f"m{number}", state=state)
        answer = await api("POST", "/v1/takedowns", json={"id": f"m{number}", "reason": "r"})
        assert (api.status, answer["reason"]) == (409, "control.not_published")
    api.plant.messages.add("m8", verdict="reject", state="")
    assert (await api("POST", "/v1/takedowns", json={"id": "m8", "reason": "r"}))["reason"] == "control.not_published"
    api.plant.messages.add("m9", state="unknown")
    await api("POST", "/v1/takedowns", json={"id": "m9", "reason": "r"})
    assert api.status == 200


async def test_a_platform_that_is_away_is_said(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.control.takedowns.endpoints.ANSWER_WITHIN", 0.05)
    api.plant.platform.says = [AWAY]
    api.plant.messages.add("m1")
    done = await api("POST", "/v1/takedowns", json={"id": "m1", "reason": "r"})
    assert (api.status, done["in_force"], done["result"]["state"]) == (202, False, "requested")
    api.plant.platform.within = 0.0
    api.plant.messages.add("m2")
    done = await api("POST", "/v1/takedowns", json={"id": "m2", "reason": "r"})
    assert (api.status, done["result"]["state"]) == (202, "unconfirmed")
    async with api.session.get(f"{api.url}/metrics") as response:
        text = await response.text()
    assert 'tidegate_takedowns{state="unconfirmed"} 1.0' in text
    assert 'tidegate_takedowns{state="requested"} 1.0' in text


async def test_copies_are_shown_then_refused_then_free_again(api: Any) -> None:
    for name, text in (("m1", "abc"), ("m2", "abd"), ("m3", "xyz")):
        api.plant.messages.add(name, text)
    shown = await api("POST", "/v1/takedowns:preview", json={"id": "m1", "reason": "order 7", "since": 60})
    assert api.status == 200
    assert [copy["id"] for copy in shown["copies"]] == ["m2"]
    assert (shown["deletable"], shown["comparable"], shown["complete"]) == (True, True, True)
    assert (await api("GET", "/v1/takedowns"))["takedowns"] == []
    assert api.plant.platform.asked == []
    await api("POST", "/v1/takedowns", json={"id": "m1", "reason": "order 7", "refuse_copies": 600})
    assert api.status == 400  # a denial without a ground
    named = {"id": "m1", "reason": "order 7", "ground": "rule 3", "refuse_copies": 600}
    done = await api("POST", "/v1/takedowns", json=named)
    (copy,) = api.plant.state.snapshot["copies"]
    assert (copy["fingerprint"], copy["ground"], copy["id"]) == ("a" * 16, "rule 3", done["result"]["copy_id"])
    (listed,) = (await api("GET", "/v1/copies"))["copies"]
    assert (listed["message_id"], listed["expires_at"]) == ("m1", copy["expires_at"])
    undone = await api("POST", f"/v1/acts/{done['act']}:undo", json={"reason": "wrong text"})
    assert undone["result"]["lasting"] == ["takedowns"]
    assert api.plant.state.snapshot["copies"] == []
    (row,) = (await api("GET", "/v1/takedowns"))["takedowns"]
    assert (row["state"], row["copy_id"]) == ("confirmed", None)


async def test_a_deletion_alone_cannot_be_undone(api: Any) -> None:
    api.plant.messages.add("m1")
    done = await api("POST", "/v1/takedowns", json={"id": "m1", "reason": "r"})
    answer = await api("POST", f"/v1/acts/{done['act']}:undo", json={"reason": "oh"})
    assert (api.status, answer["reason"]) == (409, "control.not_undoable")


async def test_copies_without_a_takedown(api: Any) -> None:
    api.plant.messages.add("m1")
    body = {"id": "m1", "reason": "r", "ground": "g", "refuse_copies": 600}
    first = await api("POST", "/v1/copies", json=body)
    shorter = await api("POST", "/v1/copies", json={**body, "refuse_copies": 60})
    assert shorter["result"]["expires_at"] == first["result"]["expires_at"]
    assert shorter["result"]["id"] == first["result"]["id"]
    await api("DELETE", f"/v1/copies/{first['result']['id']}", params={"reason": "over"})
    assert api.plant.state.snapshot["copies"] == []
    await api("DELETE", f"/v1/copies/{first['result']['id']}", params={"reason": "over"})
    assert api.status == 404
    api.plant.messages.add("m2", None)
    answer = await api("POST", "/v1/copies", json={**body, "id": "m2"})
    assert (api.status, answer["reason"]) == (409, "control.text_unknown")
    shown = await api("POST", "/v1/takedowns:preview", json={"id": "m2", "reason": "r"})
    assert (shown["comparable"], shown["copies"]) == (False, [])


async def test_copies_are_bounded(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.control.takedowns.snapshot.MAX_COPIES", 1)
    for name, text in (("m1", "a"), ("m2", "b")):
        api.plant.messages.add(name, text)
    body = {"reason": "r", "ground": "g", "refuse_copies": 600}
    await api("POST", "/v1/copies", json={"id": "m1", **body})
    answer = await api("POST", "/v1/takedowns", json={"id": "m2", **body})
    assert (api.status, answer["reason"]) == (409, "control.too_many")
    assert (await api("GET", "/v1/takedowns"))["takedowns"] == []  # all of an act or nothing of it


async def test_a_deletion_elsewhere_is_told(api: Any) -> None:
    api.plant.messages.add("m1")
    body = {"upstream_id": "p-m1", "route": "comments", "by": "platform", "reason": "their reviewers"}
    done = await api("POST", "/v1/removals", json=body)
    assert done["result"] == {"message_id": "m1"}
    (record,) = api.plant.messages.records
    assert (record["id"], record["by"], record["state"], record["act"]) == ("m1", "platform", "seen", done["id"])
    await api("POST", "/v1/removals", json={**body, "by": "takedown"})
    assert api.status == 400
    api.plant.messages.down = True
    answer = await api("POST", "/v1/removals", json=body)
    assert (api.status, answer["reason"]) == (503, "control.journal_unavailable")


@pytest.mark.parametrize("state", ["refused", "failed"])
async def test_what_never_left_is_gone_without_asking_the_platform(bench: Bench, state: str) -> None:
    """It was on its way, or waited for its delay, when somebody wanted it gone."""
    bench.plant.messages.add("m0", state=state)
    number = bench.ask(upstream_id="")
    await bench.steps()
    assert bench.trace(number) == [("requested", None, ""), ("confirmed", None, "")]
    assert bench.plant.platform.asked == []


async def test_workers_hear_of_what_was_taken_down_just_now(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them may have it waiting for its delay."""
    api.plant.messages.add("m1", state="")
    await api("POST", "/v1/takedowns", json={"id": "m1", "reason": "order 7", "ground": "rule 3"})
    assert api.plant.state.snapshot["unwanted"] == [{"id": "m1", "ground": "rule 3"}]
    monkeypatch.setattr("gateway.control.takedowns.snapshot.UNWANTED_FOR", -10)
    api.plant.messages.add("m2")
    await api("POST", "/v1/takedowns", json={"id": "m2", "reason": "order 8"})
    assert api.plant.state.snapshot["unwanted"] == []
