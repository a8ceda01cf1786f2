"""A node whose control database is a PostgreSQL server that comes late, dies, comes back, and comes back older."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rig.ports import free_port
from rig.postgresql import PASSWORD, Postgres
from tests.e2e.lab import write_config
from tests.e2e.node import Answer, Node
from tests.e2e.upstream import serve

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]  # commands, one after the other

TIMES = """
[control.postgresql]
password = "env:GATE_DATABASE_PASSWORD"
connect_timeout = "1s"
statement_timeout = "2s"
lock_timeout = "1s"
max_wait = "2s"
"""
BLOCK = {"scope": "sender", "reason": "spam", "ground": "agreement 6.1"}


class Site:
    """A node and its server; neither runs yet."""

    def __init__(self, folder: Path, server: Postgres, platform: int, name: str) -> None:
        self.folder = folder
        self.server = server
        self.url = server.url(name, password=False)
        ports = free_port(), free_port()
        self.config = write_config(folder, ports, platform, more=TIMES)
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(text.replace("[state]", f'database = "{self.url}"\n[state]', 1), encoding="utf-8")
        self.node = Node(folder / "data", "run", "--config", str(self.config), port=ports[0], control_port=ports[1])

    async def block(self, sender: str) -> Answer:
        return await self.node.manage("POST", "/v1/blocks", {**BLOCK, "value": sender})

    async def database(self) -> dict[str, Any]:
        """What readiness says of the database."""
        told: dict[str, Any] = (await self.node.manage("GET", "/readyz", token="-")).json()["checks"]["database"]
        return told

    async def well(self) -> None:
        async with asyncio.timeout(30):
            while (await self.database())["detail"] or await self.node.metric("tidegate_database_up") != 1:
                await asyncio.sleep(0.02)

    async def command(self, *words: str, code: int = 0) -> str:
        where = ("--config", str(self.config), "--data-dir", str(self.node.folders.root))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *words, *where,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == code, told.decode()
        return told.decode()


@pytest.fixture
def own(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A server of this test's own, to be killed."""
    monkeypatch.setenv("GATE_DATABASE_PASSWORD", PASSWORD)
    with Postgres() as made:
        made.create("gate")
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path, own: Postgres) -> AsyncIterator[Site]:
    async with serve() as platform:
        made = Site(tmp_path, own, platform.port, "gate")
        yield made
        if made.node.process is not None:
            await made.node.stop()


async def test_it_comes_late_dies_and_comes_back(site: Site) -> None:
    node = site.node
    site.server.kill()
    with pytest.raises(RuntimeError, match="has not answered since this node was made"):
        await node.start()  # nobody knows what people changed in word lists
    site.server.start()
    await node.start()
    await site.well()
    answer = await node.manage("PUT", "/v1/accounts/alice", {"verified": True, "reason": "papers"})
    assert (answer.status, answer.json()["in_force"]) == (200, True), answer
    assert (await node.say("alice", "hello")).status == 201

    site.server.kill()
    answer = await site.block("alice")
    assert (answer.status, answer.json()["reason"]) == (503, "control.database_unavailable"), answer
    assert answer.json()["detail"].startswith("Nothing was done: the control database ")
    assert answer.headers["retry-after"] == "1"
    assert (await node.say("alice", "still here")).status == 201
    told = await site.database()
    assert told["ok"]
    assert "no act is taken" in told["detail"]
    assert await node.metric("tidegate_database_up") == 0
    assert (await node.manage("GET", "/v1/status")).status == 200

    # The node is started again while it is away: judging goes on, acts wait.
    await node.stop()
    await node.start()
    assert (await node.say("alice", "and here")).status == 201
    answer = await site.block("alice")
    assert (answer.status, answer.json()["reason"]) == (503, "control.database_unavailable"), answer
    assert (await site.database())["ok"]
    assert "no act is taken" in (await site.database())["detail"]

    site.server.start()
    await site.well()
    answer = await site.block("alice")
    assert (answer.status, answer.json()["in_force"]) == (200, True), answer
    assert (await node.say("alice", "not any more")).status == 403
    log = node.told(everything=True)
    assert "database.away" in log
    assert log.count('"database.back"') == 1  # of the node that saw it come back
    assert "database.back" in log
    assert PASSWORD not in log
    assert "Traceback" not in log


async def test_one_that_comes_back_older_does_nothing(site: Site) -> None:
    """The last commits were lost with a primary: what was answered is missed, and nobody is let off."""
    node = site.node
    await node.start()
    await site.well()
    await node.manage("PUT", "/v1/accounts/bob", {"verified": True, "reason": "papers"})
    site.server.ask("CREATE DATABASE before TEMPLATE template0")
    dumped = site.server.folder / "dump.sql"
    site.server._run("pg_dump", "-d", site.server.url("gate"), "-f", str(dumped))
    assert (await site.block("bob")).json()["in_force"]
    site.server._run("psql", "-q", "-d", site.server.url("before"), "-f", str(dumped))
    site.server.ask("ALTER DATABASE gate WITH ALLOW_CONNECTIONS false")
    site.server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'gate'")
    site.server.ask("ALTER DATABASE gate RENAME TO lost")
    site.server.ask("ALTER DATABASE before RENAME TO gate")
    async with asyncio.timeout(30):
        while (told := await site.database())["ok"]:
            await asyncio.sleep(0.02)
    assert "lacks 1 acts that the journal holds" in told["detail"]
    answer = await node.manage("PUT", "/v1/accounts/bob", {"verified": True, "reason": "papers"})
    assert (answer.status, answer.json()["reason"]) == (503, "control.database_behind"), answer
    assert (await node.say("bob", "am I let off?")).status == 403
    await node.stop()
    journal = str(node.folders.root / "journal")
    assert "1 acts came back" in await site.command("restore", "--acts-from", journal)
    await node.start()
    await site.well()
    assert (await node.say("bob", "and now?")).status == 403
    rows = (await node.manage("GET", "/v1/blocks?reason=look")).json()["blocks"]
    assert [row["value"] for row in rows] == ["bob"]


async def test_commands_work_on_it(site: Site) -> None:
    node = site.node
    await node.start()
    await site.well()
    assert (await site.block("carol")).json()["in_force"]
    assert "subjects written" in await site.command("state", "rebuild", "--reason", "while it runs")
    backups = site.folder / "backups"
    await site.command("backup", str(backups))
    backup = next(path for path in backups.iterdir() if path.is_dir())
    manifest = json.loads((backup / "manifest.json").read_bytes())
    assert manifest["database"]["server"] == site.url.replace("tidegate@", "")
    await node.stop()
    assert "state is ours" in await site.command("state", "claim", "--reason", "while it does not")
    told = await site.command("restore", str(backup), "--database-only", code=1)
    assert "holds something" in told
    # Everything is lost, and comes back into an empty database.
    site.server.drop("gate")
    site.server.create("gate")
    node.folders.root.rename(site.folder / "lost")
    await site.command("restore", str(backup), "--acts-from", str(site.folder / "lost" / "journal"))
    (node.folders.control / "first-token").write_bytes((site.folder / "lost" / "control" / "first-token").read_bytes())
    await node.start()
    await site.well()
    rows = (await node.manage("GET", "/v1/blocks?reason=look")).json()["blocks"]
    assert [row["value"] for row in rows] == ["carol"]
    assert (await site.block("dora")).json()["in_force"]
    kinds = {act["kind"] for act in (await node.manage("GET", "/v1/acts?reason=look")).json()["acts"]}
    assert {"person.add", "block.create", "state.rebuild"} <= kinds
