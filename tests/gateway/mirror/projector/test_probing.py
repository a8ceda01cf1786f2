"""Probes over HTTP: the page is fetched, looked at, counted and told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from gateway.common.metrics import METRICS, OF_PROJECTOR, Counts
from gateway.config import Config, load
from gateway.mirror.projector import probing
from gateway.mirror.projector.platform_client import PlatformClient
from gateway.mirror.projector.probing import Probing, look
from gateway.mirror.projector.projector_metrics import ProjectorMetrics

CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:{port}"]
[mirror]
probe_timeout = "200ms"
[policies.danmaku]
appeal = "off"
rules = []
[[routes]]
name = "live"
match = "GET live.example/live/{{room}}"
transport = "websocket"
surface = "danmaku"
upstream = "platform"
policy = "danmaku"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
page = "/videos/{{room}}?view=full"
"""


class Site:
    """The platform: what its page holds, and what was asked of it."""

    def __init__(self) -> None:
        self.body = ""
        self.status = 200
        self.type = "text/html"
        self.asked: list[tuple[str, str]] = []
        self.hangs: asyncio.Event | None = None

    async def page(self, request: web.Request) -> web.Response:
        self.asked.append((request.host, request.raw_path))
        if self.hangs is not None:
            await self.hangs.wait()
        return web.Response(status=self.status, text=self.body, content_type=self.type)


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, int]]:
    made = Site()
    app = web.Application()
    app.add_routes([web.get("/videos/{room}", made.page)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield made, runner.addresses[0][1]
    if made.hangs is not None:
        made.hangs.set()
    await runner.cleanup()


def config(tmp_path: Path, port: int) -> Config:
    path = tmp_path / "tidegate.toml"
    path.write_text(CONFIG.format(port=port))
    return load(path)


async def test_the_page_is_asked_of_its_host(tmp_path: Path, site: tuple[Site, int]) -> None:
    page, port = site
    settings = config(tmp_path, port)
    (route,) = settings.routes
    async with PlatformClient() as client:
        page.body = '<iframe src="/mirror/r%201/"></iframe>'
        assert (await look(client, settings, route, "r 1", filled=True)).result == "contained"
        assert page.asked == [("live.example", "/videos/r%201?view=full")]
        page.status = 302
        assert (await look(client, settings, route, "r1", filled=True)) == ("unreachable", "status 302, text/html")
        page.status, page.type = 200, "application/json"
        assert (await look(client, settings, route, "r1", filled=True)).result == "unreachable"
        page.hangs = asyncio.Event()
        assert (await look(client, settings, route, "r1", filled=True)) == ("unreachable", "TimeoutError")


async def test_probed_in_turn_and_told(
    tmp_path: Path, site: tuple[Site, int], monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(probing, "FIRST_AFTER", 0)
    monkeypatch.setattr(probing, "LOOK_EVERY", 0.01)
    page, port = site
    page.body = '<a href="/mirror/r1/">list</a>'
    settings = config(tmp_path, port)
    counts = Counts(METRICS["tidegate_mirror_probes_total"])
    lately: dict[str, tuple[str, bool]] = {}
    async with PlatformClient() as client:
        task = asyncio.create_task(Probing(client, lambda: settings, lately.get, counts).run())
        await asyncio.sleep(0.05)
        assert page.asked == []  # nothing to see where no bullet was
        lately["live"] = ("r1", True)
        await eventually(lambda: counts.values)
        await asyncio.sleep(0.05)
        task.cancel()
    assert counts.values == {("live", "linked"): 1}
    assert len(page.asked) == 1


def test_all_counters_are_told() -> None:
    metrics = ProjectorMetrics()
    for metric in OF_PROJECTOR:
        if metric.kind == "gauge":
            metrics.gauge(metric.name, lambda: 1.0)
    assert set(metrics.told()["metrics"]) == {metric.name for metric in OF_PROJECTOR}
    with pytest.raises(ValueError, match="not a gauge"):
        metrics.gauge("tidegate_mirror_pages_total", lambda: 1.0)
