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
from tools.differential.corpus import KINDS, Sent
from tools.differential.framing import framed
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
unmatched = "relay"
unmatched_upstream = "{first}"
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
match = "POST {name}.example/api/{kind}/{{room}}/comments"
surface = "comment"
upstream = "{name}"
policy = "open"
sender = "{sender}"
trust = ["127.0.0.0/8"]
markup = "off"
content = "always"
text = {text}
room_format = "{room_format}"
"""
EDITS = """
[[routes]]
name = "{name}-edits"
match = "PUT|PATCH {name}.example/edits/{{room}}"
surface = "comment"
upstream = "{name}"
policy = "open"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = ["json:/content", "form:content"]
"""
LIVE = """
[[routes]]
name = "{name}-live"
match = "GET {name}.example/live/{{room}}"
transport = "websocket"
surface = "comment"
upstream = "{name}"
policy = "open"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
markup = "off"
content = "always"
text = "json:/content"
"""
SENDERS = {"cookie": "cookie:user", "who": "json:/user"}
WHO = 'sender = ["json:/user", "form:user"]'
TOGETHER = 8  # connections to one platform
WITHIN = 20.0  # seconds for one answer
EDITING = "/edits/"
READING = ("GET", "HEAD", "OPTIONS")
WRITING = frozenset(("PUT", "PATCH"))


class Judged(NamedTuple):
    """What stands in the record of a message."""

    texts: tuple[str, ...]
    room: str
    sender: str


class Reading(NamedTuple):
    """What became of a request at a platform. ``answer``: the status; ``relayed``: the platform answered as it does.
    ``judged``: what the journal has of it, None where nobody judged it; ``views``: what the platform read: texts, and
    with an ``@`` before their names the room that its router finds, who sends, and the method it goes by."""

    platform: str
    sent: Sent
    answer: int
    relayed: bool
    judged: Judged | None
    views: dict[str, list[str]]


def differs(reading: Reading) -> str:
    """The view that reads what was not judged; empty where none does."""
    if not reading.relayed:
        return ""
    judged = reading.judged
    if judged is None:
        return _unjudged(reading)
    for name, texts in reading.views.items():
        if name.startswith("@method"):
            wrong = any(method != "POST" for method in texts)
        elif name.startswith("@room"):
            wrong = any(text != judged.room for text in texts)
        elif name.startswith("@sender"):
            wrong = any(text != judged.sender for text in texts)
        else:
            wrong = any(text not in judged.texts and _bytes_of(text) not in judged.texts for text in texts if text)
        if wrong:
            return name
    return ""


def _bytes_of(text: str) -> str | None:
    """The same bytes in UTF-8, of what a reader has taken for Latin-1; None where they are not."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return None


def _unjudged(reading: Reading) -> str:
    """The view by which a request that nobody judged is one that should have been."""
    reads = reading.sent.method in READING
    for name, found in reading.views.items():
        if name.startswith("@room") and found and not reads:
            return f"{name}, unjudged"
        editing = reading.sent.path.startswith(EDITING)
        if name.startswith("@method") and editing and any(method.strip().upper() in WRITING for method in found):
            return f"{name}, unjudged"
    return ""


class Gate:
    """The processes; they end with ``stack``."""

    def __init__(self, folder: Path, place: Path, names: Sequence[str], stack: ExitStack) -> None:
        self.folder = folder
        self.names = names
        self.port, control, *ports = free_ports(2 + len(names))
        text = HEAD.format(port=self.port, control=control, first=names[0])
        for name, port in zip(names, ports, strict=True):
            log = folder / f"{name}.log"
            with log.open("wb") as file:
                platform = process.start(program(name, place, port), stdout=file, stderr=subprocess.STDOUT)
            stack.callback(process.stop, platform)
            process.wait_for_port(port, platform, log)
            text += UPSTREAM.format(name=name, port=port)
            text += "".join(_route(name, kind) for kind in KINDS) + EDITS.format(name=name) + LIVE.format(name=name)
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
        judged = self.judged()
        return [
            Reading(name, one, status, status == 201, judged[message] if message else None, views)
            for name, one, status, message, views in answers
        ]

    async def _one(self, name: str, sent: Sent) -> tuple[int, str, dict[str, list[str]]]:
        """The status, the message's id where the platform took it, and what the platform read."""
        host = f"{name}.example"
        lines = [f"{sent.method} {sent.path.replace('HOST', host)} HTTP/1.1", f"Host: {host}", "X-User-Id: alice"]
        framing, body = framed(sent.body, sent.framing)
        lines += framing
        lines += [f"{field}: {value.replace('HOST', host)}" for field, value in sent.lines]
        if not any(field == "Connection" for field, _ in sent.lines):
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(head + body)
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
            (
                line.split(b":")[1].strip().decode()
                for line in fields.split(b"\r\n")
                if line.lower().startswith(b"tidegate-message-id:")
            ),
            "",
        )
        if b"transfer-encoding: chunked" in fields.lower():
            body = _unchunked(body)
        views: dict[str, list[str]] = orjson.loads(body)
        return status, message, views

    def judged(self) -> dict[str, Judged]:
        """What stands in the journal, by the message's id."""
        found: dict[str, Judged] = {}
        for entry in merged(self.folder / "data/journal", _broken):
            record: dict[str, Any] = entry.record
            if record["kind"] == "judged":
                texts = tuple(record.get("content", {}).get("plain", ()))
                found[record["id"]] = Judged(texts, record["room"], record["sender"])
        return found


def _route(name: str, kind: str) -> str:
    route = ROUTE.format(
        name=name, kind=kind, text=TEXTS.get(kind, TEXTS["both"]), sender=SENDERS.get(kind, "header:X-User-Id"),
        room_format="number" if kind == "number" else "keep",
    )  # fmt: skip
    return route.replace(f'sender = "{SENDERS["who"]}"', WHO)


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
