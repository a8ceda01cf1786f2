"""A connection without a network: a transport that remembers, an upstream and a gate that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gateway.common.sweep import Sweep
from gateway.http.server.exchange import Exchange
from gateway.http.server.problem import problem_for
from gateway.http.server.queueing import OVERLOADED
from gateway.http.server.router import Router
from gateway.http.server.server import LOOKS, Server
from gateway.http.server.server_protocol import ServerProtocol
from gateway.http.server.settings import ServerSettings
from gateway.http.upstream.failure import UpstreamError
from gateway.http.upstream.shares import Share
from gateway.http.wire.path import parse_template


class FakeTransport(asyncio.Transport):
    """Remembers. ``stalled``: what is written stays in the buffer."""

    def __init__(self, protocol: ServerProtocol, ip: str) -> None:
        super().__init__({"peername": (ip, 40000)})
        self.protocol = protocol
        self.written = b""
        self.buffered = 0
        self.high = 65536
        self.stalled = False
        self.paused = False
        self.reading = True
        self.closed = ""
        self.eof_written = False

    def write(self, data: Any) -> None:
        if self.closed:
            return
        self.written += data
        if self.stalled:
            self.buffered += len(data)
            if self.buffered > self.high and not self.paused:
                self.paused = True
                self.protocol.pause_writing()

    def flush(self, size: int) -> None:
        self.buffered = max(0, self.buffered - size)
        if self.paused and self.buffered <= self.high // 4:
            self.paused = False
            self.protocol.resume_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 65536

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return bool(self.closed)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof_written = True

    def close(self) -> None:
        self._end("close")

    def abort(self) -> None:
        self._end("abort")

    def _end(self, how: str) -> None:
        if not self.closed:
            self.closed = how
            self.protocol.connection_lost(None)


@dataclass
class FakeCall:
    head: bytes
    body: bytes | None
    sink: Any
    idempotent: bool
    chunked: bool
    written: bytes = b""
    room: bool = True
    ended: bool = False
    aborted: bool = False
    paused: bool = False
    hurried: float = 0.0
    hushed: bool = False

    def write(self, data: bytes) -> bool:
        self.written += data
        return self.room

    def end(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.aborted = True

    def hush(self) -> None:
        self.hushed = True

    def hurry(self, seconds: float) -> None:
        self.hurried = seconds

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


@dataclass
class FakeUpstream:
    calls: list[FakeCall] = field(default_factory=list)
    host: bytes = b""
    authority: bytes = b"platform.example:9000"

    def share(self, route: str) -> Share:
        return Share()

    def start(self, head: bytes, body: bytes | None, sink: Any, *, idempotent: bool, chunked: bool = False,
              client: Share | None = None, route: Share | None = None) -> FakeCall:  # fmt: skip
        call = FakeCall(head, body, sink, idempotent, chunked)
        self.calls.append(call)
        return call


@dataclass
class FakeGate:
    """Judges ``POST /j/{room}``, relays the rest; ``on_body`` is a script of its own."""

    upstream: FakeUpstream
    router: Router[str] = field(default_factory=lambda: Router([(parse_template("POST /j/{room}"), "j")]))
    max_body: int = 1000
    exchanges: list[Exchange] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    outcomes: list[tuple[int | None, bytes, UpstreamError | None]] = field(default_factory=list)
    admit: Callable[[Exchange], None] | None = None
    spoken: str = ""
    judge: Callable[[Exchange, bytes], None] | None = None

    def admit_request(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if self.admit is not None:
            self.admit(exchange)
            return
        found = self.router.find(exchange.method, exchange.head.host, exchange.head.target)
        exchange.path, exchange.route = found.path, found.route
        if found.route is None:
            exchange.relay(cast(Any, self.upstream))
        else:
            exchange.collect(self.max_body)

    def shed(self, exchange: Exchange) -> None:
        exchange.refuse(problem_for(OVERLOADED))

    def on_body(self, exchange: Exchange, body: bytes) -> None:
        self.bodies.append(body)
        if self.judge is not None:
            self.judge(exchange, body)
        else:
            exchange.answer(200, b"", body)

    def language(self, exchange: Exchange) -> str:
        return self.spoken

    def on_outcome(
        self, exchange: Exchange, status: int | None, body_prefix: bytes, error: UpstreamError | None
    ) -> None:
        self.outcomes.append((status, body_prefix, error))


class Bench:
    """A server whose clock, transport and upstream belong to the test."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.time = 0.0
        self.sweep = Sweep(loop, lambda: self.time)
        self.upstream = FakeUpstream()
        self.gate = FakeGate(self.upstream)
        # Nothing has to wait for the next turn of the loop, but for those who test just that.
        endless = ServerSettings(max_buffered=65536, turn_requests=1 << 20, turn_bytes=1 << 40)
        self.server = Server(self.gate, endless, self.sweep)

    def connect(self, ip: str = "1.2.3.4") -> Client:
        return Client(self, ip)

    def advance(self, seconds: float) -> None:
        """Let time pass, tick by tick, and one look more for the coarse wheel."""
        for _ in range(round(seconds * 10) + LOOKS + 1):
            self.time += 0.1
            self.sweep.tick()


class Client:
    def __init__(self, bench: Bench, ip: str) -> None:
        self.bench = bench
        self.protocol = bench.server.protocol()
        self.transport = FakeTransport(self.protocol, ip)
        self.protocol.connection_made(self.transport)

    def send(self, data: bytes, step: int = 0) -> None:
        for at in range(0, len(data), step or len(data) or 1):
            self.protocol.data_received(data[at : at + (step or len(data))])

    @property
    def written(self) -> bytes:
        return self.transport.written

    def take(self) -> bytes:
        """What was written since the last time."""
        data, self.transport.written = self.transport.written, b""
        return data

    @property
    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.written.split(b"HTTP/1.1 ")[1:]]

    @property
    def call(self) -> FakeCall:
        return self.bench.upstream.calls[-1]

    @property
    def exchange(self) -> Exchange:
        return self.bench.gate.exchanges[-1]


@pytest.fixture
async def bench() -> Iterator[Bench]:
    made = Bench(asyncio.get_running_loop())
    yield made
    made.sweep.unwatch(made.server._look)
