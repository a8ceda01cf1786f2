"""Nodes that share a PostgreSQL database and a state server: real processes, each in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rig.ports import free_port
from rig.postgresql import Postgres
from tests.e2e.lab import write_config
from tests.e2e.node import START_WITHIN, Answer, Node
from tests.e2e.nodes.lines import Line
from tests.e2e.state.server import Server
from tests.e2e.upstream import serve

WITHIN = 1.0  # seconds in which an act is in force everywhere


class Lines(NamedTuple):
    """Of one node."""

    database: Line
    state: Line


class Cluster:
    """``nodes`` by their numbers from 1; the first to start makes the first person, whose token opens on all. ``more``:
    of the configuration of each. ``lined``: each reaches the database and state by lines of its own, to be cut."""

    def __init__(
        self,
        folder: Path,
        server: Postgres,
        state: Server,
        platform: int,
        count: int,
        more: str = "",
        *,
        lined: bool = False,
        server_section: str = "",
    ) -> None:
        self.folder = folder
        self.server = server
        self.state = state
        self.nodes: dict[int, Node] = {}
        self.configs: dict[int, Path] = {}
        self.lines: dict[int, Lines] = {}
        self.platform = platform
        self.more = more
        self._lined = lined
        self._section = server_section
        for number in range(1, count + 1):
            self.add(number)

    def add(self, number: int, name: str = "") -> Node:
        """One more node, in a folder of its own."""
        own = self.folder / (name or f"n{number}")
        own.mkdir()
        ports = free_port(), free_port()
        state, url = self.reached(number, own)
        config = write_config(
            own, ports, self.platform, server=f"node = {number}\n{self._section}",
            state=f'url = "{state}"\ndeadline = "5s"', more=self.more,
        )  # fmt: skip
        text = config.read_text(encoding="utf-8")
        database = f'database = "{url}"\n'
        config.write_text(text.replace("[state]", f"{database}[state]", 1), encoding="utf-8")
        self.configs[number] = config
        self.nodes[number] = Node(own / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        return self.nodes[number]

    def reached(self, number: int, own: Path) -> tuple[str, str]:
        """The URLs by which this node has state and the database; ``own``: its folder."""
        if not self._lined:
            return f"unix://{self.state.socket}", self.server.url("gate")
        socket, port = own / "line.sock", free_port()
        self.lines[number] = Lines(Line(port, self.server.port), Line(socket, self.state.socket))
        return f"unix://{socket}", self.server.url("gate", host=f"127.0.0.1:{port}")

    @property
    def token(self) -> str:
        """The first person's."""
        kept = [node.folders.control / "first-token" for node in self.nodes.values()]
        return next(file.read_text(encoding="ascii").strip() for file in kept if file.exists())

    async def introduced(self) -> None:
        """Returns when there is a first person: control may come a moment after the workers that make a node ready."""

        async def there() -> bool:
            return any((node.folders.control / "first-token").exists() for node in self.nodes.values())

        await soon(there, START_WITHIN)

    async def ask(self, number: int, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        return await self.nodes[number].manage(method, path, body, token=token or self.token)

    async def done(self, number: int, method: str, path: str, body: Any = None) -> Any:
        """An act that is in force at once."""
        answer = await self.ask(number, method, path, body)
        assert answer.status == 200, answer
        return answer.json()

    async def detail(self, number: int, check: str) -> dict[str, Any]:
        """What readiness says of one thing."""
        told: dict[str, Any] = (await self.ask(number, "GET", "/readyz")).json()["checks"][check]
        return told

    async def leader(self) -> int:
        """The number of the node that leads, once one does."""
        async with asyncio.timeout(60):
            while True:
                for number in self.nodes:
                    try:
                        told = (await self.ask(number, "GET", "/v1/nodes")).json().get("nodes", ())
                    except OSError:
                        continue
                    for one in told:
                        if one["leads"]:
                            return int(one["number"])
                await asyncio.sleep(0.05)

    async def control(self, number: int) -> int:
        """The process id of a node's control."""
        return (await self.nodes[number].pids("control"))["control"]

    async def command(self, number: int, *words: str) -> tuple[int, str]:
        """A command with this node's configuration: its exit code, and all that it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *words, "--config", str(self.configs[number]),
            "--data-dir", str(self.nodes[number].folders.root),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "TIDEGATE_TOKEN": self.token},
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode is not None
        return process.returncode, told.decode()


SLEEPS = """
import select, time
time.sleep = lambda seconds: select.select((), (), (), seconds)
"""


def another_clock(by: str, folder: Path) -> dict[str, str]:
    """What the environment of a process says whose time of day is another (Debian: faketime). Beneath libfaketime every
    ``time.sleep`` fails (EINVAL: the end of a sleep is taken for a time of day, whatever its clock); so it is replaced,
    by a module in ``folder`` that each Python reads first."""
    library = f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1"
    assert Path(library).exists(), "tools/debian-packages nodes"
    (folder / "sitecustomize.py").write_text(SLEEPS, encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {
        "LD_PRELOAD": library,
        "FAKETIME": by,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "PYTHONPATH": path,
    }


async def soon(true: Callable[[], Awaitable[Any]], within: float = 30.0) -> float:
    """Ask until it is true; how long that took, in seconds."""
    since = time.monotonic()
    async with asyncio.timeout(within):
        while not await true():
            await asyncio.sleep(0.01)
    return time.monotonic() - since


@asynccontextmanager
async def running(
    folder: Path,
    count: int = 2,
    more: str = "",
    site: int = 0,
    *,
    lined: bool = False,
    clocks: Mapping[int, str] | None = None,
    server: str = "",
    program: Path | None = None,
) -> AsyncIterator[Cluster]:
    """A cluster whose nodes have started, one after the other. ``site``: the port of a platform of its own.
    ``clocks``: of which node the time of day is another, and by how much (``+30s``). ``server``: of that section of
    each configuration. ``program``: of another version."""
    state = Server(folder)
    state.start()
    with Postgres() as database:
        database.create("gate")
        async with serve() as platform:
            made = Cluster(
                folder, database, state, site or platform.port, count, more, lined=lined, server_section=server
            )
            for node in made.nodes.values():
                node.program = program
            for number, by in (clocks or {}).items():
                made.nodes[number].env = another_clock(by, folder)
            try:
                for lines in made.lines.values():
                    for line in lines:
                        await line.start()
                for node in made.nodes.values():
                    await node.start()
                await made.introduced()
                yield made
            finally:
                for node in made.nodes.values():
                    if node.process is not None and node.process.returncode is None:
                        for pid in await _control(node):
                            os.kill(pid, signal.SIGCONT)
                    if node.process is not None:
                        await node.stop()
                for lines in made.lines.values():
                    for line in lines:
                        await line.stop()
                state.kill()
                shutil.rmtree(folder, ignore_errors=True)


async def _control(node: Node) -> list[int]:
    try:
        return list((await node.pids("control")).values())
    except Exception:  # it does not answer: nothing of it is stopped
        return []
