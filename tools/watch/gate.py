"""A real node in front of the demo's platform, made to do everything that is counted: so that each series exists."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any, Final

import websockets

from gateway.demo.command import accounts
from rig.ports import free_ports
from rig.process import start, stop, wait_for_port
from tests.certificates import make
from tests.e2e.node import Answer, Node

EXTRA: Final = """
# A server that nobody listens on, one that never answers, and a removal route whose bodies name nothing.
[upstreams.gone]
servers = ["http://127.0.0.1:{gone}", "http://127.0.0.1:{platform}"]
passive = {{ failures = 2, pause = "1s" }}
[upstreams.silent]
servers = ["http://127.0.0.1:{silent}"]
max_connections = 1
max_waiting = 1
wait_timeout = "100ms"
answer_timeout = "2s"
[[routes]]
name = "gone"
match = "GET /gone/{{rest}}"
upstream = "gone"
[[routes]]
name = "silent"
match = "GET /silent/{{rest}}"
upstream = "silent"
[[routes]]
name = "nameless-deletions"
match = "POST /api/echo"
upstream = "platform"
removal = {{ of = "article-comments", id = "json:/id" }}
"""


class Gate:
    """The node, its platform, and the ports that both have."""

    def __init__(self, folder: Path, *, days: float = 90, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        ports = free_ports(7)
        self.gate, self.control, self.probes, self.platform, self.secure, self.gone, self.silent = ports
        make(folder, "localhost", days=days)
        source = resources.files("gateway.demo")
        (folder / "lists").mkdir()
        for name in ("spam.txt", "gambling.txt", "abuse.txt"):
            (folder / "lists" / name).write_bytes(source.joinpath("lists", name).read_bytes())
        text = source.joinpath("tidegate.toml").read_text(encoding="utf-8")
        changed = {
            "127.0.0.1:8080": f"127.0.0.1:{self.gate}",
            "127.0.0.1:9000": f"127.0.0.1:{self.platform}",
            'listen = "127.0.0.1:8081"': f'listen = "127.0.0.1:{self.control}"\nprobes = "127.0.0.1:{self.probes}"',
            "workers = 2": 'workers = 2\nunmatched_upstream = "platform"\n'
            f'tls = {{ listen = "127.0.0.1:{self.secure}", certificates = '
            '[{ certificate = "server.pem", key = "server.key" }] }',
            "[mirror]": f'[mirror]\npage_size = 10\nprobe_interval = "1s"\n'
            f'purge = "http://127.0.0.1:{self.gone}/{{path}}"',
            '{room}/comments/{id}" }': '{room}/comments/{id}", confirm_within = "1s" }',
        }
        for old, new in changed.items():
            assert old in text, old
            text = text.replace(old, new)
        for old, new in (settings or {}).items():
            text = text.replace(old, new)
        text += EXTRA.format(gone=self.gone, platform=self.platform, silent=self.silent)
        self.config = folder / "tidegate.toml"
        self.config.write_text(text, encoding="utf-8")
        self.node = Node(
            folder / "data", "run", "--config", str(self.config), port=self.gate, control_port=self.control
        )
        self._platform: subprocess.Popen[bytes] | None = None
        self._last = ""  # a bullet that is on its page
        self._silent = socket.create_server(("127.0.0.1", self.silent))

    @property
    def target(self) -> str:
        """Where Prometheus asks."""
        return f"127.0.0.1:{self.probes}"

    def open_platform(self) -> None:
        """The demo's platform, in a process of its own."""
        argv = [sys.executable, "-m", "gateway.demo.platform", "--port", str(self.platform)]
        self._platform = start(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.platform, self._platform)

    def close_platform(self) -> None:
        """Nobody listens there any more."""
        if self._platform is not None:
            stop(self._platform)
            self._platform = None

    async def start(self) -> Gate:
        """With its people."""
        self.open_platform()
        await self.node.start()
        lines = "\n".join(json.dumps(account) for account in accounts())
        told = await self.node.manage("POST", "/v1/accounts:import?reason=people", raw=lines.encode())
        assert told.status == 200, told
        return self

    async def stop(self) -> None:
        """All of it."""
        with contextlib.suppress(ProcessLookupError):
            await self.node.stop()
        self.close_platform()
        self._silent.close()

    async def comment(self, sender: str, text: str) -> Answer:
        return await self.node.say(sender, text)

    async def bullet(self, sender: str, text: str) -> Answer:
        return await self.node.say(sender, text, "/api/videos/7/danmaku")

    async def talk(self, seconds: float, pause: float = 0.1, enough: asyncio.Event | None = None) -> None:
        """Innocent comments, bullets and pages, whatever becomes of them: the node may be broken."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        number = 0
        while loop.time() < until and not (enough is not None and enough.is_set()):
            number += 1
            sender = f"u{1 + number % 200}"
            for asked in (
                self.comment(sender, f"hello {number}"), self.bullet(sender, f"hi {number}"),
                self.node.ask("GET", "/articles/1"),
            ):  # fmt: skip
                with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                    await asyncio.wait_for(asked, 5)
            await asyncio.sleep(pause)

    async def act(self, method: str, path: str, **body: Any) -> Answer:
        return await self.node.manage(method, path, {"reason": "watching", **body})

    async def everything(self) -> None:
        """One of each: verdicts, refusals, sockets, removals, acts, reloads, failures, crashes."""
        await self.talk(2)
        published = [
            await self.comment("alice", "a comment that goes"),
            await self.bullet("alice", "a bullet that goes"),
        ]
        assert [one.status for one in published] == [201, 201], published
        await self.comment("bob", "代开发票")  # refused
        await self.comment("bob", "you idiot, 傻逼")  # masked
        await self.comment("dave", "of little credit")  # labelled
        await self.comment("carol", "unverified")
        await self.node.ask("POST", "/api/articles/1/comments", b"{", {"Content-Type": "application/json"})
        await self.node.ask("GET", "/nowhere")
        for number in range(6):
            await self.node.ask("GET", f"/gone/{number}")
        waiting = [asyncio.create_task(self.node.ask("GET", f"/silent/{number}")) for number in range(4)]
        await self._sockets()
        await asyncio.wait(waiting)
        self._last = (await self.bullet("bob", "a second one")).headers["tidegate-message-id"]
        # Deletions that people make, one of which names nothing.
        ids = [one.json()["id"] for one in published]
        await self.node.ask("DELETE", f"/api/articles/1/comments/{ids[0]}", b"", {"X-User-Id": "alice"})
        await self.node.ask("POST", "/api/echo", b"{}", {"Content-Type": "application/json"})
        ours = published[1].headers["tidegate-message-id"]
        await self.act("POST", "/v1/takedowns", id=ours, ground="agreement 3.1")
        await self.act("POST", "/v1/blocks", scope="sender", value="mallory", ground="agreement 6.1")
        assert (await self.act("POST", "/v1/reload")).status == 200
        kept = self.config.read_text(encoding="utf-8")
        self.config.write_text(kept.replace("workers = 2", "wrokers = 2"), encoding="utf-8")
        await self.act("POST", "/v1/reload")
        self.config.write_text(kept, encoding="utf-8")
        await self._lose()
        await self._take_away()
        await self.talk(2)

    async def _sockets(self) -> None:
        headers = {"X-User-Id": "alice", "Origin": f"http://127.0.0.1:{self.gate}"}
        async with websockets.connect(
            f"ws://127.0.0.1:{self.gate}/live/7", additional_headers=headers, origin=None
        ) as live:
            await live.send(json.dumps({"type": "danmaku", "content": "hello", "time": 1}))
            await live.recv()
            with contextlib.suppress(websockets.ConnectionClosed, TimeoutError):
                await live.send("x" * (2 << 20))  # beyond what a frame may be
                await asyncio.wait_for(live.wait_closed(), 5)

    def forget(self, sender: str) -> None:
        """State loses whatever it knows of this one."""
        (sock,) = self.node.folders.root.rglob("state.sock")
        for key in self._valkey(sock, "--scan", "--pattern", f"*{sender}*").split():
            self._valkey(sock, "DEL", key)

    async def _lose(self) -> None:
        """State forgets a row and answers late for a moment; a worker dies amid its work; a segment is taken away."""
        self.forget("mallory")
        state = (await self.node.pids("state"))["state"]
        os.kill(state, signal.SIGSTOP)
        await self.talk(1)
        os.kill(state, signal.SIGCONT)
        for path in sorted(self.node.folders.root.joinpath("journal").glob("*/[01]/*.jsonl"))[-1:]:
            path.unlink()
        worker = (await self.node.pids("worker-0"))["worker-0"]
        os.kill(worker, signal.SIGKILL)
        await asyncio.sleep(12)  # an audit of state, and what was lost is written anew

    async def _take_away(self) -> None:
        """The platform, then the folders of journal and mirror, each for some seconds."""
        self.close_platform()
        if self._last:  # its page has changed, and nobody hears of it
            await self.act("POST", "/v1/takedowns", id=self._last, ground="agreement 3.1")
        await self.talk(8)
        self.open_platform()
        for name in ("journal", "mirror"):
            folder = self.node.folders.root / name
            folder.rename(folder.with_name("aside"))
            await self.talk(4)
            if folder.exists():  # made anew meanwhile
                shutil.rmtree(folder)
            folder.with_name("aside").rename(folder)

    @staticmethod
    def _valkey(sock: Path, *asked: str) -> str:
        """As the gateway's own user, whose password the server has in a file of the same folder."""
        _, user, _, password, *_ = sock.with_name("users.acl").read_text(encoding="ascii").splitlines()[1].split()
        return subprocess.run(
            ["redis-cli", "-s", str(sock), "--user", user, *asked],
            check=True, capture_output=True, text=True, env={**os.environ, "REDISCLI_AUTH": password[1:]},
        ).stdout  # fmt: skip
