"""``python -m benchmarks.studies.attacks``: what one address can do to everybody else.

The demo runs with one worker. Somebody writes comments from an address of his own, calmly, which are judged, recorded
and refused, so that nothing hangs on the platform behind, which has no fair turns; beside him another address does its
worst, from one connection and from a thousand. Told is what he waits: p50, p99 and the longest, and the ratio
of p99 to that of calm. What is wanted is a ratio of three at most. The attacker stands back (nice 19), and so does the
platform, so that what is measured is the gateway's turns and not the machine's processors; where they are few, calm
itself is measured with a process that only burns time, so that the two are alike.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import Process
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from gateway.websocket.frames import masked_frame
from gateway.websocket.opcodes import CONTINUATION, PING, TEXT
from rig import node, process
from rig.ports import free_ports

WANTED = 3.0
RATE = 50.0  # comments a second of those who are attacked
PEOPLE = 25  # on so many connections
KEY = b"\x01\x02\x03\x04"
BURST = 3000  # requests or frames in one go

_HEAD = b"Host: 127.0.0.1\r\nX-User-Id: u%d\r\n"
_SHAKE = (
    b"GET /groups/1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User-Id: u1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Attack(NamedTuple):
    """``opening`` is sent once on each connection; ``burst`` again and again behind it."""

    name: str
    opening: bytes
    burst: bytes


def _comment(number: int, text: str) -> bytes:
    body = json.dumps({"content": text}).encode()
    head = b"POST /api/articles/1/comments HTTP/1.1\r\n%bContent-Type: application/json\r\n" % (_HEAD % number)
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


ATTACKS = (
    Attack("requests for the mirror", b"", b"GET /mirror/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * BURST),
    Attack("requests for the platform", b"", b"GET /articles/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * BURST),
    Attack("comments", b"", b"".join(_comment(150 + n % 50, f"again {n}") for n in range(BURST))),
    Attack("pings", _SHAKE, masked_frame(PING, b"", key=KEY) * BURST),
    Attack("frames that say nothing", _SHAKE, masked_frame(TEXT, b"{", key=KEY) * BURST),
    Attack("frames that are relayed", _SHAKE, masked_frame(TEXT, b'{"type":"ping"}', key=KEY) * BURST),
    Attack("frames to be judged", _SHAKE, masked_frame(TEXT, b'{"type":"message","content":"x"}', key=KEY) * BURST),
    Attack(
        "fragments of a byte",
        _SHAKE,
        (
            masked_frame(TEXT, b"{", key=KEY, final=False)
            + masked_frame(CONTINUATION, b"x", key=KEY, final=False) * 50
            + masked_frame(CONTINUATION, b"", key=KEY)
        )
        * (BURST // 50),
    ),
    Attack(
        "chunks of a byte",
        b"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n" * BURST * 10,
    ),
    Attack("heads byte by byte", b"", b""),
)


def blast(port: int, attack: Attack, connections: int) -> None:
    """Send as much as is taken, and throw away what comes; for ever."""
    os.nice(19)
    chooser = selectors.DefaultSelector()
    places: dict[socket.socket, tuple[bytes, int]] = {}

    def begin() -> None:
        made = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16 if connections > 1 else 1 << 20)
        made.connect_ex(("127.0.0.1", port))
        chooser.register(made, selectors.EVENT_READ | selectors.EVENT_WRITE)
        places[made] = (attack.opening + attack.burst, 0)

    def end(made: socket.socket) -> None:
        chooser.unregister(made)
        del places[made]
        made.close()
        begin()

    for _ in range(connections):
        begin()
    slow = memoryview(b"GET /articles/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    while True:
        for key, events in chooser.select():
            made = key.fileobj
            assert isinstance(made, socket.socket)
            try:
                if events & selectors.EVENT_READ and not made.recv(1 << 18):
                    end(made)
                    continue
                if events & selectors.EVENT_WRITE:
                    data, at = places[made]
                    if not data:
                        made.send(slow[at : at + 1])
                        places[made] = (b"", (at + 1) % len(slow))
                        continue
                    at += made.send(memoryview(data)[at:])
                    places[made] = (data, at) if at < len(data) else (attack.burst, 0)
            except BlockingIOError:
                continue
            except OSError:
                end(made)


def burn() -> None:
    """What an attacker costs the machine, without the attack."""
    os.nice(19)
    while True:
        time.perf_counter()


def waits(port: int, seconds: float) -> list[float]:
    """Seconds until each of the comments was answered, the time it was late for being sent included.

    Several people write in turn, each on a connection of his own, so that one slow answer makes no other one late.
    """
    told: list[float] = []
    began = time.perf_counter()
    number = int(seconds * RATE)
    people = [Thread(target=_person, args=(port, range(one, number, PEOPLE), began, told)) for one in range(PEOPLE)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    if len(told) != number:
        raise RuntimeError("somebody was not answered as he should be")
    return told


def _person(port: int, numbers: range, began: float, told: list[float]) -> None:
    with socket.socket() as made:
        made.bind(("127.0.0.2", 0))
        made.settimeout(30)
        made.connect(("127.0.0.1", port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in numbers:
            due = began + number / RATE
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            made.sendall(_comment(number % 100 + 1, f"calm {number} buy followers {time.time_ns()}"))
            answer = made.recv(65536)
            if not answer.startswith(b"HTTP/1.1 403"):
                raise RuntimeError(f"answered {answer[:200]!r}")
            told.append(time.perf_counter() - due)


@contextlib.contextmanager
def gateway() -> Iterator[int]:
    """The demo with one worker and no limits of messages; its port."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        gate, control, platform = free_ports(3)
        argv = [sys.executable, "-m", "benchmarks.studies.attacks", "--serve", scratch]
        argv += [str(port) for port in (gate, control, platform)]
        with (folder / "log").open("wb") as log:
            run = process.start(argv, stdout=subprocess.PIPE, stderr=log, cwd=process.ROOT)
        try:
            if not node.wait_until_ready(run, 60):
                raise RuntimeError((folder / "log").read_text()[-2000:])
            yield gate
        finally:
            process.stop(run, within=45)


def serve(folder: str, gate: str, control: str, platform: str) -> None:
    """Run the demo, with settings of our own."""
    import asyncio

    from gateway.common import posix
    from gateway.demo import command

    laid_out = command.lay_out

    def changed(data_dir: Path, addresses: command.Addresses) -> Path:
        config = laid_out(data_dir, addresses)
        text = config.read_text(encoding="utf-8").replace(
            "workers = 2", "workers = 1\nmax_connections_per_address = 2000"
        )
        text = text.replace('"sender 5/10s", "ip 1000/1m"', '"sender 1000/1s"').replace(
            'limit = "3/1m"', 'limit = "9999/1m"'
        )
        config.write_text(text, encoding="utf-8")
        return config

    python = posix.python
    vars(command)["python"] = lambda *argv: ["nice", "-n", "19", *python(*argv)]
    command.lay_out = changed
    addresses = command.Addresses(*(f"127.0.0.1:{port}" for port in (gate, control, platform)))
    asyncio.run(command.run(Path(folder) / "data", addresses))


def quantile(told: list[float], part: float) -> float:
    """Milliseconds below which that part of them lies."""
    ordered = sorted(told)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000


def measure(seconds: float, chosen: str, crowds: tuple[int, ...]) -> list[dict[str, object]]:
    """One row for calm, and one for each attack from so many connections."""
    rows: list[dict[str, object]] = []
    calm = _alone([_burning] * (os.cpu_count() or 1), seconds)
    for name, told in (("calm", calm), ("idle", _alone([], seconds))):
        rows.append(_row(name, 0, told, calm))
        print(json.dumps(rows[-1]), flush=True)
    for attack in ATTACKS:
        for connections in crowds if chosen in attack.name else ():
            told = _alone([partial(_attacking, attack, connections)], seconds)
            rows.append(_row(attack.name, connections, told, calm))
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _burning(_port: int) -> Process:
    return Process(target=burn, daemon=True)


def _attacking(attack: Attack, connections: int, port: int) -> Process:
    return Process(target=blast, args=(port, attack, connections), daemon=True)


def _alone(others: Sequence[Callable[[int], Process]], seconds: float) -> list[float]:
    """What is waited beside others on a gateway of its own: what another attack left to do would count as theirs."""
    with gateway() as port:
        waits(port, 2.0)  # connections, pools and caches
        running = [other(port) for other in others]
        for other in running:
            other.start()
        try:
            time.sleep(1.0)
            return waits(port, seconds)
        finally:
            for other in running:
                other.kill()
                other.join()


def _row(name: str, connections: int, told: list[float], calm: list[float]) -> dict[str, object]:
    p99 = quantile(told, 0.99)
    ratio = p99 / quantile(calm, 0.99)
    return {
        "attack": name,
        "connections": connections,
        "p50_ms": round(quantile(told, 0.5), 2),
        "p99_ms": round(p99, 2),
        "longest_ms": round(max(told) * 1000, 2),
        "ratio": round(ratio, 2),
        "as_wanted": ratio <= WANTED,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.attacks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    parser.add_argument("--only", default="", help="attacks with this in their name")
    parser.add_argument("--connections", default="1,1000", help="from so many connections, each")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(*asked.serve)
        return 0
    rows = measure(asked.seconds, asked.only, tuple(int(number) for number in asked.connections.split(",")))
    return 0 if all(row["as_wanted"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
