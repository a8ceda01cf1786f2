"""As somebody sets it up: ``tidegate init`` on a terminal in an empty folder, ``tidegate run`` of what it wrote, and
one clean and one refused message in front of a platform that answers as the real one does."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.client import connect

from rig.ports import free_ports
from tests.e2e.node import Node
from tests.e2e.upstream import Received, Upstream, serve

STARTERS = Path(__file__).parents[3] / "gateway" / "demo" / "lists"
BAD = "代开发票"  # in the list that comes with the program


class Terminal:
    """A program on a pseudo-terminal, and whoever types there."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments
        self.shown = ""

    async def talk(self, answers: Sequence[tuple[str, str]]) -> int:
        """Each answer is typed when its question is shown. The exit code."""
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *self._arguments, stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=self._folder, env={**os.environ, "TERM": "dumb", "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        os.close(theirs)
        shown = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(shown), os.fdopen(ours, "rb", buffering=0)
        )
        try:
            for question, answer in answers:
                await self._until(shown, question)
                os.write(ours, f"{answer}\n".encode())
            await self._until(shown, None)
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            transport.close()

    async def _until(self, shown: asyncio.StreamReader, question: str | None) -> None:
        seen = len(self.shown)
        async with asyncio.timeout(60):
            while question is None or not re.search(question, self.shown[seen:]):
                try:
                    piece = await shown.read(4096)
                except OSError:  # the other side of a terminal is gone
                    piece = b""
                if not piece:
                    assert question is None, f"ended before {question!r}: {self.shown}"
                    return
                self.shown += piece.decode()


@asynccontextmanager
async def set_up(
    folder: Path, name: str, platform: Upstream, answers: Sequence[tuple[str, str]], *more: str
) -> AsyncIterator[tuple[Node, str]]:
    port, control = free_ports(2)
    async with serve(upstream=platform):
        terminal = Terminal(folder, "init", "--control", f"127.0.0.1:{control}", *more)
        told = [
            ("Which platform", name),
            ("does it listen", f"http://127.0.0.1:{platform.port}"),
            ("gateway listen", f"127.0.0.1:{port}"),
            *answers,
        ]
        assert await terminal.talk(told) == 0, terminal.shown
        (folder / "tidegate.toml").write_text(
            (folder / "tidegate.toml").read_text(encoding="utf-8") + '\n[state]\ndeadline = "5s"\n', encoding="utf-8"
        )
        node = Node(folder / "data", "run", port=port, control_port=control, cwd=folder)
        await node.start()
        try:
            yield node, terminal.shown
        finally:
            assert await node.stop() == 0


def answering(status: str, body: object) -> Upstream:
    made = Upstream()

    async def behave(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()

    made.behave = behave
    return made


USUAL = [("proxies stand", ""), ("Whose pages", "https://blog.test"), ("which folder", ""), ("which language", "en")]
LISTS = [("words to refuse", "")]
APPEAL = [("turn to", "https://blog.test/appeal?id={id}")]


async def test_isso(tmp_path: Path) -> None:
    platform = answering("201 Created", {"id": 7, "text": "<p>hello</p>", "mode": 1})
    async with set_up(tmp_path, "isso", platform, [*USUAL, *APPEAL, *LISTS]) as (node, shown):
        assert "Isso has no accounts" in shown
        assert "https://site.example" not in shown
        fields = {"Content-Type": "application/json", "Origin": "https://blog.test"}
        say = {"author": "Ann", "email": None, "website": None, "text": "hello", "parent": None, "title": "Page"}
        clean = await node.ask("POST", "/new?uri=%2Fpage%2F", json.dumps(say).encode(), fields)
        assert (clean.status, clean.json()["id"]) == (201, 7)
        bad = await node.ask("POST", "/new?uri=%2Fpage%2F", json.dumps({**say, "text": BAD}).encode(), fields)
        assert (bad.status, bad.headers["content-type"]) == (403, "text/plain; charset=utf-8")
        assert bad.headers["access-control-allow-origin"] == "https://blog.test"
        assert bad.body.decode().startswith("The text breaks the rules")
        name = await node.ask("PUT", "/id/7", json.dumps({"text": "fine", "author": BAD}).encode(), fields)
        assert name.status == 400
        assert (await node.ask("POST", "/id/7/like", b"", fields)).status == 201
        assert (await node.ask("POST", "/other/new?uri=a", json.dumps(say).encode(), fields)).status == 403
        assert [one.line for one in platform.received] == [
            "POST /new?uri=%2Fpage%2F HTTP/1.1", "POST /id/7/like HTTP/1.1"
        ]  # fmt: skip
        judged = [record for record in node.records() if record["kind"] == "judged"]
        assert sorted(one["room"] for one in judged) == ["/page/", "/page/", "comment:7"]  # of several workers
        assert all(one["weak"] and one["sender"].startswith("hash:") for one in judged)


async def test_twikoo(tmp_path: Path) -> None:
    platform = answering("200 OK", {"id": "5", "code": 0})
    async with set_up(tmp_path, "twikoo", platform, [*USUAL, *APPEAL, *LISTS]) as (node, shown):
        assert "COMMENT_IMPORT_FOR_ADMIN" in shown

        async def event(**said: object) -> tuple[int, dict[str, object]]:
            body = json.dumps(said).encode()
            answer = await node.ask("POST", "/", body, {"Content-Type": "application/json"})
            return answer.status, answer.json()

        say = {"event": "COMMENT_SUBMIT", "url": "/page/", "ua": "x", "nick": "Ann", "comment": "<p>hello</p>"}
        assert await event(**say) == (200, {"id": "5", "code": 0})
        status, told = await event(**{**say, "comment": f"<p>{BAD[:2]}<b>{BAD[2:]}</b></p>"})
        assert (status, told["code"]) == (200, 1000)
        assert str(told["message"]).startswith("The text breaks the rules")
        assert (await event(event="COMMENT_GET", url="/page/"))[0] == 200
        assert (await event(event="COMMENT_SET_FOR_ADMIN", id="5", set={"top": True}))[1] == {"id": "5", "code": 0}
        assert (await event(event="COMMENT_SET_FOR_ADMIN", id="5", set={"comment": BAD}))[1]["code"] == 1000
        assert (await event(event="NEW_EVENT", url="/page/"))[1]["code"] == 1000
        elsewhere = await node.ask("POST", "/any", json.dumps(say).encode(), {"Content-Type": "application/json"})
        assert elsewhere.status == 403
        assert len(platform.received) == 3


async def test_phoenix(tmp_path: Path) -> None:
    """The platform's side of the socket is the library's server: it answers as a channel does."""
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as serve_sockets

    async def channel(socket: ServerConnection) -> None:
        async for frame in socket:
            join, ref, topic, event, payload = json.loads(frame)
            if event == "new_msg":
                await socket.send(json.dumps([None, None, topic, "new_msg", payload]))
            await socket.send(json.dumps([join, ref, topic, "phx_reply", {"status": "ok", "response": {}}]))

    async with serve_sockets(channel, "127.0.0.1", 0) as server:
        platform = Upstream()
        platform.port = next(iter(server.sockets)).getsockname()[1]
        answers = [("proxies stand", "127.0.0.0/8"), ("which folder", ""), ("which language", "zh"), *APPEAL, *LISTS]
        port, control = free_ports(2)
        told = [
            ("Which platform", "phoenix"),
            ("does it listen", f"http://127.0.0.1:{platform.port}"),
            ("gateway listen", f"127.0.0.1:{port}"),
            *answers,
        ]
        terminal = Terminal(tmp_path, "init", "--control", f"127.0.0.1:{control}")
        assert await terminal.talk(told) == 0, terminal.shown
        config = tmp_path / "tidegate.toml"
        config.write_text(config.read_text(encoding="utf-8") + '\n[state]\ndeadline = "5s"\n', encoding="utf-8")
        node = Node(tmp_path / "data", "run", port=port, control_port=control, cwd=tmp_path)
        await node.start()
        try:
            url = f"ws://127.0.0.1:{port}/socket/websocket?vsn=2.0.0"
            async with connect(url, additional_headers={"X-User-Id": "ann"}) as client:
                pushes = [
                    ["1", "1", "room:7", "phx_join", {}],
                    ["1", "2", "room:7", "new_msg", {"body": "hello"}],
                    ["1", "3", "room:7", "new_msg", {"body": BAD}],
                    ["1", "4", "room:7", "delete_all", {}],
                    [None, "5", "phoenix", "heartbeat", {}],
                ]
                for push in pushes:
                    await client.send(json.dumps(push))
                seen: dict[str, list[object]] = {}
                async with asyncio.timeout(30):
                    while len(seen) < 6:
                        frame = json.loads(await client.recv())
                        seen[frame[1] or "broadcast"] = frame
            assert seen["broadcast"][3:] == ["new_msg", {"body": "hello"}]
            assert [seen[ref][4]["status"] for ref in "12345"] == ["ok", "ok", "error", "error", "ok"]  # type: ignore[index]
            assert seen["3"][4]["response"]["reason"] == "keyword.match"  # type: ignore[index]
            assert re.search(r"[\u4e00-\u9fff]", seen["3"][4]["response"]["title"])  # type: ignore[index]
        finally:
            assert await node.stop() == 0


async def test_ctrl_d_and_a_wrong_answer(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "init", "plain")
    told = [("does it listen", "nonsense"), ("does it listen", "http://127.0.0.1:9000"), ("gateway listen", "\x04")]
    assert await terminal.talk(told) == 1
    assert "nonsense: " in terminal.shown
    assert os.listdir(tmp_path) == []  # noqa: PTH208
