"""Delay, then pass, over real processes: on HTTP and on sockets, taken down meanwhile, killed, reloaded, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import websockets
from aiohttp import WSMsgType, web

from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import Answer, Node
from tests.e2e.socketlab import told

pytestmark = pytest.mark.asyncio(loop_scope="module")

DELAY = 1.0
PATIENT = 30.0  # long enough for whatever is done meanwhile
MORE = f"""
[review]
key = "{"7c" * 32}"
on_cap = "reject"
delayed_per_sender = 3

[mirror]

[policies.open]
appeal = "off"
rules = [{{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }}]

[[routes]]
name = "quick"
match = "POST /api/quick/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "open"
delay = "{DELAY:g}s"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"

[[routes]]
name = "several"
match = "POST /api/several/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "open"
delay = "{DELAY:g}s"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
each = "/*"

[[routes]]
name = "batch"
match = "POST /api/batch/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "open"
delay = "{PATIENT:g}s"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
each = "/*"

[[routes]]
name = "slow"
match = "POST /api/slow/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "open"
delay = "{PATIENT:g}s"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"

[[routes]]
name = "live"
match = "GET /live/{{room}}"
transport = "websocket"
surface = "danmaku"
upstream = "platform"
policy = "open"
delay = "{DELAY:g}s"
sender = "query:user"
trust = ["127.0.0.0/8"]
message_when = {{ "/type" = "danmaku" }}
text = "json:/content"
page = "/videos/{{room}}"
"""


class Site:
    """A platform that shows what it gets, with the time."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.at: dict[str, float] = {}
        self.sockets: set[web.WebSocketResponse] = set()

    def show(self, content: str) -> None:
        self.shown.append(content)
        self.at[content] = time.monotonic()

    async def comment(self, request: web.Request) -> web.Response:
        body = await request.json()
        for one in body if isinstance(body, list) else [body]:
            self.show(one["content"])
        return web.json_response({"id": len(self.shown)}, status=201)

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.add(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.show(json.loads(message.data)["content"])
                for other in tuple(self.sockets):
                    with contextlib.suppress(ConnectionError):
                        await other.send_str(message.data)
        self.sockets.discard(socket)
        return socket


class Room:
    """The node, and what stands behind it."""

    def __init__(self, node: Node, site: Site, config: Path) -> None:
        self.node = node
        self.site = site
        self.config = config

    async def say(self, route: str, content: Any, sender: str = "alice") -> Answer:
        body = {"content": content} if isinstance(content, str) else [{"content": one} for one in content]
        fields = {"X-User-Id": sender, "Content-Type": "application/json"}
        return await self.node.ask("POST", f"/api/{route}/1/comments", json.dumps(body).encode(), fields)

    async def status(self, answer: Answer) -> str:
        return str((await self.node.ask("GET", answer.json()["status_url"])).json()["status"])

    async def becomes(self, answer: Answer, state: str) -> None:
        await until(lambda: self.status(answer), state)

    async def take_down(self, message_id: str) -> None:
        """Confirmed without a word of the platform's; on a busy machine a moment behind the answer."""
        named = {"reason": "order 7", "ground": "law 1", "id": message_id}
        done = await self.node.manage("POST", "/v1/takedowns", named)
        assert done.status in (200, 202), done
        number = done.json()["result"]["id"]

        async def state() -> str:
            return str((await self.node.manage("GET", f"/v1/takedowns/{number}")).json()["state"])

        await until(state, "confirmed")

    def outcome(self, message_id: str) -> dict[str, Any]:
        found = [one for one in self.node.records() if one["kind"] == "outcome" and one["id"] == message_id]
        assert len(found) <= 1, found
        return found[0] if found else {}

    def kinds(self, message_id: str) -> list[str]:
        return [one["kind"] for one in self.node.records() if one.get("id") == message_id]

    def watch(self, user: str) -> Any:
        origin = f"http://127.0.0.1:{self.node.port}"
        return websockets.connect(f"ws://127.0.0.1:{self.node.port}/live/7?user={user}", origin=origin, proxy=None)


async def until(look: Callable[[], Any], wanted: Any) -> None:
    async with asyncio.timeout(30):
        while (await look()) != wanted:
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    folder: Path = tmp_path_factory.mktemp("delays")
    ports, upstream = (free_port(), free_port()), free_port()
    config = write_config(folder, ports, upstream, workers=2, more=MORE)
    site = Site()
    app = web.Application()
    app.router.add_post("/api/{kind}/{room}/comments", site.comment)
    app.router.add_get("/live/{room}", site.live)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", upstream).start()
    node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
    await node.start()
    yield Room(node, site, config)
    if node.process is not None and node.process.returncode is None:
        assert await node.stop() == 0
    await runner.cleanup()


async def test_a_comment_appears_later_and_its_sender_is_told(room: Room) -> None:
    began = time.monotonic()
    answer = await room.say("quick", "hello")
    assert (answer.status, answer.json()["status"], answer.headers["retry-after"]) == (202, "delayed", "1")
    assert room.site.shown == []
    assert await room.status(answer) == "delayed"
    await room.becomes(answer, "passed")
    assert room.site.at["hello"] - began >= DELAY
    message_id = answer.json()["message_id"]
    await until(lambda: _async(room.kinds(message_id)), ["judged", "onward", "outcome"])
    assert room.outcome(message_id)["upstream_id"] == "1"
    (judged,) = [one for one in room.node.records() if one["kind"] == "judged" and one["id"] == message_id]
    assert (judged["verdict"], judged["delay"]) == ("pass", DELAY)


async def test_what_is_refused_is_refused_at_once(room: Room) -> None:
    assert (await room.say("quick", "代开发票")).status == 403


async def test_a_takedown_in_between_stops_it(room: Room) -> None:
    answer = await room.say("slow", "what nobody should read")
    message_id = answer.json()["message_id"]
    await room.take_down(message_id)
    await room.becomes(answer, "refused")
    outcome = room.outcome(message_id)
    assert (outcome["state"], outcome["reason"], outcome.get("status")) == ("refused", "delay.refused", None)
    assert room.kinds(message_id).count("onward") == 0
    assert "what nobody should read" not in room.site.shown


async def test_a_frozen_room_lets_nothing_go_that_waits(room: Room) -> None:
    answer = await room.say("quick", "before the freeze", "bob")
    switch = {"scope": "room", "value": "1", "reason": "incident", "ground": "emergency"}
    done = await room.node.manage("POST", "/v1/switches", switch)
    assert done.status == 200, done
    await room.becomes(answer, "refused")
    assert room.outcome(answer.json()["message_id"])["reason"] == "switch.frozen"
    lifted = await room.node.manage("DELETE", f"/v1/switches/{done.json()['result']['id']}?reason=over")
    assert lifted.status == 200, lifted


async def test_more_than_may_wait(room: Room) -> None:
    """Per worker: with two of them one more than twice as many is surely too many."""
    told = [await room.say("slow", f"flood {number}", "flooder") for number in range(7)]
    assert {one.status for one in told} == {202, 429}
    assert {one.json()["reason"] for one in told if one.status == 429} == {"delay.waiting"}
    assert 3 <= [one.status for one in told].count(202) <= 6


async def test_several_of_one_request_go_on_together(room: Room) -> None:
    answer = await room.say("several", ["first of two", "second of two"], "carol")
    assert answer.status == 202
    await room.becomes(answer, "passed")
    assert [one for one in room.site.shown if one.endswith("of two")] == ["first of two", "second of two"]
    refused = await room.say("several", ["good", "代开发票"], "carol")
    assert refused.status == 403
    (good,) = [one for one in room.node.records() if one["kind"] == "judged" and one["content"]["plain"] == ["good"]]
    await until(lambda: _async(room.outcome(good["id"]).get("reason")), "batch.refused")
    await asyncio.sleep(DELAY)
    assert "good" not in room.site.shown


async def test_a_takedown_of_one_of_several_takes_the_others_along_at_once(room: Room) -> None:
    answer = await room.say("batch", ["innocent", "not innocent"], "carol")
    assert answer.status == 202
    ids = {one["content"]["plain"][0]: one["id"] for one in room.node.records() if one.get("route") == "batch"}
    await room.take_down(ids["not innocent"])
    await until(lambda: _async(room.outcome(ids["innocent"]).get("reason")), "batch.refused")
    assert room.outcome(ids["not innocent"])["reason"] == "delay.refused"


async def test_bullets_appear_in_order_with_their_static_version(room: Room) -> None:
    async with room.watch("alice") as alice, room.watch("bob") as bob:
        began = time.monotonic()
        for number in range(3):
            await alice.send(json.dumps({"type": "danmaku", "content": f"a{number}"}))
            await bob.send(json.dumps({"type": "danmaku", "content": f"b{number}"}))
        notices = [await told(alice) for _ in range(3)]
        assert [(one["verdict"], one["reason"]) for one in notices] == [("delay", "review.delayed")] * 3
        seen = [(await told(alice))["content"] for _ in range(6)]
        assert time.monotonic() - began >= DELAY
        for who in "ab":
            assert [one for one in seen if one.startswith(who)] == [f"{who}{number}" for number in range(3)]

    async def static() -> list[str]:
        page = await room.node.ask("GET", "/mirror/7/1.json")
        return [one["text"] for one in page.json()["bullets"]] if page.status == 200 else []

    async with asyncio.timeout(20):
        while len(texts := await static()) < 6:
            await asyncio.sleep(0.05)
    assert [one for one in texts if one.startswith("a")] == ["a0", "a1", "a2"]
    head = await room.node.ask("GET", "/mirror/7/")
    assert head.body.decode().count("弹幕延时发布，最长 1 秒后显示。") == 1


async def test_who_left_has_sent_the_bullet_all_the_same(room: Room) -> None:
    async with room.watch("dave") as dave:
        await dave.send(json.dumps({"type": "danmaku", "content": "and gone"}))
        assert (await told(dave))["verdict"] == "delay"
    await until(lambda: _async("and gone" in room.site.shown), wanted=True)


async def test_a_killed_worker_has_not_let_it_go(room: Room) -> None:
    waiting = [await room.say("slow", f"lost {number}", f"loser{number}") for number in range(6)]
    pids = await room.node.pids("worker")
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    for one in waiting:
        async with asyncio.timeout(60):
            while not room.outcome(one.json()["message_id"]):
                await asyncio.sleep(0.05)
        outcome = room.outcome(one.json()["message_id"])
        assert (outcome["state"], outcome["reason"]) == ("failed", "worker.lost")
    await asyncio.sleep(1)  # whoever took its place has to listen again
    await room.becomes(waiting[0], "failed")
    assert not [one for one in room.site.shown if one.startswith("lost")]


async def test_a_reload_that_takes_the_delay_away_lets_all_go(room: Room) -> None:
    answer = await room.say("slow", "released by a reload", "frank")
    assert answer.status == 202
    text = room.config.read_text()
    room.config.write_text(text.replace(f'delay = "{PATIENT:g}s"', ""))
    done = await room.node.manage("POST", "/v1/reload", {"reason": "no delay"})
    assert done.status in (200, 202), done
    await room.becomes(answer, "passed")
    assert "released by a reload" in room.site.shown
    assert (await room.say("slow", "at once", "frank")).status == 201


async def test_a_stop_lets_what_waits_go_within_its_time(room: Room) -> None:
    answer = await room.say("quick", "just before the end", "grace")
    assert answer.status == 202
    assert await room.node.stop() == 0
    assert "just before the end" in room.site.shown
    assert room.outcome(answer.json()["message_id"])["state"] == "delivered"


async def _async(value: Any) -> Any:
    return value
