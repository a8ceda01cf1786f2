"""Accepting without descriptors, with connections that are gone, and with a worker that is full."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.http.accepting.acceptor import AT_ONCE, Acceptor, Announced
from gateway.http.accepting.certificates import Certificates, ListeningTlsSettings
from gateway.http.wire.peers import TrustedProxies
from tests.certificates import make

PEER = ("127.0.0.1", 40000)


class Listening:
    """A listener that gives what it is told to; ``loop`` watches a real descriptor of its own."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.ours, self.theirs = socket.socketpair()
        self.closed = False

    def fileno(self) -> int:
        return self.ours.fileno()

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if not self.script:
            raise BlockingIOError
        one = self.script.pop(0)
        if isinstance(one, Exception):
            raise one
        return one, PEER

    def close(self) -> None:
        self.closed = True
        self.ours.close()
        self.theirs.close()


class Counting:
    """The server that is asked."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.asked: list[str] = []
        self.open = 0
        self.refused: list[str] = []
        self.made: list[Announced] = []
        self.begun = asyncio.Event()
        self.spent = False
        self.waiting: list[Any] = []

    def announced(self, announced: Announced) -> asyncio.BaseProtocol:
        self.made.append(announced)
        self.begun.set()
        return asyncio.Protocol()

    def arrived(self, ip: str) -> Callable[[], None] | None:
        self.asked.append(ip)
        if self.full:
            return None
        self.open += 1

        def over() -> None:
            self.open -= 1

        return over

    def begins(self, ip: str, waiting: Any) -> bool:
        if self.spent and ip:
            self.waiting.append(waiting)
        return not (self.spent and ip)

    def count_refusal(self, reason: str) -> None:
        self.refused.append(reason)


def acceptor(listening: Listening, server: Counting, *peers: str, timeout: float = 30.0) -> Acceptor:
    named = TrustedProxies(peers or ("127.0.0.0/8",))
    return Acceptor(listening, server, certificates=None, peers=named, timeout=lambda: timeout, closing=lambda: timeout)  # type: ignore[arg-type]


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    return ours, theirs


async def test_what_it_names_is_handed_on() -> None:
    ours, theirs = pair()
    server = Counting()
    made = acceptor(Listening(ours), server)
    theirs.send(b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n")
    made.accept()
    await asyncio.wait_for(server.begun.wait(), 10)
    assert (server.made[0].ip, server.made[0].secure, server.asked) == ("192.0.2.7", False, [""])
    made.close()
    theirs.close()


async def test_no_more_than_its_turn() -> None:
    pairs = [pair() for _ in range(AT_ONCE + 3)]
    listening = Listening(*(ours for ours, _ in pairs))
    server = Counting()
    made = acceptor(listening, server)
    made.accept()
    assert (server.open, len(listening.script)) == (AT_ONCE, 3)
    made.accept()
    assert server.open == AT_ONCE + 3
    made.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (server.open, listening.closed) == (0, True)
    for ours, theirs in pairs:
        assert ours.fileno() == -1
        theirs.close()


async def test_what_is_gone_before_it_is_accepted_is_passed_over() -> None:
    ours, theirs = pair()
    server = Counting()
    made = acceptor(Listening(OSError(errno.ECONNABORTED, "gone"), ours), server)
    made.accept()
    assert server.open == 1
    made.close()
    theirs.close()
    await asyncio.sleep(0)


async def test_without_descriptors_accepting_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    later: list[Callable[[], None]] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda _, call: later.append(call))
    ours, theirs = pair()
    server = Counting()
    made = acceptor(Listening(OSError(errno.EMFILE, "none left"), ours), server)
    made.accept()
    assert (server.open, len(later)) == (0, 1)
    later[0]()
    made.accept()
    assert server.open == 1
    made.close()
    later[0]()  # closed meanwhile: it stays so
    theirs.close()
    await asyncio.sleep(0)


async def test_strangers_and_those_beyond_the_bound_are_closed() -> None:
    for server, peers in ((Counting(), ["10.0.0.0/8"]), (Counting(full=True), [])):
        ours, theirs = pair()
        made = acceptor(Listening(ours), server, *peers)
        made.accept()
        assert ours.fileno() == -1
        assert server.refused == (["proxy.stranger"] if peers else [])
        made.close()
        theirs.close()


@pytest.mark.parametrize(
    ("sent", "reason"), [(b"GET /", "proxy.malformed"), (b"PROXY TCP", "proxy.timeout"), (None, "proxy.cut_off")]
)
@pytest.mark.parametrize("secure", [False, True])
async def test_why_it_never_began(sent: bytes | None, reason: str, secure: bool) -> None:
    """By the step that failed: with TLS behind the header it is no handshake that did."""
    ours, theirs = pair()
    server = Counting()
    made = acceptor(Listening(ours), server, timeout=0.05)
    made._certificates = pytest.fail if secure else None
    if sent is None:
        theirs.close()
    else:
        theirs.send(sent)
    made.accept()
    (task,) = made._tasks
    await asyncio.wait_for(task, 10)
    assert (server.refused, server.open, server.made) == ([reason], 0, [])
    made.close()
    theirs.close()


async def test_a_handshake_that_ends_behind_a_header(tmp_path: Path) -> None:
    certificates = Certificates(ListeningTlsSettings((make(tmp_path, "a.example"),)))
    for sent in (b"no hello", b""):
        ours, theirs = pair()
        server = Counting()
        made = acceptor(Listening(ours), server)
        made._certificates = lambda: certificates
        theirs.send(b"PROXY UNKNOWN\r\n" + sent)
        theirs.close()
        made.accept()
        (task,) = made._tasks
        await asyncio.wait_for(task, 10)
        assert (server.refused, server.open) == (["tls.handshake"], 0)
        made.close()


def open_acceptor(listening: Listening, server: Counting) -> Acceptor:
    """Of an address where nobody names anybody: connections are their peers' own."""
    return Acceptor(listening, server, certificates=None, peers=None, timeout=lambda: 30.0, closing=lambda: 30.0)  # type: ignore[arg-type]


async def test_whose_address_has_had_its_share_begins_in_its_turn() -> None:
    pairs = [pair() for _ in range(AT_ONCE + 3)]
    server = Counting()
    made = open_acceptor(Listening(*(ours for ours, _ in pairs)), server)
    server.spent = True
    made.accept()
    # All are taken from the kernel's queue, and counted: who comes behind them does not wait for them.
    assert (server.open, len(server.waiting), server.asked[0]) == (len(pairs), len(pairs), PEER[0])
    first = server.waiting[0]
    first.go_on()
    assert server.waiting[-1] is first  # it waits again
    server.spent = False
    first.go_on()
    await asyncio.wait_for(server.begun.wait(), 10)
    assert [(one.charged, one.secure) for one in server.made] == [(True, False)]
    made.close()
    assert all(ours.fileno() == -1 for ours, _ in pairs[1:])
    for waiting in server.waiting[1:-1]:
        waiting.go_on()  # it was its turn when nobody accepted any more
    await asyncio.sleep(0)
    assert (server.open, len(server.made)) == (0, 1)
    for _, theirs in pairs:
        theirs.close()
