"""What the tests of both HTTP sides share: uvloop, a fake clock, scripted servers, a sink that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from gateway.common.sweep import TICK, Sweep
from gateway.http.upstream.connection import UpstreamConnection
from gateway.http.upstream.failure import UpstreamError
from gateway.http.upstream.pool import ServerPool
from gateway.http.upstream.settings import UpstreamServerSettings, UpstreamSettings
from gateway.http.upstream.sink import LateAnswer, ResponseSink
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.address import parse_address
from gateway.http.wire.head import ResponseHead
from tests.gateway.http.calls import GET, OK


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The gateway runs on uvloop, so its tests do."""
    return {"uvloop": uvloop.new_event_loop}


class FakeClock:
    """Time that moves when told. ``sweeps`` see every tick of it."""

    def __init__(self) -> None:
        self.time = 100.0
        self.sweeps: list[Sweep] = []

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while self.time < end:
            self.time = min(self.time + TICK, end)
            for sweep in self.sweeps:
                sweep.tick()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@dataclass
class Sink(ResponseSink):
    """Remembers what it was told: ("head", status, more), ("data", bytes) joined, ("end",), ("error", reason) …"""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    heads: list[ResponseHead] = field(default_factory=list)
    error: UpstreamError | None = None
    late: list[LateAnswer] | None = None  # a list: answers wait in it
    over: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)  # the head was seen
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    react: Callable[[str], None] = lambda event: None

    def awaits_turn(self, answer: LateAnswer) -> bool:
        if self.late is None:
            return False
        self.late.append(answer)
        return True

    def on_informational(self, head: ResponseHead) -> None:
        self._note("informational", head.status)

    def on_head(self, head: ResponseHead, more: bool) -> None:
        self.heads.append(head)
        self.began.set()
        self._note("head", head.status, more)

    def on_data(self, data: bytes) -> None:
        assert data
        if self.events and self.events[-1][0] == "data":
            self.events[-1] = ("data", self.events[-1][1] + data)
            self.react("data")
        else:
            self._note("data", data)

    def on_end(self) -> None:
        self._note("end")
        self.over.set()

    def on_error(self, error: UpstreamError) -> None:
        self.error = error
        self._note("error", error.reason)
        self.over.set()

    def on_drain(self) -> None:
        self.drained.set()
        self._note("drain")

    def on_upgraded(
        self, head: ResponseHead, transport: asyncio.Transport, early: bytes, release: Callable[[], None]
    ) -> None:
        self.upgraded = (head, transport, early, release)
        self._note("upgraded", early)
        self.over.set()

    def _note(self, *event: Any) -> None:
        assert not self.over.is_set(), f"{event} after the end"
        self.events.append(event)
        self.react(event[0])

    @property
    def body(self) -> bytes:
        return b"".join(event[1] for event in self.events if event[0] == "data")


@pytest.fixture
def make_sink() -> type[Sink]:
    return Sink


class FakeTransport:
    """Keeps what is written, in ``writes``."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = ""
        self.reading = True
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def writelines(self, pieces: Any) -> None:
        self.writes.append(b"".join(pieces))

    def is_closing(self) -> bool:
        return bool(self.closed)

    def close(self) -> None:
        self.closed = self.closed or "close"

    def abort(self) -> None:
        self.closed = "abort"

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, name: str) -> None:
        return None


class Wire:
    """A connection of ``pool`` without a socket: ``feed`` is what the server sends."""

    def __init__(self, pool: ServerPool) -> None:
        self.transport = FakeTransport()
        self.connection = UpstreamConnection(pool)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]
        pool.connections.add(self.connection)
        pool.idle.append(self.connection)
        self.connection.keep_idle()

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.data_received(piece)

    def hang_up(self, error: Exception | None = None) -> None:
        self.transport.close()
        self.connection.connection_lost(error)

    @property
    def sent(self) -> bytes:
        return b"".join(self.transport.writes)


@pytest.fixture
def make_wire() -> type[Wire]:
    return Wire


MakeUpstream = Callable[..., Upstream]


@pytest.fixture
async def make_upstream(clock: FakeClock) -> AsyncIterator[MakeUpstream]:
    """``make_upstream(address, …, **settings)``: on the fake clock, which ``clock.advance`` moves."""
    made: list[Upstream] = []

    def make(
        *addresses: str, notice: Callable[[str, str], None] | None = None, report: Any = None, **settings: Any
    ) -> Upstream:
        loop = asyncio.get_running_loop()
        sweep = Sweep(loop, clock)
        clock.sweeps.append(sweep)
        servers = tuple(
            UpstreamServerSettings(parse_address(address)) for address in addresses or ("http://127.0.0.1:9",)
        )
        settings.setdefault("servers", servers)
        upstream = Upstream(UpstreamSettings("platform", **settings), loop, sweep, notice, report)
        made.append(upstream)
        return upstream

    yield make
    for upstream in made:
        upstream.close()
    for _ in range(5):  # let transports say that they are closed
        await asyncio.sleep(0)


Ask = Callable[..., Awaitable[Sink]]


@pytest.fixture
def ask(make_sink: type[Sink]) -> Ask:
    """Send a request and wait for its end."""

    async def send(upstream: Upstream, head: bytes = GET, body: bytes = b"", idempotent: bool = True) -> Sink:
        sink = make_sink()
        upstream.start(head, body, sink, idempotent=idempotent)
        assert sink.events == []  # nothing from within start
        async with asyncio.timeout(5):
            await sink.over.wait()
        return sink

    return send


class Peer:
    """The server's end of one accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> tuple[bytes, bytes]:
        """The next request: its head, and its body where Content-Length announces one."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head, await self.reader.readexactly(length)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def gone(self) -> bytes:
        """Wait until the client closes; what it sent until then."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def reset(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


async def answer_ok(peer: Peer) -> None:
    while True:
        await peer.request()
        peer.send(OK)


class FakeServer:
    """Listens on a free port; each accepted connection runs the next of ``scripts``, then the last again and again."""

    def __init__(self) -> None:
        self.address = ""
        self.accepted = 0
        self.scripts: list[Script] = [answer_ok]
        self.tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, path: str = "", **options: Any) -> None:
        if path:
            self._server = await asyncio.start_unix_server(self._accept, path, **options)
            self.address = f"unix:{path}"
            return
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, **options)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"{'https' if 'ssl' in options else 'http'}://127.0.0.1:{port}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts[min(self.accepted, len(self.scripts) - 1)]
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._run(script, Peer(reader, writer)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, script: Script, peer: Peer) -> None:
        try:
            await script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the gateway went away, which scripts need not care about
        finally:
            peer.writer.close()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


MakeServer = Callable[..., Awaitable[FakeServer]]


@pytest.fixture
async def make_server() -> AsyncIterator[MakeServer]:
    """``await make_server(script, …)``: a ``FakeServer`` whose first connections run these scripts."""
    made: list[FakeServer] = []

    async def make(*scripts: Script, path: str = "", **options: Any) -> FakeServer:
        server = FakeServer()
        if scripts:
            server.scripts = list(scripts)
        await server.listen(path, **options)
        made.append(server)
        return server

    yield make
    for server in made:
        await server.close()


@pytest.fixture
def closed_address() -> Iterator[str]:
    """An address of loopback where nobody listens: the port stays bound, so that nobody else gets it."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
