"""The whole process against an embedded state server, a real journal and compiled lists."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import typer
from aiohttp import ClientSession
from redis.asyncio import Redis
from typer.testing import CliRunner

from gateway.commands.direct import state as commands
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.control.process import run
from gateway.generation import generation
from gateway.journal.read import reader
from gateway.state.cold import embedded
from gateway.state.model.keys import Keys
from rig.ports import free_port

CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
[lists.spam]
path = "spam.txt"
[policies.comment]
appeal = "off"
rules = [{ check = "keywords", lists = ["spam"], action = "reject", on_error = "reject", ground = "agreement 1" }]
[[routes]]
name = "comments"
match = "POST /rooms/{room}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.1/32"]
text = "json:/content"
[control]
listen = "127.0.0.1:PORT"
[journal]
low_disk = "0B"
full_disk = "0B"
"""


class Node:
    """One node's folder, state server and control."""

    def __init__(self, folder: Path) -> None:
        self.folders = Folders(folder)
        self.folders.make()
        self.port = free_port()
        (folder / "spam.txt").write_text("buy followers\n代开发票\n", encoding="utf-8")
        self.config_path = folder / "tidegate.toml"
        self.config_path.write_text(CONFIG.replace("PORT", str(self.port)), encoding="utf-8")
        self.compile()
        self.token = ""
        self.state: asyncio.subprocess.Process | None = None
        self.stack = contextlib.AsyncExitStack()

    def compile(self) -> int:
        number = generation.compile_here(self.config_path, self.folders)
        self.folders.make_current(number)
        return number

    async def start_state(self) -> None:
        argv = embedded.prepare(self.folders.state, memory=64 << 20)
        self.state = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
        await embedded.ready(self.folders.state)

    async def stop_state(self) -> None:
        assert self.state is not None
        self.state.kill()
        await self.state.wait()

    def redis(self) -> Redis:
        address, credentials = embedded.access(self.folders.state)
        made = Redis(unix_socket_path=address.path, username=credentials.username, password=credentials.password)
        self.stack.push_async_callback(made.aclose)
        return made

    @contextlib.asynccontextmanager
    async def control(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(run(self.folders, stop=stop))
        while not task.done():
            with contextlib.suppress(channel.ChannelError):
                await channel.call(self.folders.control_socket, {"command": "status"}, 1)
                break
            await asyncio.sleep(0.01)
        try:
            if task.done():
                await task
            self.token = (self.folders.control / "first-token").read_text().strip()
            yield
        finally:
            stop.set()
            await task

    async def __call__(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with ClientSession() as session, session.request(method, url, headers=headers, **more) as response:
            return await response.json(content_type=None)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    folder = Path(tempfile.mkdtemp(prefix="tg-"))  # short: unix sockets stand below it
    made = Node(folder)
    await made.start_state()
    async with made.stack:
        yield made
    await made.stop_state()
    shutil.rmtree(folder)


async def test_control_lives_records_projects_and_comes_back(node: Node, capfd: Any) -> None:
    keys = Keys("tg")

    async def supervisor_reloads(_: dict[str, Any]) -> dict[str, Any]:
        number = await asyncio.to_thread(node.compile)
        return {"ok": True, "generation": number}

    supervisor = await channel.serve(
        node.folders.supervisor_socket,
        {"reload": supervisor_reloads, "status": lambda _: {"children": {"control": {"pid": 1, "restarts": 0}}}},
    )
    node.stack.push_async_callback(supervisor.close)
    pushed: list[dict[str, Any]] = []
    worker = await channel.serve(
        node.folders.worker_socket(0),
        {
            "snapshot": lambda command: pushed.append(command["snapshot"]) or {"ok": True},
            "status": lambda _: {"ok": True, "snapshot": pushed[-1]["version"] if pushed else 0},
        },
    )
    node.stack.push_async_callback(worker.close)
    async with node.control():
        printed = capfd.readouterr().out
        assert node.token not in printed  # what is no terminal keeps what it is told
        assert str(node.folders.control / "first-token") in printed
        assert stat.S_IMODE((node.folders.control / "first-token").stat().st_mode) == 0o600

        done = await node("PUT", "/v1/accounts/alice", json={"verified": True, "credit": 70, "reason": "papers"})
        assert done["in_force"], done
        done = await node("POST", "/v1/switches", json={
            "scope": "route", "value": "comments", "reason": "incident", "ground": "article 9",
        })  # fmt: skip
        assert done["workers"] == {"worker-0": True}
        done = await node("POST", "/v1/urgent-words", json={"word": "。。", "reason": "i", "ground": "g"})
        assert done["reason"] == "control.word_invalid"

        found = await node("POST", "/v1/lists/spam:try", json={"text": "please ＢＵＹ followers now"})
        assert [hit["matched"] for hit in found["hits"]] == [["ＢＵＹ followers"]]
        done = await node("POST", "/v1/lists/spam/words", json={"line": "free iphones", "reason": "wave"})
        assert (done["in_force"], done["reload"]["ok"]) == (True, True), done
        found = await node("POST", "/v1/lists/spam:try", json={"text": "free iphones"})
        assert len(found["hits"]) == 1
        done = await node("DELETE", "/v1/lists/spam/words", params={"line": "buy followers", "reason": "too broad"})
        found = await node("POST", "/v1/lists/spam:try", json={"text": "buy followers"})
        assert found["hits"] == []
        wrong = await node("POST", "/v1/lists/spam/words", json={"line": "# only a comment", "reason": "r"})
        assert wrong["reason"] == "control.line_invalid"

        ready = await node("GET", "/readyz")
        assert ready["ready"], ready
        assert (await node("GET", "/v1/lists"))["lists"][0]["words"] == 2

        # The state server is emptied: within a moment it holds everything again.
        redis = node.redis()
        before = await redis.get(keys.epoch)
        await redis.delete(keys.epoch, keys.snapshot, keys.version)
        async with asyncio.timeout(20):
            while (after := await redis.get(keys.epoch)) in (None, before):
                await asyncio.sleep(0.02)
        assert await redis.get(keys.account(int(after), "alice")) is not None
        snapshot = json.loads(await redis.get(keys.snapshot))
        assert snapshot["switches"][0]["route"] == "comments"

    token = node.token
    capfd.readouterr()
    async with node.control():
        assert node.token == token
        assert token not in capfd.readouterr().out  # shown once
        listed = await node("GET", "/v1/switches")
        assert [row["value"] for row in listed["switches"]] == ["comments"]
    journal = node.folders.root / "journal"
    kinds = [entry.record["what"] for entry in reader.merged(journal, pytest.fail) if entry.record["kind"] == "act"]
    assert kinds == ["person.add", "account.put", "switch.freeze", "word.add", "word.remove"]


async def test_state_is_rebuilt_from_the_command_line(node: Node) -> None:
    """While control runs, through its API; while it does not, on the database itself; recorded either way."""
    cli = typer.Typer()
    cli.command()(commands.rebuild)
    arguments = ["--config", str(node.config_path), "--data-dir", str(node.folders.root)]

    async def invoke(reason: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, cli, [*arguments, "--reason", reason])

    redis, keys = node.redis(), Keys("tg")
    async with node.control():
        await node("PUT", "/v1/accounts/alice", json={"verified": True, "reason": "papers"})
        before = await redis.get(keys.epoch)
        done = await invoke("while it runs")
        assert (done.exit_code, done.output) == (0, done.output), done.output
        assert "1 subjects written" in done.output
        assert await redis.get(keys.epoch) != before
    assert (await invoke(" ")).exit_code == 2
    before = await redis.get(keys.epoch)
    done = await invoke("while it does not")
    assert done.exit_code == 0, done.output
    assert await redis.get(keys.epoch) != before
    async with node.control():
        acts = await node("GET", "/v1/acts", params={"reason": "audit", "kind": "state.rebuild"})
        assert [act["reason"] for act in acts["acts"]] == ["while it does not", "while it runs"]
    await node.stop_state()
    done = await invoke("nobody there")
    assert (done.exit_code, "not rebuilt" in done.output) == (1, True)
    await node.start_state()


async def test_control_starts_and_acts_while_state_is_away(node: Node) -> None:
    await node.stop_state()
    async with node.control():
        done = await node("PUT", "/v1/accounts/alice", json={"verified": True, "reason": "papers"})
        assert (done["journalled"], done["projected"]) == (True, False)
        ready = await node("GET", "/readyz")
        assert (ready["ready"], ready["checks"]["state"]["ok"]) == (False, False)
        await node.start_state()
        async with asyncio.timeout(20):
            while not (await node("GET", "/readyz"))["checks"]["state"]["ok"]:
                await asyncio.sleep(0.05)
            redis = node.redis()
            while (epoch := await redis.get(Keys("tg").epoch)) is None:
                await asyncio.sleep(0.05)
            assert await redis.get(Keys("tg").account(int(epoch), "alice")) is not None
