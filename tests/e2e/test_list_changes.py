"""What people added to lists survives an upgrade, a crash and a lost file; where it cannot, nothing is compiled."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from rig.ports import free_port
from tests.e2e.lab import lab, write_config
from tests.e2e.node import Node
from tests.e2e.upstream import serve

ADDED = "网上赌博"


async def refused(node: Node, text: str) -> bool:
    answer = await node.say("alice", text)
    assert answer.status in (201, 403)
    return answer.status == 403


@pytest.mark.timeout(240)  # two starts of everything
async def test_an_upgrade_a_lost_file_and_a_reload(tmp_path: Path) -> None:
    async with lab(tmp_path) as made:
        node = made.node
        file = node.folders.list_changes
        added = await node.manage("POST", "/v1/lists/spam/words", {"line": ADDED, "reason": "test"})
        assert added.json()["reload"]["ok"] is True
        assert await refused(node, ADDED)

        before = (await node.status())["generation"]
        file.unlink()
        assert node.process is not None
        node.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(60):
            while "list-changes.json is missing" not in node.told():
                await asyncio.sleep(0.05)
        assert (await node.status())["generation"] == before  # the last good one stays in force (law 9)
        assert await refused(node, ADDED)
        assert (await node.manage("POST", "/v1/reload", {"reason": "test"})).json()["result"]["ok"] is True
        assert await refused(node, ADDED)

        # As a version left the data folder that knew no such file.
        await node.stop()
        file.unlink()
        await node.start()
        assert await refused(node, ADDED)


async def test_a_database_that_cannot_be_read_is_told_and_nothing_starts(tmp_path: Path) -> None:
    async with serve() as upstream:
        ports = free_port(), free_port()
        config = write_config(tmp_path, ports, upstream.port)
        node = Node(tmp_path / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        node.folders.make()
        (node.folders.control / "control.sqlite3").write_bytes(b"not a database, and as long as one may be" * 100)
        try:
            await node.start()
        except RuntimeError as error:
            assert "list-changes.json is missing" in str(error)
            assert "start the gateway again" in str(error)
        else:
            raise AssertionError("it started without what people changed")
        assert await node.stop() == 1
