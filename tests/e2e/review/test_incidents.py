"""An incident over real processes: begun, everything held, what was delayed too; over, nothing released; in bulk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.review.desk import KEY, Desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTE = """
[[routes]]
name = "{name}"
match = "POST /api/{name}/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "open"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"
{more}
"""
RELEASE = """
[routes.release]
match = "POST /internal/{room}/comments"
headers = { Authorization = "Bearer s3cret" }
on_behalf = "X-On-Behalf-Of"
idempotent = true
"""
MORE = f"""
[review]
key = "{KEY}"
on_cap = "pass"
waiting_per_sender = 1000
delayed_per_sender = 100

[desk]
undo = "0s"

[policies.open]
appeal = "off"
rules = []
{ROUTE.format(name="open", more=RELEASE)}
{ROUTE.format(name="late", more='delay = "120s"' + RELEASE)}
{ROUTE.format(name="bare", more="")}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("incidents"), MORE) as made:
        yield made


async def asked(desk: Desk, path: str, **body: Any) -> dict[str, Any]:
    """One act on incidents; what it gave."""
    answer = await desk.node.manage("POST", f"/v1/incidents{path}", {"reason": "a rumour", **body})
    assert answer.status in (200, 202), answer
    return dict(answer.json()["result"])


async def shown(desk: Desk, number: int) -> dict[str, Any]:
    return dict((await desk.node.manage("GET", f"/v1/incidents/{number}")).json())


async def until(desk: Desk, number: int, **wanted: int | str) -> dict[str, Any]:
    """What is told of it, once it tells that."""
    async with asyncio.timeout(40):
        while True:
            told = await shown(desk, number)
            if all(told[name] == value for name, value in wanted.items()):
                return told
            await asyncio.sleep(0.05)


async def begun(desk: Desk, **changed: Any) -> int:
    body = {"scope": "all", "hold": True, "seconds": 600, "ground": "order 4", **changed}
    return int((await asked(desk, "", **body))["id"])


async def test_from_its_beginning_to_an_orderly_end(desk: Desk) -> None:
    assert (await desk.send("as usual", "open")).status == 201
    late = await desk.send("late", "late")
    assert (late.status, late.json()["status"]) == (202, "delayed")
    number = await begun(desk)
    for text in ("one", "two", "three"):
        answer = await desk.send(text, "open")
        assert (answer.status, answer.json()["status"]) == (202, "held"), answer
    refused = await desk.send("nowhere to wait", "bare")
    assert (refused.status, refused.json()["reason"]) == (503, "incident.unheld")
    await until(desk, number, waiting=4)
    status = await desk.node.ask("GET", late.json()["status_url"])
    assert status.json()["status"] == "held"
    records = [one for one in desk.node.records() if one.get("id") == late.json()["message_id"]]
    assert [(one["kind"], one.get("verdict", one.get("state"))) for one in records] == [
        ("judged", "pass"), ("outcome", "held"),
    ]  # fmt: skip
    claimed = await desk.case((await desk.send("four", "open")).json()["message_id"])
    await desk.node.manage("POST", "/v1/review/cases:claim", {"cases": [claimed["id"]]})

    await asked(desk, f"/{number}:end")
    assert (await desk.send("as usual again", "open")).status == 201
    told = await until(desk, number, state="over", waiting=5)
    assert (told["held"]["ready"], told["held"]["claimed"]) == (4, 1)
    assert desk.site.shown == []
    assert desk.site.direct == ["as usual", "as usual again"]

    done = await asked(desk, f"/{number}:release", count=4)
    assert (done["done"], done["left"]["claimed"]) == (4, 1)
    told = await until(desk, number, became={"delivered": 4, "held": 1})  # type: ignore[arg-type]  # counts by state
    assert sorted(text for _, text, _ in desk.site.shown) == ["late", "one", "three", "two"]
    assert [one["kind"] for one in told["log"]] == ["incident.begin", "incident.end", "incident.release"]
    assert desk.site.direct == ["as usual", "as usual again"]


async def test_it_ends_by_itself_in_the_workers_and_nothing_goes(desk: Desk) -> None:
    number = await begun(desk, seconds=2, scope="routes", places=["open"])
    first = await desk.send("held by it", "open")
    assert first.json()["status"] == "held"
    assert (await desk.send("another route", "late")).json()["status"] == "delayed"
    told = await until(desk, number, state="over", ended_by="tidegate", waiting=1)
    assert [one["kind"] for one in told["log"]] == ["incident.begin", "incident.over"]
    assert (await desk.send("after its end", "open")).status == 201
    before = len(desk.site.shown)
    await asked(desk, f"/{number}:expire", count=1)
    await until(desk, number, became={"expired": 1})  # type: ignore[arg-type]  # counts by state
    assert len(desk.site.shown) == before
    status = await desk.node.ask("GET", first.json()["status_url"])
    assert status.json()["status"] == "expired"


async def test_a_pace_and_a_level(desk: Desk) -> None:
    number = await begun(desk, hold=False, pace=300, scope="rooms", places=["1"])
    assert (await desk.send("first", "open", "dora")).status == 201
    slow = await desk.send("second", "open", "dora")
    assert (slow.status, slow.json()["reason"]) == (429, "incident.slow")
    assert 0 < int(slow.headers["retry-after"]) <= 300
    assert (await desk.send("other", "open", "emil")).status == 201
    await asked(desk, f"/{number}:end")
    assert (await desk.send("third", "open", "dora")).status == 201
    number = await begun(desk, hold=False, level=60)
    for sender, credit in (("fay", 61), ("gus", 59)):
        body = {"verified": True, "credit": credit, "reason": "r"}
        assert (await desk.node.manage("PUT", f"/v1/accounts/{sender}", body)).status in (200, 202)
    async with asyncio.timeout(20):  # what accounts say stands in state a moment later
        while (await desk.send("a member's", "open", "fay")).status != 201:
            await asyncio.sleep(0.05)
    for sender in ("gus", "nobody-knows"):
        refused = await desk.send("not now", "open", sender)
        assert (refused.status, refused.json()["reason"]) == (403, "incident.members")
    await asked(desk, f"/{number}:end")
