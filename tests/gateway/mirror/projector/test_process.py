"""The projector as a process: followed, stopped, killed, robbed of its folder; and the commands beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.commands.mirror import app
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.generation.generation import compile_here
from gateway.mirror.store.pulse import Beat, PulseReader
from gateway.mirror.store.shelf import read_page, read_room
from rig.ports import free_port

CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:{port}"]

[mirror]
dir = "{mirror}"
page_size = 10
heartbeat = "100ms"
language = "en"
probe_interval = "10m"

[journal]
low_disk = "0B"
full_disk = "0B"

[policies.danmaku]
appeal = "off"
rules = []

[[routes]]
name = "live"
match = "GET /live/{{room}}"
transport = "websocket"
surface = "danmaku"
upstream = "platform"
policy = "danmaku"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
page = "/videos/{{room}}"
"""

Eventually = Callable[[Callable[[], Any], float], Awaitable[Any]]


class Running:
    """A data folder, its journal, and the projector's process."""

    def __init__(self, root: Path, node: Any, port: int, mirror: Path) -> None:
        self.node = node
        self.folders = Folders(root)
        self.folders.make()
        config = root.parent / "tidegate.toml"
        config.write_text(CONFIG.format(port=port, mirror=mirror))
        self.folders.make_current(compile_here(config, self.folders))
        self.mirror = mirror
        self.reader = PulseReader(self.folders.pulse)
        self.process: subprocess.Popen[bytes] | None = None
        self._log = (root / "log").open("ab")

    def close(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.kill(signal.SIGTERM)
        self._log.close()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.mirror", "--data-dir", os.fspath(self.folders.root)],
            stderr=self._log,
        )

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        if number != signal.SIGSTOP:
            self.process.wait(20)
            self.process = None

    def shown(self, room: str = "r1") -> list[str]:
        """All ids of a room, page by page."""
        folder = self.mirror / room
        found = read_room(folder) if folder.is_dir() else None
        if found is None:
            return []
        pages = [bullet.id for number in range(1, found.number) for bullet in read_page(folder, number).bullets]
        return pages + [bullet.id for bullet in found.open_bullets()]

    def has(self, ids: list[str], room: str = "r1") -> Callable[[], bool]:
        def look() -> bool:
            try:
                return sorted(self.shown(room)) == sorted(ids)
            except Exception:
                return False  # a page becomes complete while it is read, or is not there yet

        return look

    def beat(self) -> Beat:
        return self.reader.beat() or Beat(0.0, 0.0, 0)  # it may be read while it is written

    def fresh(self, lag: float = 3.0) -> bool:
        return self.reader.fresh(lag)

    def log(self) -> list[str]:
        lines = (self.folders.root / "log").read_bytes().splitlines(keepends=True)
        return [orjson.loads(line)["event"] for line in lines if line.startswith(b"{") and line.endswith(b"\n")]


@pytest.fixture
def running(tmp_path: Path, node: Any) -> Iterator[Running]:
    node.root = tmp_path / "data" / "journal"
    made = Running(tmp_path / "data", node, free_port(), tmp_path / "data" / "mirror")
    made.start()
    yield made
    made.close()


async def test_bullets_are_shown_within_two_seconds(running: Running, eventually: Eventually) -> None:
    await eventually(running.fresh, 20)
    ids: list[str] = []
    took: list[float] = []
    for _ in range(3):
        ids += running.node.bullets(23)
        running.node.flush()
        began = time.monotonic()
        await eventually(running.has(ids), 20)
        took.append(time.monotonic() - began)
    assert min(took) < 4.0  # 1.2 s at 2,000 bullets a second; a busy machine may hold up one of them, not every one
    await eventually(lambda: running.beat().watermark > began, 20)
    answer = await channel.call(running.folders.projector_socket, {"command": "counters"}, 5)
    assert answer["metrics"]["tidegate_mirror_bullets_total"]["series"] == [[[], 69]]
    assert answer["metrics"]["tidegate_mirror_pages_total"]["series"] == [[[], 6]]
    status = await channel.call(running.folders.projector_socket, {"command": "status"}, 5)
    assert (status["ok"], status["problem"]) == (True, "")
    assert status["watermark"] > began
    for path in (running.mirror / "r1").iterdir():
        assert path.stat().st_mode & 0o777 == (0o600 if path.name.startswith(".") else 0o644), path.name


async def test_killed_again_and_again(running: Running, eventually: Eventually) -> None:
    ids: list[str] = []
    for round_ in range(6):
        for _ in range(5):
            ids += running.node.bullets(9, worker=round_ % 2)
            running.node.flush()
            await asyncio.sleep(0.05)
        running.kill()
        running.start()
    await eventually(running.has(ids), 30)
    result = CliRunner().invoke(app, ["verify", "--data-dir", os.fspath(running.folders.root)])
    assert result.exit_code == 0, result.output
    assert f"{len(ids)} bullets expected, {len(ids)} shown" in result.output


async def test_stopped_is_not_fresh_and_goes_on(running: Running, eventually: Eventually) -> None:
    await eventually(running.fresh, 20)
    running.kill(signal.SIGSTOP)
    ids = running.node.bullets(15)
    running.node.flush()
    await eventually(lambda: not running.fresh(1.0), 10)
    assert running.shown() == []
    assert running.process is not None
    running.process.send_signal(signal.SIGCONT)
    await eventually(running.has(ids), 10)
    assert await eventually(lambda: running.fresh(1.0), 10)


async def test_the_folder_deleted_while_it_runs(running: Running, eventually: Eventually) -> None:
    ids = running.node.bullets(25)
    running.node.flush()
    await eventually(running.has(ids), 20)
    before = (running.mirror / "r1" / "2.html").read_bytes()
    shutil.rmtree(running.mirror)
    ids += running.node.bullets(2)
    running.node.flush()
    await eventually(running.has(ids), 20)
    assert (running.mirror / "r1" / "2.html").read_bytes() == before
    await eventually(lambda: "mirror.rebuilt" in running.log(), 10)  # told once all of it is shown
    await eventually(lambda: running.fresh(2.0), 10)
    ids += running.node.bullets(2)
    running.node.flush()
    await eventually(running.has(ids), 20)
    shutil.rmtree(running.mirror / "r1")  # one room's folder: the next bullet there brings it to light
    ids += running.node.bullets(2)
    running.node.flush()
    await eventually(running.has(ids), 20)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    if os.geteuid():
        pytest.skip("mounting a tmpfs takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def on_small_disk(tmp_path: Path, node: Any, small_disk: Path) -> Iterator[Running]:
    node.root = tmp_path / "data" / "journal"
    made = Running(tmp_path / "data", node, free_port(), small_disk / "mirror")
    made.start()
    yield made
    made.close()


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def remount(disk: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


@pytest.mark.parametrize("how", ["full", "read-only"])
async def test_a_disk_that_cannot_be_written_holds_the_watermark(
    on_small_disk: Running, small_disk: Path, eventually: Eventually, how: str
) -> None:
    running = on_small_disk
    ids = running.node.bullets(12)
    running.node.flush()
    await eventually(running.has(ids), 20)
    if how == "full":
        fill(small_disk)
    else:
        remount(small_disk, "ro")
    ids += running.node.bullets(120)
    running.node.flush()
    await eventually(lambda: "mirror.behind" in running.log(), 20)
    await eventually(lambda: not running.fresh(1.5), 20)
    since = time.monotonic()
    await eventually(lambda: running.beat().heartbeat > since, 20)  # it lives
    assert not running.fresh(1.5)  # and is not up to date
    if how == "full":
        (small_disk / "ballast").unlink()
    else:
        remount(small_disk, "rw")
    await eventually(running.has(ids), 20)
    await eventually(lambda: running.fresh(1.5), 10)
    assert "mirror.rebuilding" not in running.log()


async def test_rebuilt_while_it_runs(running: Running, eventually: Eventually) -> None:
    ids = running.node.bullets(25)
    running.node.flush()
    await eventually(running.has(ids), 20)
    (running.mirror / "r1" / "1.html").write_text("forged")
    arguments = ["--data-dir", os.fspath(running.folders.root)]
    result = await asyncio.to_thread(CliRunner().invoke, app, ["verify", *arguments])
    assert result.exit_code == 1
    assert "page: r1/1.html: it shows other bullets" in result.output
    result = await asyncio.to_thread(CliRunner().invoke, app, ["rebuild", *arguments])
    assert result.exit_code == 0, result.output
    assert "mirror.adopted" in running.log()
    ids += running.node.bullets(8)
    running.node.flush()
    await eventually(running.has(ids), 20)
    result = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--json", *arguments])
    assert result.exit_code == 0, result.output
    assert not running.mirror.with_name("mirror.rebuilt").exists()


async def test_commands_without_a_projector(running: Running, eventually: Eventually) -> None:
    ids = running.node.bullets(12)
    running.node.flush()
    await eventually(running.has(ids), 20)
    running.kill()
    arguments = ["--data-dir", os.fspath(running.folders.root)]
    source = running.folders.root / "old.ndjson"
    source.write_bytes(b'{"id": "7", "room": "r1", "text": "old one", "at": 1500000000}\n')
    result = CliRunner().invoke(app, ["import", os.fspath(source), *arguments])
    assert (result.exit_code, result.output) == (0, "1 bullets imported, 0 were there already\n")
    result = CliRunner().invoke(app, ["verify", "--json", *arguments])
    assert result.exit_code == 1
    assert orjson.loads(result.output.splitlines()[0])["code"] == "missing"
    result = CliRunner().invoke(app, ["rebuild", *arguments])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(app, ["verify", *arguments])
    assert result.exit_code == 0, result.output
    assert "old one" in (running.mirror / "r1" / "2.html").read_text(encoding="utf-8")
    source.write_bytes(b"nonsense\n")
    result = CliRunner().invoke(app, ["import", os.fspath(source), *arguments])
    assert result.exit_code == 1
    assert "line 1 is not JSON" in result.output
    result = await asyncio.to_thread(CliRunner().invoke, app, ["probe", "r1", *arguments])
    assert (result.exit_code, result.output) == (1, "live: unreachable (OSError)\n")


def test_usage(tmp_path: Path) -> None:
    for command in (["verify"], ["rebuild"], ["probe", "r1"], ["import", "x"]):
        result = CliRunner().invoke(app, [*command, "--data-dir", os.fspath(tmp_path)])
        assert result.exit_code == 2
        assert "--data-dir" in result.output
