"""A node with a platform that publishes behind it, and a person at the desk: what tests of releases share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web

from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import Answer, Node

KEY = "00112233445566778899aabbccddeeff" * 2
COOKIE = "session=c00kie-that-nobody-keeps"
MORE = f"""
[review]
key = "{KEY}"
on_cap = "reject"
waiting_per_sender = 1000

[desk]
undo = "0s"
grounds = ["agreement 3.1"]

[policies.news]
appeal = "off"
rules = [{{ check = "review", action = "hold", on_error = "reject", ground = "agreement 1" }}]

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
retry_for = "10m"

[[routes]]
name = "talk"
match = "POST /api/talk/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "news"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"

[routes.release]
match = "POST /plain/{{room}}/comments"
"""


class Site:
    """A platform that honours ``Idempotency-Key``; ``slow`` seconds pass before it answers."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, str]] = []  # key, text, in whose name
        self.direct: list[str] = []
        self.plain: list[str] = []  # what came by an address that publishes as often as it is asked
        self.slow = 0.0
        self.asked = asyncio.Event()

    async def publish(self, request: web.Request) -> web.Response:
        key, body = request.headers["Idempotency-Key"], await request.json()
        assert request.headers["Authorization"] == "Bearer s3cret"
        assert "Cookie" not in request.headers
        if key not in [one[0] for one in self.shown]:
            self.shown.append((key, body["content"], request.headers["X-On-Behalf-Of"]))
        self.asked.set()
        await asyncio.sleep(self.slow)
        return web.json_response({"id": len(self.shown)}, status=201)

    async def publish_plainly(self, request: web.Request) -> web.Response:
        self.plain.append((await request.json())["content"])
        self.asked.set()
        await asyncio.sleep(self.slow)
        return web.json_response({}, status=201)

    async def comment(self, request: web.Request) -> web.Response:
        self.direct.append((await request.json())["content"])
        return web.json_response({"id": 1}, status=201)


class Desk:
    """A node with the site behind it, and a person at the desk."""

    def __init__(self, node: Node, site: Site) -> None:
        self.node = node
        self.site = site

    async def say(self, text: str, route: str = "news") -> str:
        """Send a comment that is held; its id."""
        answer = await self.send(text, route)
        assert answer.status == 202, answer
        return str(answer.json()["message_id"])

    async def send(self, text: str, route: str, sender: str = "alice") -> Answer:
        body = json.dumps({"content": text}).encode()
        fields = {"X-User-Id": sender, "Content-Type": "application/json", "Cookie": COOKIE}
        return await self.node.ask("POST", f"/api/{route}/1/comments", body, fields)

    async def case(self, message: str) -> dict[str, Any]:
        """The message's case, once control has it."""
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    told = await self.node.manage("GET", f"/v1/review/cases?message={message}")
                    for one in told.json().get("cases", ()):
                        if one["message_id"] == message:
                            return dict(one)
                await asyncio.sleep(0.05)

    async def decide(self, message: str, how: str, **more: Any) -> None:
        case = await self.case(message)
        claimed = await self.node.manage("POST", "/v1/review/cases:claim", {"cases": [case["id"]]})
        assert claimed.status in (200, 202), claimed
        read = await self.node.manage("GET", f"/v1/review/cases/{case['id']}")
        assert read.status in (200, 202), read
        done = await self.node.manage("POST", f"/v1/review/cases/{case['id']}:{how}", more)
        assert done.status in (200, 202), done

    def reviews(self, message: str) -> list[str]:
        return [one["state"] for one in self.node.records() if one["kind"] == "review" and one["id"] == message]

    async def became(self, message: str, *states: str) -> str:
        """The first of these states that it comes to."""
        async with asyncio.timeout(40):
            while True:
                for state in self.reviews(message):
                    if state in states:
                        return state
                await asyncio.sleep(0.05)

    async def kill_control(self) -> None:
        pid = (await self.node.status())["children"]["control"]["pid"]
        os.kill(pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def opened(folder: Path, more: str = MORE) -> AsyncIterator[Desk]:
    """A desk whose node runs, with ``more`` in its configuration."""
    ports, upstream = (free_port(), free_port()), free_port()
    config = write_config(folder, ports, upstream, workers=2, more=more)
    async with published(upstream) as site:
        node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        await node.start()
        yield Desk(node, site)
        assert await node.stop() == 0


@contextlib.asynccontextmanager
async def published(port: int) -> AsyncIterator[Site]:
    """The platform, listening."""
    site = Site()
    app = web.Application()
    app.router.add_post("/internal/{room}/comments", site.publish)
    app.router.add_post("/plain/{room}/comments", site.publish_plainly)
    app.router.add_post("/api/{route}/{room}/comments", site.comment)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield site
    await runner.cleanup()
