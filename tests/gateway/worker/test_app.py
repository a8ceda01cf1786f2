"""What the wiring itself decides."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from structlog.testing import capture_logs

from gateway import config
from gateway.common.folders import Folders
from gateway.common.metrics import METRICS, Counts
from gateway.common.sweep import Sweep
from gateway.generation.generation import Generation
from gateway.http.upstream.settings import UpstreamServerSettings, UpstreamSettings
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.address import parse_address
from gateway.journal.write.ids import Ids
from gateway.logs.access_log import AccessLog
from gateway.state.model.snapshot import SnapshotRows, encode
from gateway.worker.app import App
from gateway.worker.upstream_notes import changed, take_failures


def test_a_server_that_rests_is_told_in_the_log() -> None:
    """The pool calls this from within a failing call: an exception here would strand its message."""
    with capture_logs() as told:
        changed("platform", "ejected", "http://127.0.0.1:9000")
    assert told == [
        {
            "event": "upstream.health",
            "change": "ejected",
            "upstream": "platform",
            "server": "http://127.0.0.1:9000",
            "log_level": "warning",
        }
    ]


async def test_failures_of_an_upstream_are_counted_once_and_outlive_it() -> None:
    loop = asyncio.get_running_loop()
    settings = UpstreamSettings("platform", (UpstreamServerSettings(parse_address("http://127.0.0.1:9")),))
    sweep = Sweep(loop)
    upstream = Upstream(settings, loop, sweep)
    counts = Counts(METRICS["tidegate_upstream_failures_total"])
    key = ("platform", "http://127.0.0.1:9", "upstream.closed")
    for expected in (2, 4):
        upstream.failed(upstream.pools[0], "upstream.closed")
        upstream.failed(upstream.pools[0], "upstream.closed")
        take_failures(counts, "platform", upstream)
        take_failures(counts, "platform", upstream)
        assert counts.values == {key: expected}
    upstream.close()
    assert counts.told() == {"series": [[list(key), 4]]}


RELAY = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
[logs]
access = true
access_file = "{file}"
"""


def generation(folder: Path, number: int, file: str) -> Generation:
    """A configuration that relays everything and logs it to ``file``."""
    path = folder / f"{number}.toml"
    path.write_text(RELAY.replace("{file}", file), encoding="utf-8")
    return Generation(number, config.load(path), {})


async def test_a_first_snapshot_that_says_nothing_says_that_there_is_nothing(tmp_path: Path) -> None:
    """Without it nobody knows of no block: a late answer of state would refuse everybody."""
    state = MagicMock(close=AsyncMock())
    app = App(Folders(tmp_path / "data"), 0, generation(tmp_path, 1, "one.log").config, state, MagicMock(), Ids(1, 0))
    try:
        assert app.snapshot_version == -1
        app.on_snapshot(encode(SnapshotRows(0)))
        assert app.snapshot_version == 0
        state.on_snapshot.assert_called_once()
        app.on_snapshot(encode(SnapshotRows(0)))
        state.on_snapshot.assert_called_once()
    finally:
        await app.stop()


def say(app: App, route: str) -> AccessLog:
    """A line in the access log in force."""
    assert app._access is not None
    app._access.log.add("POST", route, "/", 201, seconds=0.1, sizes=(0, 0))
    return app._access.log


async def test_a_reload_opens_the_access_log_anew_and_loses_no_line(
    tmp_path: Path, eventually: Callable[..., Awaitable[Any]]
) -> None:
    first, second = generation(tmp_path, 1, "one.log"), generation(tmp_path, 2, "two.log")
    state = MagicMock(close=AsyncMock())
    app = App(Folders(tmp_path / "data"), 0, first.config, state, MagicMock(), Ids(1, 0))
    try:
        await app.load(first)
        say(app, "early")
        await app.load(second)
        await eventually(lambda: opened(tmp_path) == {"two.log"})
        assert b"early" in (tmp_path / "one.log").read_bytes()
        (tmp_path / "two.log").rename(tmp_path / "two.log.1")  # rotated
        say(app, "late")
        await app.load(second)
        await eventually(lambda: opened(tmp_path) == {"two.log"})
        assert b"late" in (tmp_path / "two.log.1").read_bytes()
        say(app, "lost").dropped.value += 7
        await app.load(second)
        say(app, "lost").dropped.value += 2
        told = app.counters()["metrics"]["tidegate_access_lines_dropped_total"]
        assert told == {"series": [[[], 9]]}  # the count outlives the log that it is of
        with pytest.raises(FileNotFoundError):
            await app.load(generation(tmp_path, 3, "none/three.log"))
        await eventually(lambda: opened(tmp_path) == {"two.log"})
        say(app, "last")
    finally:
        await app.stop()
    assert b"last" in (tmp_path / "two.log").read_bytes()
    assert opened(tmp_path) == set()


def opened(folder: Path) -> set[str]:
    """Files of the folder that this process holds open."""
    held = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.exists()]
    return {path.name for path in held if path.parent == folder}
