"""The loads over WebSockets, against the platform they are made for and against servers that do wrong."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from benchmarks.load.faults import Refused, WrongAnswer
from benchmarks.measuring.measure import Bench
from benchmarks.systems.nginx import Direct
from benchmarks.websocket import chat, chatserver, measure
from benchmarks.websocket.chatserver import ChatServer, Peer
from benchmarks.websocket.expectations import answer, hold, passed
from benchmarks.websocket.opening import open_all
from gateway.websocket.frames import frame
from gateway.websocket.opcodes import PING, TEXT


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[ChatServer]:
    server = ChatServer(tmp_path_factory.mktemp("platform"), "0")
    yield server
    server.stop()


@pytest.fixture
def bench(platform) -> Bench:
    return Bench(platform, "0", iter(range(1, 100)).__next__)


class Fake:
    """A platform in a thread that answers every frame with ``answer``; it counts what it was told."""

    def __init__(self, answer: bytes) -> None:
        self.port = 0
        self.heard = 0
        self._everybody: set[asyncio.Transport] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        fake = self

        class Odd(Peer):
            def _received(self, opcode: int, payload: bytes) -> None:
                fake.heard += 1
                self._transport.write(answer)

        async def serve() -> None:
            self._server = await self._loop.create_server(lambda: Odd(self._everybody), "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            self._ready.set()

        def run() -> None:
            self._loop.run_until_complete(serve())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5)

    def pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        if self._loop.is_closed():
            return

        def end() -> None:
            self._server.close()
            for transport in self._everybody:
                transport.abort()
            self._loop.call_soon(self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def fake() -> Iterator[object]:
    started: list[Fake] = []

    def start(answer: bytes) -> Fake:
        started.append(Fake(answer))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_the_platform_speaks_with_an_independent_client(platform) -> None:
    url = f"ws://127.0.0.1:{platform.port}"
    with (
        connect(f"{url}/groups/1", compression=None, proxy=None) as one,
        connect(f"{url}/groups/2", compression=None, proxy=None) as two,
        connect(f"{url}/announce", compression=None, proxy=None) as host,
    ):
        for text in ("嗨", "x" * 125, "y" * 126, "z" * 60_000):
            one.send(text)
            assert one.recv(5) == text
        host.send("to all")
        assert one.recv(5) == two.recv(5) == "to all"
        with pytest.raises(TimeoutError):
            host.recv(0)
        assert one.ping().wait(5)


def test_the_platform_answers_no_plain_request(platform) -> None:
    with socket.create_connection(("127.0.0.1", platform.port), timeout=5) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert peer.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_messages_differ_and_the_same_seed_gives_the_same() -> None:
    def texts(seed: int) -> list[bytes]:
        source = chat.messages(seed)
        return [next(source).back for _ in range(300)]

    assert len({*texts(1), *texts(2)}) == 600
    assert texts(1) == texts(1)


def test_a_closed_load_counts_what_comes_back(bench) -> None:
    told = measure.judged(bench, Direct(bench.upstream.port), sessions=5, seconds=0.3)
    assert told["per_second"] > 100
    assert told["us"]["upstream"] > 0
    assert told["us"]["load"] > 0
    assert told["us"]["gateway"] == 0  # there is none


def test_an_open_load_keeps_its_rate(bench) -> None:
    told = measure.judged(bench, Direct(bench.upstream.port), sessions=5, seconds=0.5, rate=200)
    assert told["offered"] == 200
    assert 20 < told["per_second"] < 400
    assert 0 < told["p50_us"] <= told["p99_us"]


def test_a_wrong_answer_ends_the_measurement(bench, fake) -> None:
    with pytest.raises(WrongAnswer, match="limit"):
        measure.judged(bench, Direct(fake(frame(TEXT, b'{"reason":"limit"}')).port), sessions=2, seconds=0.2)


def test_a_broadcast_reaches_every_viewer(bench) -> None:
    told = measure.broadcast(bench, Direct(bench.upstream.port), viewers=20, seconds=0.3)
    assert told["per_second"] >= 20
    assert 0 < told["p50_us"] <= told["p99_us"]


def test_sessions_that_say_nothing_hear_all(bench, monkeypatch) -> None:
    monkeypatch.setattr(measure, "PER_PROCESS", 30)
    monkeypatch.setattr(measure, "SETTLED", 0.0)
    told = measure.idle(bench, Direct(bench.upstream.port), sessions=50, rate=500)  # type: ignore[arg-type]
    assert told["missing"] == 0
    assert told["sessions"] == 50
    assert told["opened_per_second"] > 10
    assert told["broadcast_us"] > 0


def test_a_refused_handshake_says_why(fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def refuse() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(Refused, match="403 Forbidden"):
            open_all(port, [chat.group(1)])
        thread.join()
    with pytest.raises(Refused, match=r"ECONNREFUSED|closed"):
        open_all(port, [chat.group(1)])


def test_a_load_that_cannot_begin_is_no_result(bench, fake) -> None:
    odd = fake(b"")
    odd.stop()
    with pytest.raises(WrongAnswer):
        measure.judged(bench, Direct(odd.port), sessions=2, seconds=0.2)


def test_a_ping_is_answered_and_is_no_message(fake) -> None:
    said = chat.said("hello")
    odd = fake(frame(PING, b"tidegate") + said.back)
    (peer,) = open_all(odd.port, [chat.group(1)]).peers
    with peer:
        assert answer(peer, said) == said.back[2:]
    payloads, due = chat.answered(frame(PING, b"tidegate") + said.back)
    assert payloads == [said.back[2:]]
    assert due[0] == 0x8A
    with pytest.raises(ValueError, match="amid"):
        chat.answered(said.back[:-1])


def test_what_passed_and_what_was_refused_are_told_apart() -> None:
    said = chat.said("hello")
    assert passed(said, said.back[2:])
    assert not passed(said, b'{"reason":"keyword.match"}')
    for odd in (b"hello", b"{}", b"[]", b'"x"'):
        with pytest.raises(WrongAnswer):
            passed(said, odd)


def test_a_platform_alone_checks_nothing(platform) -> None:
    direct = Direct(platform.port)
    hold(direct, "赌博")
    direct.checks = "plain"
    with pytest.raises(WrongAnswer, match="passed a sender nobody knows"):
        hold(direct, "赌博")


def test_scratch_keeps_the_platforms_log(tmp_path: Path) -> None:
    server = chatserver.ChatServer(tmp_path, "0")
    server.stop()
    assert (tmp_path / "chatserver.log").read_bytes() == b""
