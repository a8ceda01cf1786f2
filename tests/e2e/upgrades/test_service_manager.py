"""A node under a service manager: what it says, what sockets it is given, and that an upgrade changes nothing of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.common import channel
from gateway.common.folders import Folders
from rig.ports import free_port
from rig.versions import make
from tests.e2e.lab import write_config
from tests.e2e.node import Node
from tests.e2e.upstream import serve

ACTIVATE = shutil.which("systemd-socket-activate") or shutil.which("systemd-socket-activate", path="/usr/bin")


class Manager:
    """The socket that a service manager listens on, and what it has heard so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    async def until(self, name: str, within: float = 120) -> dict[str, str]:
        """The next message that says so."""
        async with asyncio.timeout(within):
            while True:
                data = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
                told = dict(line.split("=", 1) for line in data.decode().splitlines())
                self.heard.append(told)
                if name in told:
                    return told

    def close(self) -> None:
        self._socket.close()


@contextlib.asynccontextmanager
async def managed(
    folder: Path, environ: dict[str, str], ports: tuple[int, int], held: list[socket.socket]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A node as a service manager starts it: with sockets from descriptor 3 on."""

    def from_three() -> None:
        high = [os.dup2(one.fileno(), 100 + number) for number, one in enumerate(held)]
        for number, one in enumerate(high):
            os.dup2(one, 3 + number)
        os.environ["LISTEN_PID"] = str(os.getpid())

    async with serve() as upstream:
        config = write_config(folder, ports, upstream.port)
        # Only a process of the very id may take them: a shell says it and becomes the node.
        line = 'LISTEN_PID=$$ exec "$@"'
        with (folder / "data.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", line, "sh", sys.executable, "-m", "gateway", "run", "--config", str(config),
                "--data-dir", str(folder / "data"), stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **environ, "LISTEN_FDS": str(len(held))}, preexec_fn=from_three, close_fds=False,
            )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 60)


async def test_a_node_tells_what_it_does(tmp_path: Path) -> None:
    manager = Manager(tmp_path / "notify")
    ports = free_port(), free_port()
    held = [socket.create_server(("127.0.0.1", port)) for port in ports]
    environ = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "1000000"}
    node = Node(tmp_path / "data", port=ports[0], control_port=ports[1])
    try:
        async with managed(tmp_path, environ, ports, held) as process:
            await manager.until("READY")
            for one in held:
                one.close()  # it has them
            assert (await node.manage("GET", "/readyz")).status == 200
            await manager.until("WATCHDOG", within=30)
            # A reload, as Type=notify-reload asks for it.
            process.send_signal(signal.SIGHUP)
            assert int((await manager.until("RELOADING"))["MONOTONIC_USEC"]) > 0
            assert "generation 2, 1 workers" in (await manager.until("READY"))["STATUS"]
            # An upgrade: the same process, and it is waited for as for a reload.
            program = make(tmp_path, "9.9.20")
            asked = {"command": "upgrade", "program": os.fspath(program)}
            answer = await channel.call(Folders(tmp_path / "data").supervisor_socket, asked, timeout=120)
            assert answer["ok"], answer
            await manager.until("RELOADING")
            await manager.until("READY")
            await manager.until("WATCHDOG", within=30)
            assert not [told for told in manager.heard if "MAINPID" in told]
            assert (await node.manage("GET", "/readyz")).status == 200
            assert (await node.ask("GET", "/")).status in (200, 201)
            # A worker that stands still is no sign of life.
            children = (await channel.call(Folders(tmp_path / "data").supervisor_socket, {"command": "status"}, 5))[
                "children"
            ]
            (worker,) = [child["pid"] for name, child in children.items() if name.startswith("worker-")]
            os.kill(worker, signal.SIGSTOP)
            try:
                with contextlib.suppress(TimeoutError):  # what was said before, and what was on its way
                    while True:
                        await manager.until("WATCHDOG", within=1)
                with pytest.raises(TimeoutError):
                    await manager.until("WATCHDOG", within=1.5)
            finally:
                os.kill(worker, signal.SIGCONT)
            await manager.until("WATCHDOG", within=30)
            process.send_signal(signal.SIGTERM)
            assert int((await manager.until("STOPPING"))["EXTEND_TIMEOUT_USEC"]) > 30_000_000
            assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        manager.close()


async def test_a_socket_for_an_address_that_nobody_knows_ends_the_start(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with managed(tmp_path, {"LISTEN_FDNAMES": "other.socket"}, ports, [other]) as process:
            assert await asyncio.wait_for(process.wait(), 60) == 1
    told = (tmp_path / "data.log").read_text(encoding="utf-8")
    assert f"other.socket: a socket for 127.0.0.1:{other_port(told)} was handed over" in told


def other_port(told: str) -> str:
    """The port in what was told."""
    return told.partition("a socket for 127.0.0.1:")[2].partition(" ")[0]


@pytest.mark.skipif(ACTIVATE is None, reason="needs systemd-socket-activate")
async def test_started_by_the_first_connection(tmp_path: Path) -> None:
    """By the service manager's own program."""
    assert ACTIVATE is not None
    ports = free_port(), free_port()
    async with serve() as upstream:
        config = write_config(tmp_path, ports, upstream.port)
        with (tmp_path / "data.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                ACTIVATE, "-l", f"127.0.0.1:{ports[0]}", "-l", f"127.0.0.1:{ports[1]}", "--fdname=gate:control",
                sys.executable, "-m", "gateway", "run", "--config", str(config), "--data-dir", str(tmp_path / "data"),
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            node = Node(tmp_path / "data", port=ports[0], control_port=ports[1])
            async with asyncio.timeout(60):
                while True:
                    try:
                        reader, writer = await node.connect()
                    except OSError:
                        await asyncio.sleep(0.05)
                        continue
                    break
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await asyncio.wait_for(reader.readline(), 120)).startswith(b"HTTP/1.1 2"), "it waited for the start"
            writer.close()
        finally:
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 60) == 0
