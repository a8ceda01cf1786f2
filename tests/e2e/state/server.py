"""A state server of the operator's own, and a route on which every failure passes."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from redis.asyncio import Redis

from gateway.state.cold.embedded import binary

LENIENT = """
[policies.lenient]
appeal = "off"
rules = [
  { check = "identity", action = "reject", on_error = "pass", ground = "agreement 2.1" },
  { check = "block",    action = "reject", on_error = "pass", ground = "agreement 6.1" },
  { check = "limit",    action = "reject", on_error = "pass", ground = "agreement 4.2", limits = ["sender 10/1h"] },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
]
[[routes]]
name = "lenient"
match = "POST /api/lenient/{room}"
surface = "comment"
upstream = "platform"
policy = "lenient"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""


class Server:
    """A state server started by hand, always on one socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "own.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, empty: bool = False) -> None:
        """Returns when it listens."""
        if empty:
            (self.folder / "own.rdb").unlink(missing_ok=True)
        # It saves when it is told to, and not before.
        kept = ["--dbfilename", "own.rdb", "--dir", str(self.folder), "--save", ""]
        self._process = subprocess.Popen(
            [binary(), "--port", "0", "--unixsocket", str(self.socket), *kept],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 30
        while not self._listens():  # the socket of one that was killed is still there
            assert self._process.poll() is None, "the state server did not start"
            assert time.monotonic() < until, "the state server does not listen"
            time.sleep(0.01)

    def _listens(self) -> bool:
        with closing(socket.socket(socket.AF_UNIX)) as one:
            return one.connect_ex(str(self.socket)) == 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def ask(self, *command: str) -> object:
        client = Redis(unix_socket_path=str(self.socket))
        try:
            return await client.execute_command(*command)
        finally:
            await client.aclose()
