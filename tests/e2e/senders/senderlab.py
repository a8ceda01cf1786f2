"""A platform that knows people by opaque credentials, and a node in front of it that has to ask."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from rig.ports import free_port
from tests.e2e.node import Node
from tests.e2e.upstream import Received, Upstream, serve

CONFIG = """
[server]
listen = "127.0.0.1:{port}"
workers = {workers}
trusted_proxies = ["127.0.0.2"]
[control]
listen = "127.0.0.1:{control}"
[state]
deadline = "5s"
[upstreams.platform]
servers = ["http://127.0.0.1:{upstream}"]
max_connections = 512
passive = {{ failures = 0 }}
[lists.spam]
path = "spam.txt"
[policies.comment]
appeal = "off"
rules = [
  {{ check = "block",    action = "reject", on_error = "reject", ground = "agreement 6.1" }},
  {{ check = "limit",    action = "reject", on_error = "pass",   ground = "agreement 4", limits = ["sender 1000/1s"] }},
  {{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }},
]
[[routes]]
name = "comments"
match = "POST /comments/{{room}}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = {sender}
text = "json:/content"
relay_when = {{ "/type" = "ping" }}
message_when = {{ "/type" = "comment" }}
[routes.whoami]
ask = "GET /me"
credentials = {credentials}
id = "json:/user/id"
{whoami}
"""

KEPT = 'on_error = "reject"\nlogout = ["POST /logout"]\n'


class Community(Upstream):
    """Sessions by cookie. ``people``: session → id. ``questions``: how often each was asked for. ``mood``: what it does
    with a question instead of answering, where it does anything."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, Any] = {}
        self.questions: Counter[str] = Counter()
        self.asked_with: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.delay = 0.0
        self.mood: Any = None
        self.held: dict[str, asyncio.Event] = {}  # by how a request's line begins: it is answered behind that
        self.behave = self.answer

    async def answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _session(request)
        if request.line.startswith("GET /me "):
            self.questions[session] += 1
            self.asked_with.append(request.headers)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._holds(request)
                if self.mood is not None:
                    await self.mood(writer)
                elif session in self.people:
                    _write(writer, 200, {"user": {"id": self.people[session]}})
                else:
                    _write(writer, 401, {"error": "log in"})
            finally:
                self.at_once -= 1
        elif request.line.startswith("POST /logout "):
            await self._holds(request)
            self.people.pop(session, None)
            _write(writer, 200, {})
        else:
            _write(writer, 201, {"id": 1})
        await writer.drain()

    async def _holds(self, request: Received) -> None:
        for begins, event in self.held.items():
            if request.line.startswith(begins):
                await event.wait()

    @property
    def published(self) -> list[Received]:
        """The messages that reached it."""
        return [one for one in self.received if one.line.startswith("POST /comments/")]


def _session(request: Received) -> str:
    for pair in request.headers.get("cookie", "").split("; "):
        name, _, value = pair.partition("=")
        if name == "session":
            return value
    return request.headers.get("authorization", "")


def _write(writer: asyncio.StreamWriter, status: int, document: Any, lines: str = "") -> None:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


class SenderLab:
    """The node and its platform."""

    def __init__(self, node: Node, community: Community, config: Path) -> None:
        self.node = node
        self.community = community
        self.config = config

    def records(self) -> list[dict[str, Any]]:
        """Verdicts, in their order."""
        return [one for one in self.node.records() if one["kind"] == "judged"]


@contextlib.asynccontextmanager
async def sender_lab(
    folder: Path,
    *,
    sender: str = '"whoami:"',
    credentials: str = '"cookie:session"',
    whoami: str = KEPT,
    workers: int = 1,
    more: str = "",
) -> AsyncIterator[SenderLab]:
    """A running node in front of a community that knows ``s-alice`` and ``s-bob``."""
    community = Community()
    community.people |= {"s-alice": "alice", "s-bob": "bob"}
    ports = free_port(), free_port()
    async with serve(upstream=community):
        (folder / "spam.txt").write_text("代开发票\n", encoding="utf-8")
        path = folder / "tidegate.toml"
        path.write_text(
            CONFIG.format(
                port=ports[0], control=ports[1], upstream=community.port, workers=workers, sender=sender,
                credentials=credentials, whoami=whoami,
            )
            + more,
            encoding="utf-8",
        )  # fmt: skip
        node = Node(folder / "data", "run", "--config", str(path), port=ports[0], control_port=ports[1])
        await node.start()
        try:
            yield SenderLab(node, community, path)
        finally:
            await node.stop()
