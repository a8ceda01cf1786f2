"""A socket without a network: transports that remember, a state and a journal that answer when they are told to."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from filters.checks import block, keywords
from filters.checks.crowd import Options as CrowdOptions
from filters.lists.wordlist import of_words
from filters.model.rule import Rule
from filters.model.verdict import Block, Facts
from filters.policy import Policy
from filters.reading.keywords import Bounds, Scanner
from filters.reading.window import Consecutive, Window
from gateway.appeals.appeal_address import AppealAddress
from gateway.carriers.link import Link
from gateway.carriers.session import Session
from gateway.carriers.sockets import LOOKS, Sockets
from gateway.common.metrics import WorkerMetrics
from gateway.common.sweep import TICK, Sweep
from gateway.config.sections.routes import Route as RouteSettings
from gateway.http.server.exchange import TakenOver
from gateway.http.server.settings import ServerSettings
from gateway.http.server.shapes import AnswerShapes
from gateway.http.server.turns import Turns
from gateway.http.wire.peers import TrustedProxies
from gateway.journal.write.record import Basis
from gateway.journal.write.turn_batch import Called
from gateway.judging.pipeline import Pipeline
from gateway.judging.route import Route, SocketSide
from gateway.surfaces import compiled
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceSettings
from gateway.websocket.frames import ControlFrame, FrameParser, SocketMessage, close_payload, frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import BINARY, CLOSE, PING, PONG, TEXT
from gateway.websocket.origins import Origins
from gateway.words.files import folding_tables

KEY = b"\x11\x22\x33\x44"
BLOCKED = Facts(blocks=(Block("sender", "spam"),))


class FakeTransport(asyncio.Transport):
    """Remembers. ``stalled``: what is written stays in the buffer until ``flush``."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.written = b""
        self.writes = 0
        self.buffered = 0
        self.high = 65536
        self.low = 16384
        self.stalled = False
        self.paused = False
        self.reading = True
        self.closed = ""
        self.eof_written = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high is not None
        assert low is not None
        self.high, self.low = high, low

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def write(self, data: Any) -> None:
        assert not self.eof_written, "written behind the end"
        assert self.closed != "lost", "written to a lost connection"
        if self.closed:
            return
        self.writes += 1
        self.written += data
        if self.stalled:
            self.buffered += len(data)
            if self.buffered > self.high and not self.paused:
                self.paused = True
                self.protocol.pause_writing()

    def flush(self) -> None:
        self.buffered = 0
        self.stalled = False
        if self.paused:
            self.paused = False
            self.protocol.resume_writing()

    def pause_reading(self) -> None:
        assert self.reading
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
        if not self.closed:
            self.closed = "close"
            self.reading = False
            if not self.buffered:
                self.lose()

    def abort(self) -> None:
        if self.closed != "lost":
            self.closed = "abort"
            self.lose()

    def lose(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        how, self.closed = self.closed or "lost", "lost"
        protocol, self.protocol = self.protocol, None
        protocol.connection_lost(error)
        self.closed = how


class Timers:
    """What of a loop tells the time and calls back then; ``pass_`` lets it pass."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._set: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, then: Callable[[], None]) -> Timer:
        timer = Timer(when, then)
        self._set.append(timer)
        return timer

    @property
    def running(self) -> int:
        """How many timers are set."""
        return len([one for one in self._set if not one.gone])

    def pass_(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [one for one in self._set if not one.gone and one.when() <= until]:
            first = min(due, key=Timer.when)
            self.now = max(self.now, first.when())
            first.gone = True
            first.then()
        self.now = until


class Timer:
    """One timer."""

    def __init__(self, when: float, then: Callable[[], None]) -> None:
        self._when = when
        self.then = then
        self.gone = False

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self.gone = True


class FakeState:
    """Facts are told by ``Bench.judge``; a turn of the loop ends when somebody looks who waits."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Any, Callable[[Facts], None]]] = []
        self.returned: list[str] = []
        self.fallback = SimpleNamespace(snapshot=None)
        self.on_turn: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> list[tuple[Any, Callable[[Facts], None]]]:
        self.on_turn()
        return self._waiting

    def expect(self) -> None:
        pass

    def admit(self, message: Any, asks: Any, scan: Any, then: Callable[[Facts], None]) -> None:
        self._waiting.append((message, then))

    def give_back(self, message: Any, asks: Any, scan: Any, *, charge: bool = True) -> None:
        self.returned.append(message.id)


class FakeJournal:
    """Writes when told; ``broken`` fails each record."""

    def __init__(self) -> None:
        self.available = True
        self.broken = False
        self.records: list[dict[str, Any]] = []
        self._queue: list[tuple[dict[str, Any], Any]] = []

    def enqueue(self, fields: bytes, waiter: Any, passed: str = "") -> None:
        self._queue.append((orjson.loads(b"{%b}" % fields), waiter))

    def settle(self, message_id: str, fields: bytes) -> None:
        self._queue.append((orjson.loads(b"{%b}" % fields), None))

    def append(self, record: dict[str, Any], then: Callable[[], None], failed: Callable[[Any], None]) -> None:
        self._queue.append((orjson.loads(orjson.dumps(record)), Called(then, failed)))

    def insist(self, record: dict[str, Any]) -> None:
        self._queue.append((orjson.loads(orjson.dumps(record)), None))

    def write(self) -> None:
        queue, self._queue = self._queue, []
        for record, waiter in queue:
            if not self.broken:
                self.records.append(record)
                if waiter is not None:
                    waiter.on_written()
            elif waiter is not None:
                waiter.on_unwritten(OSError("full"))


def rules() -> list[Rule]:
    return [
        Rule("block", "reject", "reject", block.Options(), "agreement 6.1"),
        Rule("keywords", "reject", "reject", keywords.Options(("spam",)), "agreement 3.1"),
        Rule("keywords", "mask", "reject", keywords.Options(("abuse",)), "agreement 3.3"),
    ]


class Bench:
    """A worker's sockets, with clock, state and journal in the test's hands."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.time = 100.0
        self.sweep = Sweep(loop, lambda: self.time)
        self.turns = Turns(loop, ServerSettings(turn_requests=1 << 20, turn_frames=1 << 20, turn_bytes=1 << 40))
        self.state = FakeState()
        self.journal = FakeJournal()
        self.metrics = WorkerMetrics()
        self.timers = Timers()
        self.pipeline = Pipeline(cast(Any, self.state), cast(Any, self.journal), self.metrics, cast(Any, self.timers))
        self.sockets = Sockets(self.pipeline, self.metrics.refused_requests, self.metrics.socket_ends, self.sweep)
        self._ids = itertools.count(1)

    def route(self, *, habits: Habits | None = None, shapes: AnswerShapes | None = None, words: str = "spam",
              language: str | None = None, consecutive: int = 1, crowd: bool = False,
              fresh: Callable[[], bool] | None = None, whoami: Any = None, more: Sequence[Rule] = (),
              delay: float = 0.0, **surface: Any) -> Route:  # fmt: skip
        """A judged WebSocket route; ``surface`` are settings that differ from those of JSON chat frames."""
        together = [Rule("crowd", "reject", "pass", CrowdOptions(("spam",)), "agreement 3", "shadow")] if crowd else []
        policy = Policy("chat", "digest", [*rules(), *together, *more])
        lists = [of_words([word], folding_tables(), name) for word, name in ((words, "spam"), ("idiot", "abuse"))]
        settings: dict[str, Any] = {
            "name": "chat", "surface": "group", "sender": ("header:X-User-Id",), "room": ("path:room",),
            "text": ("json:/content",), "message_when": {"/type": ("message",)}, "relay_when": {"/type": ("ping",)},
        }  # fmt: skip
        reaching = [(lists[0], Window())] if consecutive > 1 else []
        route = Route(
            name="chat",
            settings=RouteSettings.model_construct(name="chat", match="GET /groups/{room}/ws", language=language),
            surface=compiled(SurfaceSettings(**(settings | surface)), lambda: f"id-{next(self._ids)}", lambda: 10**15),
            policy=policy,
            scanner=Scanner(lists, False, Bounds(), folding_tables()),
            basis=Basis("chat", "group", policy, {one.name: one.digest for one in lists}, delay=delay),
            upstream=cast(Any, None),
            upstream_seconds=self.metrics.upstream_seconds.of("platform"),
            trusted=TrustedProxies(),
            appeal=AppealAddress("https://p.example/appeal?message={id}"),
            cors=None,
            shapes=shapes,
            passed=self.metrics.messages.of(("chat", "pass", "")),
            fresh=fresh,
            consecutive=Consecutive(reaching, Bounds()) if reaching else None,
            crowd=Consecutive([(lists[0], Window())], Bounds()) if crowd else None,
            socket=SocketSide(habits or Habits(), Origins()),
            whoami=whoami,
            delay=delay,
        )
        self.sockets.routes = {"chat": route}
        return route

    def open(
        self, route: Route | None = None, sender: str = "alice", room: str = "g1", accept: bytes = b"",
        cookie: bytes = b"",
    ) -> Client:  # fmt: skip
        """An open judged socket."""
        fields = {b"x-user-id": sender.encode()} if sender else {}
        if cookie:
            fields[b"cookie"] = cookie
        if accept:
            fields[b"accept-language"] = accept
        arrived = Arrived(b"GET", fields, parameters={"room": room}, peer_ip="192.0.2.1", peer_trusted=True)
        return Client(self, Session(self.sockets, route or self.route(), arrived), extensions=False)

    def tunnel(self, habits: Habits | None = None, *, extensions: bool = False) -> Client:
        """An open socket that nobody judges."""
        return Client(self, Link(self.sockets, "open", habits or Habits()), extensions=extensions)

    def judge(self, count: int | None = None, facts: Facts = Facts()) -> None:  # noqa: B008
        """Tell the facts of the first ``count`` messages that wait, of all where None, and write the journal."""
        waiting = self.state.waiting
        for _ in range(len(waiting) if count is None else count):
            waiting.pop(0)[1](facts)
        self.journal.write()
        self.journal.write()  # outcomes

    def advance(self, seconds: float) -> None:
        """Let time pass, tick by tick, and one look more."""
        for _ in range(round(seconds / TICK) + LOOKS):
            self.time += TICK
            self.sweep.tick()

    def outcomes(self) -> dict[str, str]:
        return {one["id"]: one["state"] for one in self.journal.records if one["kind"] == "outcome"}

    def verdicts(self) -> list[str]:
        return [one["verdict"] for one in self.journal.records if one["kind"] == "judged"]


class Client:
    """Both ends of one link: what the client sends and gets, what the upstream gets and sends."""

    def __init__(self, bench: Bench, link: Any, *, extensions: bool) -> None:
        self.bench = bench
        self.link = link
        self.transport = FakeTransport()
        self.upstream = FakeTransport()
        released = self.released = list[str]()
        taken = TakenOver(self.transport, b"", lambda: released.append("client"), bench.turns.account("192.0.2.1"))
        link.open(taken, b"101", self.upstream, b"", lambda: released.append("upstream"), extensions=extensions)
        assert self.transport.written == b"101"
        self.transport.written = b""
        self._down = FrameParser(masked=False, max_message=1 << 24)
        self._up = FrameParser(masked=True, max_message=1 << 24)

    # the client's end

    def send(self, data: bytes, step: int = 0) -> bytes:
        """Bytes of the client; gives them back."""
        for at in range(0, len(data), step or len(data) or 1):
            self.link.data_received(data[at : at + (step or len(data))])
        return data

    def say(self, content: str, **more: Any) -> bytes:
        """A message in a frame; gives the frame."""
        payload = orjson.dumps({"type": "message", "content": content, **more})
        return self.send(masked_frame(TEXT, payload, key=KEY))

    def close(self, code: int = 1000) -> bytes:
        return self.send(masked_frame(CLOSE, close_payload(code), key=KEY))

    def ping(self, payload: bytes = b"?") -> bytes:
        return self.send(masked_frame(PING, payload, key=KEY))

    def pong(self, payload: bytes) -> bytes:
        return self.send(masked_frame(PONG, payload, key=KEY))

    def got(self) -> list[Any]:
        """What the client got since the last time: decoded JSON of text frames, (opcode, payload) of others."""
        events = self._down.feed(self._take(self.transport))
        assert all(isinstance(event, SocketMessage | ControlFrame) for event in events), events
        return [orjson.loads(event.payload) if event.opcode == TEXT else (event.opcode, event.payload)
                for event in cast(Any, events)]  # fmt: skip

    def told(self) -> list[tuple[str, str]]:
        """The notices among what the client got: (verdict, reason)."""
        return [(one["verdict"], one["reason"]) for one in self.got() if isinstance(one, dict) and "verdict" in one]

    # the upstream's end

    def arrives(self, data: bytes, step: int = 0) -> bytes:
        """Bytes of the upstream."""
        for at in range(0, len(data), step or len(data) or 1):
            self.link.relay.data_received(data[at : at + (step or len(data))])
        return data

    def reached(self) -> bytes:
        """What reached the upstream since the last time."""
        return self._take(self.upstream)

    def contents(self) -> list[Any]:
        """The contents of the messages that reached the upstream since the last time; control frames as opcodes."""
        events = cast(Any, self._up.feed(self.reached()))
        return [orjson.loads(event.payload)["content"] if event.opcode in (TEXT, BINARY) else event.opcode
                for event in events]  # fmt: skip

    @staticmethod
    def _take(transport: FakeTransport) -> bytes:
        data, transport.written = transport.written, b""
        return data


def closing(code: int, reason: str = "") -> tuple[int, bytes]:
    return CLOSE, close_payload(code, reason)


@pytest.fixture
def close_of() -> Callable[..., tuple[int, bytes]]:
    """What ``Client.got`` gives of a close frame."""
    return closing


@pytest.fixture
def server_frame() -> Callable[..., bytes]:
    return frame


@pytest.fixture
def blocked() -> Facts:
    """Facts that say that the sender is blocked."""
    return BLOCKED


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(asyncio.get_running_loop())
    yield made
    made.sweep.unwatch(made.sockets._look)
