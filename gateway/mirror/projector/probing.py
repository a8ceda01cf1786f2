"""Probing the platform's pages, each danmaku route in its turn, for a room that had bullets lately."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import structlog

from gateway.common.metrics import Counts
from gateway.config import Config
from gateway.config.sections.routes import Route
from gateway.http.wire.address import parse_address
from gateway.mirror.projector.page_probe import Seen, examine
from gateway.mirror.projector.platform_client import PlatformClient

log = structlog.get_logger("mirror")

FIRST_AFTER = 5.0  # seconds
LOOK_EVERY = 1.0

Latest = Callable[[str], tuple[str, bool] | None]
"""A route's room with a bullet lately, and whether its list has any now; None where there was none."""


class Probing:
    """``count`` counts (route, result): contained, linked, absent, unreachable. All but the first are errors."""

    def __init__(self, client: PlatformClient, config: Callable[[], Config], latest: Latest, count: Counts) -> None:
        self._client = client
        self._config = config
        self._latest = latest
        self._count = count
        self._due: dict[str, float] = {}

    async def run(self) -> None:
        """Probe for ever."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(FIRST_AFTER)
        while True:
            config = self._config()
            if config.mirror is not None:
                for route in config.routes:
                    if route.mirrored and loop.time() >= self._due.get(route.name, 0.0):
                        latest = self._latest(route.name)
                        if latest is not None:
                            self._due[route.name] = loop.time() + config.mirror.probe_interval
                            room, filled = latest
                            self._tell(route.name, await look(self._client, config, route, room, filled=filled))
            await asyncio.sleep(LOOK_EVERY)

    def _tell(self, route: str, seen: Seen) -> None:
        self._count.add((route, seen.result))
        if seen.result == "contained":
            log.info("mirror.page_contains_list", route=route, how=seen.how)
        else:
            log.error("mirror.page_lacks_list", route=route, result=seen.result, how=seen.how)


async def look(client: PlatformClient, config: Config, route: Route, room: str, *, filled: bool) -> Seen:
    """Fetch the platform's page of a room, and say what is in it. ``filled`` as in ``examine``."""
    mirror = config.mirror
    assert mirror is not None
    server = parse_address(config.upstreams[route.upstream].servers[0].url)
    host = route.template.host.decode()
    path = route.page.replace("{room}", quote(room, safe=""))
    try:
        fetched = await client.get(server, path, host, mirror.probe_timeout)
    except (OSError, TimeoutError) as error:
        return Seen("unreachable", type(error).__name__)
    if fetched.status != 200 or fetched.content_type not in ("text/html", "application/xhtml+xml"):
        return Seen("unreachable", f"status {fetched.status}, {fetched.content_type}")
    text = fetched.body.decode(errors="replace")
    return examine(text, f"http://{host or server.authority}{path}", mirror.path, room, filled=filled)
