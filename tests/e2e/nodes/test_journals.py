"""Two nodes that copy each other: real processes, a wire that breaks bytes, kills, and a disk that is lost."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.commands.cli import build
from gateway.demo import platform as demo
from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import Node, kill

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]  # three starts of two nodes

ROUTE = """
upstream_id = "json:/id"
takedown = { match = "DELETE /api/articles/{room}/comments/{id}", confirm_within = "1s" }
"""
PEER = """
[journal.replicas.peers.{name}]
url = "http://127.0.0.1:{port}"
node = {node}
token = "file:{token}"
"""
WITHIN = 60.0  # seconds: other tests run beside; without them it is one or two


class Wire:
    """Carries bytes to a port; ``break_next`` turns one bit of the next answer's body over."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.break_next = False
        self.broke = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, back, answers=False), self._pump(there, writer, answers=True))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if answers and self.break_next and b'"kind":"judged"' in data:
                    at = data.index(b'"kind":"judged"') + 3
                    data = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
                    self.break_next = False
                    self.broke += 1
                writer.write(data)
                await writer.drain()
        writer.close()


class Pair:
    """Node 1 (``a``) and node 2 (``b``) in front of one platform; what ``a`` copies comes over ``wire``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upstream = free_port()
        self.ports = {name: (free_port(), free_port()) for name in "ab"}
        self.wire = Wire(self.ports["b"][1])
        self._stack = contextlib.AsyncExitStack()
        self.nodes: dict[str, Node] = {}

    @property
    def a(self) -> Node:
        return self.nodes["a"]

    @property
    def b(self) -> Node:
        return self.nodes["b"]

    def journal(self, name: str) -> Path:
        return self.nodes[name].folders.root / "journal"

    async def open(self) -> None:
        self.platform, _ = await self._stack.enter_async_context(demo.serve("127.0.0.1", self.upstream))
        self.platform.ids = itertools.count(1000)
        await self.wire.open()
        await asyncio.gather(*(self._start(name, number) for number, name in enumerate("ab", 1)))
        for name in "ab":
            body = {"name": "copies", "scopes": ["journal:read"], "reason": "the other node copies"}
            made = await self.nodes[name].manage("POST", "/v1/tokens", body)
            (self.folder / f"{name}.token").write_text(made.json()["result"]["token"])
        await asyncio.gather(*(node.stop() for node in self.nodes.values()))
        await asyncio.gather(
            self._start("a", 1, PEER.format(name="b", port=self.wire.port, node=2, token=self.folder / "b.token")),
            self._start("b", 2, PEER.format(name="a", port=self.ports["a"][1], node=1, token=self.folder / "a.token")),
        )
        lines = json.dumps({"sender": "alice", "verified": True}).encode()
        for node in self.nodes.values():
            assert (await node.manage("POST", "/v1/accounts:import?reason=test", raw=lines)).status == 200

    async def _start(self, name: str, number: int, more: str = "") -> None:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        config = write_config(
            place, self.ports[name], self.upstream, workers=2, route=ROUTE, server=f"node = {number}", more=more
        )
        ports = self.ports[name]
        self.nodes[name] = Node(place / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        await self.nodes[name].start()

    async def close(self) -> None:
        for node in self.nodes.values():
            if node.process is not None and node.process.returncode is None:
                await node.stop()
        await self.wire.close()
        await self._stack.aclose()

    async def say(self, name: str, text: str) -> tuple[str, str]:
        """Published there; our id and the platform's."""
        answer = await self.nodes[name].say("alice", text)
        assert answer.status == 201, answer
        return answer.headers["tidegate-message-id"], str(answer.json()["id"])

    def query(self, name: str, *asked: str) -> list[dict[str, Any]]:
        """What ``tidegate journal query`` gives there."""
        given = ["journal", "query", *asked, "--json", "--journal-dir", str(self.journal(name))]
        result = CliRunner().invoke(build(["journal"]), given)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

    def same(self) -> bool:
        """Whether each has all of the other's."""
        for at, of, number in (("a", "b", 2), ("b", "a", 1)):
            there, here = written(self.journal(of) / f"node-{number}"), written(self.journal(at) / f"node-{number}")
            if any(here.get(name) != digest for name, digest in there.items()):
                return False
        return True


def written(node: Path) -> dict[str, str]:
    """Segments with anything in them, by folder and name."""
    return {
        f"{path.parent.name.partition('+')[0]}/{path.name}": hashlib.sha256(data).hexdigest()
        for path in sorted(node.glob("*/*.jsonl"), key=lambda path: ("+" in path.parent.name, path))
        if "~" not in path.parent.name and (data := path.read_bytes())
    }


async def eventually(wanted: Callable[[], Any]) -> Any:
    async with asyncio.timeout(WITHIN):
        while not (found := await asyncio.to_thread(wanted)):
            await asyncio.sleep(0.1)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    try:
        await made.open()
        yield made
    finally:
        await made.close()


async def test_what_came_in_on_one_is_read_on_the_other(pair: Pair) -> None:
    ours, theirs = await pair.say("b", "hello from b")
    (told,) = await eventually(lambda: [one for one in pair.query("a", "--id", ours) if one["kind"] == "judged"])
    assert told["room"] == "1"
    await eventually(pair.same)
    ready = (await pair.a.manage("GET", "/readyz")).json()
    assert ready["checks"]["replicas"]["ok"]
    assert await pair.a.metric("tidegate_replica_up", peer="b") == 1
    assert await pair.a.metric("tidegate_replica_bytes_total", peer="b") > 0
    found = await pair.a.manage("POST", "/v1/takedowns:preview", {"id": ours, "reason": "looked at"})
    assert (found.status, found.json()["upstream_id"]) == (200, theirs)
    acts = (await pair.b.manage("GET", "/v1/acts?reason=audit&kind=journal.replicate")).json()["acts"]
    assert [(act["person"], act["token"]) for act in acts][:1] == [("admin", "copies")]


async def test_a_takedown_on_one_of_what_came_in_on_the_other(pair: Pair) -> None:
    ours, theirs = await pair.say("b", "to be taken down")
    await eventually(lambda: [one for one in pair.query("a", "--id", ours) if one["kind"] == "outcome"])
    body = {
        "route": "comments",
        "upstream_id": theirs,
        "reason": "order 7",
        "refuse_copies": 3600,
        "ground": "article 7",
    }
    answer = await pair.a.manage("POST", "/v1/takedowns", body)
    assert answer.status in (200, 202), answer
    await eventually(
        lambda: "to be taken down" not in [one["content"] for one in pair.platform.room("articles", "1").messages]
    )

    def confirmed() -> bool:
        states = [one["state"] for one in pair.query("b", "--id", ours) if one["kind"] == "removal"]
        return "confirmed" in states

    await eventually(confirmed)  # b knows, though a did it
    assert (await pair.a.say("alice", "to be taken down")).status == 403


async def test_bytes_that_break_on_the_wire_are_fetched_again(pair: Pair) -> None:
    broke, before = pair.wire.broke, await pair.a.metric("tidegate_replica_failures_total", cause="garbled")
    for number in range(3):
        pair.wire.break_next = True
        await pair.say("b", f"over a bad wire {number}")
        await eventually(lambda: not pair.wire.break_next)
        await eventually(pair.same)
    assert pair.wire.broke == broke + 3
    assert await pair.a.metric("tidegate_replica_failures_total", cause="garbled") >= before + 3


async def test_kills_in_the_middle_cost_nothing(pair: Pair) -> None:
    said = 0
    for node, process in ((pair.a, "replicator"), (pair.b, "control"), (pair.b, "worker-0"), (pair.b, "replicator")):
        (pid,) = (await node.pids(process)).values()
        kill(pid)
        for _ in range(10):
            said += (await pair.b.say("alice", f"while something died {said}")).status == 201
    assert said >= 30
    await eventually(pair.same)


async def test_a_lost_disk(pair: Pair) -> None:
    ids = [(await pair.say("b", f"before the disk was lost {number}"))[0] for number in range(5)]
    await eventually(pair.same)
    await pair.b.stop()
    shutil.rmtree(pair.journal("b"))
    held = {one["id"] for one in pair.query("a", "--route", "comments") if one["kind"] == "judged"}
    assert held >= set(ids)
    told = CliRunner().invoke(build(["journal"]), ["journal", "verify", "--journal-dir", str(pair.journal("a"))])
    assert "node-2: a copy, whole until" in told.output and "nothing was missing then" in told.output, told.output
    pair.journal("b").mkdir(mode=0o700)
    await pair.b.start()
    new, _ = await pair.say("b", "after the disk was lost")
    await eventually(lambda: pair.query("a", "--id", new))
    await eventually(pair.same)
    for message in ids:  # what b lost is still found here, beside what it has now
        assert [one["kind"] for one in pair.query("a", "--id", message)][:1] == ["judged"]
    assert (await pair.a.manage("POST", "/v1/takedowns:preview", {"id": ids[0], "reason": "order"})).status == 200
    assert await pair.a.metric("tidegate_replica_findings_total", kind="aside") > 0
