"""The demo's cases and its way in, asked of a small control and a small gate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web

from gateway.demo.desk_samples import SAMPLES, first_password, sample_cases


class Node:
    """Gate and control in one. ``heard``: who sent what; ``asked``: paths that change something."""

    def __init__(self) -> None:
        self.desk: dict[str, Any] = {"waiting": {}, "claimed": 0, "decided": 0}
        self.people = [{"name": "admin", "password": "none"}]
        self.heard: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.address = ""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/v1/review":
            return web.json_response(self.desk)
        if request.path == "/v1/people":
            return web.json_response({"people": self.people})
        if request.path.startswith("/api/news/"):
            self.heard.append((request.headers["X-User-Id"], (await request.json())["content"]))
            return web.json_response({}, status=202)
        self.asked.append(f"{request.method} {request.path}")
        return web.json_response({"result": {"password": "given"}})


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    made = Node()
    runner = web.AppRunner(made.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.address = f"127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_samples_are_sent_once_each_by_somebody_else(node: Node) -> None:
    async with ClientSession(f"http://{node.address}") as control:
        assert await sample_cases(node.address, control) == len(SAMPLES) == len(node.heard)
        assert len({sender for sender, _ in node.heard}) == len(SAMPLES)
        node.desk["waiting"] = {"first": 3}
        assert await sample_cases(node.address, control) == 0


async def test_a_password_is_given_until_there_is_an_own_one(node: Node) -> None:
    async with ClientSession(f"http://{node.address}") as control:
        assert await first_password(control, "admin") == "given"
        assert node.asked == ["PUT /v1/people/admin/password"]
        node.people = [{"name": "admin", "password": "own"}]
        assert await first_password(control, "admin") == ""
