"""The platform is told over real sockets, whoever is down or killed meanwhile; and so is whoever is on call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import Node
from tests.e2e.review.desk import KEY, Desk, Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "the secret of the platform"
PAGE = Path(__file__).parents[3] / "docs" / "callbacks.md"
MORE = """
[review]
key = "{key}"
on_cap = "reject"
waiting_per_sender = 1000

[desk]
undo = "0s"
grounds = ["agreement 3.1"]

[desk.on_call]
url = "http://127.0.0.1:{port}/robot"
categories = ["fraud"]
interval = "10s"

[policies.news]
appeal = "off"
rules = [
  {{ check = "keywords", action = "hold", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }},
  {{ check = "review", action = "hold", on_error = "reject", ground = "agreement 1" }},
]

[[routes]]
name = "news"
match = "POST /api/news/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "news"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"

[routes.release]
match = "POST /internal/{{room}}/comments"
headers = {{ Authorization = "Bearer s3cret" }}
on_behalf = "X-On-Behalf-Of"
idempotent = true

[[callbacks]]
name = "platform"
url = "http://127.0.0.1:{port}/hook?from=tidegate"
secret = "{secret}"
previous_secrets = ["the secret before that one"]
timeout = "1s"
retry_for = "3s"
sender = true

[[callbacks]]
name = "audit"
url = "http://127.0.0.1:{port}/audit"
secret = "{secret}"
events = ["message.refused"]
"""


def documented() -> Callable[..., bool]:
    """The receiver's code, as docs/callbacks.md has it."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    known: dict[str, Any] = {}
    exec(found[1], known)  # the page's own words
    genuine: Callable[..., bool] = known["genuine"]
    return genuine


class Hook:
    """The receivers: of the platform, of an auditor, of whoever is on call. ``status``: what the platform's says."""

    def __init__(self) -> None:
        self.status = 200
        self.platform: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []
        self.robot: list[dict[str, Any]] = []
        self.genuine = documented()
        self.port = free_port()
        self.runner: web.AppRunner | None = None

    async def up(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        app.router.add_post("/audit", self._audit)
        app.router.add_post("/robot", self._robot)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def down(self) -> None:
        assert self.runner is not None
        await self.runner.cleanup()

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert request.query_string == "from=tidegate"
        for secret in (SECRET, "the secret before that one"):
            assert self.genuine(secret, request.headers, body)
        assert not self.genuine("somebody else's", request.headers, body)
        told = orjson.loads(body)
        assert told["id"] == request.headers["Tidegate-Callback-Id"]
        self.platform.append(told)
        return web.Response(status=self.status)

    async def _audit(self, request: web.Request) -> web.Response:
        self.audit.append(orjson.loads(await request.read()))
        return web.Response(status=204)

    async def _robot(self, request: web.Request) -> web.Response:
        self.robot.append(orjson.loads(await request.read()))
        return web.Response()

    def of(self, message: str) -> list[dict[str, Any]]:
        return [one for one in self.platform if one.get("message", {}).get("id") == message]

    async def told(self, message: str, event: str, times: int = 1) -> list[dict[str, Any]]:
        """What the platform heard of a message, once it has heard of this so often."""
        async with asyncio.timeout(60):
            while sum(one["event"] == event for one in self.of(message)) < times:
                await asyncio.sleep(0.05)
        return self.of(message)


class Calls(Desk):
    """A desk whose platform hears of it."""

    def __init__(self, node: Node, site: Site, hook: Hook) -> None:
        super().__init__(node, site)
        self.hook = hook

    async def listed(self, **query: str) -> list[dict[str, Any]]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await self.node.manage("GET", f"/v1/callbacks?limit=500&{asked}")
        assert answer.status == 200, answer
        return list(answer.json()["callbacks"])

    async def states(self, message: str, *wanted: tuple[str, str]) -> list[dict[str, Any]]:
        """The calls to the platform about a message, once these (event, state) are among them."""
        async with asyncio.timeout(60):
            while True:
                rows = await self.listed(message=message, receiver="platform")
                if set(wanted) <= {(row["event"], row["state"]) for row in rows}:
                    return rows
                await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Calls]:
    folder: Path = tmp_path_factory.mktemp("callbacks")
    ports, upstream, hook, site = (free_port(), free_port()), free_port(), Hook(), Site()
    more = MORE.format(key=KEY, port=hook.port, secret=SECRET)
    config = write_config(folder, ports, upstream, more=more, words="代开发票 | category fraud\n")
    app = web.Application()
    app.router.add_post("/internal/{room}/comments", site.publish)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", upstream).start()
    await hook.up()
    node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
    await node.start()
    yield Calls(node, site, hook)
    assert await node.stop() == 0
    await hook.down()
    await runner.cleanup()
    log = node.told(everything=True)
    for private in (SECRET, "/robot", "?from=", "nobody may read this"):
        assert private not in log


async def test_a_held_comment_that_is_approved_is_told_from_its_holding_to_its_delivery(calls: Calls) -> None:
    message = await calls.say("nobody may read this")
    await calls.decide(message, "approve")
    told = await calls.hook.told(message, "message.delivered")
    assert [one["event"] for one in told] == ["message.held", "message.approved", "message.delivered"]
    assert [one["sequence"] for one in told] == [1, 2, 3]
    last = told[-1]["message"]
    assert (last["room"], last["route"], last["sender"], last["status"]) == ("1", "news", "alice", 201)
    (judged,) = [one for one in calls.node.records() if one.get("releases") == message]
    assert (last["release"], last["upstream_id"]) == (judged["id"], str(len(calls.site.shown)))
    assert "nobody may read this" not in str(calls.hook.platform)
    rows = await calls.states(message, ("message.delivered", "sent"))
    assert [(row["tries"], row["status"]) for row in rows] == [(1, 200)] * 3


async def test_each_receiver_hears_what_it_asked_for(calls: Calls) -> None:
    message = await calls.say("a comment that nobody wants")
    await calls.decide(message, "refuse", ground="agreement 3.1")
    told = await calls.hook.told(message, "message.refused")
    assert (told[-1]["message"]["reason"], told[-1]["message"]["ground"]) == ("review.refused", "agreement 3.1")
    async with asyncio.timeout(20):
        while not calls.hook.audit:
            await asyncio.sleep(0.05)
    assert [one["event"] for one in calls.hook.audit] == ["message.refused"]
    assert "sender" not in calls.hook.audit[0]["message"]


async def test_a_receiver_that_is_down_hears_it_when_it_is_up(calls: Calls) -> None:
    await calls.hook.down()
    message = await calls.say("while nobody listens")
    async with asyncio.timeout(30):
        while not [row for row in await calls.listed(message=message) if row["problem"] == "callback.unreached"]:
            await asyncio.sleep(0.05)
    await calls.hook.up()
    told = await calls.hook.told(message, "message.held")
    assert len(told) == 1
    (row,) = await calls.states(message, ("message.held", "sent"))
    assert row["tries"] >= 2


async def test_one_that_always_fails_is_given_up_told_and_sent_again(calls: Calls) -> None:
    calls.hook.status = 500
    message = await calls.say("never taken")
    (row,) = await calls.states(message, ("message.held", "dead"))
    assert (row["status"], row["problem"]) == (500, "callback.status")
    tries = calls.hook.of(message)
    assert len(tries) == row["tries"] >= 3
    assert len({one["id"] for one in tries}) == 1
    async with asyncio.timeout(40):
        while not [one for one in calls.hook.robot if one["topic"] == "dead:platform"]:
            await asyncio.sleep(0.05)
    assert await calls.node.metric("tidegate_callbacks_total", receiver="platform", result="dead") >= 1
    calls.hook.status = 200
    done = await calls.node.manage("POST", f"/v1/callbacks/{row['id']}:resend", {"reason": "it was down"})
    assert done.status in (200, 202), done
    await calls.states(message, ("message.held", "sent"))
    assert {one["id"] for one in calls.hook.of(message)} == {row["uid"]}


async def test_control_killed_between_decision_and_call(calls: Calls) -> None:
    """Several times, at another moment each: nothing is lost, and what comes twice has one id."""
    messages = []
    for round_ in range(4):
        message = await calls.say(f"round {round_}")
        messages.append(message)
        await calls.hook.told(message, "message.held")
        await calls.decide(message, "refuse", ground="agreement 3.1")
        await asyncio.sleep(0.4 * round_)
        await calls.kill_control()
    for message in messages:
        told = await calls.hook.told(message, "message.refused")
        by_event: dict[str, set[str]] = {}
        for one in told:
            by_event.setdefault(one["event"], set()).add(one["id"])
        assert {event: len(ids) for event, ids in by_event.items()} == {"message.held": 1, "message.refused": 1}
        assert told[0]["event"] == "message.held"


async def test_a_grave_category_calls_whoever_is_on_call(calls: Calls) -> None:
    before = len(calls.hook.robot)
    for _ in range(3):
        await calls.say("代开发票 nobody may read this")

    def heard() -> int:
        return sum(one["count"] for one in calls.hook.robot[before:] if one["topic"] == "held:fraud")

    async with asyncio.timeout(60):
        while heard() < 3:
            await asyncio.sleep(0.1)
    found = [one for one in calls.hook.robot[before:] if one["topic"] == "held:fraud"]
    assert len(found) <= 2  # at once, and what came up within the interval
    assert "fraud" in found[0]["en"]
    assert "待审核" in found[0]["text"]
    assert "nobody may read this" not in str(found)


async def test_a_trial_reaches_it(calls: Calls) -> None:
    done = await calls.node.manage("POST", "/v1/callbacks:test", {"reason": "new", "receiver": "on-call"})
    assert done.status in (200, 202), done
    async with asyncio.timeout(30):
        while not [one for one in calls.hook.robot if one["topic"] == "test"]:
            await asyncio.sleep(0.05)
