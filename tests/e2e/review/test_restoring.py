"""What was taken down comes back over a real node: published again, or sent again with a ticket; and goes again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from typer.testing import CliRunner

from gateway.commands.cli import build
from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import Answer, Node

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = '{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },'
MORE = f"""
[review]
key = "{"5a" * 32}"
on_cap = "reject"

[appeals]
undo = "0s"

[[routes]]
name = "talk"
match = "POST /api/talk/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"
takedown = {{ match = "DELETE /api/comments/{{id}}", confirm_within = "1s" }}
"""
ROUTE = """
upstream_id = "json:/id"
takedown = { match = "DELETE /api/comments/{id}", confirm_within = "1s" }
release = { match = "POST /internal/{room}/comments", on_behalf = "X-On-Behalf-Of", idempotent = true }
"""


class Board:
    """A platform's comments by its own ids; ``shown``: those that are there."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.published: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        self.codes: list[str] = []

    async def comment(self, request: web.Request) -> web.Response:
        return self._put((await request.json())["content"])

    async def publish(self, request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        if key in self.keys:
            return web.json_response({"id": self.keys[key]}, status=201)
        body = await request.json()
        self.published.append({"body": body, **{name: request.headers.get(name) for name in FIELDS}})
        answer = self._put(body["content"])
        self.keys[key] = list(self.shown)[-1]
        return answer

    async def delete(self, request: web.Request) -> web.Response:
        self.codes.append(request.headers["Tidegate-Appeal-Code"])
        return web.Response(status=204 if self.shown.pop(request.match_info["id"], None) else 404)

    def _put(self, text: str) -> web.Response:
        name = str(1000 + len(self.shown) + len(self.published))
        while name in self.shown:
            name += "0"
        self.shown[name] = text
        return web.json_response({"id": name}, status=201)


FIELDS = ("X-On-Behalf-Of", "Tidegate-Restores", "Content-Type", "Tidegate-Label")


class Town:
    def __init__(self, node: Node, board: Board) -> None:
        self.node = node
        self.board = board

    async def say(self, text: str, sender: str = "alice", path: str = "/api/articles/1/comments") -> Answer:
        fields = {"X-User-Id": sender, "Content-Type": "application/json"}
        return await self.node.ask("POST", path, json.dumps({"content": text}).encode(), fields)

    async def take_down(self, message: str, **more: Any) -> int:
        answer = await self.node.manage("POST", "/v1/takedowns", {"reason": "order 7", "id": message, **more})
        assert answer.status in (200, 202), answer
        number = int(answer.json()["result"]["id"])
        await self.became(number, state="confirmed")
        return number

    async def restore(self, number: int, **more: Any) -> Answer:
        return await self.node.manage("POST", f"/v1/takedowns/{number}:restore", {"reason": "it was right", **more})

    async def became(self, number: int, **wanted: str) -> dict[str, Any]:
        async with asyncio.timeout(30):
            while True:
                told: dict[str, Any] = (await self.node.manage("GET", f"/v1/takedowns/{number}")).json()
                if all(told[name] == value for name, value in wanted.items()):
                    return told
                await asyncio.sleep(0.05)

    async def appeal(self, **fields: str) -> dict[str, Any]:
        body = json.dumps(fields).encode()
        answer = await self.node.ask("POST", "/appeals", body, {"Content-Type": "application/json"})
        assert answer.status == 200, answer
        told: dict[str, Any] = answer.json()
        return told

    def published_as(self, message: str) -> list[str]:
        return [one["id"] for one in self.node.records() if one.get("restores") == message]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder: Path = tmp_path_factory.mktemp("restoring")
    ports, upstream = (free_port(), free_port()), free_port()
    config = write_config(folder, ports, upstream, workers=2, rules=RULES, route=ROUTE, more=MORE)
    board = Board()
    app = web.Application()
    app.router.add_post("/internal/{room}/comments", board.publish)
    app.router.add_delete("/api/comments/{id}", board.delete)
    app.router.add_post("/api/articles/{room}/comments", board.comment)
    app.router.add_post("/api/talk/{room}/comments", board.comment)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", upstream).start()
    node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
    await node.start()
    yield Town(node, board)
    assert await node.stop() == 0
    await runner.cleanup()


async def test_taken_down_restored_taken_down_again_and_restored(town: Town) -> None:
    text = "what the mayor said"
    first = (await town.say(text)).headers["tidegate-message-id"]
    number = await town.take_down(first, ground="provisions 10", refuse_copies=3600)
    assert text not in town.board.shown.values()
    async with asyncio.timeout(20):
        while (await town.say(text)).status != 403:  # a copy
            await asyncio.sleep(0.1)
    done = await town.restore(number, labels=["checked"])
    assert (done.status, done.json()["result"]["way"], done.json()["result"]["copies"]) == (200, "publish", 1), done
    await town.became(number, restored="delivered")
    published = town.board.published[-1]
    assert published == {
        "body": {"content": text}, "X-On-Behalf-Of": "alice", "Tidegate-Restores": first,
        "Content-Type": "application/json", "Tidegate-Label": "checked",
    }  # fmt: skip
    (second,) = town.published_as(first)
    again = await town.restore(number)
    assert (again.status, again.json()["reason"]) == (409, "control.restored_already")

    # By the id of the first one, which its taking down names still.
    other = await town.take_down(first)
    assert other != number
    assert text not in town.board.shown.values()
    assert (await town.became(other, message_id=second))["restored"] is None
    assert (await town.restore(other)).status == 200
    await town.became(other, restored="delivered")
    (third,) = town.published_as(second)
    assert [town.board.shown.get(key) for key in list(town.board.shown)].count(text) == 1
    assert third not in (first, second)
    acts = [one["what"] for one in town.node.records() if one["kind"] == "act" and one["what"].startswith("takedown.")]
    assert acts == ["takedown.create", "takedown.restore", "takedown.create", "takedown.restore"]


async def test_restored_and_taken_down_at_once(town: Town) -> None:
    """Whichever comes first: nothing stays at the platform that somebody wants gone last, nothing is there twice."""
    for round_ in range(6):
        text = f"back and forth {round_}"
        message = (await town.say(text)).headers["tidegate-message-id"]
        number = await town.take_down(message)
        body = {"reason": "order 8", "id": message}
        restored, *gone = await asyncio.gather(
            town.restore(number), *(town.node.manage("POST", "/v1/takedowns", body) for _ in range(2))
        )
        assert restored.status == 200, restored
        taken = [one for one in gone if one.status in (200, 202)]
        assert {one.json()["reason"] for one in gone if one not in taken} <= {
            "control.taken_down_already", "control.not_published",
        }  # fmt: skip
        assert len(taken) <= 1
        if taken:
            await town.became(taken[0].json()["result"]["id"], state="confirmed")
        else:
            await town.became(number, restored="delivered")
        assert list(town.board.shown.values()).count(text) == (0 if taken else 1)


async def test_with_a_ticket_where_the_platform_cannot_be_asked(town: Town) -> None:
    text, path = "a word that was misread", "/api/talk/1/comments"
    number = await town.take_down((await town.say(text, path=path)).headers["tidegate-message-id"])
    done = await town.restore(number)
    assert done.json()["result"]["way"] == "ticket", done
    both = await asyncio.gather(*(town.say(text, path=path) for _ in range(10)))
    assert {one.status for one in both} == {201}
    told = await town.became(number, restored="delivered")
    used = [
        one["id"]
        for one in town.node.records()
        if one["kind"] == "judged" and any(found["reason"] == "ticket.used" for found in one.get("findings", ()))
    ]
    assert len(used) == 1  # of two workers, and of ten that came at once
    assert [one["event"] for one in told["trace"]] == ["requested", "confirmed", "restored"]


async def test_an_appeal_that_is_upheld_brings_it_back_once(town: Town) -> None:
    text = "it was satire"
    message = (await town.say(text)).headers["tidegate-message-id"]
    number = await town.take_down(message, ground="provisions 10")
    code = (await town.became(number))["appeal_code"]
    assert town.board.codes[-1] == code  # the platform is told it, and can tell who wrote the message
    filed = await town.appeal(code=code, statement="It was satire")
    assert (filed["state"], filed["decision"]["reason"], filed["decision"]["ground"]) == (
        "waiting", "message.taken_down", "provisions 10",
    )  # fmt: skip
    appeals = (await town.node.manage("GET", "/v1/appeals?state=waiting")).json()["appeals"]
    path = f"/v1/appeals/{appeals[-1]['id']}"
    own = await town.node.manage("POST", f"{path}:claim")
    assert (own.status, own.json()["reason"]) == (403, "review.barred")  # who took it down
    new = {"name": "li", "roles": ["reviewer"], "reason": "new"}
    token = (await town.node.manage("POST", "/v1/people", new)).json()["result"]["token"]
    assert (await town.node.manage("POST", f"{path}:claim", token=token)).status in (200, 202)
    assert (await town.node.manage("GET", path, token=token)).json()["texts"] == [text]
    body = {"outcome": "upheld", "answer": "It is."}
    assert (await town.node.manage("POST", f"{path}:decide", body, token=token)).status in (200, 202)
    await town.became(number, restored="delivered")
    assert list(town.board.shown.values()).count(text) == 1
    told = await town.appeal(code=code)
    assert (told["state"], told["redress"]["kind"]) == ("upheld", "restored")
    assert (await town.restore(number)).json()["reason"] == "control.restored_already"
    moves = [one["state"] for one in town.node.records() if one["kind"] == "appeal" and one["id"] == message]
    assert moves == ["filed", "upheld"]


async def test_by_command_and_what_is_refused(town: Town, tmp_path: Path) -> None:
    async def run(*arguments: str) -> tuple[int, str]:
        given = ["takedowns", *arguments, "--data-dir", str(town.node.folders.root)]
        result = await asyncio.to_thread(CliRunner().invoke, build(["takedowns"]), given)
        return result.exit_code, result.output

    number = await town.take_down((await town.say("by command")).headers["tidegate-message-id"])
    (tmp_path / "text").write_text("by command\n")
    code, told = await run("restore", str(number), "--reason", "r", "--text", str(tmp_path / "text"))
    assert (code, "control.text_known" in told) == (1, True), told
    code, told = await run("restore", str(number), "--reason", "r")
    assert (code, '"way":"publish"' in told) == (0, True), told
    await town.became(number, restored="delivered")
    code, told = await run("list")
    assert (code, "delivered" in told) == (0, True)
    assert (await town.restore(10**6)).json()["reason"] == "control.takedown_unknown"
    alice = {"name": "alice", "roles": ["reviewer"], "reason": "new"}
    token = (await town.node.manage("POST", "/v1/people", alice)).json()["result"]["token"]
    number = await town.take_down((await town.say("one's own")).headers["tidegate-message-id"])
    body = {"reason": "it is mine"}
    own = await town.node.manage("POST", f"/v1/takedowns/{number}:restore", body, token=token)
    assert (own.status, own.json()["reason"]) == (403, "review.own_message")
