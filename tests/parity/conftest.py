"""A real server for the session, and calls of ``admit.lua`` that tell the server's time."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from filters.model.message import Message
from filters.model.rule import Asks
from filters.model.verdict import Facts, Scan
from gateway.state.cold import embedded
from gateway.state.hot.admit_arguments import encode
from gateway.state.hot.flight import AdmitBatch, Pending
from gateway.state.hot.plan import Plan
from gateway.state.hot.replies import read
from gateway.state.hot.scripts import ADMIT
from gateway.state.model.keys import Keys

EPOCH = 1


def ignore(*_: Any) -> None:
    pass


class Scripted:
    """``admit`` without the client: synchronous, and with the time that the script used."""

    def __init__(self, connection: redis.Redis) -> None:
        self.redis = connection
        self.keys = Keys()
        self.script = connection.register_script(ADMIT.text.decode())
        try:
            connection.execute_command("MSETEX", "1", "tg:probe", "1")
            self.knows_msetex = True
        except redis.exceptions.ResponseError:
            self.knows_msetex = False
        self.msetex = self.knows_msetex

    def clear(self) -> None:
        """An empty server with an epoch."""
        for key in self.redis.scan_iter(match="tg:*", count=1000):
            self.redis.delete(key)
        self.redis.set(self.keys.epoch, EPOCH)

    def admit(self, asks: Asks, messages: list[Message], scan: Scan | None = None) -> tuple[int, list[Facts]]:
        """The server's time in microseconds, and the facts of each message."""
        plan = Plan(asks, "comments", self.keys, EPOCH)
        batch = AdmitBatch(
            [Pending(plan, message, scan or Scan(), ignore) for message in messages], EPOCH, -1, ignore, ignore
        )
        encode(batch, self.keys, self.msetex)
        words = _words(batch.arguments)
        count = int(words[0])
        reply: Any = self.script(keys=words[1 : count + 1], args=words[count + 1 :])
        return reply[0], [read(shape, told) for shape, told in zip(batch.shapes, reply[1:], strict=True)]


def _words(arguments: bytes) -> list[bytes]:
    """Bulk strings, taken apart again."""
    words = []
    at = 0
    while at < len(arguments):
        end = arguments.index(b"\r\n", at)
        length = int(arguments[at + 1 : end])
        words.append(arguments[end + 2 : end + 2 + length])
        at = end + 4 + length
    return words


@pytest.fixture(scope="session", params=["packaged", "redis-server"])
def connection(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """Both engines: the packaged one, and Debian's where it is installed."""
    program = "" if request.param == "packaged" else request.param
    if program and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    folder = Path(tempfile.mkdtemp(prefix="tg"))
    process = subprocess.Popen(embedded.prepare(folder, memory=64 << 20, program=program), stdout=subprocess.DEVNULL)
    address, credentials = embedded.access(folder)
    client = redis.Redis(unix_socket_path=address.path, username=credentials.username, password=credentials.password)
    for _ in range(500):
        try:
            client.ping()
            break
        except redis.exceptions.ConnectionError:
            time.sleep(0.01)
    yield client
    client.close()
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder)


@pytest.fixture
def scripted(connection: redis.Redis) -> Scripted:
    return Scripted(connection)


Make = Callable[..., Message]
