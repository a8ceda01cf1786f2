"""Asking a real platform over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway import config as configuration
from gateway.config import Config
from gateway.control.adapters import platform
from gateway.control.adapters.platform import PlatformSide
from gateway.control.takedowns import platform_deletions
from gateway.control.takedowns.neighbours import Asked, Said
from gateway.control.takedowns.platform_deletions import PlatformDeletions

MESSAGE = "01a20094-b11c-7000-8001-0054a58fe235"
TOML = """
[upstreams.platform]
servers = ["http://127.0.0.1:{port}"]

[policies.p]
appeal = "off"
rules = []

[[routes]]
name = "comments"
match = "POST /api/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "p"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"
{more}
"""
TAKEDOWN = """
[routes.takedown]
match = "DELETE /api/{room}/comments/{id}"
headers = { Authorization = "Bearer s3cret" }
confirm_within = "7s"
"""


class Site:
    """A platform that answers as told and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 204
        self.body = b""
        self.asked: list[web.Request] = []
        self.hang: asyncio.Event | None = None
        self.port = 0
        self.more = TAKEDOWN
        self.folder = Path()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if self.hang is not None:
            await self.hang.wait()
        return web.Response(status=self.status, body=self.body)

    def config(self) -> Config:
        path = self.folder / "tidegate.toml"
        path.write_text(TOML.format(port=self.port, more=self.more), encoding="utf-8")
        return configuration.load(path)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site()
    made.folder = tmp_path
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    if made.hang is not None:
        made.hang.set()
    await runner.cleanup()


@pytest.fixture
async def deletions(site: Site) -> AsyncIterator[Callable[..., Any]]:
    """``ask(upstream_id=…, room=…)`` with the site's configuration as it is then."""
    client = PlatformSide(site.config, asyncio.get_running_loop())
    made = PlatformDeletions(client)

    async def ask(
        upstream_id: str = "77", room: str = "r1", route: str = "comments", outstanding: bool = False
    ) -> Said:
        return await made.delete(Asked(MESSAGE, upstream_id, route, room, outstanding))

    ask.made = made  # type: ignore[attr-defined]
    yield ask
    client.close()


async def test_what_is_asked(site: Site, deletions: Any) -> None:
    assert await deletions() == Said(True, 204)
    (asked,) = site.asked
    assert (asked.method, asked.path) == ("DELETE", "/api/r1/comments/77")
    assert asked.headers["Authorization"] == "Bearer s3cret"
    assert asked.headers["Tidegate-Message-Id"] == MESSAGE
    assert asked.headers["Host"] == f"127.0.0.1:{site.port}"
    assert deletions.made.confirm_within("comments") == 7.0


async def test_names_stay_in_their_segment(site: Site, deletions: Any) -> None:
    await deletions(upstream_id="7/../8?x=1#é 王", room="a b")
    (asked,) = site.asked
    assert asked.raw_path == "/api/a%20b/comments/7%2F..%2F8%3Fx%3D1%23%C3%A9%20%E7%8E%8B"
    for name, room in ((".", "r1"), ("..", "r1"), ("7", ".."), ("7", ".")):
        assert await deletions(upstream_id=name, room=room) == Said(False, None, platform_deletions.UNSAFE)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, True), (202, True), (404, True), (410, True), (302, False), (403, False), (500, False)],
)
async def test_what_an_answer_means(site: Site, deletions: Any, status: int, expected: bool) -> None:
    site.status = status
    assert await deletions() == Said(expected, status)


@pytest.mark.parametrize("status", [404, 410])
async def test_what_may_still_arrive_is_not_gone(site: Site, deletions: Any, status: int) -> None:
    site.status = status
    assert await deletions(outstanding=True) == Said(False, status, platform_deletions.OUTSTANDING)
    site.status = 204
    assert await deletions(outstanding=True) == Said(True, 204)


async def test_a_platform_that_answers_everything_with_200(site: Site, deletions: Any) -> None:
    site.more = TAKEDOWN + 'gone_when = { "/code" = [0, 4] }\n'
    site.status = 200
    for body, expected in ((b'{"code": 0}', True), (b'{"code": 4}', True), (b'{"code": -1}', False), (b"", False)):
        site.body = body
        assert await deletions() == Said(expected, 200)


async def test_our_id_where_the_platform_keeps_it(site: Site, deletions: Any) -> None:
    assert await deletions(upstream_id="") == Said(False, None, platform_deletions.UNNAMED)
    site.more = 'id_to = "header:X-Ref"\n' + TAKEDOWN
    assert await deletions(upstream_id="") == Said(True, 204)
    assert site.asked[0].path == f"/api/r1/comments/{MESSAGE}"


async def test_nobody_to_ask(site: Site, deletions: Any) -> None:
    site.more = ""
    assert await deletions() == Said(False, None, platform_deletions.UNCONFIGURED)
    assert await deletions(route="gone by reload") == Said(False, None, platform_deletions.UNCONFIGURED)
    assert deletions.made.confirm_within("comments") == 0.0
    assert site.asked == []


async def test_a_post_has_a_length(site: Site, deletions: Any) -> None:
    site.more = '[routes.takedown]\nmatch = "POST /remove/{id}"\n'
    await deletions()
    assert (site.asked[0].method, site.asked[0].headers["Content-Length"]) == ("POST", "0")


async def test_a_platform_that_is_away_hangs_or_moves(
    site: Site, deletions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "WITHIN", 0.05)
    site.hang = asyncio.Event()
    assert await deletions() == Said(False, None, "upstream.timeout")
    site.hang.set()
    monkeypatch.setattr(platform, "WITHIN", 10)
    port, site.port = site.port, 1
    assert await deletions() == Said(False, None, "upstream.refused")
    site.port = port  # a reload
    assert await deletions() == Said(True, 204)
