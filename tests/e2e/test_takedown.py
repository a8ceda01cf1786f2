"""What was published goes: by our id, by the platform's, by its author's hand; and the same text does not come back."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.commands.cli import build
from gateway.demo import platform as demo
from gateway.journal.write.ids import parse
from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import Answer, Node

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTE = """
upstream_id = "json:/id"
id_to = "header:X-Ref"
takedown = { match = "DELETE /api/articles/{room}/comments/{id}", confirm_within = "1s" }
"""
MORE = """
[[routes]]
name = "deletions"
match = "DELETE /api/articles/{room}/comments/{id}"
upstream = "platform"
removal = { of = "comments", id = "path:id" }

[[routes]]
name = "deletions-by-body"
match = "POST /api/delete"
upstream = "platform"
removal = { of = "comments", id = "json:/refs", by = "tidegate", actor = "platform", gone_when = { "/code" = 0 } }
"""


class Town:
    """A node with two workers, and the demo platform behind it, which can be away."""

    def __init__(self, node: Node, port: int) -> None:
        self.node = node
        self.port = port
        self._stack = contextlib.AsyncExitStack()
        self._lives = itertools.count(1)

    async def open(self) -> None:
        """The platform comes (back), with nothing in it."""
        self.platform, _ = await self._stack.enter_async_context(demo.serve("127.0.0.1", self.port))
        self.platform.ids = itertools.count(1000 * next(self._lives))  # it names no two messages alike

    async def close(self) -> None:
        """The platform goes."""
        await self._stack.aclose()

    def shown(self, room: str = "1") -> list[str]:
        return [message["content"] for message in self.platform.room("articles", room).messages]

    async def say(self, text: str) -> tuple[str, str]:
        """Publish; gives our id and the platform's."""
        answer = await self.node.say("alice", text)
        assert answer.status == 201, answer
        return answer.headers["tidegate-message-id"], str(answer.json()["id"])

    async def take_down(self, **body: Any) -> Answer:
        return await self.node.manage("POST", "/v1/takedowns", {"reason": "order 7", **body})

    async def removals(self, wanted: Callable[[dict[str, Any]], bool], count: int) -> list[dict[str, Any]]:
        """The records of removals that are ``wanted``, once there are ``count``."""
        async with asyncio.timeout(10):
            while True:
                found = [one for one in self.node.records() if one["kind"] == "removal" and wanted(one)]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)

    async def takedown(self, number: int, state: str) -> dict[str, Any]:
        """The takedown, once it is in this state."""
        async with asyncio.timeout(20):
            while True:
                told = (await self.node.manage("GET", f"/v1/takedowns/{number}")).json()
                if told["state"] == state:
                    return dict(told)
                await asyncio.sleep(0.05)

    async def command(self, *arguments: str) -> tuple[int | None, str]:
        """``tidegate takedown`` as a user would run it."""
        given = ["takedown", *arguments, "--data-dir", str(self.node.folders.root)]
        result = await asyncio.to_thread(CliRunner().invoke, build(["takedown"]), given)
        return result.exit_code, result.output


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder: Path = tmp_path_factory.mktemp("takedown")
    ports, upstream = (free_port(), free_port()), free_port()
    config = write_config(folder, ports, upstream, workers=2, route=ROUTE, more=MORE)
    node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
    made = Town(node, upstream)
    await made.open()
    await node.start()
    lines = json.dumps({"sender": "alice", "verified": True}).encode()
    assert (await node.manage("POST", "/v1/accounts:import?reason=test", raw=lines)).status == 200
    yield made
    assert await node.stop() == 0
    await made.close()


async def test_by_our_id(town: Town) -> None:
    ours, theirs = await town.say("the first to go")
    await town.say("to stay")
    assert "the first to go" in town.shown()
    answer = await town.take_down(id=ours, ground="provisions 10")
    done = answer.json()
    assert (answer.status, done["in_force"], done["result"]["state"]) == (200, True, "confirmed")
    assert "the first to go" not in town.shown()
    assert "to stay" in town.shown()
    records = await town.removals(lambda one: one["id"] == ours, 2)
    assert [one["state"] for one in records] == ["requested", "confirmed"]
    assert {(one["by"], one["room"], one["upstream_id"], one["act"]) for one in records} == {
        ("takedown", "1", theirs, done["id"])
    }
    (act,) = [one for one in town.node.records() if one["kind"] == "act" and one["id"] == done["id"]]
    assert (act["person"], act["reason"], act["what"]) == ("admin", "order 7", "takedown.create")


async def test_by_the_platforms_id_from_the_command_line(town: Town) -> None:
    _, theirs = await town.say("the second to go")
    code, told = await town.command(theirs, "--route", "comments", "--reason", "order 8")
    assert code == 0, told
    assert json.loads(told)["trace"][-1] | {"at": 0} == {"at": 0, "event": "confirmed", "status": 204, "problem": ""}
    assert "the second to go" not in town.shown()
    code, told = await town.command("999999", "--route", "comments", "--reason", "order 8")
    assert (code, "no such message" in told) == (1, True), told
    code, told = await town.command(theirs, "--reason", " ")
    assert code == 2, told


async def test_what_the_platform_forgot_already_is_confirmed(town: Town) -> None:
    ours, theirs = await town.say("deleted behind our back")
    await town.platform.room("articles", "1").remove(theirs)
    answer = await town.take_down(id=ours)
    assert answer.json()["result"]["state"] == "confirmed"
    trace = (await town.takedown(answer.json()["result"]["id"], "confirmed"))["trace"]
    assert trace[-1]["status"] == 404


async def test_a_platform_that_is_away_alarms_and_is_asked_until_it_has_deleted(town: Town) -> None:
    ours, _ = await town.say("to go while nobody is there")
    await town.close()
    answer = await town.take_down(id=ours)
    assert (answer.status, answer.json()["in_force"]) == (202, False)
    number = answer.json()["result"]["id"]
    told = await town.takedown(number, "unconfirmed")
    assert [event["event"] for event in told["trace"]] == ["requested", "tried", "unconfirmed"]
    assert told["trace"][-1]["problem"] == "upstream.refused"
    metrics = (await town.node.manage("GET", "/metrics")).body.decode()
    assert 'tidegate_takedowns{state="unconfirmed"} 1.0' in metrics
    assert "takedown.unconfirmed" in town.node.told(everything=True)
    await town.open()
    await town.takedown(number, "confirmed")
    states = [one["state"] for one in await town.removals(lambda one: one["id"] == ours, 3)]
    assert states == ["requested", "unconfirmed", "confirmed"]


async def test_a_users_deletion_is_seen_and_named(town: Town) -> None:
    ours, theirs = await town.say("regretted")
    gone = await town.node.ask("DELETE", f"/api/articles/1/comments/{theirs}", headers={"X-User-Id": "alice"})
    assert (gone.status, town.shown().count("regretted")) == (204, 0)
    seen, named = await town.removals(lambda one: one.get("upstream_id") == theirs, 2)
    assert (seen["id"], seen["by"], seen["state"], seen["room"]) == ("", "user", "seen", "1")
    assert (named["id"], named["by"], named["state"], named["room"]) == (ours, "user", "seen", "1")
    again = await town.node.ask("DELETE", f"/api/articles/1/comments/{theirs}")
    assert again.status == 404
    # A deletion that failed is none: the next one is recorded right behind the two above.
    _, other = await town.say("regretted as well")
    await town.node.ask("DELETE", f"/api/articles/1/comments/{other}")
    await town.removals(lambda one: one.get("upstream_id") == other, 2)
    assert len(await town.removals(lambda one: one.get("upstream_id") == theirs, 2)) == 2


async def test_deletions_by_our_ids_in_a_body(town: Town) -> None:
    first, _ = await town.say("one of two")
    second, _ = await town.say("two of two")
    codes = iter((-1, 0))

    async def remove(request: Any) -> Any:
        body = await request.json()
        assert body == {"refs": [first, second]}
        return demo.web.json_response({"code": next(codes)})

    # The platform under test has no such address; this one stands in for it.
    await town.close()
    app = demo.web.Application()
    app.router.add_post("/api/delete", remove)
    runner = demo.web.AppRunner(app, access_log=None)
    await runner.setup()
    await demo.web.TCPSite(runner, "127.0.0.1", town.port).start()
    try:
        body = json.dumps({"refs": [first, second]}).encode()
        for code in (-1, 0):
            answer = await town.node.ask("POST", "/api/delete", body, {"Content-Type": "application/json"})
            assert answer.json() == {"code": code}
    finally:
        await runner.cleanup()
    await town.open()
    for ours in (first, second):
        records = await town.removals(lambda one, ours=ours: one["id"] == ours and "room" in one, 1)  # type: ignore[misc]
        assert [(one["by"], one["state"], one["room"]) for one in records] == [("platform", "seen", "1")]


async def test_a_copy_is_refused_by_every_worker_within_a_second(town: Town) -> None:
    text = "Win a telephone today"
    ours, _ = await town.say(text)
    await town.say("WIN a telephone   today!!")
    shown = (await town.node.manage("POST", "/v1/takedowns:preview", {"id": ours, "reason": "order 9"})).json()
    assert (shown["comparable"], shown["deletable"], len(shown["copies"])) == (True, True, 1)
    code, told = await town.command(ours, "--reason", "order 9", "--ground", "agreement 3.9", "--copies", "--yes")
    assert (code, json.loads(told.splitlines()[-1])["copy_id"] > 0) == (0, True), told
    await asyncio.sleep(1.0)  # the promise is a second, and no event tells that it is over
    refused: set[int] = set()
    async with asyncio.timeout(20):
        while len(refused) < 2:
            for answer in await asyncio.gather(*(town.node.say("alice", text.lower() + "!" * n) for n in range(8))):
                assert (answer.status, answer.json()["reason"]) == (403, "copy.removed"), answer
                assert answer.json()["ground"] == "agreement 3.9"
                refused.add(parse(answer.json()["message_id"]).worker)
    assert (await town.node.say("alice", "Win a telephone tomorrow")).status == 201
    (copy,) = (await town.node.manage("GET", "/v1/copies")).json()["copies"]
    (act,) = [
        one["act"]
        for one in (await town.node.manage("GET", "/v1/acts?reason=audit&kind=takedown.create&limit=1")).json()["acts"]
    ]
    undone = (await town.node.manage("POST", f"/v1/acts/{act}:undo", {"reason": "too wide"})).json()
    assert (undone["result"]["lasting"], all(undone["workers"].values())) == (["takedowns"], True)
    assert (await town.node.manage("GET", "/v1/copies")).json()["copies"] == []
    assert (await town.node.say("alice", text)).status == 201
    assert copy["message_id"] == ours


async def test_the_log_tells_no_text(town: Town) -> None:
    log = town.node.told(everything=True)
    for private in ("telephone", "regretted", "to go"):
        assert private not in log
