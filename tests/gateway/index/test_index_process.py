"""The index as a process: asked over its socket, killed, robbed of its files; nothing that it does not survive."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.journal import app
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.generation.generation import compile_here
from tests.gateway.index.conftest import Recorded

CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]

[index]

[journal]
low_disk = "0B"
full_disk = "0B"
"""
Eventually = Callable[[Callable[[], Any], float], Awaitable[Any]]


class Running:
    """A data folder, and the process."""

    def __init__(self, root: Path) -> None:
        self.folders = Folders(root)
        self.folders.make()
        config = root.parent / "tidegate.toml"
        config.write_text(CONFIG)
        self.folders.make_current(compile_here(config, self.folders))
        self.process: subprocess.Popen[bytes] | None = None
        self.log = (root / "log").open("ab")

    def start(self) -> None:
        arguments = [sys.executable, "-m", "gateway.index", "--data-dir", os.fspath(self.folders.root)]
        self.process = subprocess.Popen(arguments, stderr=self.log)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    async def ask(self, command: str, **more: Any) -> dict[str, Any]:
        return await channel.call(self.folders.index_socket, {"command": command, **more}, 20)

    async def found(self, **asked: Any) -> list[str]:
        told = await self.ask("search", asked=asked, limit=50)
        return [one["record"]["id"] for one in told["found"]]

    async def answers(self) -> bool:
        try:
            return bool((await self.ask("status"))["ok"])
        except channel.ChannelError:
            return False

    def told(self) -> str:
        return Path(self.log.name).read_text()


@pytest.fixture
def running(tmp_path: Path, journal: Recorded) -> Iterator[Running]:
    made = Running(tmp_path / "data")
    (made.folders.root / "journal").symlink_to(journal.root)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)
    made.log.close()


async def has(running: Running, names: list[str]) -> bool:
    return await running.answers() and await running.found() == names


async def wait(running: Running, names: list[str]) -> None:
    async with asyncio.timeout(30):
        while not await has(running, names):
            await asyncio.sleep(0.05)


async def command(running: Running, *arguments: str) -> tuple[int, str]:
    """``tidegate journal reindex``: its exit code and what it says."""
    told = ["reindex", "--data-dir", os.fspath(running.folders.root), *arguments]
    done = await asyncio.to_thread(CliRunner().invoke, app, told)
    return done.exit_code, done.output


async def test_its_life(running: Running, journal: Recorded) -> None:
    first = journal.judged("加微信领红包")
    running.start()
    await wait(running, [first])
    second = journal.refused("two")
    await wait(running, [second, first])
    assert await running.found(text="微信") == [first]
    assert await running.found(verdict="reject") == [second]
    # Killed in the middle of whatever: the next life knows what there is, once.
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    journal.outcome(first)
    third = journal.judged("three")
    running.start()
    await wait(running, [third, second, first])
    told = await running.ask("message", id=first)
    assert [one["state"] for one in (told["found"], *told["trail"])] == ["delivered"] * 2
    assert (await running.ask("message", id="nobody"))["found"] is None
    # One after the other: a page, and the page behind it.
    page = await running.ask("search", asked={}, limit=2)
    rest = await running.ask("search", asked={}, limit=2, place=page["place"])
    assert [one["record"]["id"] for one in rest["found"]] == [first]
    assert rest["place"] is None
    assert "error" in await running.ask("search", asked={"state": "no such"}, limit=2)
    assert running.end(signal.SIGTERM) == 0
    assert not running.folders.index_socket.exists()


async def test_files_that_break_and_files_that_go(running: Running, journal: Recorded) -> None:
    names = [journal.judged(str(number)) for number in range(40)][::-1]
    running.start()
    await wait(running, names)
    path = next((running.folders.root / "index" / "node-0").glob("*.sqlite3"))
    assert path.stat().st_mode & 0o777 == 0o600
    running.end(signal.SIGKILL)
    for one in path.parent.iterdir():
        one.write_bytes(b"\0" * one.stat().st_size)
    running.start()
    await wait(running, names)
    assert (await running.ask("status"))["rebuilds"] == 1
    assert "index.rebuilding" in running.told()
    code, told = await command(running, "--day", "2026-11-30")
    assert (code, told) == (0, "1 files of the index are made anew\n")
    await wait(running, names)
    running.end(signal.SIGTERM)
    code, told = await command(running)
    assert (code, "1 files of the index are removed" in told) == (0, True)
    assert not path.exists()
    assert (await command(running, "--day", "soon"))[0] == 2


async def test_an_outage_of_its_folder_is_told_and_over(running: Running, journal: Recorded) -> None:
    """A file where its folder should be: it says so, keeps answering, and goes on when that is gone."""
    name = journal.judged()
    folder = running.folders.root / "index"
    folder.write_text("in the way")
    running.start()
    async with asyncio.timeout(30):
        while not (await running.answers() and (await running.ask("status"))["problem"]):
            await asyncio.sleep(0.05)
    assert await running.found() == []
    folder.unlink()
    await wait(running, [name])
    assert (await running.ask("status"))["problem"] == ""
    assert "index.well_again" in running.told()
