"""Who is it on a WebSocket? Asked with the first message and the credentials of the handshake, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from aiohttp import WSMsgType, web
from websockets.asyncio.client import ClientConnection

from rig.ports import free_ports
from tests.e2e.node import Node, request
from tests.e2e.senders.senderlab import CONFIG, KEPT
from tests.e2e.socketlab import told
from tests.e2e.wire import once

SOCKET = """
[[routes]]
name = "chat"
match = "GET /chat/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "comment"
sender = "whoami:"
text = "json:/content"
message_when = { "/type" = "comment" }
relay_when = { "/type" = "ping" }
[routes.whoami]
ask = "GET /me"
credentials = "cookie:session"
id = "json:/user/id"
"""


class Chat:
    """A platform: who has which session, and a room where everybody gets what anybody writes."""

    def __init__(self) -> None:
        self.people: dict[str, Any] = {"s-alice": "alice", "s-alice-2": "alice", "s-bob": "bob"}
        self.questions: Counter[str] = Counter()
        self.answering = asyncio.Event()
        self.answering.set()
        self.sockets: set[web.WebSocketResponse] = set()

    async def me(self, asked: web.Request) -> web.Response:
        session = asked.cookies.get("session", "")
        self.questions[session] += 1
        await self.answering.wait()
        if session in self.people:
            return web.json_response({"user": {"id": self.people[session]}})
        return web.json_response({}, status=401)

    async def log_out(self, asked: web.Request) -> web.Response:
        self.people.pop(asked.cookies.get("session", ""), None)
        return web.json_response({})

    async def comment(self, asked: web.Request) -> web.Response:
        return web.json_response({"id": 1}, status=201)

    async def chat(self, asked: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(asked)
        self.sockets.add(socket)
        async for frame in socket:
            if frame.type == WSMsgType.TEXT:
                for one in self.sockets:
                    await one.send_str(frame.data)
        self.sockets.discard(socket)
        return socket


class ChatLab:
    """The node and its platform."""

    def __init__(self, node: Node, chat: Chat) -> None:
        self.node = node
        self.chat = chat

    def open(self, session: str) -> Any:
        """A socket of this session's."""
        return websockets.connect(
            f"ws://127.0.0.1:{self.node.port}/chat/7", additional_headers={"Cookie": f"theme=dark; session={session}"},
            proxy=None,
        )  # fmt: skip

    async def log_out(self, session: str) -> None:
        """Through the gate."""
        answer = await once(self.node, request("POST", "/logout", b"", {"Cookie": f"session={session}"}))
        assert answer.status == 200, answer

    def senders(self) -> list[str]:
        """Of everything that was judged."""
        return [one["sender"] for one in self.node.records() if one["kind"] == "judged"]


@contextlib.asynccontextmanager
async def chat_lab(folder: Path, *, whoami: str = KEPT, workers: int = 1) -> AsyncIterator[ChatLab]:
    chat = Chat()
    app = web.Application()
    app.add_routes(
        [
            web.get("/me", chat.me),
            web.get("/chat/7", chat.chat),
            web.post("/logout", chat.log_out),
            web.post("/comments/7", chat.comment),
        ]
    )
    port, control, upstream = free_ports(3)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", upstream).start()
    (folder / "spam.txt").write_text("代开发票\n", encoding="utf-8")
    path = folder / "tidegate.toml"
    text = CONFIG.format(
        port=port, control=control, upstream=upstream, workers=workers, sender='"whoami:"',
        credentials='"cookie:session"', whoami=whoami,
    )  # fmt: skip
    path.write_text(text + SOCKET + whoami, encoding="utf-8")
    node = Node(folder / "data", "run", "--config", str(path), port=port, control_port=control)
    await node.start()
    try:
        yield ChatLab(node, chat)
    finally:
        await node.stop()
        await runner.cleanup()


async def say(client: ClientConnection, content: str) -> Any:
    """Send, and what comes next: the message itself, or a notice."""
    await client.send(json.dumps({"type": "comment", "content": content}))
    return await told(client)


async def refused(client: ClientConnection, content: str) -> Any:
    """The reason, of a message that must be refused."""
    notice = await say(client, content)
    assert (notice["type"], notice["verdict"]) == ("tidegate.verdict", "reject"), notice
    return notice["reason"]


async def test_it_is_asked_with_the_first_message_and_no_sooner(tmp_path: Path) -> None:
    async with chat_lab(tmp_path) as lab, lab.open("s-bob") as watching, lab.open("s-alice") as client:
        await client.send(json.dumps({"type": "ping"}))
        assert (await told(client))["type"] == "ping"
        assert not lab.chat.questions
        for content in ("one", "two"):
            assert (await say(client, content))["content"] == content
        assert [(await told(watching))["type"] for _ in range(3)] == ["ping", "comment", "comment"]
        assert lab.chat.questions == {"s-alice": 1}
        assert lab.senders() == ["alice", "alice"]


async def test_whom_the_platform_does_not_know_is_told_and_muted_until_it_does(tmp_path: Path) -> None:
    async with chat_lab(tmp_path, whoami=KEPT + 'cache_unknown = "300ms"\n') as lab, lab.open("s-carol") as client:
        assert await refused(client, "one") == "sender.unknown"
        assert (await told(client))["verdict"] == "mute"
        lab.chat.people["s-carol"] = "carol"
        async with asyncio.timeout(10):
            while (answer := await say(client, "two"))["verdict"] != "unmute":
                assert answer["reason"] == "sender.unknown"
                await asyncio.sleep(0.1)  # ten refusals a minute would mute it for themselves
        assert (await told(client))["content"] == "two"
        assert lab.senders() == ["carol"]


async def test_or_its_socket_is_closed(tmp_path: Path) -> None:
    async with chat_lab(tmp_path, whoami=KEPT + 'unknown = "close"\n') as lab, lab.open("s-carol") as client:
        assert await refused(client, "one") == "sender.unknown"
        assert (await told(client))["verdict"] == "close"
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1008


async def test_a_log_out_is_felt_by_sockets_of_every_worker(tmp_path: Path) -> None:
    """Within a second, and by nobody's other session."""
    async with chat_lab(tmp_path, workers=2) as lab, contextlib.AsyncExitStack() as opened:
        gone = [await opened.enter_async_context(lab.open("s-alice")) for _ in range(8)]
        for client in gone:
            await client.send(json.dumps({"type": "comment", "content": "here"}))
        for client in gone:
            assert (await told(client))["content"] == "here"
        await lab.log_out("s-alice")
        await asyncio.sleep(1)
        before = len(lab.senders())
        for client in gone:
            await client.send(json.dumps({"type": "comment", "content": "gone"}))
            seen = [await told(client)]
            while seen[-1]["type"] == "comment":
                seen.append(await told(client))
            assert {one["content"] for one in seen[:-1]} <= {"here"}
            assert seen[-1]["reason"] == "sender.unknown"
        assert len(lab.senders()) == before
        other = await opened.enter_async_context(lab.open("s-alice-2"))
        assert (await say(other, "still here"))["content"] == "still here"


async def test_sockets_and_requests_of_one_person_share_a_block(tmp_path: Path) -> None:
    async with chat_lab(tmp_path) as lab, lab.open("s-alice") as first, lab.open("s-alice-2") as second:
        assert (await say(first, "one"))["content"] == "one"
        assert (await told(second))["content"] == "one"
        block = {"scope": "sender", "value": "alice", "reason": "spam", "ground": "agreement 6.1"}
        assert (await lab.node.manage("POST", "/v1/blocks", block)).status < 300
        async with asyncio.timeout(10):
            while (await say(first, "is it?"))["type"] == "comment":
                assert (await told(second))["content"] == "is it?"
        assert await refused(second, "two") == "block.sender"
        head = {"Cookie": "session=s-alice", "Content-Type": "application/json"}
        body = json.dumps({"type": "comment", "content": "three"}).encode()
        answer = await once(lab.node, request("POST", "/comments/7", body, head))
        assert (answer.status, answer.json()["reason"]) == (403, "block.sender")


async def test_a_platform_that_does_not_answer_costs_the_message_and_no_socket(tmp_path: Path) -> None:
    async with chat_lab(tmp_path, whoami=KEPT + 'deadline = "300ms"\n') as lab, lab.open("s-alice") as client:
        lab.chat.answering.clear()
        assert await refused(client, "one") == "sender.unavailable"
        lab.chat.answering.set()
        async with asyncio.timeout(10):
            while (answer := await say(client, "two"))["type"] != "comment":
                assert answer["reason"] == "sender.unavailable"
                await asyncio.sleep(0.1)
        assert answer["content"] == "two"
        assert lab.senders() == ["alice"]
