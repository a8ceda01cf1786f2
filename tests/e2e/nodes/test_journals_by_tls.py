"""A journal that is copied over TLS: by an authority that is trusted, and not by another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.certificates import make, trusting
from tests.e2e.lab import write_config
from tests.e2e.node import Node
from tests.e2e.nodes.cluster import soon
from tests.e2e.upstream import serve

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.whole]

PEER = """
[journal.replicas.peers.b]
url = "https://localhost:{port}"
node = 2
token = "file:{token}"
tls = {{ ca = "{ca}" }}
"""
AGAIN = 90.0  # seconds, on a machine with much else to do


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Node, Node, Path]]:
    """Node 1, which does not run yet and trusts nobody, and node 2, whose admin API has a certificate; its folder."""
    folder = tmp_path_factory.mktemp("t")
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(serve())
        nodes: list[Node] = []
        for number in (1, 2):
            own = folder / str(number)
            own.mkdir()
            ports = free_port(), free_port()
            config = write_config(own, ports, platform.port, server=f"node = {number}")
            nodes.append(Node(own / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1]))
        first, second = nodes
        files = make(folder, "localhost")
        config = folder / "2" / "tidegate.toml"
        text = config.read_text(encoding="utf-8")
        shown = f'[control]\ncertificate = "{files.certificate}"\nkey = "{files.key}"\n'
        config.write_text(text.replace("[control]\n", shown, 1), encoding="utf-8")
        second.control_tls = trusting(files)
        await second.start()
        made = await second.manage("POST", "/v1/tokens", {"name": "a", "scopes": ["journal:read"], "reason": "copies"})
        (folder / "token").write_text(made.json()["result"]["token"], encoding="ascii")
        yield first, second, folder
        for node in nodes:
            if node.process is not None and node.process.returncode is None:
                await node.stop()


async def trusts(first: Node, second: Node, folder: Path, authority: Path) -> None:
    """Start node 1 with this authority."""
    config = folder / "1" / "tidegate.toml"
    text = config.read_text(encoding="utf-8").partition("[journal.replicas")[0]
    peer = PEER.format(port=second.control_port, token=folder / "token", ca=authority)
    config.write_text(text + peer, encoding="utf-8")
    await first.start()


async def test_a_certificate_that_is_not_trusted_is_told_and_nothing_is_copied(two: tuple[Node, Node, Path]) -> None:
    first, second, folder = two
    (folder / "other").mkdir()
    await trusts(first, second, folder, make(folder / "other", "localhost").certificate)

    async def told() -> bool:
        return await first.metric("tidegate_replica_failures_total", peer="b", cause="tls") > 0

    await soon(told, AGAIN)
    ready = await first.manage("GET", "/readyz")
    assert ready.status == 200
    assert "b" in ready.json()["checks"]["replicas"]["detail"]
    assert await first.metric("tidegate_replica_up", peer="b") == 0
    assert not [one for one in (folder / "1" / "data" / "journal" / "node-2").rglob("*.jsonl") if one.stat().st_size]
    await first.stop()


async def test_it_is_copied_from_one_that_is(two: tuple[Node, Node, Path]) -> None:
    first, second, folder = two
    await trusts(first, second, folder, folder / "server.pem")
    lines = b'{"sender": "alice", "verified": true}'
    assert (await second.manage("POST", "/v1/accounts:import?reason=test", raw=lines)).status == 200
    said = await second.say("alice", "over a wire that nobody reads")
    assert said.status == 201, said
    wanted = said.headers["tidegate-message-id"].encode()

    async def copied() -> bool:
        files = await asyncio.to_thread(lambda: list((folder / "1" / "data" / "journal" / "node-2").rglob("*.jsonl")))
        return any([wanted in await asyncio.to_thread(file.read_bytes) for file in files])

    await soon(copied, AGAIN)
    assert await first.metric("tidegate_replica_up", peer="b") == 1
