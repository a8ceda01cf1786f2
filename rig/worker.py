"""One worker without its system calls: the real objects, from the bytes of a client's request to those of its answer.

Only the three sockets are feigned. 64 connections; a turn of the event loop carries 16 messages, each from another
person with another text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from gateway.common.folders import Folders
from gateway.generation import generation
from gateway.http.server.server_protocol import ServerProtocol
from gateway.http.upstream.connection import UpstreamConnection
from gateway.journal.write.ids import Ids
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.state.hot.server_link import _Wire
from gateway.state.hot.state_client import StateClient
from gateway.state.model.settings import Address, Credentials, StateSettings
from gateway.worker.app import App
from rig import rules, words
from rig.comments import CREATED, Comments
from rig.configuration import CONFIGURATION

CONNECTIONS: Final = 64
TOGETHER: Final = 16
SLICE: Final = 4  # turns that are timed as one
STAGES: Final = ("request", "ask", "judge", "answer", "outcome")
"""Bytes to a scanned message; the call to state; its reply to the forwarded request, with the record between; the
upstream's answer to the client's; the second record."""

_ACCOUNT: Final = b"$6\r\n1 0 90\r\n"
ANSWER: Final = (
    b"HTTP/1.1 201 Created\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 01:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%b"
) % (len(CREATED), CREATED)


class Transport:
    """Takes what is written and tells how often that was."""

    def __init__(self) -> None:
        self.writes = 0
        self.last = b""

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.last = data

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 40000) if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """Nothing waits here."""

    def set_protocol(self, protocol: object) -> None:
        """Nobody is told anything."""

    def pause_reading(self) -> None:
        """Nothing is read from here."""

    resume_reading = abort = close = pause_reading


ENDLESS = "[server]\nturn_requests = 100000\nturn_frames = 1000000"
"""The loop's turns are feigned here, so that nobody would ever go on in the next one."""


class Course:
    """One worker with feigned sockets. ``answer``: how what a client gets ends."""

    answer = CREATED
    configuration = CONFIGURATION

    def __init__(self) -> None:
        self.requests = Comments(1)
        self.clients: list[ServerProtocol] = []
        self.transports: list[Transport] = []
        self.state = Transport()
        self.spent = dict.fromkeys(STAGES, 0.0)

    async def build(self, root: Path, listed: int = 20_000) -> None:
        """Make the worker's parts, with a list of that many words, and connect them to nothing."""
        loop = asyncio.get_running_loop()
        words.write(root / "words.txt", listed)
        (root / "tidegate.toml").write_text(
            self.configuration.format(
                port=1, control=2, upstream=3, workers=1, rules=",\n  ".join(rules.RULES),
                lists=f'[lists.words]\npath = "{root / "words.txt"}"',
            ).replace("[server]", ENDLESS),
            encoding="utf-8",
        )  # fmt: skip
        folders = Folders(root / "data")
        folders.make()
        number = generation.compile_here(root / "tidegate.toml", folders)
        compiled = generation.load(folders, number)
        ids = Ids(1, 1)
        self.journal = Writer(
            root / "journal", "node-1", 1, ids=ids, settings=JournalSettings(slow_write=60.0), loop=loop
        )
        self.journal.start()
        client = StateClient(_nowhere, Credentials(), StateSettings(), on_batch=self.journal.flush, epoch=1)
        self.link = link = client._link
        client._loop = link._loop = loop
        self.wire = link._wire = _Wire(link)
        self.wire.transport = self.state  # type: ignore[assignment]  # a feigned one
        link.up = link.msetex = True
        self.app = App(folders, 1, compiled.config, client, self.journal, ids)
        await self.app.load(compiled)
        for number in range(CONNECTIONS):
            self.connect(number)
        self.turns = cycle(
            [self.clients[start : start + TOGETHER] for start in range(0, CONNECTIONS, TOGETHER)]
        )  # fmt: skip

    def connect(self, number: int) -> None:
        """One client, and a connection to the platform."""
        pool = self.pool = self.app._upstreams["platform"].pools[0]
        transport = Transport()
        protocol = self.app.protocol()
        protocol.connection_made(transport)
        self.clients.append(protocol)
        self.transports.append(transport)
        connection = UpstreamConnection(pool)
        connection.connection_made(Transport())  # type: ignore[arg-type]
        pool.connections.add(connection)
        connection.keep_idle()
        pool.release(connection)

    async def turn(self, clients: list[ServerProtocol], requests: list[bytes]) -> None:
        """Carry one message for each of ``clients``, in the order in which an event loop would."""
        spent = self.spent
        clock = time.thread_time
        began = clock()
        for client, request in zip(clients, requests, strict=True):
            client.data_received(request)
        at = clock()
        spent["request"] += at - began
        await asyncio.sleep(0)
        now = clock()
        spent["ask"] += now - at
        reply = self.facts()
        busy = [connection for connection in self.pool.connections if connection.call is not None]
        assert not busy
        now = clock()
        self.link.received(self.wire, reply)
        at = clock()
        spent["judge"] += at - now
        busy = [connection for connection in self.pool.connections if connection.call is not None]
        assert len(busy) == len(clients)
        at = clock()
        for connection in busy:
            connection.data_received(ANSWER)
        now = clock()
        spent["answer"] += now - at
        await asyncio.sleep(0)
        spent["outcome"] += clock() - now

    def facts(self) -> bytes:
        """What state answers to all that was asked in this turn."""
        waiting = self.link.waiting
        return b"*%d\r\n:%d\r\n%b" % (waiting + 1, time.time_ns() // 1000, _ACCOUNT * waiting)

    def drawn(self) -> Iterator[tuple[list[ServerProtocol], list[bytes]]]:
        """The turns of one slice, drawn before it is timed."""
        for _ in range(SLICE):
            clients = next(self.turns)
            yield clients, [self.requests.next() for _ in clients]


async def _nowhere() -> Address:
    raise OSError("nothing is asked here")
