"""How a node ends, and what the folder that it was started in has to say: nothing."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.e2e.lab import Lab, lab
from tests.e2e.node import kill
from tests.gateway.common.test_posix_programs import TRAP


def tell(made: Lab) -> None:
    """SIGTERM to the supervisor."""
    assert made.node.process is not None
    made.node.process.send_signal(signal.SIGTERM)


async def unready(made: Lab) -> dict[str, dict[str, object]]:
    """The checks of ``/readyz``, once it answers 503."""
    async with asyncio.timeout(30):
        while (answer := await made.node.manage("GET", "/readyz")).status != 503:
            await asyncio.sleep(0.02)
    checks: dict[str, dict[str, object]] = answer.json()["checks"]
    return checks


async def test_a_lame_duck_serves_on_and_is_not_ready(tmp_path: Path) -> None:
    async with lab(tmp_path, server='shutdown_delay = "1h"') as made:
        node = made.node
        assert (await node.manage("GET", "/readyz")).status == 200
        reader, writer = await node.connect()
        tell(made)
        checks = await unready(made)
        assert [name for name, check in checks.items() if not check["ok"]] == ["node"]
        for content in ("hello", "and hello"):
            assert (await node.say("alice", content)).status == 201
        # What dies meanwhile comes back.
        before = await node.pids("worker-")
        kill(before["worker-0"])
        async with asyncio.timeout(60):
            while (await node.pids("worker-")).get("worker-0", before["worker-0"]) == before["worker-0"]:
                await asyncio.sleep(0.02)
        async with asyncio.timeout(60):  # it answers 503 until it has state
            while (await node.say("bob", "hello")).status != 201:
                await asyncio.sleep(0.05)
        tell(made)
        assert node.process is not None
        assert await asyncio.wait_for(node.process.wait(), 60) == 0
        await asyncio.wait_for(reader.read(), 30)
        writer.close()


async def test_a_lame_duck_ends_by_itself(tmp_path: Path) -> None:
    async with lab(tmp_path, known=False, server='shutdown_delay = "300ms"') as made:
        tell(made)
        assert made.node.process is not None
        assert await asyncio.wait_for(made.node.process.wait(), 60) == 0
        assert "shutdown.delayed" in made.node.told()


async def test_modules_of_the_operators_folder_are_not_imported(tmp_path: Path) -> None:
    """Neither when a child starts, nor when the compiler does."""
    folder = tmp_path / "operator"
    folder.mkdir()
    for name in ("platform", "json", "asyncio", "ssl", "redis", "uvloop"):
        (folder / f"{name}.py").write_text(TRAP)
    async with lab(tmp_path, cwd=folder) as made:
        assert (await made.node.say("alice", "hello")).status == 201
        answer = await made.node.manage("POST", "/v1/reload", {"reason": "test"})
        assert (answer.status, answer.json()["result"]["ok"]) == (200, True)
        await made.sound()


async def test_a_death_is_told_with_its_cause(tmp_path: Path) -> None:
    async with lab(tmp_path, known=False) as made:
        node = made.node
        pids = await node.pids("worker-")
        kill(pids["worker-0"])
        async with asyncio.timeout(60):
            while (await node.pids("worker-")).get("worker-0", pids["worker-0"]) == pids["worker-0"]:
                await asyncio.sleep(0.02)
        (died,) = [line for line in node.told().splitlines() if "child.died" in line]
        assert '"cause":"signal SIGKILL"' in died
        assert '"pause":0' in died, "the only worker waits for nothing"
