"""A whole node under test: real processes, real sockets, a folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from gateway.common import channel
from gateway.common.folders import Folders
from gateway.journal.write.encoding import decode

START_WITHIN = 180.0  # seconds: many processes start here, and many tests beside each other


class Answer:
    """One HTTP answer, read to its end. Field names in lower case."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.headers}, {self.body[:300]!r})"


async def read_answer(reader: asyncio.StreamReader, *, head_only: bool = False) -> Answer:
    """One final answer from a stream; 1xx ones are passed over."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip("\r\n").split("\r\n")
        status = int(status_line.split()[1])
        if status >= 200:
            break
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        before = headers.get(name.lower())  # several lines of one name are one list (RFC 9110 section 5.3)
        headers[name.lower()] = f"{before}, {value.strip()}" if before is not None else value.strip()
    if head_only or status in (204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    return Answer(status, headers, body)


class Node:
    """``tidegate`` run as a user would run it. ``arguments`` follow the command's name; ``cwd``: from where."""

    def __init__(self, data_dir: Path, *arguments: str, port: int, control_port: int, cwd: Path | None = None) -> None:
        self.folders = Folders(data_dir)
        self.port = port
        self.control_port = control_port
        self._arguments = arguments
        self._cwd = cwd
        self.tls: ssl.SSLContext | None = None
        self.control_tls: ssl.SSLContext | None = None
        self.env: dict[str, str] = {}  # beside ours
        self.program: Path | None = None  # of another version than this one
        self.within: tuple[str, ...] = ()  # a command that starts it somewhere else
        self.reach: Callable[[int], Awaitable[socket.socket]] | None = None  # how its ports are, from here
        self.process: asyncio.subprocess.Process | None = None
        self.printed: list[str] = []

    async def start(self) -> Node:
        """Start and wait until it says that it is ready: the demo by a line, ``run`` by its supervisor's socket."""
        if self.process is not None:  # it ended by itself, or was killed
            self.process._transport.close()  # type: ignore[attr-defined]
            self.log.close()
        self.log = (self.folders.root.parent / f"{self.folders.root.name}.log").open("ab")
        command = (sys.executable, "-m", "gateway") if self.program is None else (str(self.program),)
        self.process = await asyncio.create_subprocess_exec(
            *self.within, *command, *self._arguments, "--data-dir", str(self.folders.root),
            stdout=asyncio.subprocess.PIPE, stderr=self.log, start_new_session=True, cwd=self._cwd,
            env={**os.environ, **self.env},
        )  # fmt: skip
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(START_WITHIN):
                if self._arguments[0] == "run":
                    while self.process.returncode is None:
                        with suppress(OSError, channel.ChannelError):
                            if (await self.status()).get("ready"):
                                return self
                        await asyncio.sleep(0.02)
                while line := (await self.process.stdout.readline()).decode():
                    self.printed.append(line.rstrip())
                    if line == "ready\n":
                        return self
                # To its very end: a signal sent in between would reap it before the loop does, and lose its code.
                await self.process.wait()
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.stop()
            raise RuntimeError(f"not ready within {START_WITHIN:.0f} s: {self.printed} {self.told()}") from None
        raise RuntimeError(f"it ended before it was ready: {self.printed} {self.told()}")

    def told(self, *, everything: bool = False) -> str:
        """The end of what it said on standard error."""
        return Path(self.log.name).read_text(encoding="utf-8")[0 if everything else -4000 :]

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 60)
        # The pipe's transport must not outlive the loop.
        self.process._transport.close()  # type: ignore[attr-defined]
        self.log.close()
        return code

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the public side."""
        return await self._to(self.port, self.tls)

    async def _to(self, port: int, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = "localhost" if tls is not None else None
        if self.reach is not None:
            return await asyncio.open_connection(sock=await self.reach(port), ssl=tls, server_hostname=name)
        return await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)

    async def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        reader, writer = await self.connect()
        try:
            writer.write(request(method, path, body, headers))
            return await asyncio.wait_for(read_answer(reader, head_only=method == "HEAD"), 30)
        finally:
            writer.close()
            await writer.wait_closed()

    async def say(self, sender: str, content: Any, path: str = "/api/articles/1/comments", **headers: str) -> Answer:
        """A comment, as a browser would send it."""
        fields = {"Content-Type": "application/json", "X-User-Id": sender, **headers}
        return await self.ask("POST", path, json.dumps({"content": content}).encode(), fields)

    async def manage(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, raw: bytes | None = None
    ) -> Answer:
        """One request to the admin API as the first person."""
        token = token or (self.folders.control / "first-token").read_text().strip()
        reader, writer = await self._to(self.control_port, self.control_tls)
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        fields = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Connection": "close"}
        try:
            writer.write(request(method, path, data, fields))
            return await asyncio.wait_for(read_answer(reader), 30)
        finally:
            writer.close()
            await writer.wait_closed()

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series that have these labels."""
        text = (await self.manage("GET", "/metrics")).body.decode()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith((name + "{", name + " ")) and all(want in line for want in wanted)
        )

    async def status(self) -> dict[str, Any]:
        """What the supervisor says of its children."""
        return await channel.call(self.folders.supervisor_socket, {"command": "status"}, timeout=5)

    async def pids(self, prefix: str) -> dict[str, int]:
        """Process ids of the children whose name begins with ``prefix``."""
        children = (await self.status())["children"]
        return {name: child["pid"] for name, child in children.items() if name.startswith(prefix) and child["pid"]}

    def records(self) -> Iterator[dict[str, Any]]:
        """Every whole record of every journal folder."""
        for path in sorted((self.folders.root / "journal").rglob("*.jsonl")):
            with path.open("rb") as lines:
                for line in lines:
                    if line.endswith(b"\n"):
                        yield decode(line)


def request(method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    fields = {"Host": "127.0.0.1", **(headers or {})}
    if body is not None:
        fields["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + (body or b"")


def kill(pid: int) -> None:
    """SIGKILL."""
    os.kill(pid, signal.SIGKILL)
