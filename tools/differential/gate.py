"""A running gate in front of the platforms, asked, and its journal read."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.journal.read.reader import merged
from rig import process
from rig.node import wait_until_ready
from rig.ports import free_ports
from tools.differential.corpus import FIELD, Sent
from tools.differential.places import program

TEXTS = {
    "both": '["json:/content", "form:content"]',
    "json": '"json:/content"',
    "form": '"form:content"',
    "nested": '["json:/comment/body", "form:comment[body]"]',
}
HEAD = """
[server]
listen = "127.0.0.1:{port}"
workers = 1
unmatched = "refuse"
max_connections_per_address = 1000
[control]
listen = "127.0.0.1:{control}"
[policies.open]
appeal = "off"
rules = []
"""
UPSTREAM = """
[upstreams.{name}]
servers = ["http://127.0.0.1:{port}"]
[upstreams.{name}.passive]
failures = 1000
"""
ROUTE = """
[[routes]]
name = "{name}-{kind}"
match = "POST /{name}/{kind}/{{room}}"
surface = "comment"
upstream = "{name}"
policy = "open"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
markup = "off"
content = "always"
text = {text}
"""
TOGETHER = 8  # connections to one platform
WITHIN = 20.0  # seconds for one answer


class Reading(NamedTuple):
    """What became of a request at a platform. ``answer``: the status; ``relayed``: it was judged and went on, and the
    platform answered as it does. ``judged``: texts of the journal; ``views``: what the platform read."""

    platform: str
    sent: Sent
    answer: int
    relayed: bool
    judged: tuple[str, ...]
    views: dict[str, list[str]]


def differs(reading: Reading) -> str:
    """The view that reads what was not judged; empty where none does."""
    if not reading.relayed:
        return ""
    judged = set(reading.judged)
    for name, texts in reading.views.items():
        if any(text not in judged for text in texts if text):
            return name
    return ""


class Gate:
    """The processes; they end with ``stack``."""

    def __init__(self, folder: Path, place: Path, names: Sequence[str], stack: ExitStack) -> None:
        self.folder = folder
        self.names = names
        self.port, control, *ports = free_ports(2 + len(names))
        text = HEAD.format(port=self.port, control=control)
        for name, port in zip(names, ports, strict=True):
            log = folder / f"{name}.log"
            with log.open("wb") as file:
                platform = process.start(program(name, place, port), stdout=file, stderr=subprocess.STDOUT)
            stack.callback(process.stop, platform)
            process.wait_for_port(port, platform, log)
            text += UPSTREAM.format(name=name, port=port)
            text += "".join(ROUTE.format(name=name, kind=kind, text=TEXTS[kind]) for kind in FIELD)
        config = folder / "tidegate.toml"
        config.write_text(text, encoding="utf-8")
        argv = [sys.executable, "-m", "gateway", "run", "--config", str(config), "--data-dir", str(folder / "data")]
        node = process.start(argv, stdout=subprocess.PIPE)
        stack.callback(process.stop, node)
        if not wait_until_ready(node, 60.0, folder / "data"):
            raise RuntimeError("the gate did not start")

    async def ask(self, sent: Sequence[Sent]) -> list[Reading]:
        """Send every request to every platform through the gate; then read what was judged."""
        queue = iter([(name, one) for one in sent for name in self.names])
        answers: list[tuple[str, Sent, int, str, dict[str, list[str]]]] = []

        async def work() -> None:
            for name, one in queue:
                answers.append((name, one, *await self._one(name, one)))

        await asyncio.gather(*(work() for _ in range(TOGETHER * len(self.names))))
        judged = self._judged()
        return [
            Reading(name, one, status, bool(message), judged[message] if message else (), views)
            for name, one, status, message, views in answers
        ]

    async def _one(self, name: str, sent: Sent) -> tuple[int, str, dict[str, list[str]]]:
        """The status, the message's id where the platform took it, and what the platform read."""
        target = f"/{name}/{sent.route}/1" + (f"?{sent.query}" if sent.query else "")
        lines = [f"POST {target} HTTP/1.1", "Host: a.example", "X-User-Id: alice", f"Content-Length: {len(sent.body)}"]
        lines += [f"{field}: {value}" for field, value in sent.lines]
        if not any(field == "Connection" for field, _ in sent.lines):
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(head + sent.body)
            writer.write_eof()
            try:
                answer = await reader.read()
            except ConnectionError:
                answer = b""
            writer.close()
        first, _, rest = answer.partition(b"\r\n")
        fields, _, body = rest.partition(b"\r\n\r\n")
        status = int(first.split()[1]) if first else 0
        if status != 201:
            return status, "", {}
        message = next(
            line.split(b":")[1].strip().decode()
            for line in fields.split(b"\r\n")
            if line.lower().startswith(b"tidegate-message-id:")
        )
        if b"transfer-encoding: chunked" in fields.lower():
            body = _unchunked(body)
        views: dict[str, list[str]] = orjson.loads(body)
        return status, message, views

    def _judged(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for entry in merged(self.folder / "data/journal", _broken):
            record: dict[str, Any] = entry.record
            if record["kind"] == "judged":
                found[record["id"]] = tuple(record["content"]["plain"])
        return found


def _broken(problem: object) -> None:
    raise RuntimeError(f"the journal is damaged: {problem}")


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            return whole
        whole += body[:length]
        body = body[length + 2 :]
