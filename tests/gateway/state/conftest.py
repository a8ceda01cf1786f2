"""A real server, and a client of ours with what a test says to it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvloop

from filters.model.limits import Limit
from filters.model.message import Message
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Facts, Scan
from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.hot.state_client import StateClient
from gateway.state.model.keys import Keys
from gateway.state.model.settings import StateSettings
from gateway.state.model.snapshot import SnapshotRows
from rig.ports import free_port


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """The loop that workers run on."""
    return {"uvloop": uvloop.new_event_loop}


class Server:
    """An embedded server that a test may stop, pause and start again."""

    def __init__(self, folder: Path, program: str = "") -> None:
        self.folder = folder
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = embedded.prepare(self.folder, memory=64 << 20, program=self.program)
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        asyncio.run(embedded.ready(self.folder, 60))

    async def start_aside(self) -> None:
        await asyncio.to_thread(self.start)

    def kill(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def cli(self, *command: str) -> Any:
        """One command as nobody's user but the app's, through redis-py, synchronously."""
        import redis

        address, credentials = embedded.access(self.folder)
        with redis.Redis(
            unix_socket_path=address.path, username=credentials.username, password=credentials.password
        ) as client:
            return client.execute_command(*command)

    def written(self) -> None:
        """Wait until the append-only file has all that was answered: while a sync takes its time, a server holds its
        writes back for up to two seconds, and a kill loses them."""
        until = time.monotonic() + 30
        while self.cli("INFO", "persistence")["aof_buffer_length"]:
            assert time.monotonic() < until, "the append-only file is not written"
            time.sleep(0.01)

    def empty(self) -> None:
        """What FLUSHALL would do, which the app's user may not: every key goes."""
        for key in self.cli("SCAN", "0", "COUNT", "100000")[1]:
            self.cli("DEL", key)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="tg"))
    server = Server(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(shared_server: Server) -> Server:
    """One server for the session, empty for each test."""
    shared_server.empty()
    return shared_server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server of the test's own, for tests that ill-treat it."""
    folder = Path(tempfile.mkdtemp(prefix="tg"))
    server = Server(folder)
    server.start()
    yield server
    server.stop(signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)  # a killed server may leave a child that still writes there


class Asker:
    """The client under test, waited for."""

    def __init__(self, client: StateClient) -> None:
        self.client = client

    async def ask(self, asks: Asks, *messages: Message, scan: Scan | None = None) -> list[Facts]:
        """Facts of all messages, asked in one turn of the loop."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told: dict[int, Facts] = {}

        def then(number: int) -> Callable[[Facts], None]:
            def tell(facts: Facts) -> None:
                assert number not in told, "told twice"
                told[number] = facts
                if len(told) == len(messages):
                    done.set_result(None)

            return tell

        for number, message in enumerate(messages):
            self.client.admit(message, asks, scan or Scan(), then(number))
            assert number not in told, "told from inside admit"
        async with asyncio.timeout(5):
            await done
        return [told[number] for number in range(len(messages))]

    async def one(self, asks: Asks, message: Message, scan: Scan | None = None) -> Facts:
        return (await self.ask(asks, message, scan=scan))[0]

    async def up(self) -> None:
        async with asyncio.timeout(5):
            while self.client.problem:
                await asyncio.sleep(0.005)


MakeClient = Callable[..., Any]


@pytest.fixture
def ask() -> type[Asker]:
    """``ask(client)`` asks a client that a test has made itself."""
    return Asker


@pytest.fixture
async def connect() -> AsyncIterator[MakeClient]:
    """Connect to a server; closed after the test."""
    clients: list[StateClient] = []

    async def make(server: Server, *, wait: bool = True, **settings: Any) -> Asker:
        address, credentials = embedded.access(server.folder)
        values = {"deadline": 0.25, "reconnect": 0.02, "pause": 0.02, "misses": 3, **settings}
        client = StateClient(topology.fixed(address), credentials, StateSettings(**values))
        clients.append(client)
        await client.start()
        asker = Asker(client)
        if wait:
            await asker.up()
        return asker

    yield make
    for client in clients:
        await client.close()


class Outside:
    """A server that is not ours: Debian's redis-server, which ``make test`` installs, on a port of its own.

    The packaged Valkey has neither TLS nor a Sentinel that operators would run.
    """

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder = folder
        self.port = port
        program = shutil.which("redis-server")
        assert program is not None, "tools/debian-packages test installs redis-server"
        self.argv = [program, *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, cwd=self.folder)
        until = time.monotonic() + 30
        while not self._listens():
            assert self.process.poll() is None, "the server did not start"
            assert time.monotonic() < until, "the server does not listen"
            time.sleep(0.01)

    def _listens(self) -> bool:
        with closing(socket.socket()) as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


StartOutside = Callable[..., Outside]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[StartOutside]:
    """``outside(*options, file="")`` starts one; ``{port}`` in its options or its configuration is its own port."""
    running: list[Outside] = []

    def start(*options: str, file: str = "") -> Outside:
        port = free_port()
        folder = tmp_path / f"outside-{len(running)}"
        folder.mkdir()
        words = [option.replace("{port}", str(port)) for option in options]
        if file:
            (folder / "server.conf").write_text(file.replace("{port}", str(port)), encoding="utf-8")
            words.insert(0, "server.conf")
        made = Outside(folder, port, *words)
        running.append(made)
        made.start()
        return made

    yield start
    for one in running:
        one.stop()


@pytest.fixture
async def projection(server: Server) -> AsyncIterator[GovernanceProjection]:
    """The projection of the shared server, with an epoch."""
    async for made in project(server):
        yield made


async def project(server: Server) -> AsyncIterator[GovernanceProjection]:
    client = topology.redis(*embedded.access(server.folder))
    projection = GovernanceProjection(client, Keys())
    await projection.rebuild([], SnapshotRows(1))
    yield projection
    await client.aclose()


@pytest.fixture
async def own_projection(own_server: Server) -> AsyncIterator[GovernanceProjection]:
    async for made in project(own_server):
        yield made


@pytest.fixture
def message() -> Callable[..., Message]:
    def make(sender: str = "alice", **fields: Any) -> Message:
        values: dict[str, Any] = {"room": "r1", "texts": ("hello",), "received_at": 1_800_000_000_000_000, **fields}
        return Message("id", "comment", values.pop("route", "comments"), values.pop("room"), sender, **values)

    return make


@pytest.fixture
def everything() -> Asks:
    """A policy that asks for all there is."""
    asks = Asks(account=True, blocks=True, room=True)
    asks.limit(Limit("sender", 3, 10_000_000), "enforce")
    asks.limit(Limit("ip", 100, 60_000_000), "enforce")
    asks.repeat(Repeat("sender", 1, 60_000_000), "enforce")
    return asks
