"""Two gateways with databases of their own on one state: the second is refused, whole, until a person takes it over."""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.lab import Lab, write_config
from tests.e2e.node import Node, kill
from tests.e2e.state.server import LENIENT, Server
from tests.e2e.upstream import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

REASON = "the other one is gone for good"


class Pair:
    """Two nodes that name the same server; neither runs yet."""

    def __init__(self, folder: Path, server: Server, platform: int) -> None:
        self.server = server
        self.nodes: list[Node] = []
        self.configs: list[Path] = []
        for name in ("first", "second"):
            (folder / name).mkdir()
            ports = free_port(), free_port()
            state = f'url = "unix://{server.socket}"\ndeadline = "5s"'
            config = write_config(folder / name, ports, platform, state=state, more=LENIENT)
            arguments = ("run", "--config", str(config))
            self.configs.append(config)
            self.nodes.append(Node(folder / name / "data", *arguments, port=ports[0], control_port=ports[1]))

    async def command(self, number: int, *words: str) -> tuple[int, str]:
        """A command with this node's configuration; its exit code and all that it said."""
        where = ("--config", str(self.configs[number]), "--data-dir", str(self.nodes[number].folders.root))
        return await said("state", *words, *where)


async def said(*words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, told.decode()


@pytest_asyncio.fixture(loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    folder = tmp_path_factory.mktemp("o")
    server = Server(folder)
    server.start()
    async with serve() as upstream:
        made = Pair(folder, server, upstream.port)
        try:
            yield made
        finally:
            for node in made.nodes:
                if node.process is not None:
                    await node.stop()
            server.kill()
            shutil.rmtree(folder, ignore_errors=True)


async def refused_start(node: Node) -> str:
    """It must end with 1, and nobody may have been able to connect; what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *node._arguments, "--data-dir", str(node.folders.root),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    heard = asyncio.create_task(process.communicate())
    while not heard.done():
        for port in (node.port, node.control_port):
            with contextlib.suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                pytest.fail("a socket was open")
        await asyncio.sleep(0.02)
    told, _ = await heard
    assert process.returncode == 1, told
    return told.decode()


async def block(node: Node, sender: str) -> Any:
    known = f'{{"sender": "{sender}", "verified": true}}'.encode()
    await node.manage("POST", "/v1/accounts:import?reason=test", raw=known)
    body = {"scope": "sender", "value": sender, "ground": "agreement 6.1", "reason": "test"}
    return (await node.manage("POST", "/v1/blocks", body)).json()


async def reason_for(node: Node, sender: str) -> str:
    return str((await node.say(sender, "hello", "/api/lenient/1")).json().get("reason", ""))


@pytest.mark.timeout(300)  # ten starts of a program, one after the other
async def test_the_second_is_refused_until_a_person_takes_it_over(pair: Pair) -> None:
    first, second = pair.nodes
    await first.start()
    assert (await block(first, "mallory"))["in_force"]
    told = await refused_start(second)
    assert "state belongs to the control database" in told
    assert str(first.folders.control) in told
    assert "tidegate state claim" in told
    assert await reason_for(first, "mallory") == "block.sender"
    # A rebuild of the second would lift the first one's blocks: refused as well.
    code, told = await pair.command(1, "rebuild", "--reason", "mine")
    assert (code, "state belongs to" in told) == (1, True)
    assert await reason_for(first, "mallory") == "block.sender"
    # Killed outright, the first one starts again at once.
    assert first.process is not None
    kill(first.process.pid)
    await first.stop()
    await first.start()
    assert await reason_for(first, "mallory") == "block.sender"
    code, told = await pair.command(0, "status")
    assert (code, f"{first.folders.control}" in told) == (0, True)

    code, told = await pair.command(1, "claim", "--reason", REASON)
    assert code == 0, told
    assert f"it belonged to {first.folders.control}" in told
    # The first one is told, says so, and writes nothing any more.
    async with asyncio.timeout(30):
        while (answer := await first.manage("GET", "/readyz")).status != 503:
            await asyncio.sleep(0.1)
    assert "state belongs to the control database" in answer.json()["checks"]["state"]["detail"]
    assert str(second.folders.control) in answer.json()["checks"]["state"]["detail"]
    outcome = await block(first, "trent")
    assert (outcome["projected"], outcome["in_force"]) == (False, False)
    assert "state.not_ours" in first.told(everything=True)
    await second.start()
    assert (await block(second, "oscar"))["in_force"]
    assert await reason_for(second, "oscar") == "block.sender"
    acts = (await second.manage("GET", "/v1/acts?reason=audit&kind=state.claim")).json()["acts"]
    assert [act["reason"] for act in acts] == [REASON]
    async with asyncio.timeout(20):
        while not [one for one in second.records() if one["kind"] == "act" and one["what"] == "state.claim"]:
            await asyncio.sleep(0.1)
    await first.stop()
    assert str(second.folders.control) in await refused_start(first)


async def test_a_server_that_may_evict_blocks_is_refused(pair: Pair) -> None:
    await pair.server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    told = await refused_start(pair.nodes[0])
    assert "maxmemory-policy allkeys-lru may evict blocks" in told
    await pair.server.ask("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
    assert "ten minutes and longer" in await refused_start(pair.nodes[0])  # a limit of an hour
    await pair.server.ask("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
    await pair.nodes[0].start()


async def test_an_embedded_state_whose_database_was_taken_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The server runs only while the gateway does: a claim starts it for as long as it takes."""
    folder = tmp_path_factory.mktemp("e")
    async with serve() as upstream:
        ports = free_port(), free_port()
        config = write_config(folder, ports, upstream.port)
        node = Node(folder / "d", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        await node.start()
        made = Lab(node, upstream, config)
        await made.introduce("alice")
        await node.stop()
        shutil.rmtree(node.folders.control)
        assert "state belongs to the control database" in await refused_start(node)
        where = ("--config", str(config), "--data-dir", str(node.folders.root))
        code, told = await said("state", "claim", "--reason", REASON, *where)
        assert (code, "it belonged to" in told) == (0, True), told
        await node.start()
        assert (await node.manage("GET", "/readyz")).status == 200
        await node.stop()
