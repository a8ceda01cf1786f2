"""``tidegate state status`` and the factories behind it, against a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.direct.state import app
from gateway.config import load
from gateway.state import connecting
from gateway.state.model.snapshot import SnapshotRows

CONFIG = """
[server]
listen = "127.0.0.1:0"
data_dir = "{data}"
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
{state}
"""


@pytest.fixture
def config(own_server: Any, tmp_path: Path) -> Path:
    """A configuration whose embedded server is the test's."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state").symlink_to(own_server.folder)
    path = tmp_path / "tidegate.toml"
    path.write_text(CONFIG.format(data=tmp_path / "data", state=""), encoding="utf-8")
    return path


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_status(config: Path, own_server: Any) -> None:
    result = run("status", "--config", str(config))
    assert result.exit_code == 1
    assert "state rebuild" in result.output
    own_server.cli("SET", "tg:epoch", "12345")
    result = run("status", "--config", str(config))
    assert result.exit_code == 0, result.output
    assert "12345" in result.output


def test_status_of_a_server_that_is_away(tmp_path: Path) -> None:
    path = tmp_path / "tidegate.toml"
    state = '[state]\nurl = "redis://user:sesame@127.0.0.1:1"'
    path.write_text(CONFIG.format(data=tmp_path, state=state), encoding="utf-8")
    result = run("status", "--config", str(path))
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "sesame" not in result.output


async def test_factories(config: Path, own_server: Any) -> None:
    loaded = load(config).state
    folder = own_server.folder
    projection = await connecting.projection(loaded, folder)
    assert await projection.rebuild([], SnapshotRows(4)) == 0
    await projection.ping()
    client = connecting.client(loaded, folder, lambda: None)
    await client.start()
    heard: list[int] = []
    notices = connecting.notices(loaded, folder, lambda snapshot: heard.append(snapshot.version))
    notices.start()
    async with asyncio.timeout(5):
        while client.problem or not heard:
            await asyncio.sleep(0.01)
    assert heard == [4]
    assert client.epoch > 0
    await notices.close()
    await client.close()
    await projection.close()
