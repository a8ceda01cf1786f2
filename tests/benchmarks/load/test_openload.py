"""The open-model load, against a small server that stalls when told to."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.load import command, load
from benchmarks.systems.expectations import whole
from rig.comments import CREATED, Comments

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(CREATED), CREATED)
REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"


class Server:
    """Answers one request a read, on any number of connections, one at a time; ``stall`` holds it once. ``pieces``: how
    many writes an answer takes; ``last``: the request with this number is not answered, its connection closed."""

    def __init__(self, answer: bytes, stall: float = 0.0, pieces: int = 1, last: int = 0) -> None:
        self._answer = answer
        self._stall = stall
        self._size = -(-len(answer) // pieces) or 1
        self._last = last
        self.requests = 0
        self._peers: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer:
            while peer.recv(65536):
                with self._lock:  # one at a time, as in an event loop: a stall holds everybody
                    self.requests += 1
                    stall, self._stall = self._stall, 0.0
                    if stall:
                        time.sleep(stall)
                    if self.requests == self._last:
                        return
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for start in range(0, len(self._answer), self._size):
                    peer.sendall(self._answer[start : start + self._size])

    def hang_up(self) -> None:
        """Close what was accepted."""
        for peer in self._peers:
            peer.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[object]:
    servers: list[Server] = []

    def start(answer: bytes, **how: float) -> Server:
        servers.append(Server(answer, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def _load(port: int) -> dict[str, object]:
    argv = [
        sys.executable, "-m", "benchmarks.load.openload", "--port", str(port), "--rate", "200", "--seconds", "1",
        "--connections", "4",
    ]  # fmt: skip
    told: dict[str, object] = json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout)
    return told


def test_every_request_of_the_schedule_is_answered(serve) -> None:
    told = _load(serve(ANSWER).port)
    assert 100 < told["answered"] < 320  # a Poisson process of 200
    assert (told["wrong"], told["lost"], told["unanswered"]) == ({}, 0, 0)
    assert 0 < told["p50_us"] <= told["p99_us"] <= told["p999_us"] <= told["max_us"]


def test_nothing_is_sent_before_the_connections_stand_and_it_is_told_to_begin(serve) -> None:
    server = serve(ANSWER)
    entered: list[int] = []

    @contextmanager
    def during() -> Iterator[None]:
        entered.append(server.requests)
        yield
        entered.append(server.requests)

    told = load.openload(
        server.port, rate=200, seconds=0.5, cpus="0", seed=1, connections=4, during=during(), give_way=()
    )  # fmt: skip
    assert entered == [0, told["answered"]]
    assert told["answered"] > 40


def test_a_stall_counts_for_everything_that_was_due_meanwhile(serve) -> None:
    told = _load(serve(ANSWER, stall=0.7).port)
    # A closed model would have sent four requests into the stall, and its median would not know of it.
    assert told["p50_us"] > 100_000
    assert told["max_us"] > 650_000
    assert told["longest_gap_us"] > 650_000
    assert told["unanswered"] == 0


def test_another_status_is_wrong(serve) -> None:
    told = _load(serve(REFUSAL).port)
    assert told["wrong"] == {"403": told["answered"]}


@pytest.mark.parametrize(("answer", "wrong"), [(ANSWER, None), (REFUSAL, "403")])
def test_an_answer_that_comes_in_pieces_is_one(serve, answer: bytes, wrong: str | None) -> None:
    told = _load(serve(answer, pieces=len(answer)).port)
    assert told["answered"] > 100
    assert told["wrong"] == ({wrong: told["answered"]} if wrong else {})
    assert (told["lost"], told["unanswered"]) == (0, 0)


def test_a_lost_connection_is_told_and_the_others_go_on(serve) -> None:
    told = _load(serve(ANSWER, last=20).port)
    assert (told["wrong"], told["lost"], told["unanswered"]) == ({"closed": 1}, 1, 1)
    assert told["answered"] > 100


def test_where_every_connection_is_lost_the_load_ends(serve) -> None:
    server = serve(b"")  # it reads and never answers
    argv = [
        sys.executable, "-m", "benchmarks.load.openload", "--port", str(server.port), "--rate", "200", "--seconds", "9",
        "--connections", "4",
    ]  # fmt: skip
    began = subprocess.Popen(argv, stdout=subprocess.PIPE)
    try:
        while server.requests < 4:
            time.sleep(0.01)
        server.hang_up()
        told = json.loads(began.communicate(timeout=30)[0])
    finally:
        began.kill()
    assert (told["answered"], told["lost"], sum(told["wrong"].values())) == (0, 4, 4)


def test_an_open_load_runs_only_while_nobody_else_on_its_processor_wants_to(monkeypatch) -> None:
    """Not with a whole load: on a busy machine that would wait for the other tests to end."""

    class Started(Exception):
        pass

    def running(argv: list[str], cpus: str, give_way: tuple[str, ...]) -> None:
        shown = subprocess.run([*give_way, "sh", "-c", "chrt -p $$"], capture_output=True, text=True, check=True)
        assert "SCHED_IDLE" in shown.stdout
        raise Started

    monkeypatch.setattr(command, "running", running)
    with pytest.raises(Started):
        load.openload(1, rate=100, seconds=0.1, cpus="0", seed=1)


def test_a_closed_load_runs_like_everybody(serve) -> None:
    argv = ["benchmarks.load.openload", "--port", str(serve(ANSWER).port), "--rate", "1", "--seconds", "0", "--paced"]
    with command.running(argv, "0") as running:
        running.told()
        assert os.sched_getscheduler(running.pid) == os.SCHED_OTHER
        assert os.getpriority(os.PRIO_PROCESS, running.pid) == os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_answer_is_whole_at_its_last_byte(cut: int) -> None:
    assert not whole(ANSWER[:cut])
    assert whole(ANSWER)


def test_texts_are_never_the_same_and_of_the_length_asked_for() -> None:
    def texts(seed: int, characters: int, count: int = 200) -> list[str]:
        comments = Comments(seed, characters)
        return [json.loads(comments.next().partition(b"\r\n\r\n")[2])["content"] for _ in range(count)]

    made = [*texts(1, 0), *texts(2, 0), *texts(3, 0)]
    assert len(set(made)) == len(made)
    for characters in (10, 100, 2000):
        lengths = [len(text) for text in texts(4, characters)]
        assert sum(lengths) / len(lengths) == pytest.approx(characters, rel=0.3)


def test_a_request_is_framed_by_its_own_length() -> None:
    head, _, body = Comments(1).next().partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
