"""A node in front of a WebSocket platform of the test's own, made with an independent library."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from rig.ports import free_port
from tests.e2e.lab import RULES, write_config
from tests.e2e.node import Node

ROUTES = (
    """
[lists.abuse]
path = "abuse.txt"

[policies.chat]
appeal = "https://platform.example/appeal?message={id}"
rules = [
"""
    + RULES
    + """
  { check = "keywords", action = "mask", on_error = "reject", ground = "agreement 3.3", lists = ["abuse"] },
]

[policies.strict]
appeal = "off"
rules = [
  { check = "block", action = "reject", on_error = "reject", ground = "agreement 6.1" },
  { check = "limit", action = "reject", on_error = "pass", ground = "agreement 4.2", limits = ["sender 2/1m"] },
]

[policies.open]
appeal = "off"
rules = [{ check = "block", action = "reject", on_error = "reject", ground = "agreement 6.1" }]

[[routes]]
name = "chat"
match = "GET /chat/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "chat"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
message_when = { "/type" = "message" }
relay_when = { "/type" = ["ping"] }
text = "json:/content"

[[routes]]
name = "strict"
match = "GET /strict/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "strict"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
websocket = { close_blocked = true }

[[routes]]
name = "text"
match = "GET /text/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "open"
format = "text"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "text:"
optional_text = true
max_text = 300000
websocket = { max_frame = "512KiB", max_message = "512KiB", max_fragments = 10000, mute_after = "1000000/1s" }

[[routes]]
name = "raw"
match = "GET /raw"
transport = "websocket"
upstream = "platform"
"""
)


class Platform:
    """Rooms: what one sends there, everybody in it gets. ``/refuse`` is answered 401. Remembers its handshakes."""

    def __init__(self) -> None:
        self.handshakes: list[Request] = []
        self.rooms: dict[str, set[ServerConnection]] = {}
        self.closed: list[tuple[str, int | None, str | None]] = []
        self.hushed = asyncio.Event()  # set: nothing is echoed
        self.port = 0

    def request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        if request.path.startswith("/chat/refuse"):
            answer = connection.respond(401, "log in first\n")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return None

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = connection.request.path
        room = self.rooms.setdefault(path, set())
        room.add(connection)
        try:
            async for message in connection:
                if not self.hushed.is_set():
                    websockets.broadcast(room, message)
        except websockets.ConnectionClosedError:
            pass
        finally:
            room.discard(connection)
            self.closed.append((path, connection.close_code, connection.close_reason))


class SocketLab:
    """The node and its platform."""

    def __init__(self, node: Node, platform: Platform, config: Path) -> None:
        self.node = node
        self.platform = platform
        self.config = config

    def connect(self, path: str, sender: str = "alice", **more: Any) -> Any:
        """A client of the independent library; as a context or awaited."""
        headers = {"X-User-Id": sender, **more.pop("headers", {})}
        more.setdefault("compression", None)
        more.setdefault("proxy", None)
        more.setdefault("close_timeout", 8)
        return websockets.connect(f"ws://127.0.0.1:{self.node.port}{path}", additional_headers=headers, **more)

    async def introduce(self, *senders: str) -> None:
        """Make these people verified."""
        lines = "\n".join(json.dumps({"sender": sender, "verified": True}) for sender in senders)
        answer = await self.node.manage("POST", "/v1/accounts:import?reason=test", raw=lines.encode())
        assert answer.status == 200, answer


def message(content: str, **more: Any) -> str:
    """A chat message as JSON."""
    return json.dumps({"type": "message", "content": content, **more}, ensure_ascii=False)


async def told(client: ClientConnection, within: float = 30.0) -> Any:
    """The next text frame, as JSON."""
    return json.loads(await asyncio.wait_for(client.recv(), within))


@contextlib.asynccontextmanager
async def socket_lab(
    folder: Path, *, more: str = "", server: str = "", workers: int = 1, largest: int = 1 << 22
) -> AsyncIterator[SocketLab]:
    """A running lab; alice, bob and u0 to u9 are verified, carol is not. ``largest``: bytes of a message that the
    platform takes."""
    platform = Platform()
    (folder / "abuse.txt").write_text("idiot\n", encoding="utf-8")
    async with websockets.serve(
        platform.serve, "127.0.0.1", 0, process_request=platform.request,
        subprotocols=["chat.v2"], select_subprotocol=lambda _, offered: "chat.v2" if offered else None,  # type: ignore
        max_size=largest, ping_interval=None, close_timeout=2,
    ) as listening:  # fmt: skip
        (socket,) = listening.sockets
        platform.port = socket.getsockname()[1]
        ports = free_port(), free_port()
        server = "max_connections_per_address = 20000\n" + server
        config = write_config(
            folder,
            ports,
            platform.port,
            more=ROUTES + more,
            server=server,
            workers=workers,
            connect="20s",
            answer="20s",
        )
        node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        await node.start()
        try:
            made = SocketLab(node, platform, config)
            await made.introduce("alice", "bob", *(f"u{number}" for number in range(10)))
            await made.node.manage(
                "POST", "/v1/accounts:import?reason=test", raw=b'{"sender":"carol","verified":false}'
            )
            yield made
        finally:
            await node.stop()
